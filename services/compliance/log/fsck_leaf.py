"""A leaf of the log, read again: accepted only where the stranger's verifier (`ophor_verify.parse`) accepts it too.

`msgspec` reads and writes four times as fast as `json`. What it read, written again in canonical form, must give the
same bytes, which a name given twice, another order or another spelling would not; floats are refused as they are met.
What that does not settle the strict reader judges itself: escapes, U+D000 and beyond (where names sort otherwise in
UTF-16 than here), numbers of 16 digits, and what is very deep or long.
"""

from __future__ import annotations

from typing import Any, NoReturn

import msgspec

from services.compliance.verifier import ophor_verify

LONG, DEEP = 100_000, 200
BEYOND = 0xED  # the first byte of U+D000
DOUBT, LARGE = b"\\", b":" + b"0" * 16
_MARKS = bytes.maketrans(b"123456789,[-}" + bytes(range(BEYOND, 256)), b"000000000:::]" + DOUBT * (256 - BEYOND))


class Event(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """What was logged: exactly these fields, in canonical order."""

    at: str
    entry: dict[str, Any]
    exit: str
    kind: str
    n: int
    origin: str
    prev: str
    ref: str
    version: int


class Leaf(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """An event and what its hash is salted with."""

    event: Event
    salt: str


def event_of(data: bytes) -> Event | None:
    """Read a leaf strictly; None where it is not one."""
    try:
        if doubtful(data):
            return msgspec.convert(ophor_verify.parse(data, "leaf"), Leaf).event
        leaf = _READ(data)
        return leaf.event if _WRITE(leaf) == data else None
    except (ophor_verify.Malformed, msgspec.MsgspecError, ValueError, RecursionError):
        return None


def doubtful(data: bytes) -> bool:
    """Tell whether only the strict reader can judge this."""
    marks = data.translate(_MARKS)
    return DOUBT in marks or LARGE in marks or marks.count(b"]") > DEEP or len(data) > LONG


def _refuse(text: str) -> NoReturn:
    raise ValueError(text)


_READ = msgspec.json.Decoder(Leaf, float_hook=_refuse).decode
_WRITE = msgspec.json.Encoder(order="deterministic").encode
