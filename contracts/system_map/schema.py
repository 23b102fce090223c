"""The form of a system map's file: every field is known, every choice is from a closed list."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml
from marshmallow import RAISE, Schema, ValidationError, fields, validate

from contracts.attesting import PLACE_METHODS
from contracts.system_map.backups import BackupsField
from contracts.system_map.keys import KeysField
from contracts.system_map.model import ATTESTED_BY, CLEAN, PHYSICAL, PURPOSES, RESTORE, WHOLE_WAYS

KINDS = ("postgresql", "mariadb", "sqlite", "mongodb", "files", "s3", "queues", "manual", "case_index")
SQL = ("postgresql", "mariadb", "sqlite")
PLACEHOLDER = "FILL_IN"  # what a first map says where somebody has to decide; such a map is refused
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WHOLE = {
    "postgresql": ("drop", "truncate", "part"), "mariadb": ("drop", "truncate"), "sqlite": ("drop", "truncate"),
    "mongodb": ("drop",), "files": ("drop", "part"),
}  # fmt: skip
EXCLUSIONS = re.compile(
    r"^(NOT_CUSTOMER_DATA|SHARED_CODE|CUSTOMER_POSSESSION|CONTINUING_AGREEMENT|NOT_IN_REHEARSAL"
    r"|OPTION\([\w.\-]{1,40}\)|INSTRUCTION\([0-9a-f]{64}\)|LAW\([\w.\-]{1,40},\d{4}-\d{2}-\d{2}\))$"
)
JSON_PATH = re.compile(r"^\$(\.[^\W\d]\w{0,99}|\.\"(?!-?\d+\")[^\"\\\x00-\x1f]{1,100}\"){1,20}\Z")
CONNECTIONS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "postgresql": (("host", "port", "database"), ("sslmode",)),
    "mariadb": (("host", "port", "database"), ("tls",)),
    "sqlite": (("file",), ()),
    "mongodb": (("host", "port", "database"), ("auth_source", "replica_set", "tls")),
    "files": (("folder",), ()),
    "s3": (("url",), ("region", "copies")),
    "queues": (("url", "amqp"), ()),
    "manual": (("folder",), ()),
    "case_index": (("url", "afsender"), ()),
}


class _Strict(Schema):
    class Meta:
        unknown = RAISE


class _Text(fields.String):
    """A string that YAML may have read as a whole number (`deletion: 1`, `tenant: 461`)."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        plain = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        return super()._deserialize(plain, attr, data, **kwargs)


_NAME = validate.Regexp(r"^[^\x00-\x1f]{1,200}$")
_FULL = validate.Length(min=1, max=500)
_ID = validate.Regexp(r"^[\w.:\-]{1,80}$(?!\n)")
_CLOCK = validate.Regexp(r"^([01]\d|2[0-3]):[0-5]\d$(?!\n)", error='a time of day in quotes, as "22:00"')


class _Credential(_Strict):
    user = _Text(load_default="", validate=_FULL)
    password_file = fields.String(load_default="", validate=_FULL)
    password_env = fields.String(load_default="", validate=_FULL)


class _Json(_Strict):
    column = fields.String(required=True, validate=_FULL)
    json = fields.String(required=True, validate=validate.Regexp(JSON_PATH, error="names from the top: $.kunde.id"))


class _Refers(_Strict):
    type = fields.String(required=True, validate=_FULL)
    id = fields.String(required=True, validate=_FULL)
    to = fields.Dict(
        keys=_Text(validate=_NAME), values=_Text(validate=_NAME), required=True, validate=validate.Length(min=1)
    )


