"""From a file to a checked map: read, register under its digest, find by digest; errors name file, field and remedy."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from datetime import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml
from marshmallow import ValidationError

from contracts.errors import Rejected, first_path
from contracts.system_map import keys
from contracts.system_map.attested import subprocessors
from contracts.system_map.backups import at_home
from contracts.system_map.model import CLEAN, WITHOUT_USERS, Credential, System, SystemMap, Window, rejected
from contracts.system_map.place import check_buckets, check_references, read_rule
from contracts.system_map.schema import CONNECTIONS, DAYS, PLACEHOLDER, Loader, MapSchema


def load(path: Path, home: Path | None = None) -> SystemMap:
    """Load and check a map file; its relative paths are taken from `home`, else from the map's own folder."""
    try:
        body = path.read_bytes()
    except OSError:
        raise rejected(
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
        raise rejected(
            loaded.source, "MAP_DIGEST_DIFFERS", "", "this is not the map that was ordered", "register it again"
        )
    return loaded


def parse(body: bytes, source: str, home: Path) -> SystemMap:
    """Check a map's bytes and give it; raise Rejected naming file and field."""
    try:
        raw = yaml.load(body.decode("utf-8"), Loader=Loader)
        _check_filled(source, raw)
        data = MapSchema().load(raw if isinstance(raw, dict) else {})
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise rejected(
            source, "MAP_UNREADABLE", "", f"not valid YAML: {_one_line(error)}", "correct the file"
        ) from None
    except ValidationError as error:
        raise _schema_error(source, error) from None
    systems = {name: _system(source, name, body_, home) for name, body_ in data["systems"].items()}
    return SystemMap(digest=hashlib.sha256(body).hexdigest(), source=source, systems=systems)


def _check_filled(source: str, raw: Any) -> None:
    """Refuse a map in which a decision or a user's name is still to be filled in; name the first such field."""
    if open_fields := list(_placeholders(raw, (), set())):
        count = len(open_fields)
        raise Rejected(
            "MAP_NOT_FILLED_IN", f"{source}: {count} fields still say {PLACEHOLDER}; this is the first",
            field=open_fields[0], remedy="decide it; the comment beside it says what can stand there",
            da=f"Systemkortet {source} er ikke udfyldt: {count} felter mangler, det første er {open_fields[0]}.",
        )  # fmt: skip


def _placeholders(raw: Any, path: tuple[str, ...], seen: set[int]) -> Iterator[str]:
    """Walk each mapping and list once: YAML may repeat them by reference without end."""
    if raw == PLACEHOLDER:
        yield ".".join(path)
    if isinstance(raw, dict | list) and id(raw) not in seen:
        seen.add(id(raw))
        for key, value in raw.items() if isinstance(raw, dict) else enumerate(raw):
            yield from _placeholders(value, (*path, str(key)), seen)


def _system(source: str, name: str, body: dict[str, Any], home: Path) -> System:
    where = f"systems.{name}"
    _check_connection(source, where, body["kind"], body["connection"])
    rules = {place: read_rule(source, where, body["kind"], place, rule) for place, rule in body["places"].items()}
    check_references(source, where, rules)
    if body["kind"] == "s3":
        check_buckets(source, where, rules)
    credentials = {purpose: Credential(**credential) for purpose, credential in body["credentials"].items()}
    if body["kind"] in ("sqlite", "manual") and (said := [name for name in ("credentials", "access") if body[name]]):
        raise rejected(source, "MAP_UNKNOWN_FIELD", f"{where}.{said[0]}", "there are no users", "take it out")
    _check_credentials(source, where, body["kind"], credentials)
    connection, backups = dict(body["connection"]), body["backups"].get("folder", "")
    for path in {"folder", "file"} & connection.keys():
        connection[path] = str(home / connection[path])
    return System(
        name=name, title=body["title"], kind=body["kind"], deletion=body["deletion"], tenant=body["tenant"],
        connection=connection, credentials=credentials, rules=rules,
        roles=tuple(body["access"].get("roles", ())), backups=str(home / backups) if backups else "", home=home,
        sources=tuple(at_home(each, home) for each in body["backups"].get("sources", ())),
        keys=tuple(keys.at_home(each, home) for each in body["backup_keys"]),
        rate=body["rate"], window=_window(body["window"]), physical=body["physical"],
        subprocessors=subprocessors(source, where, body),
    )  # fmt: skip


def _window(body: dict[str, Any] | None) -> Window | None:
    if body is None:
        return None
    start, until = (time.fromisoformat(body[name]) for name in ("start", "until"))
    return Window(start, until, frozenset(DAYS.index(day) for day in body["days"] or DAYS))


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value) and value.isprintable()


