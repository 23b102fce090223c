"""Reasons about backup sets: one that is not gone, one beside the catalogue, a catalogue that is not whole (S1 D9)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from services.compliance.domain.refusals.base import ACTIVE, Known, Refusal
from services.compliance.facts import INDEX, Facts, restores, shredded
from services.compliance.facts.shredded import KEY_DESTROYED


def of_backups(facts: Facts, scopes: Mapping[str, list[str]], known: Known) -> Iterator[Refusal]:
    """Tell which backup sets are not gone, or not known, and which stage is missing before."""
    certified = facts.certified(ACTIVE)
    for activity in scopes:
        if activity not in certified:
            yield Refusal("STAGE_BEFORE", f"{activity}: {ACTIVE} is not issued")
    if facts.backups_left_out and known.kind == "rehearsal":
        return  # the statement says so, and does not call the deletion permanent
    sets = facts.sets_of(scopes)
    for (system, set_id), backup in sets.items():
        seen = backup.latest
        answer = seen.entry["answer"] if seen else "NOT_LOOKED"
        if answer == KEY_DESTROYED:
            yield from _of_key(facts, system, set_id)
        elif answer != "GONE":
            yield Refusal("BACKUP_NOT_GONE", f"{system}: set {set_id} is {answer}"[:300])
    for one in restores.unnamed(facts, scopes):
        system, restore = one.entry["system"], one.entry["restore_id"]
        yield Refusal("RESTORE_SOURCE_UNKNOWN", f"{system}: nobody has named the copy that {restore} came from"[:300])
    yield from _of_catalogue(facts, scopes)


def _of_key(facts: Facts, system: str, set_id: str) -> Iterator[Refusal]:
    """Tell why a set does not count as ended with its key."""
    for why in shredded.wrong(facts, (system, set_id)):
        yield Refusal("KEY_NOT_SHOWN_DESTROYED", f"{system}: set {set_id}: {why}"[:300])


def of_found(facts: Facts, scopes: Mapping[str, list[str]]) -> Iterator[Refusal]:
    """Tell which sets were found beside the catalogue, or dated otherwise, and not catalogued so since."""
    systems = {system for mine in scopes.values() for system in mine}
    for one in facts.uncatalogued(systems):
        system, set_id = one.entry["system"], one.entry["set_id"]
        told = f"{system}: set {set_id} was found ({one.entry['finding']}) and is not catalogued so"
        yield Refusal("BACKUP_UNCATALOGUED", told[:300])


def _of_catalogue(facts: Facts, scopes: Mapping[str, list[str]]) -> Iterator[Refusal]:
    """Tell whether every set is known: by deletion's word for the whole exit, by a set of each system for a part."""
    with_sets = {system for system, _ in facts.sets_of(scopes)}
    if scopes.keys() == facts.scopes().keys():
        if not with_sets:
            yield Refusal("BACKUPS_UNKNOWN", "no backup set is registered, and none cannot be assumed")
        if facts.backups_told() is None:
            told = "deletion has not told that every system with backups is catalogued and gone"
            yield Refusal("BACKUPS_NOT_EXPIRED", told)
        return
    for activity, systems in scopes.items():
        for system in systems:
            if activity != INDEX and system not in with_sets:
                yield Refusal("BACKUPS_UNKNOWN", f"{system}: no backup set is registered, and none cannot be assumed")
