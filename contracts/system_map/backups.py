"""Where a system's backup sets are looked for: one folder with the tool's catalogue, or a list of sources by kind.

The streams (`wal`, `binlog`, `oplog`) are the copies that a deletion itself writes into: their last day with the
customer's data is the deletion's own, and `retention_days` says how long they keep it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate

FOLDERS = ("catalogue", "postgresql", "mongodump", "mariadb", "snapshots", "wal", "binlog")
NEEDS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(FOLDERS, ("folder",)),
    "snapshots": ("folder", "pattern"),
    "wal": (),
    "pgbackrest": ("info", "stanza"),
    "s3": ("url", "bucket"),
    "oplog": (),
}
MAY: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(FOLDERS, ("anchor",)),
    "wal": ("folder", "anchor", "info", "stanza"),
    "s3": ("prefix", "region", "user", "password_file", "password_env"),
}
STREAMS = ("wal", "binlog", "oplog")


@dataclass(frozen=True, slots=True)
class Source:
    """One place in which sets are looked for; its sets stay `retention_days`, as is promised (0: nothing said)."""

    kind: str
    folder: str = ""
    anchor: str = "catalogue.json"
    info: str = ""
    stanza: str = ""
    pattern: str = ""
    url: str = ""
    bucket: str = ""
    prefix: str = ""
    region: str = ""
    user: str = ""
    password_file: str = ""
    password_env: str = ""
    retention_days: int = 0

    @property
    def stream(self) -> bool:
        """Tell whether the deletion itself writes into it."""
        return self.kind in STREAMS


class SourceSchema(Schema):
    """One source of the list."""

    class Meta:
        unknown = RAISE

    kind = fields.String(required=True, validate=validate.OneOf(sorted(NEEDS)))
    retention_days = fields.Integer(strict=True, validate=validate.Range(min=1, max=3_660))
    folder = fields.String(validate=validate.Length(min=1, max=500))
    anchor = fields.String(validate=validate.Regexp(r"^[^/\x00-\x1f]{1,200}$"))
    info = fields.String(validate=validate.Length(min=1, max=500))
    stanza = fields.String(validate=validate.Length(min=1, max=200))
    pattern = fields.String(validate=validate.Regexp(r"^[^/]*\{date\}[^/]*$", error="{{date}} stands where the day is"))
    url = fields.Url(require_tld=False, schemes={"http", "https"})
    bucket = fields.String(validate=validate.Regexp(r"^[a-z0-9][a-z0-9._\-]{1,62}$"))
    prefix = fields.String(validate=validate.Length(max=500))
    region = fields.String(validate=validate.Length(min=1, max=50))
    user = fields.String(validate=validate.Length(min=1, max=200))
    password_file = fields.String(validate=validate.Length(min=1, max=500))
    password_env = fields.String(validate=validate.Length(min=1, max=200))


class BackupsField(fields.Field[Any]):
    """`{folder: …}`, or a list of sources; gives {"folder": text, "sources": [Source, …]}."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if isinstance(value, list):
            return {"folder": "", "sources": self._each(value)}
        if not isinstance(value, dict):
            raise ValidationError("a mapping with folder, or a list of sources")
        for name in value.keys() - {"folder"}:
            raise ValidationError({str(name): ["Unknown field."]})
        if "folder" not in value:
            raise ValidationError({"folder": ["Missing data for required field."]})
        given = fields.String(validate=validate.Length(min=1, max=500))
        try:
            return {"folder": given.deserialize(value["folder"]), "sources": []}
        except ValidationError as error:
            raise ValidationError({"folder": error.messages}) from None

    def _each(self, value: list[Any]) -> list[Source]:
        found, wrong = [], {}
        for at, body in enumerate(value):
            try:
                found.append(_source(body))
            except ValidationError as error:
                wrong[at] = error.normalized_messages()  # type: ignore[no-untyped-call]
        if wrong:
            raise ValidationError(wrong)
        if len({each.kind for each in found if each.stream}) != sum(each.stream for each in found):
            raise ValidationError("a stream of each kind stands once")
        return found


def _source(body: Any) -> Source:
    said: dict[str, Any] = SourceSchema().load(body if isinstance(body, dict) else {})
    kind = said["kind"]
    missing = [name for name in NEEDS[kind] if name not in said]
    missing += ["folder"] if kind == "wal" and not {"folder", "info"} & said.keys() else []
    missing += ["stanza"] if "info" in said and "stanza" not in said else []
    missing += ["retention_days"] if kind in STREAMS and "retention_days" not in said else []
    if missing:
        raise ValidationError({missing[0]: ["Missing data for required field."]})
    for name in sorted(said.keys() - {"kind", "retention_days", *NEEDS[kind], *MAY.get(kind, ())}):
        raise ValidationError({name: ["Unknown field."]})
    return Source(**said)


def at_home(source: Source, home: Path) -> Source:
    """Give the source with paths that count from the map's folder."""
    paths: dict[str, Any] = {name: str(home / text) for name in ("folder", "info") if (text := getattr(source, name))}
    return replace(source, **paths)