def _is_port(value: Any) -> bool:
    return str(value).isascii() and str(value).isdigit() and 1 <= int(value) <= 65_535


def _is_url(value: Any) -> bool:
    return _is_text(value) and urlsplit(value).scheme in ("http", "https") and bool(urlsplit(value).hostname)


def _is_broker(value: Any) -> bool:
    if not _is_text(value):
        return False
    where = urlsplit(value)
    return where.scheme in ("amqp", "amqps") and bool(where.hostname) and "@" not in where.netloc


_FORMS: dict[str, tuple[Callable[[Any], bool], str]] = {
    **dict.fromkeys(
        ("host", "database", "folder", "file", "auth_source", "replica_set", "afsender", "region"), (_is_text, "a text")
    ),
    "port": (_is_port, "a number from 1 to 65535"),
    "url": (_is_url, "an http or https address"),
    "amqp": (_is_broker, "amqp://host:port/virtual-host, or amqps, without a user"),
    "copies": (
        lambda value: isinstance(value, list) and all(_is_text(each) for each in value),
        "a list of buckets in other accounts",
    ),
    "tls": (lambda value: isinstance(value, bool), "true or false"),
    "sslmode": (
        lambda value: value in ("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
        "one of PostgreSQL's own (disable … verify-full)",
    ),
}


def _check_connection(source: str, where: str, kind: str, connection: dict[str, Any]) -> None:
    required, optional = CONNECTIONS[kind]
    for name in required:
        if connection.get(name) in (None, ""):
            raise rejected(
                source, "MAP_FIELD_MISSING", f"{where}.connection.{name}", f"a {kind} connection needs it", "add it"
            )
    for name, value in connection.items():
        if name in _FORMS and not _FORMS[name][0](value):
            raise rejected(
                source,
                "MAP_FIELD_INVALID",
                f"{where}.connection.{name}",
                f"must be {_FORMS[name][1]}",
                "correct the named field",
            )
    for name in sorted(set(connection) - set(required) - set(optional)):
        raise rejected(
            source,
            "MAP_UNKNOWN_FIELD",
            f"{where}.connection.{name}",
            "unknown field",
            f"a {kind} connection has {', '.join(required + optional)}; secrets go under credentials",
        )


def _check_credentials(source: str, where: str, kind: str, credentials: dict[str, Credential]) -> None:
    for purpose, credential in credentials.items():
        if bool(credential.password_file) == bool(credential.password_env):
            raise rejected(
                source,
                "MAP_SECRET_MISSING",
                f"{where}.credentials.{purpose}",
                "one reference to the secret is needed",
                "give password_file or password_env",
            )
    for purpose in ("delete", "verify") if kind not in WITHOUT_USERS else ():
        if purpose not in credentials:
            raise rejected(
                source,
                "MAP_CREDENTIAL_MISSING",
                f"{where}.credentials.{purpose}",
                f"nobody is named to {purpose}",
                "name a user of its own for this purpose",
            )
    if kind not in WITHOUT_USERS and _same(credentials["delete"], credentials["verify"]):
        raise rejected(
            source,
            "MAP_CREDENTIAL_SHARED",
            f"{where}.credentials.verify",
            "the deleter and the verifier are one user",
            "give verify a user that can only read",
        )
    if CLEAN in credentials and "verify" in credentials and _same(credentials[CLEAN], credentials["verify"]):
        raise rejected(
            source,
            "MAP_CREDENTIAL_SHARED",
            f"{where}.credentials.{CLEAN}",
            "who cleans and who verifies are one user",
            "give each a user of its own",
        )


def _same(one: Credential, other: Credential) -> bool:
    return one == other or bool(one.user and one.user == other.user)


def _schema_error(source: str, error: ValidationError) -> Rejected:
    messages: dict[str, Any] = dict(error.normalized_messages())  # type: ignore[no-untyped-call]
    path = ".".join(part for part in first_path(messages).split(".") if part not in {"value", "key"})
    text = _first_message(messages)
    code = {"Unknown field.": "MAP_UNKNOWN_FIELD", "Missing data for required field.": "MAP_FIELD_MISSING"}.get(
        text, "MAP_FIELD_INVALID"
    )
    return rejected(source, code, path, text, "correct the named field")


def _first_message(messages: Any) -> str:
    while isinstance(messages, dict):
        messages = next(iter(messages.values()))
    return str(messages[0]) if isinstance(messages, list) and messages else str(messages)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
