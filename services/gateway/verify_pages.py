"""The public page `/verify`: the stranger's verifier for whoever has a certificate and no Python; no login, no script.

Rules kept here:
1. What is dropped is kept nowhere: it stays in memory, reaches the verifier through an anonymous file in memory, and is
   gone with the answer. Logged is the outcome alone.
2. The verifier is the program that lies in every bundle, in a process with limits (`verify_child.py`): a bomb ends
   there.
3. Nobody can take the gateway down from here: a limit of size, a limit of tries per address, and at most two uploads at
   a time, taken before a byte of the body is read.
4. Keys and heads may be given by the reader; the installation's own are said to be the supplier's word.
"""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import BoundedSemaphore, Lock
from typing import IO, Any

from flask import Blueprint, Request, current_app, g, render_template, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from services.gateway.texts import text
from shared.runtime.logging import log

VERIFIER = Path(__file__).parents[1] / "compliance" / "verifier" / "ophor_verify.py"
CHILD = Path(__file__).with_name("verify_child.py")
MOST_BYTES, MOST_TEXT, MOST_LINES = 32 << 20, 64 << 10, 20
AT_ONCE, TRIES, WINDOW_S, WALL_S = 2, 30, 5 * 60, 40
LADDER = ("SELF-CONSISTENT", "SIGNED", "WITNESSED", "TIMESTAMPED")
Page = str | tuple[str, int]

verifying = Blueprint("verifying", __name__)


class InMemory(Request):
    """A request whose uploads never touch the disk (rule 1)."""

    def _get_file_stream(self, *_: Any, **__: Any) -> IO[bytes]:
        return io.BytesIO()


@dataclass
class Turns:
    """Who may verify now: a number of tries per address and window, and a number at a time (rule 3)."""

    now: Callable[[], float] = time.monotonic
    _lock: Lock = field(default_factory=Lock)
    _seats: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(AT_ONCE))
    _tries: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def wait(self, address: str) -> int:
        """Note a try; give the seconds to wait instead where there were too many."""
        with self._lock:
            since = self.now() - WINDOW_S
            self._tries = defaultdict(list, {who: kept for who, at in self._tries.items()
                                             if (kept := [one for one in at if one > since])})  # fmt: skip
            tries = self._tries[address]
            if len(tries) >= TRIES:
                return int(tries[0] - since) + 1
            tries.append(self.now())
            return 0

    @contextmanager
    def seat(self) -> Iterator[bool]:
        """Take one of the seats, and tell whether there was one."""
        taken = self._seats.acquire(blocking=False)
        try:
            yield taken
        finally:
            if taken:
                self._seats.release()


@dataclass(frozen=True)
class Keys:
    """The installation's own: its verifier keys, one a line in a file that set-up or rotation may write anew."""

    file: Path | None

    def lines(self) -> list[str]:
        """Give the keys; none where the file is not there."""
        try:
            body = json.loads(self.file.read_text("utf-8")) if self.file else {}
        except (OSError, ValueError):
            return []
        return [str(body[name]) for name in ("log", "seal", "sign", "pdf") if body.get(name)]


@dataclass(frozen=True)
class Asked:
    """What a reader asks to have verified, and what they trust."""

    data: bytes
    keys: list[str]
    heads: list[str]
    witnesses: list[str]
    revocations: str
    rehearsal: bool
    own: bool = True


@verifying.get("/verify")
@verifying.get("/verify/<digest>")
def form(digest: str = "") -> Page:
    """Show the form; `digest` is what the QR code of a certificate names."""
    return _page(digest=digest if re.fullmatch(r"[0-9a-f]{64}", digest) else "")


@verifying.post("/verify")
@verifying.post("/verify/<digest>")
def judge(digest: str = "") -> Page:
    """Verify what was dropped and show the answer."""
    digest = digest if re.fullmatch(r"[0-9a-f]{64}", digest) else ""
    turns: Turns = current_app.extensions["turns"]
    if seconds := turns.wait(request.remote_addr or ""):
        return _page(text("verify_brake", g.language, seconds=seconds), 429, digest)
    with turns.seat() as seated:
        if not seated:
            return _page(text("verify_busy", g.language), 503, digest)
        try:
            asked = _asked()
        except RequestEntityTooLarge:
            return _page(text("verify_too_large", g.language), 413, digest)
        if not asked.data:
            return _page(text("verify_no_file", g.language), 400, digest)
        answer = verify(asked)
    log.info("verified on the page", outcome=answer["result"] if answer else "NO ANSWER")
    if answer is None:
        return _page(text("verify_no_answer", g.language), 503, digest)
    return _page(digest=digest, answer=answer, asked=asked)


