"""The first system map of a live system, for `ophor systems init`: what the schema says is written, the rest is asked.

Rules kept here: nothing is changed in the target and nothing of a row's content is shown; the address' password is
neither written nor shown; what nobody has decided is `FILL_IN`, with the reason beside it, and a map in which that
still stands is refused. A guess is a proposal: the comment says what it rests on.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

import yaml

from contracts.errors import OphorError, Rejected
from contracts.system_map import MARKER_PLACE, PLACEHOLDER, PURPOSES, WITHOUT_USERS, Rule, System, SystemMap
from services.console.coverage import number, say
from services.console.systems_guess import Guess, field_names, guess, hint
from shared.connectors import open_connector
from shared.connectors.protocol import Column, Connector, LivePlace

_KINDS = {
    "postgresql": ("postgresql", 5432), "postgres": ("postgresql", 5432), "mariadb": ("mariadb", 3306),
    "mysql": ("mariadb", 3306), "sqlite": ("sqlite", 0), "mongodb": ("mongodb", 27017), "s3": ("s3", 0),
}  # fmt: skip
_OPTIONS = {
    "postgresql": {"sslmode": "sslmode"},
    "mariadb": {"tls": "tls"},
    "mongodb": {"authSource": "auth_source", "replicaSet": "replica_set", "tls": "tls", "ssl": "tls"},
    "s3": {"region": "region", "tls": "tls"},
}
_FORM = "postgresql://USER:PASSWORD@HOST:PORT/DATABASE, mariadb://…, mongodb://…?authSource=…, s3://…, sqlite:FILE"


@dataclass(frozen=True, slots=True)
class Reached(System):
    """A system that is reached with the user and password of an address, for as long as its map is drafted."""

    user: str = ""
    password: str = field(default="", repr=False)

    def secret(self, purpose: str) -> tuple[str, str]:
        """Give the address' own user and password, whatever the purpose."""
        return self.user, self.password


@dataclass(frozen=True, slots=True)
class Drafted:
    """One place of the draft: what is guessed, how many rows it has, and how many of them no tenant is found for."""

    place: LivePlace
    guess: Guess | None
    referred: int = 0
    total: int | None = None
    unowned: int | None = None


def draft(url: str, *, name: str = "", password: str = "", table: str = "", column: str = "") -> str:
    """Read the live schema at `url` and give the text of a first map; `table` and `column` name the tenant's own.

    Raise Rejected URL_INVALID, INIT_UNKNOWN_TABLE or INIT_UNKNOWN_COLUMN, or what the target answers.
    """
    system = read_url(url, password)
    system = replace(system, name=name or system.name)
    with closing(_open(system)) as connector:
        places = [_described(connector, place) for place in connector.discover().places if place.name != MARKER_PLACE]
    guesses = guess(places, table, column)
    rules = {name: _rule(name, found) for name, found in guesses.items()}
    system = replace(system, rules=rules)
    with closing(_open(system)) as connector:
        drafted = [_drafted(connector, place, places, guesses.get(place.name)) for place in places]
    return "\n".join(_text(system, drafted)) + "\n"


def read_url(url: str, password: str = "") -> Reached:
    """Read an address; the URL itself is never repeated in an error, it may hold a password."""
    try:
        parts = urlsplit(url)
        kind, usual = _KINDS[parts.scheme]
        port = parts.port or usual
    except (KeyError, ValueError):
        raise _bad_url("no such kind of system, or not an address") from None
    name, connection = _named(kind, parts, port)
    if kind != "sqlite" and not parts.username:
        raise _bad_url("no user is named")
    return Reached(
        name=name, title=name, kind=kind, deletion="1", tenant="0", connection=connection, credentials={},
        rules={}, user=unquote(parts.username or ""), password=password or unquote(parts.password or ""),
    )  # fmt: skip


def _named(kind: str, parts: SplitResult, port: int) -> tuple[str, dict[str, Any]]:
    """Give a name for the system, and its connection as the map has it."""
    if kind == "sqlite":
        return Path(unquote(parts.path)).stem, _file(parts)
    if kind == "s3":
        return _store(parts, port, _options(kind, parts))
    connection = _server(parts, port) | _options(kind, parts)
    return str(connection["database"]), connection


