"""The system map: which target systems a customer has, what lies where in them, and how each place is found.

Rules it keeps: every field is known; every place says whose it is (tenant key, tenant path, shared or excluded by
the closed list); secrets are named, never written; the file's digest pins it in the order. It refuses with `Rejected`,
a stable code and the dotted path of the field; nothing here opens a connection.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from marshmallow import RAISE, Schema, ValidationError, fields, validate

from contracts.errors import Rejected, first_path

KINDS = ("postgresql", "mongodb", "files", "case_index")
PURPOSES = ("extract", "delete", "verify", "access", "prepare")
MARKER_PLACE = "ophor_rehearsal_copy"
EXCLUSIONS = re.compile(
    r"^(NOT_CUSTOMER_DATA|SHARED_CODE|CUSTOMER_POSSESSION|CONTINUING_AGREEMENT|NOT_IN_REHEARSAL"
    r"|OPTION\([\w.\-]{1,40}\)|INSTRUCTION\([0-9a-f]{64}\)|LAW\([\w.\-]{1,40},\d{4}-\d{2}-\d{2}\))$"
)
CONNECTIONS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "postgresql": (("host", "port", "database"), ("sslmode",)),
    "mongodb": (("host", "port", "database"), ("auth_source", "replica_set", "tls")),
    "files": (("folder",), ()),
    "case_index": (("url", "afsender"), ()),
}


@dataclass(frozen=True, slots=True)
class Credential:
    """Who to be at a target for one purpose; the secret lies in a file or an environment variable."""

    user: str = ""
    password_file: str = ""
    password_env: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """What the map says of one place. Exactly one of tenant key, tenant path, `shared`, `excluded` is set."""

    place: str
    tenant_key: str = ""
    tenant_path: tuple[str, ...] = ()
    shared: str = ""
    excluded: str = ""
    deliver: bool = True
    reason: str = ""

    @property
    def owned(self) -> bool:
        """Tell whether the place holds rows of tenants, which are deleted when their tenant leaves."""
        return bool(self.tenant_key or self.tenant_path)


@dataclass(frozen=True, slots=True)
class System:
    """One target system of the map."""

    name: str
    title: str
    kind: str
    deletion: str
    tenant: str
    connection: dict[str, Any]
    credentials: dict[str, Credential]
    rules: dict[str, Rule]
    roles: tuple[str, ...] = ()
    backups: str = ""
    home: Path = field(default_factory=Path)

    def tenant_value(self, tenant: str, cvr: str) -> str:
        """Fill `{tenant}` and `{cvr}` in; refuse an empty value, and for files one that is not a single folder name."""
        value = self.tenant.replace("{tenant}", tenant).replace("{cvr}", cvr)
        bad_folder = self.kind == "files" and (value in {".", ".."} or "/" in value or "\\" in value)
        if not value or "\x00" in value or bad_folder:
            raise Rejected(
                "TENANT_INVALID",
                f"the tenant of {self.name} does not give a usable value",
                field=f"systems.{self.name}.tenant",
                remedy="give --tenant the value that the tenant key has in this system",
                da=f"Lejerens værdi i {self.title} kan ikke bruges.",
            )
        return value

    def rule(self, place: str) -> Rule | None:
        """Give what the map says of `place`; the rehearsal marker is NOT_CUSTOMER_DATA without being mapped."""
        if place == MARKER_PLACE and place not in self.rules:
            return Rule(place=place, excluded="NOT_CUSTOMER_DATA", deliver=False)
        return self.rules.get(place)

    def owned(self) -> list[str]:
        """List the mapped places that hold tenants' rows, by name."""
        return sorted(name for name, rule in self.rules.items() if rule.owned)

    def secret(self, purpose: str) -> tuple[str, str]:
        """Read (user, password) for `purpose`; raise MAP_CREDENTIAL_MISSING or MAP_SECRET_MISSING naming the field."""
        credential = self.credentials.get(purpose)
        where = f"systems.{self.name}.credentials.{purpose}"
        if credential is None:
            raise Rejected(
                "MAP_CREDENTIAL_MISSING",
                f"{self.name} has no credentials for {purpose}",
                field=where,
                remedy="name a user of its own for this purpose in the map",
                da=f"{self.title} har ingen adgangsoplysninger til formålet {purpose}.",
            )
        return credential.user, _secret(credential, self.home, where)


