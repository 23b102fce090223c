"""Backup sets: registered once, looked at after their last day, expired only when all are seen to be gone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from contracts.deletion_keys import KEY_DESTROYED
from contracts.errors import Rejected
from services.deletion.domain.job import Exit

ENDED = ("GONE", KEY_DESTROYED)
_KEY = ("key_id", "made_at", "encrypted_at")


@dataclass(frozen=True, slots=True)
class Backup:
    """One backup set and what was last seen of it.

    `identity`: digests that its content has, whatever it is called; a `stream` (WAL, binlog, oplog) is noted where it
    stood when the deletion was verified. `content_on`: the day that its content says, where that is another day.
    `made_at` and `encrypted_at` (ISO 8601) are of a set that is encrypted with the key `key_id`.
    """

    exit_id: str
    system: str
    set_id: str
    taken_on: date
    expires_on: date
    answer: str = "NOT_LOOKED"
    observed_on: date | None = None
    kind: str = ""
    identity: tuple[str, ...] = ()
    stream: bool = False
    key_id: str = ""
    made_at: str = ""
    encrypted_at: str = ""
    content_on: date | None = None

    @property
    def ended(self) -> bool:
        """Tell whether nothing of it can be restored: it was seen to be gone, or its key to be destroyed."""
        return self.answer in ENDED

    @property
    def unknown(self) -> bool:
        """Tell whether its content was never noted: under another name nobody would know it."""
        return not (self.identity or self.stream or self.ended)

    @property
    def look_on(self) -> date:
        """Give the day after its last day."""
        return self.expires_on + timedelta(days=1)


def register_backup(exit_: Exit, new: Backup, known: Backup | None) -> Backup:
    """Take a set into the catalogue; the same again changes nothing; raise SYSTEM_UNKNOWN, DATES_REVERSED, …

    The day of a set whose content says another may be corrected to that one, and to no other.
    """
    if new.system not in exit_.systems:
        raise Rejected(
            "SYSTEM_UNKNOWN", "the order names no such system", field="system", remedy="use a system of the order",
            da="Systemet er ikke med i bestillingen.",
        )  # fmt: skip
    if set(new.set_id) == {"."}:
        raise Rejected("SET_ID_INVALID", "the set's name is no folder name", field="set_id", remedy="give its name")
    if new.expires_on < new.taken_on:
        raise Rejected(
            "DATES_REVERSED", "the set expires before it was taken", field="expires_on", remedy="correct the dates",
            da="Backuppen udløber, før den er taget.",
        )  # fmt: skip
    if known and known.content_on is not None and new.taken_on == known.content_on:
        return replace(known, taken_on=new.taken_on, expires_on=new.expires_on, content_on=None)
    if known and _differs(known, new):
        raise Rejected(
            "BACKUP_ALREADY_REGISTERED", "the set is registered with other dates or another key", field="set_id",
            remedy="register a set once", da="Backuppen er allerede registreret med andre datoer eller en anden nøgle.",
        )  # fmt: skip
    return known or new


def _differs(known: Backup, new: Backup) -> bool:
    """Tell whether a set is told of otherwise than before; who says nothing of its key says nothing else of it."""
    keys = [tuple(getattr(each, name) for name in _KEY) for each in (known, new)]
    return (known.taken_on, known.expires_on) != (new.taken_on, new.expires_on) or (any(keys[1]) and keys[0] != keys[1])


def due(backups: Iterable[Backup], today: date, limits: Mapping[str, date] | None = None) -> list[Backup]:
    """List the sets to look at: past their last day, at most their system's limit, and not yet seen to be gone."""
    last = limits or {}
    return [
        each
        for each in backups
        if not each.ended and min(each.expires_on, last.get(each.system, each.expires_on)) < today
    ]


def expired(exit_: Exit, backups: Sequence[Backup], deleted: Iterable[str], with_backups: Iterable[str]) -> bool:
    """Tell whether all is gone: each system but the index deleted, each with backups catalogued, each set GONE."""
    systems = {name for name, deletion in exit_.systems.items() if deletion != "index"}
    catalogued = {each.system for each in backups}
    return (
        bool(backups)
        and systems <= set(deleted)
        and set(with_backups) & systems <= catalogued
        and all(each.ended for each in backups)
    )
