"""Orders' own collections, one document each: `agreements`, `exits`, `capacity` (of a supplier), `profiles` (pinned).

A case is read and written whole, in the unit's transaction: whatever two commands both change, one of them loses and
runs again on what the other left. Dates are ISO strings there.
"""

from __future__ import annotations

import types
from collections.abc import Collection, Iterable
from dataclasses import asdict, fields, is_dataclass
from datetime import date
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

from contracts.errors import Unavailable
from services.orders import domain
from services.orders.domain import Agreement, Caller, Capacity, Case, Exit
from shared.rules.profiles import FOLDER, Profile, load_profiles, parse_profile
from shared.store.unit import Unit

Row = dict[str, Any]
_PARSED: dict[str, Profile] = {}  # pinned profiles by digest


def add_agreement(unit: Unit, agreement: Agreement) -> None:
    """Write a new agreement; raise Rejected AGREEMENT_EXISTS."""
    if unit.db.agreements.find_one({"_id": agreement.agreement_id}, {"_id": 1}, session=unit.session):
        raise domain.already(
            "AGREEMENT_EXISTS", "reference", "the supplier has an agreement with this reference",
            "Leverandøren har allerede en aftale med den reference.",
        )  # fmt: skip
    save_agreement(unit, agreement)


def save_agreement(unit: Unit, agreement: Agreement) -> None:
    """Write an agreement."""
    _write(unit, "agreements", agreement.agreement_id, agreement)


def load_agreement(unit: Unit, agreement_id: str) -> Agreement:
    """Read an agreement; raise Rejected AGREEMENT_UNKNOWN."""
    row = unit.db.agreements.find_one({"_id": agreement_id}, session=unit.session)
    if row is None:
        raise domain.unknown("agreement")
    return _read(Agreement, row)


def load_capacity(unit: Unit, supplier_cvr: str) -> Capacity:
    """Read a supplier's capacity; where none was set, there is no limit."""
    row = unit.db.capacity.find_one({"_id": supplier_cvr}, session=unit.session)
    return _read(Capacity, row) if row else Capacity(supplier_cvr)


def save_capacity(unit: Unit, capacity: Capacity) -> None:
    """Write a supplier's capacity."""
    _write(unit, "capacity", capacity.supplier_cvr, capacity)


def load_exit(unit: Unit, exit_id: str) -> Exit:
    """Read an exit; raise Rejected EXIT_UNKNOWN."""
    row = unit.db.exits.find_one({"_id": exit_id}, session=unit.session)
    if row is None:
        raise domain.unknown("exit")
    return _read(Exit, row)


def load_case(unit: Unit, exit_: Exit, caller: Caller) -> Case:
    """Read all that a decision about an exit looks at."""
    agreement = load_agreement(unit, exit_.agreement_id)
    profiles = _pinned(unit, exit_) if exit_.pinned else load_profiles(agreement.profiles)
    return Case(agreement, exit_, profiles, load_capacity(unit, agreement.supplier_cvr), caller, unit.today)


def save_case(unit: Unit, before: Case | None, after: Case) -> None:
    """Write what a decision changed, and tell its facts."""
    _write(unit, "exits", after.exit.exit_id, after.exit)
    if before and after.agreement != before.agreement:
        save_agreement(unit, after.agreement)
    if before and after.capacity != before.capacity:
        save_capacity(unit, after.capacity)
    if before and after.exit.pinned != before.exit.pinned:
        _keep(unit, after.profiles)
    for event, body in after.told:
        unit.emit(event, after.exit.exit_id, body)


def list_exits(unit: Unit, customers: Collection[str], limit: int) -> list[Exit]:
    """List exits of these customers (`*` = all), the newest order first."""
    mine: Row = {} if "*" in customers else {"customer_cvr": {"$in": sorted(customers)}}
    rows = unit.db.exits.find(mine, session=unit.session).sort([("go_live", -1), ("_id", 1)])
    return [_read(Exit, row) for row in rows.limit(limit)] if limit else []


def _keep(unit: Unit, profiles: Iterable[Profile]) -> None:
    """Keep the text of what the final order pins, so that a newer file never changes an exit."""
    for profile in profiles:
        text = (FOLDER / f"{profile.name}.yaml").read_text(encoding="utf-8")
        if parse_profile(text, profile.name).digest != profile.digest:
            raise Unavailable(
                "PROFILE_PIN_DIFFERS", f"the text of {profile.name} has just been changed", field="profiles",
                remedy="restart the service, then order again", da="Profilens tekst er netop ændret. Prøv igen senere.",
            )  # fmt: skip
        row = {"_id": profile.digest, "name": profile.name, "text": text}
        unit.db.profiles.replace_one({"_id": profile.digest}, row, upsert=True, session=unit.session)


def _pinned(unit: Unit, exit_: Exit) -> tuple[Profile, ...]:
    """Give the profiles that the final order pinned, each read once a process."""
    missing = [pin.digest for pin in exit_.pinned if pin.digest not in _PARSED]
    for row in unit.db.profiles.find({"_id": {"$in": missing}}, session=unit.session) if missing else ():
        _PARSED[row["_id"]] = parse_profile(row["text"], f"{row['name']}.yaml")
    profiles = (_PARSED[pin.digest] for pin in exit_.pinned)
    return tuple(sorted(profiles, key=lambda profile: (profile.rank, profile.name)))


def _write(unit: Unit, collection: str, key: str, record: Any) -> None:
    row = asdict(record) | {"_id": key}
    unit.db[collection].replace_one({"_id": key}, row, upsert=True, session=unit.session)


def _read(kind: Any, row: Row) -> Any:
    """Make a record of its row, by the types that its fields have."""
    hints = _hints(kind)
    return kind(
        **{field.name: _value(hints[field.name], row[field.name]) for field in fields(kind) if field.name in row}
    )


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _value(hint: Any, value: Any) -> Any:
    if value is None:
        return None
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _value(next(each for each in inner if each is not types.NoneType), value)
    if origin is tuple:
        return tuple(_value(inner[0], each) for each in value)
    if origin is dict:
        return {key: _value(inner[1], each) for key, each in value.items()}
    if is_dataclass(hint):
        return _read(hint, value)
    return date.fromisoformat(value) if hint is date else value