class _Form(fields.Field[Any]):
    """A text, or a mapping of one of these forms; the first whose fields are named is meant."""

    def __init__(self, *forms: type[_Strict], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.forms = forms

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if not isinstance(value, dict):
            return fields.String(validate=_FULL).deserialize(value, attr, data, **kwargs)
        named = [form for form in self.forms if value.keys() & form._declared_fields.keys()]
        return (named or self.forms)[0]().load(value)


class _Path(fields.Field[Any]):
    """Columns to follow and last the key; or a reference by type and id alone."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if isinstance(value, dict):
            return [_Refers().load(value)]
        path = fields.List(_Form(_Refers, _Json), validate=validate.Length(min=2)).deserialize(value, attr, data)
        if any(isinstance(part, dict) for part in path[:-1]):
            raise ValidationError("only the last part of a path may be a mapping")
        return path


class _Place(_Strict):
    tenant_key = _Form(_Json, load_default="")
    tenant_path = _Path(load_default=list)
    shared = fields.String(load_default="", validate=validate.OneOf(["SHARED_CODE"]))
    excluded = fields.String(load_default="", validate=validate.Regexp(EXCLUSIONS))
    attested = fields.String(load_default="", validate=validate.OneOf(ATTESTED_BY))
    owner = fields.String(load_default="", validate=validate.OneOf(ATTESTED_BY))
    methods = fields.List(fields.String(validate=validate.OneOf(PLACE_METHODS)), load_default=list)
    deliver = fields.Boolean(load_default=True)
    reason = fields.String(load_default="", validate=validate.OneOf(["log", "secret", "cache", "derived"]))
    without_tenant = fields.String(load_default="", validate=validate.Regexp(EXCLUSIONS))
    physical = fields.String(load_default="", validate=validate.OneOf(PHYSICAL))
    whole = fields.String(load_default="", validate=validate.OneOf(WHOLE_WAYS))


class _Access(_Strict):
    roles = fields.List(_Text(validate=_FULL), load_default=list)


class _SubProcessor(_Strict):
    through = _Text(load_default="", validate=validate.Regexp(r"^[\w.:\-]{0,80}$(?!\n)"))


class _Window(_Strict):
    start = _Text(required=True, validate=_CLOCK)
    until = _Text(required=True, validate=_CLOCK)
    days = fields.List(fields.String(validate=validate.OneOf(DAYS)), load_default=list)


class _System(_Strict):
    title = fields.String(required=True, validate=validate.Length(min=1, max=200))
    kind = fields.String(required=True, validate=validate.OneOf(KINDS))
    deletion = _Text(required=True, validate=validate.OneOf(["1", "2", "index"]))
    tenant = _Text(required=True, validate=_FULL)
    connection = fields.Dict(keys=fields.String(), required=True)
    credentials = fields.Dict(
        keys=fields.String(validate=validate.OneOf([*PURPOSES, CLEAN, RESTORE])),
        values=fields.Nested(_Credential),
        load_default=dict,
    )
    places = fields.Dict(keys=_Text(validate=_NAME), values=fields.Nested(_Place), required=True)
    access = fields.Nested(_Access, load_default=dict)
    backups = BackupsField(load_default=dict)
    backup_keys = KeysField(load_default=list)
    physical = fields.String(load_default="clean", validate=validate.OneOf(PHYSICAL))
    rate = fields.Integer(load_default=0, strict=True, validate=validate.Range(min=1, max=1_000_000))
    window = fields.Nested(_Window, load_default=None)
    subprocessors = fields.Dict(keys=_Text(validate=_ID), values=fields.Nested(_SubProcessor), load_default=dict)


class MapSchema(_Strict):
    """The whole file, as its JSON Schema document describes it."""

    version = fields.Integer(required=True, strict=True, validate=validate.OneOf([1]))
    systems = fields.Dict(
        keys=_Text(validate=_NAME), values=fields.Nested(_System), required=True, validate=validate.Length(min=1)
    )


class Loader(yaml.SafeLoader):
    """A safe loader that refuses a key written twice (YAML would silently take the last)."""


def _mapping(loader: Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    keys = [loader.construct_object(key, deep=True) for key, _ in node.value]
    twice = [key for key in keys if keys.count(key) > 1]
    if twice:
        raise yaml.constructor.ConstructorError(None, None, f"the key {twice[0]} stands twice", node.start_mark)
    return dict(yaml.SafeLoader.construct_mapping(loader, node, deep=True))


Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)
