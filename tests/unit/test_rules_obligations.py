"""Every obligation's standing flips by one day over its date, and by its evidence coming and going."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest

from contracts.catalogue import EVENTS
from contracts.scheduling import ObligationChanged
from shared.rules.obligations import Record, Standing, flips, standings
from shared.rules.plan import PlanFacts, make_plan
from shared.rules.profiles import Obligation, load_profiles
from shared.rules.scopes import route

PROFILES = load_profiles(("ist-standard", "ski-02-19"))
ROWS = [row for profile in PROFILES for row in profile.obligations]
RETENTION, EXIT_PROCESS = "S2-28.2-retention", "S2-28.2-exit-process"
DAY = timedelta(days=1)

ANCHORS = {
    "in_force": "2020-10-01", "T": "2026-07-01", "K": "2026-09-30", "documentation_request": "2026-03-02",
    "test_documentation": "2026-03-02", "change": "2026-06-01", "demand": "2026-05-29", "notified": "2026-05-29",
    "aware": "2026-05-04", "audit_by_customer": "2026-06-29", "audit_by_supplier": "2026-09-30",
    "milestone": "2026-07-01", "reduction": "2026-05-01", "interval_end": "2026-06-30", "invoice": "2026-06-01",
    "penalty_cause": "2026-02-28", "payment_demand": "2026-05-29", "guarantee_demand": "2026-05-01",
    "force_majeure": "2026-05-29", "dispute": "2026-05-01",
}  # fmt: skip
FACTS = PlanFacts(
    {name: date.fromisoformat(text) for name, text in ANCHORS.items()},
    frozenset({"S2-8.1", "S2-8.2", "S2-8.3"}),
    numbers={"takeover_days": 20, "exit_process_days": 30},
)

LAST = {  # the last day of each, reckoned by hand from the clauses
    "S1-2-a": "2026-04-01", "S1-7-b": "2027-04-15", "S2-3.2-d": "2026-03-03", "S2-4.2-a": "2020-10-22",
    "S2-4.2-b": "2026-03-05", "S2-6.2.1-a": "2020-10-08", "S2-DPA-a": "2026-08-31", "S2-9.1-a": "2026-03-30",
    "S2-11.1-a": "2026-05-02", "S2-13-a": "2026-06-15", "S2-13-b": "2026-06-03", "S2-14-a": "2026-05-29",
    "S2-15.4-a": "2026-04-02", "S2-15.6.1-a": "2026-04-01", "S2-16.4-a": "2026-07-15", "S2-16.1-a": "2026-09-30",
    "S2-16.4-b": "2026-07-15", "S2-16.6.4-a": "2026-07-01", "S2-17-a": "2027-02-28", "S2-18.1-a": "2027-09-30",
    "S2-21-a": "2026-05-31", "S2-23-a": "2026-06-08", "S2-27.1-a": "2026-08-01", "S2-27.1.1-a": "2026-09-16",
    "S2-27.2-a": "2026-07-02", "S2-27.3-a": "2026-08-31", "S2-28.1-b": "2026-09-30", "S2-28.1-c": "2026-09-30",
    "S2-28.1-d": "2026-10-15", "S2-28.1-d-backups": "2026-10-15", "S2-28.2-a": "2026-08-26",
    "S2-28.2-b": "2026-09-29", "S2-30-a": "2026-05-31",
}  # fmt: skip
FIRST = {  # the first day of those that have no last one
    "S1-5-a": "2026-04-01", "S1-6-a": "2026-06-01", "S1-7-a": "2026-10-01", "S2-15.6.2-a": "2026-05-02",
    "S2-20-a": "2026-06-29",
}  # fmt: skip

RIGHTS = {
    "S2-6.2.1-a", "S2-10.2-a", "S2-15.4-a", "S2-15.6.1-a", "S2-17-a", "S2-18.1-a", "S2-20-a", "S2-27.1-a",
    "S2-27.1.1-a", "S2-27.2-a", "S2-27.3-a", "S2-28.2-a", "S2-28.2-b", "S2-30-a",
}  # fmt: skip


def rows(names: Iterable[str] | None = None) -> pytest.MarkDecorator:
    named = {row.id for row in ROWS} if names is None else set(names)
    chosen = [row for row in ROWS if row.id in named]
    return pytest.mark.parametrize("row", chosen, ids=[row.id for row in chosen])


def standing(row: Obligation | str, today: date, facts: PlanFacts = FACTS, **record: Any) -> Standing:
    name = row if isinstance(row, str) else row.id
    found = standings(PROFILES, make_plan(PROFILES, facts), facts, Record(**record), today)
    return next(each for each in found if each.id == name)


def with_evidence(names: Iterable[str], on: date) -> tuple[PlanFacts, dict[str, date]]:
    """Give facts and record in which everything in `names` happened on `on`."""
    facts, done = FACTS, {}
    for name in names:
        kind, _, rest = name.partition(":")
        if kind == "day":
            facts = replace(facts, anchors={**facts.anchors, rest: on})
        elif name.startswith("option."):
            facts = replace(facts, options=facts.options | {name.removeprefix("option.")})
        else:
            done[name] = on
    return facts, done


def test_the_table_has_every_obligation_with_a_date() -> None:
    plan = make_plan(PROFILES, FACTS)
    assert {owed.id for owed in plan.obligations if owed.due} == LAST.keys()
    assert {owed.id for owed in plan.obligations if owed.earliest and not owed.due} == FIRST.keys()


def test_everything_that_shows_an_obligation_met_exists() -> None:
    known = {activity.id for profile in PROFILES for activity in profile.activities} | EVENTS.keys()
    known |= {f"notice.{kind.kind}" for profile in PROFILES for kind in profile.notices}
    known |= {f"option.{option.id}" for profile in PROFILES for option in profile.options}
    known |= {f"day:{anchor.name}" for profile in PROFILES for anchor in profile.anchors}
    assert {name for row in ROWS for name in (*row.all_of, *row.any_of)} <= known


@rows(LAST)
def test_it_flips_when_the_clock_passes_its_last_day(row: Obligation) -> None:
    last = date.fromisoformat(LAST[row.id])
    on_it, after = standing(row, last), standing(row, last + DAY)
    assert (on_it.state, on_it.reason, on_it.due) == ("at_risk", "DUE_SOON", last)
    assert (after.state, after.reason) == (("pending", "LAPSED") if row.id in RIGHTS else ("breached", "OVERDUE"))
    assert after.due == last


@rows(LAST)
def test_it_is_at_risk_some_days_before_and_waits_until_then(row: Obligation) -> None:
    last, facts = date.fromisoformat(LAST[row.id]), FACTS
    plan = make_plan(PROFILES, facts)
    own = replace(plan, obligations=tuple(owed for owed in plan.obligations if owed.id == row.id))
    flip = flips(PROFILES, own, facts, Record(), last - timedelta(days=400))
    assert flip is not None and flip <= last
    day = last - timedelta(days=400)
    seen = []
    while day and day <= last:
        seen.append(standings(PROFILES, own, facts, Record(), day)[0].reason)
        day = flips(PROFILES, own, facts, Record(), day)
    assert seen == ["WAITING", "DUE_SOON"]


@rows(FIRST)
def test_it_flips_when_the_clock_reaches_its_first_day(row: Obligation) -> None:
    first = date.fromisoformat(FIRST[row.id])
    before, on_it = standing(row, first - DAY), standing(row, first)
    assert [before.reason, on_it.reason] == ["NOT_TRIGGERED", "WAITING"]


@rows()
def test_its_own_answer_meets_it_in_time_or_late_and_a_later_failure_breaches_it(row: Obligation) -> None:
    last = date.fromisoformat(LAST.get(row.id, "2026-09-01"))
    without = standing(row, last)
    met = standing(row, last, done={row.id: last})
    assert without.state in ("pending", "at_risk")
    assert (met.state, met.reason, met.met_on) == ("met", "EVIDENCE", last)
    late = standing(row, last + 3 * DAY, done={row.id: last + DAY})
    assert late.reason == ("MET_LATE" if row.id in LAST else "EVIDENCE")
    failed = standing(row, last, done={row.id: last - DAY}, failed={row.id: last})
    assert (failed.state, failed.reason) == ("breached", "FAILED")
    assert standing(row, last, done={row.id: last}, failed={row.id: last - DAY}).state == "met"


@rows(row.id for row in ROWS if row.all_of or row.any_of)
def test_its_evidence_meets_it_and_without_any_one_part_it_does_not(row: Obligation) -> None:
    day = date.fromisoformat(LAST.get(row.id, FIRST.get(row.id, "2026-09-01")))
    plan = make_plan(PROFILES, FACTS)
    parts = [name for name in row.all_of if name not in plan.by_id or plan.by_id[name].chosen]
    for other in row.any_of or ("",):
        needed = [*parts, *([other] if other else [])]
        facts, done = with_evidence(needed, day)
        assert standing(row, day, facts, done=done).state == "met"
        for name in needed:
            facts, done = with_evidence([each for each in needed if each != name], day)
            assert standing(row, day, facts, done=done).state in ("pending", "at_risk")


@rows(row.id for row in ROWS if row.id not in LAST and row.id not in FIRST)
def test_without_a_date_it_is_in_force_throughout_or_waits_to_be_triggered(row: Obligation) -> None:
    reasons = {standing(row, day).reason for day in (date(2020, 1, 1), date(2030, 1, 1))}
    assert reasons == {"WAITING" if row.continuous else "NOT_TRIGGERED"}
    assert not row.continuous or not row.options or standing(
        row, date(2026, 1, 1), replace(FACTS, options=frozenset())
    ).reason == "NOT_TRIGGERED"  # fmt: skip


def test_every_reason_that_is_told_is_one_of_the_contract() -> None:
    told = ObligationChanged.__doc__ or ""
    days = (date(2026, 3, 1) + timedelta(days=30 * n) for n in range(20))
    plan = make_plan(PROFILES, FACTS)
    seen = {each.reason for day in days for each in standings(PROFILES, plan, FACTS, Record(), day)}
    assert all(reason in told for reason in seen)


# ---- S2 28.1 and what suspends it


def test_t1_permanent_deletion_is_breached_from_k_plus_16_until_it_is_shown() -> None:
    row, deleted = "S2-28.1-d", dict.fromkeys(("D2", "D7a"), date(2026, 10, 20))
    assert standing(row, date(2026, 10, 15)).state == "at_risk"
    assert standing(row, date(2026, 10, 16)).state == "breached"
    late = standing(row, date(2026, 10, 20), done=deleted)
    assert (late.state, late.reason, late.met_on) == ("met", "MET_LATE", date(2026, 10, 20))
    assert standing("S2-28.1-d-backups", date(2026, 10, 20), done=deleted).state == "breached"


def test_t1_only_an_amendment_gives_backups_six_months_from_the_first_actual_deletion() -> None:
    amended = replace(FACTS, amendments=frozenset({"backups_six_months"}))
    actual = replace(amended, anchors={**FACTS.anchors, "S1d": date(2026, 10, 5), "S2d": date(2026, 10, 12)})
    assert standing("S2-28.1-d-backups", date(2026, 10, 16), amended).state == "pending"
    assert standing("S2-28.1-d-backups", date(2027, 4, 12), actual).state == "at_risk"
    assert standing("S2-28.1-d-backups", date(2027, 4, 13), actual).state == "breached"


def test_t2_the_storage_option_suspends_deletion_until_it_ends() -> None:
    stored = replace(FACTS, options=frozenset({RETENTION}), anchors={**FACTS.anchors, "O": date(2027, 2, 25)})
    for row in ("S2-28.1-d", "S2-28.1-d-backups"):
        kept = standing(row, date(2027, 2, 25), stored)
        assert (kept.state, kept.reason) == ("suspended", f"OPTION({RETENTION})")
        assert standing(row, date(2027, 2, 26), stored).state == "pending"
        assert standing(row, date(2027, 3, 12), stored).state == "at_risk"
        assert standing(row, date(2027, 3, 13), stored).state == "breached"


def kept_in_part() -> PlanFacts:
    """Give the facts of an exit of which the storage option keeps one system until 25 February 2027."""
    systems = {"BOOKING": "1", "PLADSANVISNING": "2", "EXTENS": "2"}
    options, covers = frozenset({RETENTION}), {RETENTION: ("EXTENS",)}
    return replace(
        FACTS, options=options, covers=covers, anchors={**FACTS.anchors, "O": date(2027, 2, 25)},
        scopes=route(PROFILES, systems, options, covers),
    )  # fmt: skip


def test_t2_what_the_option_does_not_cover_stays_owed_and_only_the_rest_is_suspended() -> None:
    part, row = kept_in_part(), "S2-28.1-d"
    assert standing(row, date(2026, 10, 15), part).state == "at_risk"
    assert standing(row, date(2026, 10, 16), part).state == "breached"
    assert standing(row, date(2026, 10, 16), part, done={"D2": date(2026, 10, 9)}).state == "breached"
    deleted = {"D2": date(2026, 10, 9), "D3b": date(2026, 10, 9)}
    rest = standing(row, date(2026, 10, 16), part, done=deleted)
    assert (rest.state, rest.reason, rest.due) == ("suspended", f"OPTION({RETENTION})", date(2027, 3, 12))
    assert standing(row, date(2027, 3, 13), part, done=deleted).state == "breached"
    whole = {**deleted, "D7a": date(2027, 3, 1)}
    assert standing(row, date(2027, 3, 13), part, done=whole).reason == "EVIDENCE"
    assert standing(row, date(2027, 3, 13), part, done={**whole, "D2": date(2026, 10, 16)}).reason == "MET_LATE"


def test_t2_an_amendment_suspends_only_what_services_after_the_end_need() -> None:
    signed = replace(FACTS, amendments=frozenset({"services_after_end"}))
    row = "S2-28.1-d"
    assert standing(row, date(2026, 9, 1), signed).state == "pending"
    assert standing(row, date(2026, 10, 16), signed, done={"D2": date(2026, 10, 9)}).state == "breached"
    looked_up = replace(signed, options=frozenset({"S1-8.3"}), anchors={**FACTS.anchors, "O": date(2027, 2, 25)})
    deleted = dict.fromkeys(("D2", "D3b"), date(2026, 10, 9))
    rest = standing(row, date(2026, 10, 16), looked_up, done=deleted)
    assert (rest.state, rest.reason) == ("suspended", "OPTION(amendment:services_after_end)")
    assert standing(row, date(2026, 10, 16), looked_up).state == "breached"


def test_t9_the_standard_copy_is_owed_at_the_end_unless_the_exit_process_is_chosen() -> None:
    chosen = replace(FACTS, options=frozenset({EXIT_PROCESS}))
    assert standing("S2-28.1-c", date(2026, 10, 1)).state == "breached"
    assert standing("S2-28.1-c", date(2026, 10, 1), done={"C3": date(2026, 6, 20)}).state == "met"
    suspended = standing("S2-28.1-c", date(2026, 10, 1), chosen)
    assert (suspended.state, suspended.reason) == ("suspended", f"OPTION({EXIT_PROCESS})")
    assert standing("S2-28.1-b", date(2026, 10, 1), chosen).state == "breached"  # everything else is still owed


def test_a_takeover_after_its_deadline_was_met_late() -> None:
    facts, _ = with_evidence(["day:takeover"], date(2020, 11, 5))
    late = standing("S2-4.2-a", date(2026, 1, 1), facts)
    assert (late.reason, late.due, late.met_on) == ("MET_LATE", date(2020, 10, 22), date(2020, 11, 5))


def test_t20_a_payment_in_default_touches_no_other_standing() -> None:
    quiet = replace(FACTS, anchors={k: v for k, v in FACTS.anchors.items() if k not in ("invoice", "payment_demand")})
    plans = [make_plan(PROFILES, facts) for facts in (FACTS, quiet)]
    day = date(2026, 10, 14)
    found = [standings(PROFILES, plan, facts, Record(), day) for plan, facts in zip(plans, (FACTS, quiet), strict=True)]
    changed = {one.id for one, other in zip(*found, strict=True) if one != other}
    assert changed == {"S2-16.6.4-a", "S2-20-a"}
    assert plans[0].activities == plans[1].activities


# ---- force majeure (S2 23)


def test_force_majeure_stops_a_clock_that_runs_and_moves_its_last_day() -> None:
    lasting = ((date(2026, 6, 1), None),)
    row = "S2-16.6.4-a"  # 30 Dage after the invoice of 1 June
    still = standing(row, date(2026, 8, 1), stopped=lasting)
    assert (still.state, still.reason) == ("suspended", "FORCE_MAJEURE")
    ended = ((date(2026, 6, 10), date(2026, 6, 19)),)
    assert standing(row, date(2026, 7, 11), stopped=ended).state == "at_risk"
    over = standing(row, date(2026, 7, 12), stopped=ended)
    assert (over.state, over.due) == ("breached", date(2026, 7, 11))


def test_a_day_on_which_two_things_stopped_a_clock_counts_once() -> None:
    whole = (date(2026, 6, 10), date(2026, 6, 19))
    for other in ((date(2026, 6, 12), date(2026, 6, 15)), (date(2026, 6, 15), date(2026, 6, 19)), whole):
        over = standing("S2-16.6.4-a", date(2026, 7, 12), stopped=(other, whole))
        assert (over.state, over.due) == ("breached", date(2026, 7, 11)), other


def test_force_majeure_revives_no_breach_and_moves_no_day_counted_backwards() -> None:
    after = ((date(2026, 7, 5), date(2026, 8, 5)),)
    assert standing("S2-16.6.4-a", date(2026, 7, 20), stopped=after).state == "breached"
    assert standing("S2-DPA-a", date(2026, 9, 1), stopped=((date(2026, 8, 1), date(2026, 8, 20)),)).state == "breached"


@pytest.mark.parametrize(
    ("first", "last", "due"),
    [
        (date(2026, 6, 6), date(2026, 6, 7), date(2026, 6, 15)),  # a weekend: no Arbejdsdag was lost
        (date(2026, 6, 4), date(2026, 6, 8), date(2026, 6, 17)),  # Thursday to Monday, Grundlovsdag among them: two
        (date(2026, 5, 20), date(2026, 5, 29), date(2026, 6, 15)),  # over before the clock's first day
    ],
)
def test_a_clock_in_working_days_moves_by_the_working_days_that_were_lost(first: date, last: date, due: date) -> None:
    assert standing("S2-13-a", date(2026, 6, 10), stopped=((first, last),)).due == due


def test_what_is_due_on_the_day_itself_is_due_when_force_majeure_is_over() -> None:
    over_the_end = ((date(2026, 9, 28), date(2026, 10, 5)),)
    assert standing("S2-28.1-b", date(2026, 10, 5), stopped=over_the_end).state == "suspended"
    assert standing("S2-28.1-b", date(2026, 10, 6), stopped=over_the_end).due == date(2026, 10, 6)
    assert standing("S2-28.1-b", date(2026, 10, 7), stopped=over_the_end).state == "breached"


def test_force_majeure_stops_the_clock_of_what_an_option_had_kept_as_any_other() -> None:
    part, done = kept_in_part(), {"D2": date(2026, 10, 9), "D3b": date(2026, 10, 9)}
    lasting, ended = ((date(2027, 3, 1), None),), ((date(2027, 3, 1), date(2027, 3, 5)),)
    still = standing("S2-28.1-d", date(2027, 4, 1), part, done=done, stopped=lasting)
    assert (still.state, still.reason) == ("suspended", "FORCE_MAJEURE")
    over = [standing("S2-28.1-d", date(2027, 3, day), part, done=done, stopped=ended) for day in (17, 18)]
    assert [(one.state, one.due) for one in over] == [(state, date(2027, 3, 17)) for state in ("at_risk", "breached")]
    met = {**done, "D7a": date(2027, 3, 17)}
    assert standing("S2-28.1-d", date(2027, 3, 20), part, done=met, stopped=ended).reason == "EVIDENCE"


# ---- the next day on which something flips


def test_between_two_flips_nothing_changes_and_on_each_something_does() -> None:
    plan, record = make_plan(PROFILES, FACTS), Record(stopped=((date(2026, 6, 10), date(2026, 6, 19)),))
    by_day = {
        date(2026, 5, 1) + timedelta(days=n): [
            each[2:4] for each in standings(PROFILES, plan, FACTS, record, date(2026, 5, 1) + timedelta(days=n))
        ]
        for n in range(200)
    }
    days = sorted(by_day)
    changes = [day for before, day in pairwise(days) if by_day[before] != by_day[day]]
    found, day = [], flips(PROFILES, plan, FACTS, record, days[0])
    while day and day <= days[-1]:
        found.append(day)
        day = flips(PROFILES, plan, FACTS, record, day)
    assert found == changes


def test_when_everything_is_met_nothing_flips() -> None:
    record = Record({row.id: date(2026, 1, 1) for row in ROWS})
    assert flips(PROFILES, make_plan(PROFILES, FACTS), FACTS, record, date(2026, 1, 1)) is None
