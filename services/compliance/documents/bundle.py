"""The bundle: everything a stranger needs to check a certificate without us, as one canonical zip.

The same members always give the same bytes: sorted, stored, dated 1980-01-01, without extras; a reader builds the zip
again and compares. `manifest.dsse.json` lists every other member with its SHA-256 and is signed with the sealing key,
whose certificate's fingerprint stands in the signed statement. `keys.json` is for information only.
"""

from __future__ import annotations

import base64
import hashlib
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.compliance.log import tree
from services.compliance.signing.envelope import MANIFEST_TYPE, canonical, envelope, pae
from services.compliance.signing.keys import PublicKeys, SealKey

VERIFIER = Path(__file__).parents[1] / "verifier" / "ophor_verify.py"
HOW_TO = Path(__file__).parent / "templates" / "VERIFY.md"
_TILE = 256


@dataclass(frozen=True, slots=True)
class Proven:
    """What the log gives a bundle: `leaves` of the exit by index (bytes), `heads` and their time stamps by size."""

    size: int
    nodes: tree.Nodes
    leaves: Mapping[int, bytes]
    heads: Mapping[int, str]
    stamps: Mapping[int, bytes] = field(default_factory=dict)


def members(documents: Mapping[str, bytes], proven: Proven, keys: PublicKeys) -> dict[str, bytes]:
    """Collect a bundle's members but its manifest; `documents` are the PDF and the DSSE file by name."""
    found = {**documents, **_evidence(proven), **_checkpoints(proven), **_tiles(proven)}
    found["keys.json"] = canonical({**keys.as_dict(), "note": "for information only; trust keys from outside"})
    found |= {f"rotations/{number:04d}.txt": note.encode() for number, note in enumerate(keys.rotations)}
    found |= {f"tsr/{size:012d}.tsr": stamp for size, stamp in proven.stamps.items()}
    found["VERIFY.md"] = HOW_TO.read_bytes()
    found["ophor_verify.py"] = VERIFIER.read_bytes()
    return found


def build(found: Mapping[str, bytes], number: str, key: SealKey) -> bytes:
    """Write the bundle of these members with their signed manifest."""
    listed = [
        {"path": name, "sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
        for name, data in sorted(found.items())
    ]
    payload = canonical({"type": "urn:ophor:bundle:v1", "number": number, "members": listed})
    signature = (key.fingerprint, key.sign(pae(MANIFEST_TYPE, payload)))
    return write_zip({**found, "manifest.dsse.json": envelope(MANIFEST_TYPE, payload, [signature])})


def write_zip(found: Mapping[str, bytes]) -> bytes:
    """Write the canonical zip; ValueError when there are more members than a plain zip holds."""
    if len(found) > 0xFFFF:
        raise ValueError("too many members for a bundle")
    body, directory = bytearray(), bytearray()
    for name, data in sorted(found.items()):
        path = name.encode("ascii")
        # version, flags (UTF-8), stored, 00:00 on 1980-01-01, checksum, sizes, lengths of name and extras
        shared = struct.pack("<5H3I2H", 20, 0x0800, 0, 0, 0x21, zlib.crc32(data), len(data), len(data), len(path), 0)
        directory += b"PK\x01\x02\x14\x00" + shared + struct.pack("<3H2I", 0, 0, 0, 0, len(body)) + path
        body += b"PK\x03\x04" + shared + path + data
    tail = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, len(found), len(found), len(directory), len(body), 0)
    return bytes(body + directory + tail)


def _evidence(proven: Proven) -> dict[str, bytes]:
    found = {}
    for index, leaf in proven.leaves.items():
        path = tree.inclusion(proven.nodes, index, proven.size)
        found[f"evidence/{index:012d}.json"] = leaf
        found[f"proofs/{index:012d}.json"] = canonical({"index": index, "size": proven.size, "path": _texts(path)})
    return found


def _checkpoints(proven: Proven) -> dict[str, bytes]:
    found = {}
    for size, note in proven.heads.items():
        path = tree.consistency(proven.nodes, size, proven.size)
        proof: dict[str, Any] = {"first": size, "second": proven.size, "path": _texts(path)}
        found[f"checkpoints/{size:012d}.txt"] = note.encode()
        found[f"checkpoints/{size:012d}.json"] = canonical(proof)
    return found


def _tiles(proven: Proven) -> dict[str, bytes]:
    """Write every leaf hash as level-0 tiles (c2sp.org/tlog-tiles), so that a head of any size can be checked."""
    found = {}
    for first in range(0, proven.size, _TILE):
        last = min(first + _TILE, proven.size)
        name = tile_path(first // _TILE, last - first)
        found[name] = b"".join(proven.nodes[0, index] for index in range(first, last))
    return found


def tile_path(number: int, width: int) -> str:
    """Name a level-0 tile: groups of three digits, all but the last with an x; a partial one with its width."""
    digits = f"{number:0{-(-len(str(number)) // 3) * 3}d}"
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    path = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
    return f"tile/0/{path}" + (f".p/{width}" if width < _TILE else "")


def _texts(path: list[bytes]) -> list[str]:
    return [base64.b64encode(node).decode() for node in path]