def _store(parts: SplitResult, port: int, options: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    if not parts.hostname or parts.path.strip("/"):
        raise _bad_url("the store's host is needed, and no bucket (s3://KEY:SECRET@HOST?region=…)")
    url = ("https://" if options.pop("tls", True) else "http://") + parts.hostname + (f":{port}" if port else "")
    return parts.hostname, {"url": url, **options}


def _bad_url(why: str) -> Rejected:
    da = "Adressen kan ikke bruges. Skriv den som i vejledningen."
    return Rejected("URL_INVALID", f"the address cannot be used: {why}", field="URL", remedy=f"write {_FORM}", da=da)


def _file(parts: SplitResult) -> dict[str, Any]:
    path = Path(unquote(parts.path))
    if parts.netloc or not parts.path or not path.is_file():
        raise _bad_url("there is no such file (sqlite:FILE counts from here, sqlite:///FILE from the root)")
    return {"file": str(path.absolute())}


def _server(parts: SplitResult, port: int) -> dict[str, Any]:
    database = unquote(parts.path.lstrip("/"))
    if not parts.hostname or not database or "," in parts.netloc.rpartition("@")[2]:
        raise _bad_url("one host and one database are needed")
    return {"host": parts.hostname, "port": port, "database": database}


def _options(kind: str, parts: SplitResult) -> dict[str, Any]:
    given = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    if unknown := sorted(set(given) - set(_OPTIONS[kind])):
        raise _bad_url(f"the option {unknown[0]} is not known for {kind}")
    found: dict[str, Any] = {_OPTIONS[kind][key]: value for key, value in given.items()}
    return found | ({"tls": found["tls"].lower() == "true"} if "tls" in found else {})


def _open(system: System) -> Connector:
    return open_connector(SystemMap("", "", {system.name: system}), system.name, "verify", "0", "0")


def _described(connector: Connector, place: LivePlace) -> LivePlace:
    """Give a place its field names where the engine's schema has none: those that its documents use."""
    if place.kind not in ("collection", "timeseries", "capped"):
        return place
    return replace(place, columns=tuple(Column(name, "") for name in field_names(connector.read(place.name, None, 50))))


def _rule(name: str, found: Guess) -> Rule:
    return Rule(place=name, tenant_key=found.tenant_key, tenant_path=found.tenant_path)


def _drafted(connector: Connector, place: LivePlace, places: list[LivePlace], found: Guess | None) -> Drafted:
    referred = sum(1 for each in places for key in each.foreign_keys if key.parent == place.name != each.name)
    drafted = Drafted(place, found, referred)
    try:
        drafted = replace(drafted, total=connector.total(place.name))
        return replace(drafted, unowned=connector.unowned(place.name)) if found else drafted
    except OphorError:
        return drafted  # not counted, and the comment says so


def _text(system: Reached, drafted: list[Drafted]) -> Iterator[str]:
    yield from _head(drafted)
    yield "version: 1"
    yield "systems:"
    yield f"  {_key(system.name)}:"
    yield f"    title: {_flow(system.name)}  # " + say(
        "begynd som profilen kalder systemet", "begin it as the profile names the system"
    )
    yield f"    kind: {system.kind}"
    yield f"    deletion: {PLACEHOLDER}  # " + say(
        "1, 2 eller index: i hvilken sletning systemet går", "1, 2 or index: the deletion in which the system goes"
    )
    yield '    tenant: "{tenant}"'
    yield f"    connection: {_flow(system.connection)}"
    if system.kind not in WITHOUT_USERS:
        yield from _users(system.name)
    yield "    places:"
    for each in drafted:
        yield f"      {_key(each.place.name)}: {_decided(each)}  # {_why(each)}"
    yield "    # backups: {folder: …}  # " + say(
        "mappen med systemets backupsæt; udelad linjen, hvis kopien ingen har",
        "the folder of this system's backup sets; leave it out where a copy has none",
    )


def _head(drafted: list[Drafted]) -> Iterator[str]:
    count, guessed = len(drafted), sum(1 for each in drafted if each.guess)
    yield "# " + say(
        f"Første systemkort, udledt af databasens skema: {guessed} af {count} steder er gættet.",
        f"First system map, derived from the live schema: {guessed} of {count} places are guessed.",
    )
    yield "# " + say(
        f"Bekræft hvert gæt, og erstat hvert {PLACEHOLDER}; indtil da afvises kortet. Se docs/system-map.md.",
        f"Confirm each guess and replace each {PLACEHOLDER}; the map is refused until then. See docs/system-map.md.",
    )
    forms = "{tenant_key: …}, {tenant_path: [FK, …, KEY]}, {shared: SHARED_CODE}, {excluded: NOT_CUSTOMER_DATA}"
    yield "# " + say("Et sted er ét af", "A place is one of") + f" {forms}"


def _users(name: str) -> Iterator[str]:
    yield "    credentials:  # " + say(
        "en bruger til hvert formål; verify må kun kunne læse",
        "one user for each purpose; verify must only be able to read",
    )
    for purpose in PURPOSES:
        secret = _flow(f"secrets/{name}_{purpose}")
        yield f"      {purpose}: {{user: {PLACEHOLDER}, password_file: {secret}}}"
    yield f"    access: {{roles: [{PLACEHOLDER}]}}  # " + say(
        "lejerens egne log-ind; har lejeren ingen, så slet denne linje og access under credentials",
        "the tenant's own log-ins; where it has none, delete this line and access under credentials",
    )


def _decided(each: Drafted) -> str:
    if each.guess is None:
        return _form(each.place)
    found: dict[str, Any] = {"tenant_key": each.guess.tenant_key}
    if each.guess.tenant_path:
        found = {"tenant_path": list(each.guess.tenant_path)}
    if each.place.kind == "matview":
        found |= {"deliver": False, "reason": "derived"}
    return _flow(found | ({"without_tenant": PLACEHOLDER} if each.unowned else {}))


def _form(place: LivePlace) -> str:
    """Write the form that may fit, open where somebody has to decide."""
    found = None if place.kind in _ELSEWHERE else hint(place)
    if found is None:
        return PLACEHOLDER
    if found.by == "json":
        return _flow({"tenant_key": {"column": found.column, "json": PLACEHOLDER}})
    return _flow({"tenant_path": {"type": found.type, "id": found.id, "to": PLACEHOLDER}})


def _why(each: Drafted) -> str:
    why = _undecided(each) if each.guess is None else _guessed(each.guess)
    rows = say("ikke talt", "not counted") if each.total is None else f"{number(each.total)} {say('rækker', 'rows')}"
    without = f"; {number(each.unowned)} " + say("uden lejer", "without a tenant") if each.unowned else ""
    return "".join(letter if letter.isprintable() else "?" for letter in f"{why} ({rows}{without})")


def _guessed(found: Guess) -> str:
    texts = {
        "key": say("lejerens egen tabel", "the tenant's own table"),
        "reference": say("fremmednøgle til lejeren", "foreign key to the tenant"),
        "name": say("kun efter kolonnens navn", "by the column's name only"),
        "path": say("ad fremmednøgler", "by foreign keys"),
    }
    text = texts[found.by]
    if found.others:
        text += say(", lige så vel via ", ", just as well by ") + ", ".join(found.others)
    if found.nullable:
        text += say("; kan være tom", "; may be empty")
    return text


_ELSEWHERE = ("foreign", "virtual", "timeseries", "capped")


def _undecided(each: Drafted) -> str:
    if each.place.kind == "foreign":
        return say("rækkerne ligger uden for tabellerne", "the rows lie outside the tables")
    if each.place.kind == "virtual":
        return say("virtuel tabel, kan ikke slettes rækkevis", "a virtual table, cannot be deleted row by row")
    if each.place.kind == "bucket":
        return say(
            "hvis er filerne? prefix:…{tenant}/, key:, tag:, meta:", "whose? prefix:…{tenant}/, key:, tag:, meta:"
        )
    if each.place.kind in ("timeseries", "capped"):
        return say("kan ikke slettes dokument for dokument", "cannot be deleted document by document")
    if found := hint(each.place):
        return {
            "type": say("henviser efter type og id? skriv {type: sted, …}", "by type and id? write {type: place, …}"),
            "json": say("lejeren i JSON? skriv stien, som $.kunde.id", "a tenant inside JSON? write $.path.to.it"),
        }[found.by]
    if each.place.kind == "matview":
        return say("materialiseret visning: giv den en lejernøgle", "a materialised view: give it a tenant key")
    if each.referred and not each.place.foreign_keys:
        return say(
            f"kodetabel? intet siger, hvis rækkerne er; {each.referred} referencer hertil",
            f"a code table? nothing says whose the rows are; {each.referred} references to it",
        )
    return say(
        "ingen lejernøgle og ingen fremmednøgle, der fører til en", "no tenant key, and no foreign key leads to one"
    )


def _key(name: str) -> str:
    return _flow([name])[1:-1]


def _flow(value: Any) -> str:
    """Write a value as YAML on one line."""
    text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, sort_keys=False, width=10**6)
    return text.removesuffix("\n").removesuffix("\n...").strip()
