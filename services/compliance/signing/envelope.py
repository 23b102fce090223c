"""DSSE envelopes (the Dead Simple Signing Envelope, v1.0.2): the bytes that are signed, and their canonical JSON.

Everything that is written here is canonical JSON (RFC 8785): one value, one sequence of bytes. Numbers are integers
within ±2**53; a float is refused, so that no reader can round.
"""

from __future__ import annotations

import base64
import json
from typing import Any

import rfc8785

STATEMENT_TYPE = "application/vnd.in-toto+json"
MANIFEST_TYPE = "application/vnd.ophor.manifest+json"
_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), check_circular=False)
_LARGEST = 2**53 - 1


def canonical(value: Any) -> bytes:
    """Write `value` as canonical JSON; ValueError on floats and on integers a JSON reader may round.

    For plain values `json` writes the same bytes as RFC 8785 asks for, and is several times faster; the rest is the
    library's: names beyond the basic plane sort otherwise there, and what it refuses is refused by it.
    """
    return _ENCODER.encode(value).encode() if _plain(value) else rfc8785.dumps(value)


def pae(payload_type: str, payload: bytes) -> bytes:
    """Give the bytes a DSSE signature is over."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def envelope(payload_type: str, payload: bytes, signatures: list[tuple[str, bytes]]) -> bytes:
    """Write an envelope with `signatures` of (key id, signature)."""
    return canonical(
        {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": payload_type,
            "signatures": [{"keyid": key, "sig": base64.b64encode(sig).decode()} for key, sig in signatures],
        }
    )


def _plain(value: Any) -> bool:
    """Tell whether `json` writes `value` as RFC 8785 does; ValueError on floats."""
    kind = type(value)
    if kind is str:
        return True
    if kind is int:
        return -_LARGEST <= value <= _LARGEST
    if kind is dict:
        return all([_name(name) and _plain(inner) for name, inner in value.items()])
    if kind is list or kind is tuple:
        return all([_plain(inner) for inner in value])
    if isinstance(value, float):
        raise ValueError("no floats in evidence")
    return value is None or kind is bool


def _name(value: Any) -> bool:
    return type(value) is str and value.isascii()
