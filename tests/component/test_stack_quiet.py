"""Quiet and the walk of the clock, on faces that are values: what counts as quiet, and what ends the waiting."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.catalogue import SERVICES
from contracts.errors import Unavailable
from services.console.rehearsing import quiet
from services.console.rehearsing.quiet import Walk, look

BEGIN = datetime(2026, 1, 5, tzinfo=UTC)
TOLD = ("orders.order_placed", "deletion")
FLOW = {"wire": TOLD[0], "consumer": TOLD[1], "count": 1}


class Faces:
    """Six faces with one list of timers; each timer that comes due is one published and handled message."""

    def __init__(self, timers: list[datetime] | None = None) -> None:
        self.now, self.timers, self.looks = BEGIN, sorted(timers or []), Counter[str]()
        self.more: Callable[[str, dict[str, Any]], None] = lambda service, row: None

    def call(self, wire: str, data: dict[str, Any], *, timeout: float = 0) -> dict[str, Any]:
        service = wire.split(".")[0]
        self.looks[service] += 1
        due = [timer for timer in self.timers if timer <= self.now] if service == "orders" else []
        coming = [timer for timer in self.timers if timer > self.now] if service == "orders" else []
        row = {
            "service": service, "outbox_pending": 0, "outbox_parked": 0, "outbox_age_s": 0.0, "published": [],
            "handled": [], "dead": 0, "timers_due": 0, "in_flight": 0,
            "next_timer": coming[0].isoformat() if coming else None,
        }  # fmt: skip
        if due and service == "orders":
            row["published"] = row["handled"] = [{**FLOW, "count": len(due)}]
        self.more(service, row)
        return row

    def set(self, instant: datetime) -> None:
        self.now = instant


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quiet, "PAUSE_S", 0.0)
    monkeypatch.setattr(quiet, "STALL_S", 0.01)


@pytest.fixture
def moving(hurry: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is taken for stalled: all would be asked then."""
    monkeypatch.setattr(quiet, "STALL_S", 60.0)


def walk(faces: Faces, **more: Any) -> Walk:
    return Walk(faces, faces.set, **{"told": lambda text: None, **more})


def of(service: str, **values: Any) -> Callable[[str, dict[str, Any]], None]:
    return lambda name, row: row.update(values) if name == service else None


def code(faces: Faces, **more: Any) -> str:
    with pytest.raises(Unavailable) as told:
        walk(faces, timeout_s=0.05, **more).quiet()
    return f"{told.value.code} {told.value.message}"


def test_faces_at_rest_are_quiet_after_two_looks() -> None:
    faces = Faces()
    assert walk(faces).quiet().quiet
    assert faces.looks == dict.fromkeys(SERVICES, 2)


@pytest.mark.parametrize("values", [{"outbox_pending": 1}, {"timers_due": 1}, {"published": [FLOW]}])
def test_what_is_pending_due_or_not_handled_is_not_quiet(values: dict[str, Any]) -> None:
    faces = Faces()
    faces.more = of("orders", **values)
    assert not look(faces).quiet
    assert code(faces).startswith("NOT_QUIET")


def test_a_message_counts_as_handled_wherever_its_consumer_lives() -> None:
    faces = Faces()
    faces.more = lambda name, row: row.update(
        {"orders": {"published": [FLOW]}, "deletion": {"handled": [FLOW]}}.get(name, {})
    )
    assert walk(faces).quiet().quiet


def test_a_message_handled_at_one_consumer_is_not_handled_at_another() -> None:
    faces = Faces()
    other = {**FLOW, "consumer": "compliance"}
    faces.more = lambda name, row: row.update(
        {"orders": {"published": [FLOW, other]}, "deletion": {"handled": [{**FLOW, "count": 2}]}}.get(name, {})
    )
    assert "compliance: 1" in code(faces)


def test_a_dead_letter_ends_the_waiting_with_its_service() -> None:
    faces = Faces()
    faces.more = lambda name, row: row.update({"orders": {"published": [FLOW]}, "deletion": {"dead": 1}}.get(name, {}))
    assert code(faces) == "MESSAGE_GIVEN_UP deletion: 1 dead, 0 parked"


