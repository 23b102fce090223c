"""The map compared with a live system, in both directions."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from contracts.errors import Rejected
from contracts.system_map.model import System


def check_live(system: System, live: Mapping[str, Collection[str]], *, may_be_gone: bool = False) -> None:
    """Compare the map with the live places (name → columns, empty where the engine has none) in both directions.

    `may_be_gone`: whoever deletes takes for done that a place which goes with its tenant (`whole: drop`) is absent.
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
    unknown = sorted(name for name in set(system.rules) - set(live) if not (may_be_gone and system.rules[name].goes))
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
        part = "tenant_key" if rule.tenant_key else "tenant_path"
        wanted = [rule.tenant_key or (rule.tenant_path[0] if rule.tenant_path else "")]
        if rule.refers is not None and len(rule.tenant_path) == 1:
            wanted.append(rule.refers.type)
        if live.get(name) and any(column and column not in live[name] for column in wanted):
            raise _place_error(
                system,
                "MAP_UNKNOWN_COLUMN",
                [f"{name}.{part}"],
                "names a column that the place does not have",
                "name a column of the place",
                "nævner en kolonne, der ikke findes",
            )


def _place_error(system: System, code: str, places: list[str], text: str, remedy: str, da: str) -> Rejected:
    more = f" (and {len(places) - 1} more: {', '.join(places[1:6])})" if len(places) > 1 else ""
    return Rejected(
        code,
        f"{system.name}: {places[0]} {text}{more}",
        field=f"systems.{system.name}.places.{places[0]}",
        remedy=remedy,
        da=f"{system.title}: {places[0]} {da}.",
    )