@dataclass(frozen=True, slots=True)
class SystemMap:
    """A loaded map; `digest` is the SHA-256 of the file's bytes, `source` its name for error texts."""

    digest: str
    source: str
    systems: dict[str, System]

    def system(self, name: str) -> System:
        """Give the system called `name`, or raise MAP_UNKNOWN_SYSTEM."""
        if name not in self.systems:
            raise _rejected(
                self.source, "MAP_UNKNOWN_SYSTEM", f"systems.{name}", "no such system", "use a name of the map"
            )
        return self.systems[name]


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


class _Credential(_Strict):
    user = _Text(load_default="", validate=_FULL)
    password_file = fields.String(load_default="", validate=_FULL)
    password_env = fields.String(load_default="", validate=_FULL)


class _Place(_Strict):
    tenant_key = fields.String(load_default="", validate=_FULL)
    tenant_path = fields.List(fields.String(validate=_FULL), load_default=list, validate=validate.Length(min=2))
    shared = fields.String(load_default="", validate=validate.OneOf(["SHARED_CODE"]))
    excluded = fields.String(load_default="", validate=validate.Regexp(EXCLUSIONS))
    deliver = fields.Boolean(load_default=True)
    reason = fields.String(load_default="", validate=validate.OneOf(["log", "secret", "cache", "derived"]))


class _Access(_Strict):
    roles = fields.List(_Text(validate=_FULL), load_default=list)


class _Backups(_Strict):
    folder = fields.String(required=True, validate=_FULL)


class _System(_Strict):
    title = fields.String(required=True, validate=validate.Length(min=1, max=200))
    kind = fields.String(required=True, validate=validate.OneOf(KINDS))
    deletion = _Text(required=True, validate=validate.OneOf(["1", "2", "index"]))
    tenant = _Text(required=True, validate=_FULL)
    connection = fields.Dict(keys=fields.String(), required=True)
    credentials = fields.Dict(
        keys=fields.String(validate=validate.OneOf(PURPOSES)), values=fields.Nested(_Credential), load_default=dict
    )
    places = fields.Dict(keys=_Text(validate=_NAME), values=fields.Nested(_Place), required=True)
    access = fields.Nested(_Access, load_default=dict)
    backups = fields.Nested(_Backups, load_default=dict)


class MapSchema(_Strict):
    """The whole file, as its JSON Schema document describes it."""

    version = fields.Integer(required=True, strict=True, validate=validate.OneOf([1]))
    systems = fields.Dict(
        keys=_Text(validate=_NAME), values=fields.Nested(_System), required=True, validate=validate.Length(min=1)
    )


class _Loader(yaml.SafeLoader):
    """A safe loader that refuses a key written twice (YAML would silently take the last)."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    keys = [loader.construct_object(key, deep=True) for key, _ in node.value]
    twice = [key for key in keys if keys.count(key) > 1]
    if twice:
        raise yaml.constructor.ConstructorError(None, None, f"the key {twice[0]} stands twice", node.start_mark)
    return dict(yaml.SafeLoader.construct_mapping(loader, node, deep=True))


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def load(path: Path, home: Path | None = None) -> SystemMap:
    """Load and check a map file; its relative paths are taken from `home`, else from the map's own folder."""
    try:
        body = path.read_bytes()
    except OSError:
        raise _rejected(
            path.name, "MAP_UNREADABLE", "", "the file cannot be read", "give the path of a readable map"
        ) from None
    return parse(body, source=path.name, home=home or path.parent.absolute())


def register(path: Path, maps: Path) -> SystemMap:
    """Check a map and put it into the folder of registered maps under its digest, with where it came from beside it.

    `<digest>.yaml` is the file's bytes, `<digest>.home` the folder that its relative paths count from. Repeatable.
    """
    loaded = load(path)
    for name, body in (
        (f"{loaded.digest}.home", bytes(path.parent.absolute())),
        (f"{loaded.digest}.yaml", path.read_bytes()),
    ):
        fresh = maps / f".{name}.{os.getpid()}"
        fresh.write_bytes(body)
        fresh.replace(maps / name)
    return loaded


