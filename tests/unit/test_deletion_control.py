"""What keeps a deletion in hand: windows and pace, pauses, overrides of holds, approvals that expire, the same plan."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.deletion import APPROVAL_DAYS
from contracts.errors import Rejected
from contracts.system_map import Window
from services.deletion import domain
from services.deletion.domain import Hold, Job, Override, Pace, Place
from tests.unit import test_system_map
from tests.unit.test_deletion_domain import EXIT, NOW, a_place, a_survey, permitted, previewed, requested

EVERY_DAY = frozenset(range(7))
NIGHT = Window(time(22), time(5), EVERY_DAY)
SUNDAY = Window(time(22), time(5), frozenset({6}))
TODAY = date(2026, 10, 1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# Windows and pace.


@pytest.mark.parametrize(
    ("window", "now", "expected"),
    [
        (None, "2026-07-01T10:00", "2026-07-01T10:00"),
        (NIGHT, "2026-07-01T10:00", "2026-07-01T20:00"),
        (NIGHT, "2026-12-01T10:00", "2026-12-01T21:00"),
        (NIGHT, "2026-07-01T20:00", "2026-07-01T20:00"),
        (NIGHT, "2026-07-02T02:59", "2026-07-02T02:59"),
        (NIGHT, "2026-07-02T03:00", "2026-07-02T20:00"),
        (SUNDAY, "2026-07-01T22:00", "2026-07-05T20:00"),
        (SUNDAY, "2026-07-06T02:00", "2026-07-06T02:00"),
        (SUNDAY, "2026-07-06T20:30", "2026-07-12T20:00"),
        (replace(NIGHT, start=time(8), until=time(8)), "2026-07-01T05:59", "2026-07-01T05:59"),
    ],
)
def test_a_window_is_in_copenhagens_time_on_the_days_on_which_it_begins(
    window: Window | None, now: str, expected: str
) -> None:
    assert domain.opens(window, utc(now)) == utc(expected)


@pytest.mark.parametrize("day", ["2026-03-28T23:00", "2026-10-24T23:00"])
def test_a_window_keeps_its_hours_of_the_day_over_the_change_of_the_clock(day: str) -> None:
    closed = domain.opens(NIGHT, utc(day)) + timedelta(hours=12)
    assert domain.opens(NIGHT, closed).astimezone(domain.pace.COPENHAGEN).time() == time(22)


@given(st.lists(st.tuples(st.integers(1, 500), st.integers(0, 30)), min_size=1, max_size=20), st.integers(1, 200))
def test_a_target_is_never_given_more_rows_than_its_rate_and_one_batch(
    batches: list[tuple[int, int]], rate: int
) -> None:
    now = free = start = NOW
    for rows, idle in batches:
        now = max(now, free) + timedelta(seconds=idle)
        before, free = free, domain.free_after(free, now, rows, rate)
        assert free >= max(before, now) and free > start
    assert sum(rows for rows, _ in batches) <= rate * (free - start).total_seconds() + 1e-3


def test_a_batch_takes_at_most_a_seconds_rows() -> None:
    assert [domain.rows_at_once(1000, rate) for rate in (0, 50, 5000)] == [1000, 50, 1000]


def test_the_estimate_lists_the_work_in_its_order_and_keeps_rate_and_window() -> None:
    barn, note = a_place(count=7200), a_place("note", count=3600)
    job = domain.previewed(requested(), EXIT, [a_survey(barn, note)], b"seed")
    fast = domain.estimated(job, {"plads": Pace()}, NOW)
    assert [(step["place"], step["rows"], step["seconds"]) for step in fast.work] == [
        ("barn", 7200, 8), ("note", 3600, 4),
    ]  # fmt: skip
    assert fast.estimated_end == (NOW + timedelta(seconds=12)).isoformat()
    slow = domain.estimated(job, {"plads": Pace(1, replace(NIGHT, until=time(0)))}, utc("2026-07-01T10:00"))
    assert [step["seconds"] for step in slow.work] == [7200, 3600]
    assert slow.estimated_end == "2026-07-02T21:00:00+00:00", "two hours in the first night, the third in the second"


@pytest.mark.parametrize(
    ("field", "value", "at"),
    [
        ("rate", 0, "rate"),
        ("rate", "hurtigt", "rate"),
        ("window", {"start": "22:00"}, "window.until"),
        ("window", {"start": "22:00", "until": "24:00"}, "window.until"),
        ("window", {"start": 22 * 60, "until": "05:00"}, "window.start"),  # what YAML makes of 22:00 without quotes
        ("window", {"start": "22:00", "until": "05:00", "days": ["fredag"]}, "window.days.0"),
        ("window", {"start": "22:00", "until": "05:00", "farve": "rød"}, "window.farve"),
    ],
)
def test_a_wrong_pace_in_the_map_is_refused_by_the_fields_name(field: str, value: Any, at: str) -> None:
    content = test_system_map.body()
    content["systems"]["plads"][field] = value
    with pytest.raises(Rejected, match="MAP_") as caught:
        test_system_map.parse(content)
    assert caught.value.field == f"systems.plads.{at}"


def test_the_map_says_rate_and_window_or_that_nothing_waits() -> None:
    content = test_system_map.body()
    plain = test_system_map.parse(content).system("plads")
    assert (plain.rate, plain.window) == (0, None)
    content["systems"]["plads"] |= {"rate": 50, "window": {"start": "22:00", "until": "05:00", "days": ["sun"]}}
    system = test_system_map.parse(content).system("plads")
    assert (system.rate, system.window) == (50, SUNDAY)
    assert domain.target_of(system) == domain.target_of(replace(plain, name="andet")), "one target, in whatever map"


def test_an_estimate_changes_no_digest() -> None:
    job = previewed()
    assert domain.estimated(job, {"plads": Pace(3, NIGHT)}, NOW).plan_digest == job.plan_digest


# Pauses.


def executing() -> Job:
    return permitted().after("begin", begun=True)


def test_a_pause_stands_until_it_is_taken_back() -> None:
    paused = domain.pause(executing(), "supplier", TODAY)
    assert (paused.state, paused.paused_by, paused.paused_on) == ("paused", "supplier", "2026-10-01")
    assert domain.pause(paused, "supplier", TODAY + timedelta(days=1)) == paused
    for party in ("supplier", "customer"):
        assert domain.resume(paused, party) == executing()


def test_the_customers_pause_outranks_the_suppliers_and_only_the_customer_takes_it_back() -> None:
    paused = domain.pause(domain.pause(executing(), "supplier", TODAY), "customer", TODAY + timedelta(days=1))
    assert (paused.paused_by, paused.paused_on) == ("customer", "2026-10-01")
    assert domain.pause(paused, "supplier", TODAY) == paused
    with pytest.raises(Rejected, match="WRONG_PARTY") as caught:
        domain.resume(paused, "supplier")
    assert caught.value.remedy and caught.value.da
    assert domain.resume(paused, "customer").state == "executing"


@pytest.mark.parametrize("state", ["requested", "previewed", "permitted", "executed", "verified", "stopped"])
def test_only_what_deletes_is_paused_and_only_what_is_paused_resumed(state: str) -> None:
    job = replace(requested(), state=state)
    with pytest.raises(Rejected, match="JOB_NOT_DELETING"):
        domain.pause(job, "supplier", TODAY)
    with pytest.raises(Rejected, match="JOB_NOT_PAUSED"):
        domain.resume(job, "supplier")
    with pytest.raises(Rejected, match="JOB_NOT_KNOWN"):
        domain.pause(None, "supplier", TODAY)


def test_a_pause_as_long_as_an_approval_ends_the_job() -> None:
    paused = domain.pause(executing(), "supplier", TODAY)
    assert not domain.paused_too_long(paused, TODAY + timedelta(days=APPROVAL_DAYS - 1))
    assert domain.paused_too_long(paused, TODAY + timedelta(days=APPROVAL_DAYS))
    assert paused.after("stop").state == "stopped"


# Overrides.

OFFICER, DPO = Override("p-1", "supplier", "LAW_LAPSED", "a" * 64), Override("p-2", "customer", "LAW_LAPSED", "a" * 64)
LAW = Hold("e.H1", "e", "plads", "LAW", "c" * 64, "supplier")


def asked_for(hold: Hold = LAW, first: Override = OFFICER) -> Hold:
    held, answer, _ = domain.override(hold, first)
    assert answer == "requested" and held is not None
    return held


@pytest.mark.parametrize(("first", "second"), [(OFFICER, DPO), (DPO, OFFICER)])
def test_two_people_of_two_parties_set_a_hold_aside(first: Override, second: Override) -> None:
    hold = asked_for(first=first)
    with pytest.raises(Rejected, match="HOLD_PLACED"):
        domain.require_free(requested(), [hold])
    overridden, answer, code = domain.override(hold, second)
    assert (answer, code) == ("overridden", "") and overridden is not None
    assert (overridden.state, overridden.lifted_by) == ("overridden", "a" * 64)
    domain.require_free(requested(), [overridden])
    assert domain.override(overridden, first) == (overridden, "refused", "HOLD_ALREADY_LIFTED")


@pytest.mark.parametrize(
    ("second", "code"),
    [
        (OFFICER, "SAME_PERSON"),
        (replace(DPO, actor="p-1"), "SAME_PERSON"),
        (replace(OFFICER, actor="p-3"), "SAME_PARTY"),
        (replace(DPO, digest="b" * 64), "OVERRIDE_DIFFERS"),
        (replace(DPO, reason="COURT_DECISION"), "OVERRIDE_DIFFERS"),
        (replace(DPO, reason="REQUEST_DECIDED"), "REASON_NOT_FOR_BASIS"),
    ],
)
def test_what_is_no_agreement_of_another_party_is_refused_and_the_hold_stands(second: Override, code: str) -> None:
    hold = asked_for()
    assert domain.override(hold, second) == (hold, "refused", code)


def test_who_asked_may_put_it_in_other_words() -> None:
    again = replace(OFFICER, reason="COURT_DECISION")
    assert asked_for(asked_for(), again).override == again


def test_a_hold_that_is_unknown_or_lifted_is_not_overridden() -> None:
    assert domain.override(None, OFFICER) == (None, "refused", "HOLD_UNKNOWN")
    lifted = domain.lift(LAW, "b" * 64, "supplier")
    assert domain.override(lifted, OFFICER)[1:] == ("refused", "HOLD_ALREADY_LIFTED")


@pytest.mark.parametrize("basis", list(domain.hold.CLAUSES))
def test_every_basis_has_its_own_reasons(basis: str) -> None:
    assert domain.OVERRIDES[basis]
    wrong = next(reason for reasons in domain.OVERRIDES.values() for reason in reasons
                 if reason not in domain.OVERRIDES[basis])  # fmt: skip
    hold = replace(LAW, basis=basis)
    assert domain.override(hold, replace(OFFICER, reason=wrong)) == (hold, "refused", "REASON_NOT_FOR_BASIS")


# Approvals that expire, and the plan that must still be the same.


def approved_at(first: str, second: str) -> Job:
    approvals = [{"actor": "a", "role": "r", "at": first}, {"actor": "b", "role": "s", "at": second}]
    return permitted(approvals=approvals)


def test_the_oldest_approval_decides_when_they_expire() -> None:
    job = approved_at("2026-10-01T08:00:00Z", "2026-10-14T08:00:00Z")
    domain.check_approvals(job, utc("2026-10-15T07:59:59"))
    with pytest.raises(Rejected, match="APPROVAL_EXPIRED") as caught:
        domain.check_approvals(job, utc("2026-10-15T08:00"))
    assert caught.value.field == "approvals" and caught.value.remedy and caught.value.da


@pytest.mark.parametrize("at", ["1", "2026-10-01T08:00:00"])
def test_an_approval_without_an_instant_is_no_approval(at: str) -> None:
    with pytest.raises(Rejected, match="PERMIT_WRONG"):
        domain.check_approvals(approved_at(at, "2026-10-01T08:00:00Z"), NOW)


def again(*places: Place) -> None:
    domain.check_plan(previewed(), EXIT, [a_survey(*places)])


def test_the_same_plan_is_drawn_up_again_though_rows_came_and_went_within_the_band() -> None:
    for count in (domain.least(10), 10, domain.most(10)):
        again(a_place(count=count))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"predicate": "k = 102"}, "PLAN_CHANGED"),
        ({"disposition": "excluded", "reason": "SHARED_CODE"}, "PLAN_CHANGED"),
        ({"reason": "LAW(x,2030-01-01)"}, "PLAN_CHANGED"),
        ({"count": domain.most(10) + 1}, "COUNT_EXCEEDS_PREVIEW"),
        ({"count": domain.least(10) - 1}, "COUNT_BELOW_PREVIEW"),
    ],
)
def test_another_plan_than_the_approved_one_is_refused(changes: dict[str, Any], code: str) -> None:
    survey = replace(a_survey(a_place(**changes)), order=("barn",))
    with pytest.raises(Rejected, match=code):
        domain.check_plan(previewed(), EXIT, [survey])


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"fingerprint": "other", "places": (a_place(fingerprint="g"),)}, "systems.plads.places.barn"),
        ({"fingerprint": "other", "places": (a_place(), a_place("ny"))}, "systems.plads.places.ny"),
        ({"fingerprint": "other", "places": ()}, "systems.plads.places.barn"),
        ({"order": ("note", "barn")}, "systems.plads"),
    ],
)
def test_another_schema_or_order_is_refused_by_name(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Rejected, match="SCHEMA_CHANGED") as caught:
        domain.check_plan(previewed(), EXIT, [replace(a_survey(a_place()), **changes)])
    assert caught.value.field == field


def test_another_map_is_another_plan() -> None:
    with pytest.raises(Rejected, match="PLAN_CHANGED"):
        domain.check_plan(previewed(), replace(EXIT, map_digest="b" * 64), [a_survey(a_place())])
