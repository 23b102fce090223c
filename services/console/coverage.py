"""The coverage report: every live place of every system held against the map, what becomes of it, and what is missing.

Rules kept here: nothing is changed in any target; every place of the live schema is a line, and every place of the map
that is not live is too; what the map says nothing of is a finding, never "not used"; rows that no tenant is found for
are counted beside the tenant's. A place that could not be looked into is `unreachable`, never empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace

from rich.console import Console
from rich.table import Table
from rich.text import Text

from contracts.errors import OphorError, Unavailable
from contracts.system_map import Rule, System, SystemMap
from services.console.terminal import english
from shared.connectors import open_connector
from shared.connectors.protocol import Connector, DropsWhole, LivePlace
from shared.drawing import lines as lines_of
from shared.drawing.lines import Coverage, told, verdict

_HEADINGS = {
    "Sted": "Place", "Hvad der sker": "Disposition", "Udleveres": "Delivered", "Lejerens": "Tenant's",
    "Uden lejer": "No tenant", "I alt": "All",
}  # fmt: skip
_NOT_LOOKED_INTO = ("TARGET_REFUSED", "TARGET_ERROR", "MAP_SECRET_MISSING")


def check(systems: SystemMap, tenant: str, cvr: str) -> list[Coverage]:
    """Compare every system with the map, with the verifier's credentials; give a line for every place and finding."""
    return [line for name in systems.systems for line in _check_system(systems, name, tenant, cvr)]


def _check_system(systems: SystemMap, name: str, tenant: str, cvr: str) -> list[Coverage]:
    try:
        with closing(open_connector(systems, name, "verify", tenant, cvr)) as connector:
            return _lines(systems.system(name), connector)
    except OphorError as error:
        return [_found(Coverage(name, "", ""), error)]


def _lines(system: System, connector: Connector) -> list[Coverage]:
    inventory = connector.discover()
    lines = [_line(system, place, connector) for place in inventory.places]
    for name in sorted(set(system.rules) - set(inventory.columns())):
        line, gone = Coverage(system.name, name, ""), system.rules[name].goes  # it may have gone as a whole already
        missing = _missing(line, "MAP_UNKNOWN_PLACE", "correct its name or take it out of the map")
        lines.append(_decided(line, system.rules[name]) if gone else missing)
    if any(line.code for line in lines):
        return lines
    try:
        connector.order(inventory)  # an unknown column or a cycle that cannot be broken is raised here
    except OphorError as error:
        return _placed(system.name, lines, error)
    return lines


def _placed(system: str, lines: Sequence[Coverage], error: OphorError) -> list[Coverage]:
    """Put an error at the place that its field names, else in a line of its own."""
    about = [line for line in lines if f"{error.field}.".startswith(_field(line))]
    if not about:
        return [*lines, _found(Coverage(system, "", ""), error)]
    named = max(about, key=lambda line: len(line.place))
    return [_found(line, error) if line is named else line for line in lines]


def _line(system: System, place: LivePlace, connector: Connector) -> Coverage:
    rule = system.rule(place.name)
    named = rule.refers.to.values() if rule is not None and rule.refers is not None else ()
    references = tuple(sorted({*(key.parent for key in place.foreign_keys), *named}))
    line = Coverage(system.name, place.name, "", references=references)
    try:
        line = replace(line, total=connector.total(place.name))
        if rule is None:
            return _missing(line, "PLACE_NOT_MAPPED", "say in the map whose it is, or exclude it with a reason")
        if rule.owned:
            rows, unowned = connector.count(place.name), connector.unowned(place.name)
            line = replace(line, rows=rows, unowned=unowned)
        if rule.whole and isinstance(connector, DropsWhole):
            connector.look_whole(place.name, [name for name, other in system.rules.items() if other.goes])
    except OphorError as error:
        return _found(line, error)
    return _decided(line, rule)


def _decided(line: Coverage, rule: Rule) -> Coverage:
    if line.unowned and not rule.without_tenant:
        remedy = "give the rows their tenant, or say in the map what they are (without_tenant)"
        return replace(_missing(line, "ROWS_WITHOUT_TENANT", remedy), field=f"{_field(line)}without_tenant")
    return replace(
        line,
        disposition=_disposition(rule),
        reason=rule.reason or rule.shared or rule.excluded,
        without_tenant=rule.without_tenant,
        delivered=rule.deliver and not rule.excluded,
    )


def _disposition(rule: Rule) -> str:
    if rule.owned or rule.attested:
        return "deleted" if rule.owned else "attested"
    return "shared" if rule.shared else "suspended" if rule.excluded.startswith("OPTION(") else "excluded"


def _field(line: Coverage) -> str:
    return f"systems.{line.system}.places.{line.place}."


def _missing(line: Coverage, code: str, remedy: str) -> Coverage:
    return replace(line, disposition="undecided", code=code, field=_field(line).rstrip("."), remedy=remedy)


def _found(line: Coverage, error: OphorError) -> Coverage:
    unseen = isinstance(error, Unavailable) or error.code in _NOT_LOOKED_INTO
    disposition = "unreachable" if unseen else "undecided"
    return replace(line, disposition=disposition, code=error.code, field=error.field, remedy=error.remedy)


def show(console: Console, lines: Sequence[Coverage]) -> None:
    """Print the report, a table for each system, and explain the findings below them."""
    console.print(say("Systemkortets dækning", "Coverage of the system map"), style="bold")
    for system in dict.fromkeys(line.system for line in lines):
        table = Table(title=system, title_justify="left")
        for at, (da, en) in enumerate(_HEADINGS.items()):
            table.add_column(say(da, en), justify="right" if at > 2 else "left", overflow="fold")
        for line in (line for line in lines if line.system == system):
            table.add_row(*map(Text, _cells(line)), style="red" if line.code else None)
        console.print(table)
    for line in (line for line in lines if line.code):
        console.print(f"{line.code} [{line.field}] – {line.remedy}", style="red", markup=False, highlight=False)
    console.print(verdict(lines, language()), markup=False, highlight=False)


def _cells(line: Coverage) -> list[str]:
    counts = ["–"] * 3 if line.code and not line.total else [number(n) for n in (line.rows, line.unowned, line.total)]
    delivered = say("ja", "yes") if line.delivered else say("nej", "no")
    return [line.place or "–", told(line, language()), "–" if line.code else delivered, *counts]


def say(da: str, en: str) -> str:
    """Choose the reader's language."""
    return en if english() else da


def number(count: int) -> str:
    """Write a number as it is read in the reader's language."""
    return lines_of.number(count, language())


def language() -> str:
    """Give the reader's language."""
    return "en" if english() else "da"
