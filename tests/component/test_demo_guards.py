"""The guards of a rehearsal that need no target."""

from __future__ import annotations

from pathlib import Path

import pytest

from contracts.errors import Rejected
from contracts.system_map import System
from services.console import rehearsal

NAMES = ["booking", "morgenvagt"]


def refused(given: list[str], typed: dict[str, str] | None) -> str:
    with pytest.raises(Rejected) as error:
        rehearsal.confirm(NAMES, given, typed.get if typed is not None else None)  # type: ignore[arg-type]
    assert error.value.code == "NAME_NOT_CONFIRMED"
    assert error.value.remedy
    return error.value.field


def test_every_name_typed_as_it_stands_in_the_map_is_enough() -> None:
    rehearsal.confirm(NAMES, [], {name: name for name in NAMES}.__getitem__)


def test_names_given_beforehand_are_not_asked_for() -> None:
    asked = []
    rehearsal.confirm(NAMES, ["booking"], lambda name: asked.append(name) or name)  # type: ignore[func-returns-value]
    assert asked == ["morgenvagt"]


@pytest.mark.parametrize("typed", ["", "Booking", "booking ", "y", "yes", "morgenvagt"])
def test_anything_but_the_name_is_refused(typed: str) -> None:
    assert refused([], {"booking": typed, "morgenvagt": "morgenvagt"}) == "systems.booking"


def test_a_script_must_name_every_system() -> None:
    assert refused(["booking"], None) == "systems.morgenvagt"


def test_a_name_of_no_target_is_refused_before_anything_is_asked() -> None:
    assert refused(["booking", "morgenvagt", "pladsanvisning"], None) == "systems.pladsanvisning"


@pytest.mark.parametrize(
    ("kind", "connection", "where"),
    [
        ("postgresql", {"host": "db.example", "port": 5432, "database": "px"}, "db.example:5432/px"),
        ("mongodb", {"host": "::1", "port": 27017, "database": "mv"}, "::1:27017/mv"),
        ("files", {"folder": "/srv/booking"}, "/srv/booking"),
        ("case_index", {"url": "http://127.0.0.1:1", "afsender": "x"}, "http://127.0.0.1:1"),
    ],
)
def test_a_target_is_shown_by_its_address(kind: str, connection: dict[str, object], where: str) -> None:
    system = System("s", "S", kind, "1", "{tenant}", connection, {}, {}, home=Path())
    assert rehearsal.address(system) == where
