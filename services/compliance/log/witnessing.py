"""A witness's program (`ophor witness`): its rules stand in `witness.py`; here it speaks HTTP and at a terminal."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from contracts.errors import Rejected
from services.compliance.log.witness import LARGEST, PATH, Refused, Witness


def server(witness: Witness, host: str, port: int) -> ThreadingHTTPServer:
    """Make the server of `POST /add-checkpoint`; the caller runs and closes it."""

    class Handler(BaseHTTPRequestHandler):
        """One request of tlog-witness; its content is not logged."""

        timeout = 10

        def do_POST(self) -> None:
            """Answer a request."""
            size = self.headers.get("Content-Length", "")
            if self.path != PATH or not size.isdigit() or int(size) > LARGEST:
                self._say(404 if self.path != PATH else 400, "")
                return
            try:
                self._say(200, witness.add_checkpoint(self.rfile.read(int(size)).decode("utf-8", "replace")))
            except Refused as refused:
                self._say(refused.status, refused.text)

        def _say(self, status: int, text: str) -> None:
            data = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/x.tlog.size" if status == 409 else "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    return ThreadingHTTPServer((host, port), Handler)


def main(argv: list[str] | None = None, say: Callable[[str], Any] = print) -> int:
    """Do what the command line asks of a witness: 0 done, 1 refused by a rule, 2 a wrong call."""
    asked = _arguments(argv)
    try:
        if asked.command == "init":
            say(Witness.create(asked.folder, asked.name).vkey)
        elif asked.command == "trust":
            say(Witness.open(asked.folder).trust(asked.key))
        elif asked.command == "follow":
            say(Witness.open(asked.folder).follow(asked.file.read_text("utf-8")))
        elif asked.command == "cosign":
            say(Witness.open(asked.folder).add_checkpoint(asked.file.read_text("utf-8")).rstrip("\n"))
        else:
            _serve(Witness.open(asked.folder), asked.host, asked.port)
    except Refused as refused:
        print(refused, file=sys.stderr)  # noqa: T201 - a terminal program
        return 1
    except (Rejected, OSError, ValueError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    return 0


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="ophor witness", description="A witness of an evidence log.")
    commands = parser.add_subparsers(dest="command", required=True)
    init = commands.add_parser("init", help="make a witness's folder and key; prints the key for --witness")
    trust = commands.add_parser("trust", help="cosign for the log of this key from now on")
    follow = commands.add_parser("follow", help="follow the log's rotation of its key (file)")
    cosign = commands.add_parser("cosign", help="answer one request (file) of c2sp.org/tlog-witness")
    serve = commands.add_parser("serve", help=f"answer requests at POST {PATH}")
    for each in (init, trust, follow, cosign, serve):
        each.add_argument("folder", type=Path)
    init.add_argument("name")
    trust.add_argument("key")
    for each in (follow, cosign):
        each.add_argument("file", type=Path)
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=8042)
    return parser.parse_args(argv)


def _serve(witness: Witness, host: str, port: int) -> None:
    with server(witness, host, port) as made, suppress(KeyboardInterrupt):
        made.serve_forever()


if __name__ == "__main__":
    sys.exit(main())
