"""Have a witness cosign the log's head (c2sp.org/tlog-witness), and keep its cosignature with the head.

What the witness answers is believed only after its cosignature was verified over the head that was sent. It says which
size it kept (409); the proof from there is read from the stored nodes. Bundles and `read_log` carry the cosigned head.
"""

from __future__ import annotations

import argparse
import base64
import sys
from collections.abc import Callable
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from contracts.errors import Rejected, Unavailable
from services.compliance import store as evidence
from services.compliance.log import program, tree
from services.compliance.verifier import ophor_verify
from shared.store.unit import Store, Unit

PATH = "/add-checkpoint"
TIMEOUT_S, LONGEST = 10, 4_096
Ask = Callable[[str], tuple[int, str]]


def request(unit: Unit, head: evidence.Row, old: int) -> str:
    """Write the request to cosign `head` for a witness that kept the head of size `old`."""
    proof: list[bytes] = []
    if 0 < old < head["size"]:
        proof = evidence.Nodes(unit).answer(lambda nodes: tree.consistency(nodes, old, head["size"]))
    lines = "".join(f"{base64.b64encode(node).decode()}\n" for node in proof)
    return f"old {old}\n{lines}\n{head['checkpoint']}"


def submit(store: Store, ask: Ask, vkey: str) -> int | None:
    """Have the witness of `vkey` cosign the present head through `ask`, and give its size; None for an empty log.

    Raise Rejected WITNESS_KEY for a key that is no cosigner's, WITNESS_REFUSES where the witness says no (a fork or a
    rollback as it sees it), WITNESS_FALSE for a cosignature that is not its own; Unavailable WITNESS_UNREACHABLE.
    """
    key = _key(vkey)
    head = store.read(evidence.head)
    if head is None:
        return None
    status, answer = ask(store.read(lambda unit: request(unit, head, 0)))
    if status == 409 and answer.strip().isdigit() and int(answer) <= head["size"]:
        status, answer = ask(store.read(lambda unit: request(unit, head, int(answer))))
    if status != 200:
        raise _rejected("WITNESS_REFUSES", f"the witness answers {status}", "look for a fork: `ophor evidence fsck`")
    _believe(head["checkpoint"] + answer, answer, key)
    store.run(lambda unit: evidence.cosigned(unit, head["size"], answer))
    return int(head["size"])


def over_http(url: str) -> Ask:
    """Give the way to ask the witness at `url`."""

    def ask(text: str) -> tuple[int, str]:
        try:
            with urlopen(Request(url.rstrip("/") + PATH, text.encode()), timeout=TIMEOUT_S) as answer:  # noqa: S310
                return answer.status, answer.read(LONGEST).decode("utf-8", "replace")
        except HTTPError as error:
            return error.code, error.read(LONGEST).decode("utf-8", "replace")
        except (URLError, OSError, HTTPException) as error:
            raise Unavailable("WITNESS_UNREACHABLE", type(error).__name__, remedy="try again later") from None

    if urlsplit(url).scheme not in ("http", "https"):
        raise _rejected("WITNESS_URL", "not an address of a witness", "http://… or https://…")
    return ask


def _key(vkey: str) -> ophor_verify.NoteKey:
    try:
        return ophor_verify.note_key(vkey, 4)
    except (ophor_verify.Failed, ophor_verify.Malformed) as error:
        raise _rejected("WITNESS_KEY", str(error), "the key that `ophor witness init` printed") from None


def _believe(note: str, line: str, key: ophor_verify.NoteKey) -> None:
    try:
        true = line.count("\n") == 1 and ophor_verify.cosigned_at(note, key) is not None
    except (ophor_verify.Failed, ophor_verify.Malformed):
        true = False
    if not true:
        raise _rejected("WITNESS_FALSE", "the answer is no cosignature of this witness", "check its key and address")


def _rejected(code: str, message: str, remedy: str) -> Rejected:
    return Rejected(code, message, field="witness", remedy=remedy, da=f"Vidnet har ikke medunderskrevet ({code}).")


def main(argv: list[str] | None = None, say: Callable[[str], Any] = print) -> int:
    """Submit the head of the log that the environment names: 0 done, 1 the world is wrong, 2 refused."""
    parser = argparse.ArgumentParser(prog="ophor evidence cosign")
    parser.add_argument("url")
    parser.add_argument("key")
    asked = parser.parse_args(argv)
    return program.run(lambda store: say(f"{submit(store, over_http(asked.url), asked.key) or 0}"))


if __name__ == "__main__":
    sys.exit(main())
