"""Scheduling's own collections: `exits`, one document an exit, and `profiles`, the pinned texts by digest.

Documents are written from the domain's dataclasses and read back by their types: dates are ISO strings, mappings lists
of pairs, sets sorted lists. `open`, `pinned` and `customer_cvr` are there to be searched.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields, is_dataclass
from datetime import date
from functools import cache
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from contracts.errors import Rejected, Unavailable
from services.scheduling import domain
from services.scheduling.domain import Advance, Exit, Inputs, Shelf
from shared.rules.profiles import FOLDER, Profile, load_profile, parse_profile
from shared.store.unit import Unit

Row = dict[str, Any]
_UNKEPT = "news"
_PARSED: dict[str, Profile] = {}


def load(unit: Unit, exit_id: str) -> Exit:
    """Read an exit; one without any fact where nothing is stored yet."""
    row = unit.db.exits.find_one({"_id": exit_id}, session=unit.session)
    exit_: Exit = _read(Exit, row) if row else Exit(exit_id)
    return exit_


def load_ordered(unit: Unit, exit_id: str) -> Exit:
    """Read an exit that was ordered; raise Unavailable EXIT_NOT_KNOWN."""
    exit_ = load(unit, exit_id)
    if not exit_.ordered:
        raise domain.exit_not_known()
    return exit_


def save(unit: Unit, exit_: Exit) -> None:
    """Write an exit."""
    searched = {
        "_id": exit_.exit_id,
        "open": exit_.placed and not exit_.cancelled,
        "pinned": [f"{name}:{digest}" for name, digest in exit_.inputs.pins.items()],
    }
    unit.db.exits.replace_one({"_id": exit_.exit_id}, _written(exit_) | searched, upsert=True, session=unit.session)


def apply(unit: Unit, advanced: Advance) -> None:
    """Save what follows from the facts: the exit, its events, its timers."""
    exit_id = advanced.exit.exit_id
    save(unit, advanced.exit)
    for wire, body in advanced.events:
        unit.emit(wire, exit_id, body)
    for day in sorted(advanced.cancel_timers):
        unit.cancel(f"{exit_id}:{day}")
    for day in sorted(advanced.set_timers):
        unit.at(day, "scheduling.timer_due", exit_id, {"exit_id": exit_id, "on": day}, f"{exit_id}:{day}")


def pinned_otherwise(unit: Unit, profile: Profile, customers: Collection[str], limit: int) -> list[Exit]:
    """List open exits of these customers (`*`: of all) that have pinned another text of the profile."""
    wanted: Row = {"open": True, "pinned": {"$regex": f"^{profile.name}:", "$ne": f"{profile.name}:{profile.digest}"}}
    if "*" not in customers:
        wanted["customer_cvr"] = {"$in": sorted(customers)}
    rows = unit.db.exits.find(wanted, session=unit.session).sort("_id", 1).limit(limit)
    return [_read(Exit, row) for row in rows]


# ---- Profiles


def pin(unit: Unit, pins: dict[str, str]) -> None:
    """Keep the text of every pinned profile; raise Unavailable PROFILE_PIN_DIFFERS where no such text is at hand."""
    for name, digest in pins.items():
        if unit.db.profiles.find_one({"_id": digest}, {"_id": 1}, session=unit.session) is None:
            if newest(name).digest != digest:
                raise _pin_differs(name)
            keep(unit, newest(name))


def keep(unit: Unit, profile: Profile) -> None:
    """Keep the text of a profile that is installed; raise Unavailable PROFILE_PIN_DIFFERS where it has just changed."""
    text = (FOLDER / f"{profile.name}.yaml").read_text(encoding="utf-8")
    if parse_profile(text, profile.name).digest != profile.digest:
        raise _pin_differs(profile.name)
    row = {"_id": profile.digest, "name": profile.name, "version": profile.version, "text": text}
    unit.db.profiles.replace_one({"_id": profile.digest}, row, upsert=True, session=unit.session)


@cache
def newest(name: str) -> Profile:
    """Give the profile that is installed; raise Rejected PROFILE_UNKNOWN (a running process keeps its profiles)."""
    return load_profile(name)


def shelf(unit: Unit) -> Shelf:
    """Give what finds the profiles of an exit's inputs: the pinned texts, else those that are installed."""

    def profiles(inputs: Inputs) -> tuple[Profile, ...]:
        found = [_pinned(unit, name, inputs.pins.get(name, "")) for name in inputs.profiles]
        return tuple(sorted(found, key=lambda profile: (profile.rank, profile.name)))

    return profiles


def _pinned(unit: Unit, name: str, digest: str) -> Profile:
    if not digest or digest in _PARSED:
        return _PARSED[digest] if digest else newest(name)
    row = unit.db.profiles.find_one({"_id": digest}, session=unit.session)
    profile = parse_profile(row["text"], f"{name}.yaml") if row else _installed(name)
    if profile is None or profile.digest != digest:
        raise _pin_differs(name)
    _PARSED[digest] = profile
    return profile


def _installed(name: str) -> Profile | None:
    try:
        return newest(name)
    except Rejected:
        return None


def _pin_differs(name: str) -> Unavailable:
    return Unavailable(
        "PROFILE_PIN_DIFFERS", f"{name} is not the text that the final order pinned", field="profiles",
        remedy="install the pinned version of the profile",
        da=f"{name} er ikke den tekst, som den endelige bestilling fastholder.",
    )  # fmt: skip


# ---- Documents


def _written(value: Any) -> Any:
    if is_dataclass(value):
        return {each.name: _written(getattr(value, each.name)) for each in fields(value) if each.name != _UNKEPT}
    if isinstance(value, dict):
        return [[key, _written(each)] for key, each in value.items()]
    if isinstance(value, frozenset):
        return sorted(map(_written, value))
    if isinstance(value, tuple):
        return list(map(_written, value))
    return value.isoformat() if isinstance(value, date) else value


def _read(kind: Any, value: Any) -> Any:
    """Read a value back as its type says."""
    if value is None or kind in (str, int, bool, Any):
        return value
    if kind is date:
        return date.fromisoformat(value)
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return _read(next(each for each in inner if each is not type(None)), value)
    if origin is dict:
        return {key: _read(inner[1], each) for key, each in value}
    if origin in (tuple, frozenset):
        return origin(_read(inner[0], each) for each in value)
    return kind(**{name: _read(hint, value[name]) for name, hint in _hints(kind).items() if name in value})


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)
