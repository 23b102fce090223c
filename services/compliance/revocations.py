"""The published list of revoked certificates, as a signed note (c2sp.org/signed-note) of the log's key.

Body: `<log origin>/revocations`, the count, then a line for each revocation in the log's order: number, SHA-256 of the
statement (hexadecimal), date (ISO 8601) and reason code. A list is whole, and its count is signed with it.
The stranger's reader is in `verifier/ophor_verify.py`.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass

from services.compliance.signing.keys import NoteKey

_LINE = re.compile(r"[^\s]{1,40} [0-9a-f]{64} \d{4}-\d\d-\d\d [A-Z][A-Z_]{1,39}\Z")


@dataclass(frozen=True, slots=True)
class Revoked:
    """One certificate that does not count any more: number, digest of its statement, day, reason code."""

    number: str
    digest: str
    on: str
    code: str

    @property
    def line(self) -> str:
        return f"{self.number} {self.digest} {self.on} {self.code}"


def body(origin: str, revoked: Iterable[Revoked]) -> str:
    """Write the signed part of the list; ValueError for what a reader would not read."""
    lines = [one.line for one in revoked]
    for line in lines:
        if not _LINE.fullmatch(line):
            raise ValueError(f"not a revocation: {line[:80]}")
    return "".join(f"{line}\n" for line in (f"{origin}/revocations", str(len(lines)), *lines))


def sign(origin: str, revoked: Iterable[Revoked], key: NoteKey) -> str:
    """Write the list as a note signed by the log's key."""
    text = body(origin, revoked)
    signature = base64.b64encode(key.id + key.sign(text.encode())).decode()
    return f"{text}\n— {key.name} {signature}\n"
