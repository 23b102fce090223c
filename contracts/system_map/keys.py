"""Where the copies of the keys of a system's backup sets lie, kind by kind, or the word that there is none of a kind.

Each kind of copy is answered for (evidence.md §5): the holder or holders that can be asked, or `none`. Nothing said of
a kind is no answer. Secrets are named, never written; whoever looks has another one than whoever destroys.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate

COPIES = ("STORE", "REPLICA", "ESCROW", "TOKEN", "STORE_BACKUP")
NONE = "none"
WAITS_AT_MOST = 90
_NEEDS: dict[str, tuple[str, ...]] = {
    "files": ("folder",),
    "service": ("url", "waits_days", "secret_file", "verify_file"),
    "pkcs11": ("module", "token", "secret_file"),
}


@dataclass(frozen=True, slots=True)
class Holder:
    """One holder of keys, which may have a copy of a set's key; `waits_days`: how long it waits before it destroys."""

    copy: str
    kind: str
    folder: str = ""
    url: str = ""
    module: str = ""
    token: str = ""
    secret_file: str = ""
    verify_file: str = ""
    waits_days: int = 0

    @property
    def name(self) -> str:
        """Name the holder without telling where it is: its kind and a digest of its place."""
        where = "\0".join((self.folder, self.url, self.module, self.token))
        return f"{self.kind}-{hashlib.sha256(where.encode()).hexdigest()[:16]}"

    def secret(self, purpose: str) -> str:
        """Read the secret for `delete` or `verify`; empty where it is not there, which no holder lets in."""
        path = self.verify_file if purpose == "verify" and self.verify_file else self.secret_file
        try:
            return Path(path).read_text(encoding="utf-8").strip() if path else ""
        except (OSError, UnicodeDecodeError):
            return ""


class HolderSchema(Schema):
    """One holder."""

    class Meta:
        unknown = RAISE

    kind = fields.String(required=True, validate=validate.OneOf(sorted(_NEEDS)))
    folder = fields.String(validate=validate.Length(min=1, max=500))
    url = fields.Url(require_tld=False, schemes={"http", "https"})
    module = fields.String(validate=validate.Length(min=1, max=500))
    token = fields.String(validate=validate.Length(min=1, max=200))
    secret_file = fields.String(validate=validate.Length(min=1, max=500))
    verify_file = fields.String(validate=validate.Length(min=1, max=500))
    waits_days = fields.Integer(strict=True, validate=validate.Range(min=0, max=WAITS_AT_MOST))


class KeysField(fields.Field[Any]):
    """A mapping from each kind of copy to a holder, a list of holders, or `none`."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if not isinstance(value, dict):
            raise ValidationError("a mapping from kinds of copies to holders, or none")
        if unknown := sorted(str(name) for name in value.keys() - set(COPIES)):
            raise ValidationError({unknown[0]: ["Unknown field."]})
        if missing := [name for name in COPIES if name not in value]:
            raise ValidationError({missing[0]: ["Missing data for required field."]})
        found: list[Holder] = []
        for copy, said in value.items():
            if said != NONE:
                found += self._of(copy, said if isinstance(said, list) else [said])
        if not found:
            raise ValidationError("no holder at all: then there is no key")
        return found

    def _of(self, copy: str, said: list[Any]) -> list[Holder]:
        if not said:
            raise ValidationError({copy: ["name a holder, or say none"]})
        try:
            return [_holder(copy, each) for each in said]
        except ValidationError as error:
            raise ValidationError({copy: error.messages}) from None


def _holder(copy: str, body: Any) -> Holder:
    said: dict[str, Any] = HolderSchema().load(body if isinstance(body, dict) else {})
    needs = _NEEDS[said["kind"]]
    if missing := [name for name in needs if name not in said]:
        raise ValidationError({missing[0]: ["Missing data for required field."]})
    if unknown := sorted(said.keys() - {"kind", *needs}):
        raise ValidationError({unknown[0]: ["Unknown field."]})
    if said["kind"] == "service" and said["secret_file"] == said["verify_file"]:
        raise ValidationError({"verify_file": ["whoever looks needs a secret of its own"]})
    return Holder(copy, **said)


def at_home(holder: Holder, home: Path) -> Holder:
    """Give the holder with paths that count from the map's folder."""
    named = ("folder", "secret_file", "verify_file")
    paths: dict[str, Any] = {name: str(home / text) for name in named if (text := getattr(holder, name))}
    return replace(holder, **paths)
