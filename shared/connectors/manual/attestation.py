"""An attestation: one JSON file with closed fields, and the signed document beside it that it names by SHA-256.

`{"version": 1, "party": "supplier", "role": "driftsleder", "on": "2026-11-20", "left": 0, "ways_in": 0,
"method": "destroyed", "document": "erklaering.pdf", "sha256": "…"}`; a role, never a person's name.
"""

from __future__ import annotations

import hashlib
import json
from datetime import date
from pathlib import Path
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from contracts.errors import Rejected
from contracts.system_map import ATTESTED_BY

METHODS = ("seen", "destroyed", "erased", "returned", "uninstalled")
_COUNT = validate.Range(min=0, max=10**12)


class _Form(Schema):
    class Meta:
        unknown = RAISE

    version = fields.Integer(required=True, strict=True, validate=validate.OneOf([1]))
    party = fields.String(required=True, validate=validate.OneOf(ATTESTED_BY))
    role = fields.String(required=True, validate=validate.Regexp(r"^[a-zæøå_]{2,40}\Z"))
    on = fields.Date(required=True)
    left = fields.Integer(required=True, strict=True, validate=_COUNT)
    ways_in = fields.Integer(required=True, strict=True, validate=_COUNT)
    method = fields.String(required=True, validate=validate.OneOf(METHODS))
    document = fields.String(required=True, validate=validate.Regexp(r"^[^/\\\x00-\x1f.][^/\\\x00-\x1f]{0,199}\Z"))
    sha256 = fields.String(required=True, validate=validate.Regexp(r"^[0-9a-f]{64}\Z"))


def newest(system: str, place: str, folder: Path, party: str) -> dict[str, Any]:
    """Give the newest attestation in a tenant's folder; every one there must hold.

    Raise Rejected ATTESTATION_MISSING, ATTESTATION_WRONG (form, party) or ATTESTATION_DOCUMENT (not the document).
    """
    paths = sorted(folder.glob("*.json")) if folder.is_dir() else []
    if not paths:
        raise _error(system, place, "ATTESTATION_MISSING", "nobody has attested anything", "mangler en erklæring")
    found = [(_read(system, place, path, party), path.name) for path in paths]
    return max(found, key=_age)[0]


def _age(found: tuple[dict[str, Any], str]) -> tuple[date, str]:
    return found[0]["on"], found[1]


def _read(system: str, place: str, path: Path, party: str) -> dict[str, Any]:
    try:
        body: dict[str, Any] = _Form().load(json.loads(path.read_bytes()))
    except (ValueError, ValidationError):
        raise _error(
            system, place, "ATTESTATION_WRONG", "an attestation is not of the form", "har en fejl i erklæringen"
        ) from None
    if party and body["party"] != party:
        raise _error(
            system, place, "ATTESTATION_WRONG", f"only the {party} can attest this", "er ikke erklæret af rette part"
        )
    document = path.parent / body["document"]
    if not document.is_file() or document.is_symlink() or _digest(document) != body["sha256"]:
        raise _error(
            system, place, "ATTESTATION_DOCUMENT", "the document is not the attested one", "mangler det erklærede bilag"
        )
    return body


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _error(system: str, place: str, code: str, text: str, da: str) -> Rejected:
    return Rejected(
        code, f"{system}: {text} of {place}", field=f"systems.{system}.places.{place}.attested",
        remedy="put the attestation (its form: docs/system-map.md) with its document into the tenant's folder",
        da=f"{place} i {system} {da}.",
    )  # fmt: skip