def _page(error: str = "", status: int = 200, digest: str = "", **shown: Any) -> Page:
    keys = current_app.extensions["evidence"].lines()
    shown = {"answer": None, "asked": None} | shown
    reached = _reached(shown["answer"]) if shown["answer"] else []
    same = bool(digest) and shown["answer"] is not None and shown["answer"].get("statement_digest") == digest
    body = render_template(
        "verify.html", error=error, digest=digest, same=same, keys=keys, ladder=LADDER, reached=reached,
        megabytes=MOST_BYTES >> 20, **shown,
    )  # fmt: skip
    return body if status == 200 else (body, status)


def _reached(answer: dict[str, Any]) -> list[str]:
    """Give the steps of the ladder up to the answer's level; a witness counts only where its own check passed."""
    upto = LADDER[: LADDER.index(answer["level"]) + 1] if answer["level"] in LADDER else ()
    witnessed = any((one["n"], one["result"]) == (19, "OK") for one in answer["checks"])
    return [step for step in upto if step != "WITNESSED" or witnessed]


def _asked() -> Asked:
    request.max_content_length = MOST_BYTES + 4 * MOST_TEXT
    request.max_form_memory_size = 4 * MOST_TEXT
    try:
        file = request.files.get("file")
        data = file.stream.read(MOST_BYTES + 1) if file else b""
    except HTTPException as error:
        raise RequestEntityTooLarge from error
    if len(data) > MOST_BYTES:
        raise RequestEntityTooLarge
    own = current_app.extensions["evidence"].lines() if request.form.get("own") else []
    return Asked(
        data,
        [*own, *_lines("keys")],
        _notes("heads"),
        _lines("witnesses"),
        _text("revocations"),
        bool(request.form.get("rehearsal")),
        bool(request.form.get("own")),
    )


def _text(name: str) -> str:
    return request.form.get(name, "")[:MOST_TEXT].replace("\r\n", "\n")


def _lines(name: str) -> list[str]:
    return [line.strip()[:400] for line in _text(name).split("\n") if line.strip()][:MOST_LINES]


def _notes(name: str) -> list[str]:
    """Read signed notes pasted one after another: each is a body, an empty line, and its signature lines."""
    found = re.findall(r"(?:[^\n—]+\n)+\n(?:— [^\n]+\n)+", _text(name).strip("\n") + "\n")
    notes = [note for note in found if note.strip()]
    return (notes or ([_text(name)] if _text(name).strip() else []))[:MOST_LINES]


def verify(asked: Asked) -> dict[str, Any] | None:
    """Ask the verifier in a process of its own; None where it did not answer within its limits (rule 2)."""
    with ExitStack() as stack:
        given = [*asked.heads, *([asked.revocations] if asked.revocations.strip() else [])]
        files = [stack.enter_context(_in_memory(one)) for one in (asked.data, *(note.encode() for note in given))]
        paths = [f"/dev/fd/{file}" for file in files]
        argv = [f"--key={one}" for one in asked.keys] + [f"--witness={one}" for one in asked.witnesses]
        argv += [f"--head={path}" for path in paths[1 : 1 + len(asked.heads)]]
        argv += [f"--revocations={path}" for path in paths[1 + len(asked.heads) :]]
        argv += ["--rehearsal"] if asked.rehearsal else []
        return _answer([sys.executable, "-I", str(CHILD), str(VERIFIER), "--json", *argv, "--", paths[0]], files)


def _answer(argv: list[str], files: list[int]) -> dict[str, Any] | None:
    try:
        done = subprocess.run(
            argv, pass_fds=files, capture_output=True, timeout=WALL_S, check=False, env={"LANG": "C.UTF-8"}, cwd="/"
        )
        answer: dict[str, Any] = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, OSError, ValueError):
        return None
    return answer


@contextmanager
def _in_memory(data: bytes) -> Iterator[int]:
    """Put bytes into an anonymous file of the memory; give its descriptor."""
    file = os.memfd_create("certificate")
    try:
        with os.fdopen(os.dup(file), "wb") as writer:
            writer.write(data)
        yield file
    finally:
        os.close(file)