def load_registered(maps: Path, digest: str) -> SystemMap:
    """Load the map that was pinned as `digest` from the folder of registered maps; refuse one with other bytes."""
    came_from = maps / f"{digest}.home"
    loaded = load(maps / f"{digest}.yaml", Path(came_from.read_text()) if came_from.exists() else maps.absolute())
    if loaded.digest != digest:
        raise _rejected(
            loaded.source, "MAP_DIGEST_DIFFERS", "", "this is not the map that was ordered", "register it again"
        )
    return loaded


def parse(body: bytes, source: str, home: Path) -> SystemMap:
    """Check a map's bytes and give it; raise Rejected naming file and field."""
    try:
        raw = yaml.load(body.decode("utf-8"), Loader=_Loader)
        data = MapSchema().load(raw if isinstance(raw, dict) else {})
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise _rejected(
            source, "MAP_UNREADABLE", "", f"not valid YAML: {_one_line(error)}", "correct the file"
        ) from None
    except ValidationError as error:
        raise _schema_error(source, error) from None
    systems = {name: _system(source, name, body_, home) for name, body_ in data["systems"].items()}
    return SystemMap(digest=hashlib.sha256(body).hexdigest(), source=source, systems=systems)


def check_live(system: System, live: Mapping[str, Collection[str]]) -> None:
    """Compare the map with the live places (name → columns, empty where the engine has none) in both directions.

    Raise PLACE_NOT_MAPPED (live, not in the map), MAP_UNKNOWN_PLACE (in the map, not live) or MAP_UNKNOWN_COLUMN.
    """
    unmapped = sorted(name for name in live if system.rule(name) is None)
    if unmapped:
        raise _place_error(
            system,
            "PLACE_NOT_MAPPED",
            unmapped,
            "exists in the system but not in the map",
            "say in the map whose it is, or exclude it with a reason",
            "findes i systemet, men ikke i systemkortet",
        )
    unknown = sorted(set(system.rules) - set(live))
    if unknown:
        raise _place_error(
            system,
            "MAP_UNKNOWN_PLACE",
            unknown,
            "is in the map but not in the system",
            "correct its name or take it out of the map",
            "står i systemkortet, men findes ikke i systemet",
        )
    for name, rule in sorted(system.rules.items()):
        first = rule.tenant_key or (rule.tenant_path[0] if rule.tenant_path else "")
        if first and live[name] and first not in live[name]:
            part = "tenant_key" if rule.tenant_key else "tenant_path"
            raise _place_error(
                system,
                "MAP_UNKNOWN_COLUMN",
                [f"{name}.{part}"],
                "names a column that the place does not have",
                "name a column of the place",
                "nævner en kolonne, der ikke findes",
            )


def _system(source: str, name: str, body: dict[str, Any], home: Path) -> System:
    where = f"systems.{name}"
    _check_connection(source, where, body["kind"], body["connection"])
    rules = {place: _rule(source, where, body["kind"], place, rule) for place, rule in body["places"].items()}
    credentials = {purpose: Credential(**credential) for purpose, credential in body["credentials"].items()}
    _check_credentials(source, where, body["kind"], credentials)
    connection, backups = dict(body["connection"]), body["backups"].get("folder", "")
    if "folder" in connection:
        connection["folder"] = str(home / connection["folder"])
    return System(
        name=name, title=body["title"], kind=body["kind"], deletion=body["deletion"], tenant=body["tenant"],
        connection=connection, credentials=credentials, rules=rules,
        roles=tuple(body["access"].get("roles", ())), backups=str(home / backups) if backups else "", home=home,
    )  # fmt: skip


def _rule(source: str, where: str, kind: str, place: str, body: dict[str, Any]) -> Rule:
    at = f"{where}.places.{place}"
    said = [name for name in ("tenant_key", "tenant_path", "shared", "excluded") if body[name]]
    if not said and kind == "files":
        body, said = body | {"tenant_key": "folder"}, ["tenant_key"]
    if not said:
        raise _rejected(
            source,
            "MAP_TENANT_KEY_MISSING",
            at,
            "nothing says whose rows these are",
            "give tenant_key, tenant_path, shared or excluded",
        )
    if len(said) > 1:
        raise _rejected(source, "MAP_PLACE_AMBIGUOUS", f"{at}.{said[1]}", f"not beside {said[0]}", "keep one of them")
    if said == ["tenant_path"] and kind != "postgresql":
        raise _rejected(
            source, "MAP_FIELD_INVALID", f"{at}.tenant_path", "only SQL has foreign keys to follow", "use tenant_key"
        )
    if not body["deliver"] and said[0].startswith("tenant") and not body["reason"]:
        raise _rejected(
            source,
            "MAP_FIELD_MISSING",
            f"{at}.reason",
            "rows that are deleted but not delivered need a reason",
            "give reason: log, secret, cache or derived",
        )
    return Rule(place=place, **(body | {"tenant_path": tuple(body["tenant_path"])}))


