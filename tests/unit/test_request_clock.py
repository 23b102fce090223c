"""The clock of a request: 10 Arbejdsdage that stand still while a force majeure lasts, told in time (S2 13, 23)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as some

from services.compliance import domain
from services.compliance.domain import clocks
from services.compliance.domain import requests as rules
from services.compliance.domain.clocks import clock
from services.compliance.evidence import Logged
from services.compliance.facts.gathering import collect
from shared.rules.clocks import Clock, Stop
from shared.rules.time import is_working_day, parse_period, shift
from tests.unit import evidence_world as given
from tests.unit.evidence_world import EXIT, Event, World
from tests.unit.test_evidence_duties import answered, asked, whole

FIRST = date(2026, 1, 1)
days = some.integers(0, 400).map(lambda count: FIRST + timedelta(days=count))
ended = some.tuples(days, some.integers(0, 60)).map(lambda told: (told[0], told[0] + timedelta(days=told[1])))
BASES = tuple(rules.BINDING)


def counted(made_on: date, due: date, stopped: list[Stop], today: date) -> list[date]:
    """List the Arbejdsdage of a clock one by one, as S2 23 has it: none on which a force majeure lasted."""
    span = [made_on + timedelta(days=count) for count in range(1, (due - made_on).days + 1)]
    free = [one for one in span if not any(first <= one <= (last or today) for first, last in stopped)]
    return [one for one in free if is_working_day(one)]


@drawn(made_on=days, stopped=some.lists(ended, max_size=4), today=days, basis=some.sampled_from(BASES))
def test_a_request_has_ten_working_days_without_force_majeure_and_no_eleventh(
    made_on: date, stopped: list[Stop], today: date, basis: str
) -> None:
    seen = clock(made_on, basis, stopped, today)
    plain = shift(made_on, parse_period("+10wd"))
    if basis == "GDPR-28.3.h":
        assert seen == Clock(plain)
        return
    mine = counted(made_on, seen.due, stopped, today)
    assert len(mine) == 10 and mine[-1] == seen.due
    assert seen.stood == len(counted(made_on, seen.due, [], today)) - 10
    assert seen.due >= plain, "a force majeure never shortens the clock"
    assert (seen.due == plain) == (seen.stood == 0)


@drawn(made_on=days, began=days, later=some.integers(0, 90))
def test_while_it_lasts_nothing_falls_due_unless_it_was_due_before_it_began(
    made_on: date, began: date, later: int
) -> None:
    today = began + timedelta(days=later)
    seen, plain = clock(made_on, "S2-13-a", [(began, None)], today), shift(made_on, parse_period("+10wd"))
    if plain < began:
        assert seen == Clock(plain), "what was overdue before stays so"
    elif made_on < today:
        assert seen.due > today and seen.suspended
    assert clock(made_on, "S2-13-a", [(began, today)], today).due == seen.due, "as if it ended today"


@drawn(made_on=days, stopped=some.lists(ended, max_size=3), one=ended, today=days)
def test_one_more_stop_never_brings_the_last_day_forward_and_one_told_twice_counts_once(
    made_on: date, stopped: list[Stop], one: Stop, today: date
) -> None:
    before = clock(made_on, "S2-28.1-d", stopped, today)
    after = clock(made_on, "S2-28.1-d", [*stopped, one], today)
    assert after.due >= before.due and after.stood >= before.stood
    assert clock(made_on, "S2-28.1-d", [*stopped, one, one], today) == after


def told(anchor: str, on: str, at: str, index: int) -> Logged:
    entry = {"anchor": anchor, "on": on, "digest": "0" * 64}
    return Logged(index, "TRIGGER_RECORDED", f"{at}T09:00:00Z", entry)


@pytest.mark.parametrize(
    ("entries", "stopped"),
    [
        ([("force_majeure", "2026-09-07", "2026-09-14")], ((date(2026, 9, 7), None),)),
        ([("force_majeure", "2026-09-07", "2026-09-15")], ()),
        ([("force_majeure", "2026-09-07", "2026-09-07"), ("force_majeure_end", "2026-09-09", "2026-09-20")],
         ((date(2026, 9, 7), date(2026, 9, 9)),)),
        ([("force_majeure_end", "2026-09-09", "2026-09-09"), ("demand", "2026-09-09", "2026-09-09")], ()),
        ([("force_majeure", "2026-09-07", "2026-09-07"), ("force_majeure_end", "2026-09-09", "2026-09-09"),
          ("force_majeure", "2026-09-14", "2026-09-14")],
         ((date(2026, 9, 7), date(2026, 9, 9)), (date(2026, 9, 14), None))),
        ([("force_majeure_end", "2026-09-09", "2026-09-09"), ("force_majeure", "2026-09-07", "2026-09-10")],
         ((date(2026, 9, 7), date(2026, 9, 9)),)),
        ([("force_majeure_end", "2026-09-09", "2026-09-09"), ("force_majeure", "2026-09-10", "2026-09-10")],
         ((date(2026, 9, 10), None),)),
    ],
)  # fmt: skip
def test_a_force_majeure_counts_where_it_was_told_within_five_working_days(
    entries: list[tuple[str, str, str]], stopped: tuple[Stop, ...]
) -> None:
    facts = collect(EXIT, [told(*one, index) for index, one in enumerate(entries)])
    assert clocks.stops(facts) == stopped


def trigger(anchor: str, on: str) -> Event:
    return "orders.trigger_recorded", {"exit_id": EXIT, "anchor": anchor, "on": on, "digest": given.sha(anchor)}


STILL = (trigger("force_majeure", "2026-09-28"),)
OVER = (*STILL, trigger("force_majeure_end", "2026-10-02"))


@pytest.mark.parametrize(
    ("events", "on", "state", "reason"),
    [
        ((), date(2026, 10, 9), "breached", "OVERDUE"),
        (STILL, date(2026, 10, 9), "suspended", "FORCE_MAJEURE"),
        (STILL, date(2027, 1, 4), "suspended", "FORCE_MAJEURE"),
        (OVER, date(2026, 10, 15), "at_risk", "DUE_SOON"),
        (OVER, date(2026, 10, 16), "breached", "OVERDUE"),
        ((*OVER, answered("2026-10-15")), date(2026, 10, 20), "met", "EVIDENCE"),
        ((*OVER, answered("2026-10-16")), date(2026, 10, 20), "breached", "MET_LATE"),
    ],
)
def test_a_duty_to_answer_stands_still_with_its_request(
    tmp_path_factory: pytest.TempPathFactory, events: tuple[Event, ...], on: date, state: str, reason: str
) -> None:
    wire, demand = asked(due="2026-10-08")
    made = World(tmp_path_factory.mktemp("keys")).told([*whole(), (wire, demand | {"on": "2026-09-24"}), *events])
    stands = domain.standing("S2-13-a", made.log.facts(), on)
    assert (stands.state, stands.reason) == (state, reason)


def test_the_rule_says_how_long_the_clock_stood_still_and_nothing_where_it_did_not() -> None:
    plain, stood = rules.rule_of(FIRST, "S2-13-a", 0), rules.rule_of(FIRST, "S2-13-a", 3)
    assert "23" not in plain[0] + plain[1]
    assert stood[0].endswith("; uret stod stille i 3 Arbejdsdage: force majeure (S2 23)")
    assert stood[1].endswith("; the clock stood still for 3 Arbejdsdage: force majeure (S2 23)")


def test_what_was_overdue_before_the_force_majeure_was_told_is_open_again() -> None:
    assert rules.following("overdue", "suspend") == "open"
