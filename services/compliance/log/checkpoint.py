"""The log's head as a C2SP checkpoint in a signed note (c2sp.org/signed-note, c2sp.org/tlog-checkpoint).

Body: origin, size and base64 root, a line each. A signature line is an em dash, the key's name and base64 of the four
bytes of the key's id with the Ed25519 signature over the body. Parsing is strict: anything else is refused.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass

from services.compliance.signing.keys import NoteKey

_NOTE = re.compile(r"(?P<body>(?P<origin>[^\n]+)\n(?P<size>0|[1-9][0-9]{0,17})\n(?P<root>[A-Za-z0-9+/]{43}=)\n)\n")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    origin: str
    size: int
    root: bytes
    text: str


def body(origin: str, size: int, root: bytes) -> str:
    """Write the signed part of a checkpoint."""
    return f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"


def sign(origin: str, size: int, root: bytes, key: NoteKey) -> str:
    """Write the checkpoint as a note signed by `key`."""
    text = body(origin, size, root)
    signature = base64.b64encode(key.id + key.sign(text.encode())).decode()
    return f"{text}\n— {key.name} {signature}\n"


def parse(text: str) -> Checkpoint:
    """Read a checkpoint without judging its signatures; ValueError when it is not one."""
    found = _NOTE.match(text)
    if not found:
        raise ValueError("not a checkpoint")
    return Checkpoint(found["origin"], int(found["size"]), base64.b64decode(found["root"]), text)