def _check_connection(source: str, where: str, kind: str, connection: dict[str, Any]) -> None:
    required, optional = CONNECTIONS[kind]
    for name in required:
        if connection.get(name) in (None, ""):
            raise _rejected(
                source, "MAP_FIELD_MISSING", f"{where}.connection.{name}", f"a {kind} connection needs it", "add it"
            )
    for name in sorted(set(connection) - set(required) - set(optional)):
        raise _rejected(
            source,
            "MAP_UNKNOWN_FIELD",
            f"{where}.connection.{name}",
            "unknown field",
            f"a {kind} connection has {', '.join(required + optional)}; secrets go under credentials",
        )


def _check_credentials(source: str, where: str, kind: str, credentials: dict[str, Credential]) -> None:
    for purpose, credential in credentials.items():
        if bool(credential.password_file) == bool(credential.password_env):
            raise _rejected(
                source,
                "MAP_SECRET_MISSING",
                f"{where}.credentials.{purpose}",
                "one reference to the secret is needed",
                "give password_file or password_env",
            )
    for purpose in ("delete", "verify") if kind != "files" else ():
        if purpose not in credentials:
            raise _rejected(
                source,
                "MAP_CREDENTIAL_MISSING",
                f"{where}.credentials.{purpose}",
                f"nobody is named to {purpose}",
                "name a user of its own for this purpose",
            )
    if kind != "files" and _same(credentials["delete"], credentials["verify"]):
        raise _rejected(
            source,
            "MAP_CREDENTIAL_SHARED",
            f"{where}.credentials.verify",
            "the deleter and the verifier are one user",
            "give verify a user that can only read",
        )


def _same(one: Credential, other: Credential) -> bool:
    return one == other or bool(one.user and one.user == other.user)


def _secret(credential: Credential, folder: Path, where: str) -> str:
    if credential.password_env:
        value, name = os.environ.get(credential.password_env, ""), "password_env"
    else:
        value, name = _read_secret(folder / credential.password_file), "password_file"
    if not value:
        raise Rejected(
            "MAP_SECRET_MISSING",
            "the secret that the map refers to is not there or is empty",
            field=f"{where}.{name}",
            remedy="put the secret where the map says, readable by this process alone",
            da="Den hemmelighed, systemkortet henviser til, findes ikke.",
        )
    return value


def _read_secret(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _schema_error(source: str, error: ValidationError) -> Rejected:
    messages: dict[str, Any] = dict(error.normalized_messages())  # type: ignore[no-untyped-call]
    path = ".".join(part for part in first_path(messages).split(".") if part not in {"value", "key"})
    text = _first_message(messages)
    code = {"Unknown field.": "MAP_UNKNOWN_FIELD", "Missing data for required field.": "MAP_FIELD_MISSING"}.get(
        text, "MAP_FIELD_INVALID"
    )
    return _rejected(source, code, path, text, "correct the named field")


def _first_message(messages: Any) -> str:
    while isinstance(messages, dict):
        messages = next(iter(messages.values()))
    return str(messages[0]) if isinstance(messages, list) and messages else str(messages)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def _rejected(source: str, code: str, where: str, text: str, remedy: str) -> Rejected:
    da = f"Systemkortet {source}: feltet {where or '–'} ({code})."
    return Rejected(code, f"{source}: {text}", field=where, remedy=remedy, da=da)


def _place_error(system: System, code: str, places: list[str], text: str, remedy: str, da: str) -> Rejected:
    more = f" (and {len(places) - 1} more: {', '.join(places[1:6])})" if len(places) > 1 else ""
    return Rejected(
        code,
        f"{system.name}: {places[0]} {text}{more}",
        field=f"systems.{system.name}.places.{places[0]}",
        remedy=remedy,
        da=f"{system.title}: {places[0]} {da}.",
    )
