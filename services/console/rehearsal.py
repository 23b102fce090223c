"""Guards of a rehearsal, which deletes for real, on copies (design §6); and `ophor rehearsal prepare`.

Rules kept here: nothing is written to, or deleted in, a target before every target answered, was listed with host and
row counts, and was named by a person, one by one; a target without a marker of at most seven days of real time is
refused; no option switches any of this off. Every purpose's credentials are tried, and the map is held against what
the systems hold, before a rehearsal begins. The marker is written with the `prepare` credentials, which no other
purpose has.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Annotated

import typer
from rich.console import Console

from contracts.errors import Rejected, Unavailable
from contracts.system_map import WITHOUT_USERS, System, SystemMap, load
from services.console.systems import MapPath
from services.console.terminal import speaks
from shared.connectors import failures, marker, open_connector
from shared.connectors.protocol import Connector, Marker
from shared.keystore.holders import holding

app = typer.Typer(help="Øvelser på kopier. / Rehearsals on copies.")
NO_TENANT, NO_CVR = "-", "00000000"
PURPOSES = ("extract", "delete", "verify", "access")  # what an exit opens a system for; `prepare` is for its marker

Ask = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Target:
    """A target as a person must recognise it: where it is, how much lies there, and the tenant's part of it."""

    system: str
    title: str
    kind: str
    where: str
    places: int
    rows: int
    tenant_rows: int | None = None


def list_targets(systems: SystemMap, names: Iterable[str], tenant: str = "", cvr: str = "") -> list[Target]:
    """Look at the targets with the verifier's credentials; raise Rejected or Unavailable where one cannot be seen."""
    return [_look(systems, name, tenant, cvr) for name in names]


def _look(systems: SystemMap, name: str, tenant: str, cvr: str) -> Target:
    system = systems.system(name)
    with _opened(systems, name, "verify", (tenant or NO_TENANT, cvr or NO_CVR)) as connector:
        places = [place.name for place in connector.discover().places]
        counted = [] if system.kind == "manual" else places  # what people say they hold is nobody's count
        rows = sum(connector.total(place) for place in counted)
        owned = [place for place in places if place in system.owned()]
        mine = sum(connector.count(place) for place in owned) if tenant and counted else None
    return Target(name, system.title, system.kind, address(system), len(places), rows, mine)


@contextmanager
def _opened(systems: SystemMap, name: str, purpose: str, whose: tuple[str, str]) -> Iterator[Connector]:
    """Open a system for a person at a terminal: one that does not answer is named with its address."""
    try:
        with closing(open_connector(systems, name, purpose, *whose)) as connector:
            yield connector
    except Unavailable as error:
        where, da = f"{error.message} (at {address(systems.system(name))})", f"{error.da or error.code} "
        da = f"{da.rstrip()} Adressen er {address(systems.system(name))}."
        raise Unavailable(error.code, where, field=error.field, remedy=error.remedy, da=da) from None


def check_secrets(systems: SystemMap, names: Iterable[str]) -> None:
    """See that every secret is there, in a file that the hands can read too; opens nothing. Raise MAP_SECRET_*."""
    for name in names:
        system = systems.system(name)
        for purpose, credential in system.credentials.items():
            if credential.password_env and purpose in PURPOSES:
                raise Rejected(
                    "MAP_SECRET_IN_ENVIRONMENT", f"{name}: the processes that work have no variables of yours",
                    field=f"systems.{name}.credentials.{purpose}.password_env", remedy="give password_file instead",
                    da=f"{name}: processerne kender ikke dine miljøvariable; brug password_file.",
                )  # fmt: skip
        usual = ("extract", "delete", "verify", *(("access",) if system.roles else ()))
        needed = () if system.kind in WITHOUT_USERS else usual
        for purpose in dict.fromkeys((*needed, *system.credentials)):
            system.secret(purpose)


def check_systems(systems: SystemMap, names: Iterable[str], tenant: str, cvr: str) -> None:
    """Log in for every purpose and hold the map against what is there; changes nothing.

    Raise TARGET_REFUSED, SYSTEM_UNREACHABLE, VERIFIER_CAN_WRITE, or what `check_live` and the order of deletion refuse.
    """
    for name in names:
        system = systems.system(name)
        for purpose in (each for each in PURPOSES if each in system.credentials or system.kind in WITHOUT_USERS):
            with _opened(systems, name, purpose, (tenant, cvr)) as connector:
                if purpose == "access":  # who controls the ways in need not see the schema
                    if system.kind != "manual":  # nobody has attested anything yet
                        connector.access()
                    continue
                inventory = connector.discover()
                if purpose == "verify" and connector.can_write():
                    raise failures.verifier_writes(name)
                if purpose == "verify":
                    connector.order(inventory)


def check_tenant(targets: Sequence[Target], tenant: str) -> None:
    """Refuse a tenant that no target has a row of: a mistyped value would be certified as absent."""
    if not any(target.tenant_rows for target in targets):
        raise Rejected(
            "TENANT_MATCHES_NOTHING", f"no system has a row whose tenant key is {tenant}", field="--tenant",
            remedy="check the value; where the tenant really has none, say so with --absent",
            da=f"Ingen af systemerne har rækker for lejeren {tenant}. Er det meningen, så tilføj --absent.",
        )  # fmt: skip