def test_a_process_that_does_not_run_is_named() -> None:
    faces = Faces()
    faces.more = of("orders", published=[FLOW])
    assert code(faces, down=lambda: ["deletion"]) == "PROCESS_DOWN not running: deletion"


def test_a_process_that_does_not_run_is_waited_for_with_patience() -> None:
    faces, told = Faces(), list[str]()
    faces.more = lambda name, row: row.update(published=[FLOW] if name == "orders" and len(told) < 3 else [])
    patient = Walk(faces, faces.set, lambda: ["deletion"], told.append, patience_s=60.0)
    assert patient.quiet().quiet
    assert "ophor up deletion" in told[0]


def test_a_face_that_does_not_answer_keeps_the_whole_from_being_quiet() -> None:
    faces = Faces()

    def silent(service: str, row: dict[str, Any]) -> None:
        if service == "access":
            raise Unavailable("NO_ANSWER", "too late")

    faces.more = silent
    assert look(faces).silent == {"access": "NO_ANSWER"}
    assert "access does not answer (NO_ANSWER)" in code(faces)


def test_the_walk_stops_at_every_timer_and_ends_at_its_goal() -> None:
    timers = [BEGIN + timedelta(days=days) for days in (3, 1, 2, 40)]
    faces, reached = Faces(timers), list[datetime]()
    assert walk(faces).advance(BEGIN + timedelta(days=10), reached.append) == 3
    assert reached == sorted(timers)[:3]
    assert faces.now == BEGIN + timedelta(days=10)


def test_a_step_goes_to_the_next_timer_only() -> None:
    faces = Faces([BEGIN + timedelta(days=1), BEGIN + timedelta(days=2)])
    for days in (1, 2):
        assert walk(faces).step() is not None
        assert faces.now == BEGIN + timedelta(days=days)
    assert walk(faces).step() is None


@pytest.mark.usefixtures("moving")
def test_a_step_from_a_quiet_that_was_seen_asks_first_who_had_the_timer() -> None:
    faces = Faces([BEGIN + timedelta(days=1), BEGIN + timedelta(days=2)])
    here = walk(faces).quiet()
    faces.looks.clear()
    there = walk(faces).step(None, here)
    assert there is not None and there.next_timer == BEGIN + timedelta(days=2)
    assert (faces.now, faces.looks) == (BEGIN + timedelta(days=1), {**dict.fromkeys(SERVICES, 2), "orders": 3})


@pytest.mark.usefixtures("moving")
def test_until_all_is_quiet_only_those_are_asked_who_are_waited_for() -> None:
    faces = Faces()

    def more(name: str, row: dict[str, Any]) -> None:
        row["outbox_pending"] = int(name == "orders" and faces.looks[name] < 5)

    faces.more = more
    assert walk(faces).quiet().quiet
    assert faces.looks == {**dict.fromkeys(SERVICES, 3), "orders": 7}


@pytest.mark.usefixtures("moving")
def test_what_others_did_meanwhile_is_seen_before_all_is_called_quiet() -> None:
    """While orders is waited for, access publishes something that deletion is slow to handle."""
    faces = Faces()

    def more(name: str, row: dict[str, Any]) -> None:
        told, handled = faces.looks["orders"] >= 3, faces.looks["deletion"] >= 6
        if name == "orders":
            row["outbox_pending"] = int(not told)
        elif (name == "access" and told) or (name == "deletion" and handled):
            row["published" if name == "access" else "handled"] = [FLOW]

    faces.more = more
    account = walk(faces).quiet()
    assert account.quiet and account.counts == ({TOLD: 1}, {TOLD: 1})


def test_a_timer_that_is_due_and_still_called_coming_keeps_the_walk_waiting() -> None:
    faces = Faces()
    seen: list[int] = []

    def late(service: str, row: dict[str, Any]) -> None:
        seen.append(1)
        if service == "orders" and len(seen) < 20:
            row["next_timer"] = BEGIN.isoformat()

    faces.more = late
    assert walk(faces).quiet(BEGIN).next_timer is None
    assert len(seen) >= 20


def test_every_service_of_the_contracts_is_asked() -> None:
    assert set(look(Faces()).statuses) == set(SERVICES)
