"""A reader of tlog-tiles written from the specification alone (c2sp.org/tlog-tiles); shares nothing with the writer."""

import base64
import hashlib
from pathlib import Path


def tile(folder: Path, level: int | str, number: int, width: int) -> bytes:
    """Read the partial tile where the tree has only so many hashes; a full one else."""
    digits = str(number).rjust(-(-len(str(number)) // 3) * 3, "0")
    parts = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    name = "/".join([*("x" + part for part in parts[:-1]), parts[-1]])
    return (folder / "tile" / str(level) / (name if width == 256 else f"{name}.p/{width}")).read_bytes()


def head(folder: Path) -> tuple[int, bytes]:
    """Give size and root of the checkpoint, unverified."""
    lines = (folder / "checkpoint").read_text("utf-8").split("\n")
    return int(lines[1]), base64.b64decode(lines[2])


def level(folder: Path, number: int, size: int) -> list[bytes]:
    """Read all hashes of one level of tiles."""
    count, found = size >> (8 * number), b""
    for at in range(-(-count // 256)):
        data = tile(folder, number, at, min(256, count - at * 256))
        assert len(data) == 32 * min(256, count - at * 256)
        found += data
    return [found[at : at + 32] for at in range(0, len(found), 32)]


def entries(folder: Path, number: int, width: int) -> list[bytes]:
    """Read an entry bundle."""
    data, found = tile(folder, "entries", number, width), []
    while data:
        length = int.from_bytes(data[:2], "big")
        found.append(data[2 : 2 + length])
        data = data[2 + length :]
    return found


def mth(hashes: list[bytes]) -> bytes:
    """Hash a list of leaf hashes (RFC 6962 §2.1)."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    k = 1 << ((len(hashes) - 1).bit_length() - 1)
    return hashlib.sha256(b"\x01" + mth(hashes[:k]) + mth(hashes[k:])).digest()