def at_terminal(name: str) -> str:
    """Have a system's name typed; nothing is typed where nobody is there to ask."""
    try:
        return str(typer.prompt(f"Skriv systemets navn for at bekræfte / type the system's name to confirm ({name})"))
    except typer.Abort:
        return ""


def address(system: System) -> str:
    """Write where a system is: host, port and database, or folder, file or URL."""
    where = system.connection
    if "host" in where:
        return f"{where['host']}:{where['port']}/{where['database']}"
    return str(where.get("folder") or where.get("file") or where.get("url"))


def confirm(names: Sequence[str], given: Sequence[str], ask: Ask | None) -> None:
    """Have each system's name typed (`given` beforehand in scripts); raise Rejected NAME_NOT_CONFIRMED."""
    for unknown in [name for name in given if name not in names]:
        raise _not_confirmed(unknown, "no such system is among the targets")
    for name in names:
        if name in given:
            continue
        typed = ask(name) if ask else ""
        if typed != name:
            raise _not_confirmed(name, "its name was not typed")


def _not_confirmed(name: str, why: str) -> Rejected:
    return Rejected(
        "NAME_NOT_CONFIRMED", f"{name}: {why}; nothing was changed", field=f"systems.{name}",
        remedy="type the system's name as it stands in the map, after looking at its host and row counts",
        da=f"{name} er ikke bekræftet. Intet er ændret.",
    )  # fmt: skip


def check_markers(
    systems: SystemMap, names: Iterable[str], tenant: str, cvr: str, now: float | None = None
) -> dict[str, Marker]:
    """Read every target's marker; raise Rejected TARGET_NOT_MARKED or MARKER_TOO_OLD. `now`: real Unix seconds."""
    at = time.time() if now is None else now
    return {name: _check_marker(systems, name, (tenant, cvr), at) for name in names}


def _check_marker(systems: SystemMap, name: str, whose: tuple[str, str], now: float) -> Marker:
    with _opened(systems, name, "verify", whose) as connector:
        found = connector.marker()
        if found is not None and now - found.written_at > marker.FRESH_S:
            raise Rejected(
                "MARKER_TOO_OLD", f"{name} was marked as a copy more than seven days ago", field=f"systems.{name}",
                remedy="make sure that it is still a copy, then run `ophor rehearsal prepare` again",
                da=f"{name} blev mærket som kopi for mere end syv dage siden.",
            )  # fmt: skip
        return marker.require_fresh(connector, now)


def mark(systems: SystemMap, names: Iterable[str], now: float | None = None) -> dict[str, Marker]:
    """Write the marker into every target; call it only for targets whose names were confirmed, or that we just made."""
    at = time.time() if now is None else now
    written = {}
    for name in names:
        with _opened(systems, name, "prepare", (NO_TENANT, NO_CVR)) as connector:
            written[name] = marker.prepare(connector, at)
        for each in systems.system(name).keys:
            with holding(each, "delete") as keys:
                keys.write_marker(written[name])
    return written


def show(console: Console, targets: Iterable[Target]) -> None:
    """Print the targets for a person to recognise; an address is never broken over two lines."""
    for each in targets:
        mine = "" if each.tenant_rows is None else f", heraf lejerens {each.tenant_rows}"
        held = "håndteres af mennesker, tælles ikke" if each.kind == "manual" else f"{each.rows} rækker{mine}"
        lines = f"{each.system}: {each.title} ({each.kind})", f"    {each.where}", f"    {each.places} steder, {held}"
        for line in lines:
            console.print(line, markup=False, highlight=False, soft_wrap=True)


def choose(systems: SystemMap, wanted: Sequence[str]) -> list[str]:
    """Give the names of the wanted systems, all where none is named; raise MAP_UNKNOWN_SYSTEM."""
    return [systems.system(name).name for name in wanted] or list(systems.systems)


@app.command("prepare")
@speaks
def prepare_command(
    path: MapPath,
    tenant: Annotated[str, typer.Option(help="Vis også lejerens rækker. / Show the tenant's rows too.")] = "",
    cvr: Annotated[str, typer.Option(help="Kundens CVR-nummer. / The customer's CVR number.")] = "",
    system: Annotated[list[str] | None, typer.Option(help="Kun dette system. / This system only.")] = None,
    yes: Annotated[list[str] | None, typer.Option(help="Bekræft navn (skripter). / Confirm a name.")] = None,
) -> None:
    """Mærk systemerne som kopier, der må slettes i. / Mark the systems as copies that may be deleted in.

    Mærket gælder i syv døgn. / The mark lasts for seven days.

    Eksempel / example:

        ophor rehearsal prepare map.yaml --tenant 751

        ophor rehearsal prepare map.yaml --yes pladsanvisning --yes booking     # i scripts / in scripts
    """
    systems = load(path)
    names = choose(systems, system or [])
    check_secrets(systems, names)
    show(Console(), list_targets(systems, names, tenant, cvr))
    print("Mærk KUN kopier: en øvelse sletter rigtigt. / Mark copies ONLY: a rehearsal deletes for real.")
    confirm(names, yes or [], at_terminal)
    for name, written in mark(systems, names).items():
        print(f"{name}: mærket som kopi / marked as a copy ({written.id})")


@app.callback()
def group() -> None:
    """Øvelser på kopier. / Rehearsals on copies."""
