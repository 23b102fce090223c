"""DSSE envelopes (the Dead Simple Signing Envelope, v1.0.2): the bytes that are signed, and their canonical JSON.

Everything that is written here is canonical JSON (RFC 8785): one value, one sequence of bytes. Numbers are integers
within ±2**53; a float is refused, so that no reader can round.
"""

from __future__ import annotations

import base64
from typing import Any

import rfc8785

STATEMENT_TYPE = "application/vnd.in-toto+json"
MANIFEST_TYPE = "application/vnd.ophor.manifest+json"


def canonical(value: Any) -> bytes:
    """Write `value` as canonical JSON; ValueError on floats and on integers a JSON reader may round."""
    _refuse_floats(value)
    return rfc8785.dumps(value)


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


def _refuse_floats(value: Any) -> None:
    if isinstance(value, float):
        raise ValueError("no floats in evidence")
    if isinstance(value, dict):
        for inner in value.values():
            _refuse_floats(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            _refuse_floats(inner)
