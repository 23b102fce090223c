"""Scopes: which systems each activity deletes, and which conditions hold, given options and what they cover.

Rules kept:
1. A system of the case index (`index`) is cleaned there; it is never suspended (T4).
2. A chosen option suspends only deletions that its profile names, only for the systems that it covers (T2); without a
   list it covers all that it can. What is covered is deleted last, whatever its number.
3. Not covered: number 1 in deletion 1; number 2 in deletion 2, or apart (`uncovered`) when another system is covered.
4. Every system is in exactly one scope, as far as the profiles have an activity for it.
Refused: covering a system that is not in the exit, or whose deletion the option cannot put off (COVER_*), and a service
after the end without the storage option or an amendment for the same systems (OPTION_NEEDS; T2).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol

from contracts.errors import Rejected
from shared.rules.profiles import Option, Profile, missing_needs

Systems = Mapping[str, str]
Covers = Mapping[str, Collection[str]]

_LAST, _APART = "2", "uncovered"


def route(
    profiles: Iterable[Profile], systems: Systems, options: Collection[str], covers: Covers
) -> dict[str, tuple[str, ...]]:
    """Give activity → systems (sorted) for every activity that deletes; `systems`: system → `1`, `2` or `index`."""
    profiles = tuple(profiles)
    suspended = _suspended(profiles, systems, options, covers)
    deletions: dict[str, list[str]] = {}
    for system in sorted(systems):
        deletions.setdefault(_deletion(systems[system], system in suspended, bool(suspended)), []).append(system)
    activities = [activity for profile in profiles for activity in profile.activities if activity.deletion]
    return {activity.id: tuple(deletions.get(activity.deletion, ())) for activity in activities}


def _deletion(number: str, suspended: bool, any_suspended: bool) -> str:
    if number == "index":
        return number
    if suspended:
        return _LAST
    return _APART if number == _LAST and any_suspended else number


def _suspended(
    profiles: Sequence[Profile], systems: Systems, options: Collection[str], covers: Covers
) -> frozenset[str]:
    chosen = [option for option in _options(profiles) if option.id in options]
    return frozenset(system for option in chosen for system in covered(option, systems, covers))


def covered(option: Option, systems: Systems, covers: Covers) -> tuple[str, ...]:
    """List the systems whose deletion the option puts off: those it names, of those that it can."""
    able = [system for system in sorted(systems) if systems[system] in option.suspends]
    named = covers.get(option.id)
    return tuple(system for system in able if not named or system in named)


def check_covers(
    profiles: Iterable[Profile],
    systems: Systems,
    options: Collection[str],
    covers: Covers,
    amendments: Collection[str] = (),
) -> None:
    """Refuse covers that cannot be kept: COVER_NOT_CHOSEN, COVER_UNKNOWN, COVER_NOT_SUSPENDED or OPTION_NEEDS."""
    profiles = tuple(profiles)
    by_id = {option.id: option for option in _options(profiles)}
    for name, systems_named in covers.items():
        if name not in options or name not in by_id:
            raise _refuse("COVER_NOT_CHOSEN", name, "the option is not chosen", "Optionen er ikke valgt", "choose it")
        for system in systems_named:
            _check_cover(by_id[name], system, systems)
    _check_needs(profiles, systems, options, covers, amendments)


def _check_cover(option: Option, system: str, systems: Systems) -> None:
    where = f"{option.id}/{system}"
    if system not in systems:
        raise _refuse(
            "COVER_UNKNOWN", where, "the exit has no such system", "Systemet er ikke med i exittet", "name another"
        )
    if systems[system] not in option.suspends:
        message = f"{option.clause} cannot put off deletion {systems[system]}"
        da = f"{option.clause} kan ikke udskyde sletning {systems[system]}"
        raise _refuse("COVER_NOT_SUSPENDED", where, message, da, "leave the system out")


def _check_needs(
    profiles: Sequence[Profile],
    systems: Systems,
    options: Collection[str],
    covers: Covers,
    amendments: Collection[str],
) -> None:
    """Refuse an option for systems that none of what it needs covers as well (T2: for the same scope)."""
    by_id = {option.id: option for option in _options(profiles)}
    chosen = [by_id[name] for name in options if name in by_id]
    for option in sorted(chosen, key=lambda each: each.id):
        for system in covered(option, systems, covers):
            there = {other.id for other in chosen if other.id == option.id or system in covered(other, systems, covers)}
            missing = missing_needs(profiles, there | {f"amendment:{kind}" for kind in amendments})
            if missing:
                need = missing[0]
                either = ", ".join(need.one_of)
                raise _refuse(
                    "OPTION_NEEDS", f"{option.id}/{system}",
                    f"{need.clause}: {option.id} also needs one of {either} for the same system",
                    f"{need.clause}: {option.id} kræver også en af {either} for samme system",
                    f"choose one of {either} for it",
                )  # fmt: skip


class HasFacts(Protocol):
    """What `conditions_of` reads of an exit's facts."""

    @property
    def options(self) -> frozenset[str]: ...
    @property
    def covers(self) -> Mapping[str, tuple[str, ...]]: ...
    @property
    def amendments(self) -> frozenset[str]: ...
    @property
    def instructions(self) -> frozenset[str]: ...
    @property
    def lawyer_confirmed(self) -> frozenset[str]: ...
    @property
    def scopes(self) -> Mapping[str, tuple[str, ...]] | None: ...


def conditions_of(profiles: Iterable[Profile], facts: HasFacts) -> frozenset[str]:
    """Name what holds, for the profiles' `when` and `unless`."""
    return frozenset(
        {
            *facts.options,
            *(f"whole:{name}" for name in facts.options if _whole(profiles, name, facts)),
            *(f"amendment:{kind}" for kind in facts.amendments),
            *(f"instruction:{name}" for name in facts.instructions),
            *(f"confirmed:{name}" for name in facts.lawyer_confirmed),
        }
    )


def _whole(profiles: Iterable[Profile], name: str, facts: HasFacts) -> bool:
    """Tell whether an option covers all that it can: it has no list, or no scope that it can put off is left beside."""
    named = facts.covers.get(name)
    if not named:
        return True
    if facts.scopes is None:
        return False
    (suspends,) = {option.suspends for option in _options(profiles) if option.id == name} or {()}
    reached = {*suspends, _LAST, _APART}
    deletions = {activity.id: activity.deletion for profile in profiles for activity in profile.activities}
    left = [facts.scopes[each] for each, deletion in deletions.items() if deletion in reached and each in facts.scopes]
    return {system for systems in left for system in systems} <= set(named)


def _options(profiles: Iterable[Profile]) -> list[Option]:
    return [option for profile in profiles for option in profile.options]


def _refuse(code: str, where: str, message: str, da: str, remedy: str) -> Rejected:
    return Rejected(code, f"{where}: {message}", field="covers", remedy=remedy, da=f"{where}: {da}.")
