"""Which backup sets can end with their keys: what the catalogue, the holders of the keys and the source say.

Everything that could make the claim untrue is a reason of its own, and nothing is taken on trust: a copy of the key
that cannot be asked, a set that cannot be looked into or lies open, a key that its holder does not tell of are refused.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from contracts.errors import OphorError
from contracts.system_map import System, SystemMap
from contracts.system_map.keys import COPIES, Holder
from services.deletion import store_backups
from services.deletion import store_shreddings as kept
from services.deletion.domain import Backup, Exit, catalogue, shred
from services.deletion.domain.shredding import Row
from shared.backups.sealed import lies_open
from shared.keystore.holders import holding
from shared.keystore.model import KeyAbout, label_of


def judged(work: Any, systems: SystemMap, exit_: Exit, by: date | None, purpose: str) -> tuple[list[Row], list[Row]]:
    """Judge every set that has a key; give those that can end so, and the refused ones with their reasons."""
    backups = work.read(lambda unit: kept.keyed(unit, exit_.exit_id))
    begun, ended = work.read(lambda unit: store_backups.days_of(unit, exit_.exit_id))
    last, rows, refused = catalogue.limits(begun), [], []
    for each in backups:
        system, uses = (
            systems.systems.get(each.system),
            work.read(lambda unit, each=each: kept.uses_of(unit, each.key_id)),
        )
        day = min(day for day in (catalogue.last_day(each, last.get(each.system)), by) if day)
        row, about = _row(each, system, day, work.today, purpose)
        reasons = _reasons(each, system, about, exit_, uses)
        reasons += [] if each.system in ended else ["SYSTEM_NOT_DELETED"]
        reasons += _unseen(system, each, purpose) if system is not None else ["SYSTEM_UNKNOWN"]
        if reasons:
            refused.append({"system": each.system, "set_id": each.set_id, "reasons": reasons})
        else:
            rows.append(row)
    return rows, refused


def _row(
    backup: Backup, system: System | None, last_on: date, today: date, purpose: str
) -> tuple[Row, KeyAbout | None]:
    holders = system.keys if system is not None else ()
    about = next((told for each in holders if (told := _about(each, backup.key_id, purpose))), None)
    waits = max((each.waits_days for each in holders), default=0)
    when = shred.plan(last_on, waits, today)
    copies: list[Row] = [{"copy": each.copy, "holder": each.name} for each in holders]
    copies += [{"copy": copy, "holder": None} for copy in COPIES if copy not in {each.copy for each in holders}]
    return {
        "system": backup.system, "set_id": backup.set_id, "key_id": backup.key_id, "made_at": backup.made_at,
        "encrypted_at": backup.encrypted_at, "key_made_at": about.made_at.isoformat() if about else "",
        "last_on": last_on, "waits_days": waits, "ask_on": when.ask_on, "ends_on": when.ends_on,
        "in_time": when.in_time, "copies": sorted(copies, key=_order),
    }, about  # fmt: skip


def _order(copy: Row) -> tuple[int, str]:
    return COPIES.index(copy["copy"]), str(copy["holder"])


def _reasons(
    backup: Backup, system: System | None, about: KeyAbout | None, exit_: Exit,
    uses: tuple[frozenset[str], frozenset[tuple[str, str]]],
) -> list[str]:  # fmt: skip
    """List why the key's destruction would not end this set for this customer; `shred` says it of key and set."""
    if not backup.made_at or not backup.encrypted_at:
        return ["ENCRYPTION_NOT_TOLD"]
    if about is None:
        return ["KEY_NOT_TOLD"]
    sealed = shred.Sealed(
        backup.system, backup.set_id, _instant(backup.made_at), _instant(backup.encrypted_at), backup.key_id
    )
    customers, sets = uses[0] | {about.customer}, uses[1] | {(about.system, about.set_id)}
    key = shred.Key(backup.key_id, about.made_at, customers, sets)
    holders = system.keys if system is not None else ()
    copies = [shred.Copy(each.copy, each.name) for each in holders]
    copies += [
        shred.Copy(copy, none=True) for copy in COPIES if holders and copy not in {each.copy for each in holders}
    ]
    found = shred.refusals(sealed, key, exit_.customer_cvr, copies)
    bound = backup.key_id == label_of(exit_.customer_cvr, backup.system, backup.set_id)
    return found + ([] if bound else ["KEY_NOT_OF_SET"])


def _unseen(system: System, backup: Backup, purpose: str) -> list[str]:
    """List what could not be looked into: copies of the key, and the set itself, which must not lie open."""
    states = {(each.copy, state_of(each, backup.key_id, purpose)) for each in system.keys}
    found = [f"COPY_NOT_SEEN({copy})" for copy in COPIES if (copy, "ERROR") in states]
    open_ = lies_open(system, backup.set_id, purpose)
    return found + (["SET_NOT_LOOKED_INTO"] if open_ is None else ["SET_LIES_OPEN"] if open_ else [])


def state_of(holder: Holder, key_id: str, purpose: str) -> str:
    """Tell how a holder says its copy is; ERROR where it cannot be asked."""
    try:
        with holding(holder, purpose) as keys:
            return str(keys.state(key_id))
    except OphorError:
        return "ERROR"


def _about(holder: Holder, key_id: str, purpose: str) -> KeyAbout | None:
    try:
        with holding(holder, purpose) as keys:
            return keys.about(key_id)
    except OphorError:
        return None


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
