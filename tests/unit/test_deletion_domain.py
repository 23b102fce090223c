"""What deletion decides, without any system."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import OphorError, Rejected
from services.deletion import domain
from services.deletion.domain import Backup, Exit, Hold, Job, Place, Survey

EXIT = Exit("e", "11111111", "101", "a" * 64, {"plads": "2", "vagt": "1", "indeks": "index"})
NOW = datetime(2026, 10, 2, tzinfo=UTC)


def a_place(name: str = "barn", count: int = 10, **changes: Any) -> Place:
    made = Place("plads", name, "deleted", None, True, count, domain.most(count), "k = {tenant}", "f")
    return replace(made, **({"least": domain.least(count)} | changes))


def a_survey(*places: Place, found: int = 2) -> Survey:
    owned = tuple(place.place for place in places if place.disposition == "deleted")
    return Survey("plads", "postgresql", "print", owned, places, {"barn": ("p1", "p2")}, found)


def requested() -> Job:
    return Job("e.D7a.1", "e", "D7a", ("plads",))


def previewed(*places: Place) -> Job:
    return domain.previewed(requested(), EXIT, [a_survey(*(places or (a_place(),)))], b"seed")


def permitted(**changes: Any) -> Job:
    job = previewed()
    permit = {
        "plan_digest": job.plan_digest, "valid_until": (NOW + timedelta(hours=1)).isoformat(),
        "approvals": [{"actor": "a", "role": "r"}, {"actor": "b", "role": "s"}], **changes,
    }  # fmt: skip
    return job.after("permit", permit=permit)


def taken(exit_: Exit, activity: str, *before: Job, looked: tuple[str, ...] = ()) -> Job | None:
    return domain.take_due(exit_, activity, before, looked)[1]


CLOSED = replace(EXIT, closed=frozenset({"plads", "vagt"}))


def test_a_job_has_exactly_the_systems_that_the_plan_names() -> None:
    for activity in ("D2", "D3b", "D7a"):
        job = taken(domain.with_due(CLOSED, activity, ["vagt", "plads", "vagt"]), activity)
        assert job is not None and (job.activity, job.systems) == (activity, ("plads", "vagt"))
    assert domain.with_due(EXIT, "C2", ["plads"]) == EXIT, "what is not deletion's changes nothing"


def test_a_system_that_the_order_does_not_name_is_refused_not_skipped() -> None:
    job = taken(domain.with_due(EXIT, "D2", ["vagt", "ukendt"]), "D2")
    assert job is not None
    assert domain.hindrance(EXIT, job) == ("SYSTEM_UNKNOWN", "systems.ukendt")


def test_a_deletion_waits_for_every_way_in_whichever_fact_comes_first_and_the_case_index_for_none() -> None:
    due = domain.with_due(EXIT, "D2", ["plads", "vagt"])
    row = {"system": "plads", "state": "closed", "verified": True}
    half = domain.with_closed(due, [row])
    assert taken(due, "D2") is taken(half, "D2", looked=("plads",)) is None
    whole = domain.with_closed(half, [row | {"system": "vagt"}])
    assert taken(whole, "D2") is not None
    assert taken(domain.with_due(domain.with_closed(EXIT, [row]), "D7a", ["plads"]), "D7a") is not None
    assert taken(domain.with_due(EXIT, "C7", ["indeks"]), "C7") is not None


def test_a_way_in_that_was_looked_at_and_is_not_closed_stops_the_job_by_name() -> None:
    row = {"system": "plads", "state": "closed", "verified": False}
    seen = domain.with_closed(domain.with_due(CLOSED, "D7a", ["plads"]), [row])
    job = taken(seen, "D7a", looked=("plads",))
    assert job is not None
    assert domain.hindrance(seen, job) == ("ACCESS_NOT_CLOSED", "systems.plads.access")


def test_a_due_activity_is_used_up_by_its_job_and_one_that_has_ended_is_followed() -> None:
    due, first = domain.with_due(CLOSED, "D7a", ["plads"]), requested()
    used, job = domain.take_due(due, "D7a", ())
    assert job == first and used.due == {}
    assert taken(due, "D7a", first) is None
    for state in ("stopped", "cancelled", "verified"):
        second = taken(due, "D7a", replace(first, state=state))
        assert second is not None and second.job_id == "e.D7a.2"


def test_a_job_that_has_not_begun_gives_way_when_the_plan_names_other_systems() -> None:
    due = domain.with_due(CLOSED, "D7a", ["plads", "vagt"])
    job = requested()
    assert domain.outdated(due, "D7a", [job]) == (job,)
    for other in (replace(job, state="executing", begun=True), replace(job, systems=("plads", "vagt"))):
        assert domain.outdated(due, "D7a", [other]) == ()


def test_nothing_is_requested_before_the_order_or_after_the_exit_was_cancelled() -> None:
    waiting = domain.with_due(Exit("e"), "C7", ["indeks"])
    assert domain.take_due(waiting, "C7", ()) == (waiting, None)
    assert taken(domain.with_due(replace(EXIT, cancelled=True), "C7", ["indeks"]), "C7") is None


def test_a_request_to_cancel_has_one_answer_that_stays_true() -> None:
    for job in (requested(), previewed(), permitted(), requested().after("stop")):
        ended, answer = domain.cancelled(job)
        assert (ended.state, answer) == ("cancelled", domain.CANCELLED)
        assert domain.cancelled(ended) == (ended, None), "told once"
        for step in ("preview", "permit", "begin"):
            with pytest.raises(Rejected, match="STEP_NOT_ALLOWED"):
                ended.after(step)
    begun = permitted().after("begin", begun=True)
    for job in (begun, begun.after("end"), begun.after("stop"), begun.after("end").after("verify")):
        assert domain.cancelled(job) == (job, domain.ALREADY_BEGUN)


# Holds.

DOCUMENT, ANOTHER = "a" * 64, "b" * 64


def a_hold(system: str | None = "plads", basis: str = "INSTRUCTION", party: str = "customer") -> Hold:
    return domain.place(EXIT, Hold("", "e", system, basis, DOCUMENT, party), [])


def test_a_hold_on_a_system_or_on_all_holds_every_job_that_has_it() -> None:
    for hold in (a_hold(), a_hold(None)):
        with pytest.raises(Rejected, match="HOLD_PLACED") as caught:
            domain.require_free(requested(), [hold])
        assert caught.value.field.startswith("systems") and "GDPR 28(3)(a)" in caught.value.message
        domain.require_free(requested(), [domain.lift(hold, ANOTHER, "customer")])
    domain.require_free(requested(), [a_hold("vagt")])


def test_the_same_hold_again_is_the_one_that_stands_and_after_lifting_it_is_a_new_one() -> None:
    hold = a_hold()
    again = Hold("", "e", "plads", "INSTRUCTION", DOCUMENT, "customer")
    assert hold.hold_id == "e.H1" and domain.place(EXIT, again, [hold]) == hold
    assert domain.place(EXIT, replace(again, digest=ANOTHER), [hold]).hold_id == "e.H2"
    assert domain.place(EXIT, again, [domain.lift(hold, ANOTHER, "customer")]).hold_id == "e.H2"


def test_a_hold_is_lifted_once_and_the_customers_by_the_customer_alone() -> None:
    hold = a_hold()
    lifted = domain.lift(hold, ANOTHER, "customer")
    assert (lifted.state, domain.lift(lifted, ANOTHER, "customer")) == ("lifted", lifted)
    domain.lift(a_hold(party="supplier"), ANOTHER, "supplier")
    domain.lift(a_hold(party="supplier"), ANOTHER, "customer")
    for given_, party, code, field in (
        (None, "customer", "HOLD_UNKNOWN", "hold_id"),
        (hold, "supplier", "WRONG_PARTY", "hold_id"),
        (lifted, "customer", "HOLD_ALREADY_LIFTED", "digest"),
    ):
        with pytest.raises(Rejected) as caught:
            domain.lift(given_, DOCUMENT, party)
        assert (caught.value.code, caught.value.field) == (code, field)
        assert caught.value.remedy and caught.value.da


def test_a_hold_on_a_system_that_is_not_in_the_order_is_refused() -> None:
    with pytest.raises(Rejected, match="SYSTEM_UNKNOWN") as caught:
        a_hold("ukendt")
    assert caught.value.field == "system" and "plads" in caught.value.remedy


@pytest.mark.parametrize(
    "state",
    ["requested", "previewed", "permitted", "executing", "paused", "executed", "verified", "stopped", "cancelled"],
)
@pytest.mark.parametrize("step", ["preview", "permit", "begin", "pause", "resume", "end", "verify", "stop", "cancel"])
def test_what_the_table_lacks_is_refused(state: str, step: str) -> None:
    job = replace(requested(), state=state)
    if (state, step) in domain.TRANSITIONS:
        assert job.after(step).state == domain.TRANSITIONS[state, step]
    else:
        with pytest.raises(Rejected, match="STEP_NOT_ALLOWED"):
            job.after(step)


@pytest.mark.parametrize(
    "changes",
    [
        {"disposition": "excluded"},
        {"most": 99},
        {"fingerprint": "g"},
        {"predicate": "x = {tenant}"},
        {"place": "andet"},
        {"least": 0},
    ],
)
def test_the_plan_digest_changes_with_everything_it_covers(changes: dict[str, Any]) -> None:
    assert previewed(a_place(**changes)).plan_digest != previewed().plan_digest


def test_the_plan_digest_covers_the_map_and_the_draw_of_the_probes() -> None:
    survey = [a_survey(a_place())]
    other_map = domain.previewed(requested(), replace(EXIT, map_digest="b" * 64), survey, b"seed")
    other_draw = domain.previewed(requested(), EXIT, survey, b"another")
    assert len({previewed().plan_digest, other_map.plan_digest, other_draw.plan_digest}) == 3


def test_an_ordinary_write_within_the_band_does_not_void_the_approval() -> None:
    assert previewed(a_place(count=10)).plan_digest == previewed(a_place(count=11, most=20, least=1)).plan_digest


def test_a_search_that_does_not_find_its_probes_stops_the_preview() -> None:
    with pytest.raises(Rejected, match="PROBES_NOT_FOUND"):
        domain.previewed(requested(), EXIT, [a_survey(a_place(), found=1)], b"seed")


def test_a_good_permit_lets_the_job_begin() -> None:
    domain.check_permit(permitted(), NOW)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"plan_digest": "0" * 64}, "PERMIT_WRONG"),
        ({"valid_until": NOW.isoformat()}, "PERMIT_EXPIRED"),
        ({"valid_until": "2026-12-31T00:00:00"}, "PERMIT_WRONG"),
        ({"valid_until": "i morgen"}, "PERMIT_WRONG"),
        ({"approvals": [{"actor": "a", "role": "r"}, {"actor": "a", "role": "s"}]}, "APPROVALS_MISSING"),
        ({"approvals": [{"actor": "a", "role": "r"}, {"actor": "b", "role": "r"}]}, "APPROVALS_MISSING"),
    ],
)
def test_a_permit_that_is_not_good_is_refused(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(Rejected, match=code):
        domain.check_permit(permitted(**changes), NOW)


def test_a_plan_that_was_changed_after_its_approval_is_refused() -> None:
    job = permitted()
    with pytest.raises(Rejected, match="PERMIT_WRONG"):
        domain.check_permit(replace(job, plan=job.plan | {"activity": "D2"}), NOW)


def test_the_live_schema_must_be_the_plans() -> None:
    job = previewed()
    domain.check_schema(job, "plads", "print", {"barn": "f"}, ["barn"])
    for fingerprint, places, field in (
        ("other", {"barn": "g"}, "systems.plads.places.barn"),
        ("other", {"barn": "f", "ny": "n"}, "systems.plads.places.ny"),
    ):
        with pytest.raises(Rejected) as caught:
            domain.check_schema(job, "plads", fingerprint, places, ["barn"])
        assert (caught.value.code, caught.value.field) == ("SCHEMA_CHANGED", field)


def test_the_band_has_two_percent_and_at_least_ten_rows() -> None:
    assert [domain.most(count) for count in (0, 10, 1000, 25_000)] == [10, 20, 1020, 25_500]
    assert [domain.least(count) for count in (0, 1, 10, 12, 1000, 25_000)] == [0, 1, 1, 2, 980, 24_500]
    domain.check_band(a_place(deleted=15), 5)
    with pytest.raises(Rejected, match="COUNT_EXCEEDS_PREVIEW"):
        domain.check_band(a_place(deleted=15), 6)


@pytest.mark.parametrize(
    ("ours", "effects", "lost", "found"),
    [
        ({"barn": 5}, {"barn": 5}, {"barn": 0}, {}),
        ({"barn": 5}, {"barn": 5, "andet": 1}, {}, {"andet": 1}),
        ({"barn": 5}, {"barn": 6}, {}, {"barn": 1}),
        ({"barn": 5}, {"barn": 4}, {}, {"barn": 1}),
        ({"barn": 5}, {"barn": 5}, {"barn": 2}, {"barn": 2}),
        ({"barn": 5}, {"barn": 6}, {"barn": 1}, {"barn": 1}),
    ],
)
def test_whatever_is_not_ours_is_outside(
    ours: dict[str, int], effects: dict[str, int], lost: dict[str, int], found: dict[str, int]
) -> None:
    assert domain.outside(ours, effects, lost) == found


def test_first_and_last_batch_and_those_that_pass_a_power_of_four_compare_the_neighbours() -> None:
    assert domain.sampled(0, 100, last=False)
    assert domain.sampled(600, 99, last=True)
    assert domain.sampled(1000, 100, last=False)
    assert not domain.sampled(600, 100, last=False)
    assert not domain.sampled(1024, 1024, last=False)


@given(st.integers(1, 300_000), st.integers(1_000, 20_000))
def test_comparisons_grow_with_the_logarithm_of_the_rows(rows: int, size: int) -> None:
    begins = range(0, rows, size)
    compared = [domain.sampled(at, min(size, rows - at), last=at + size >= rows) for at in begins]
    assert compared[0] and compared[-1]
    assert sum(compared) <= rows.bit_length() / 2 + 2


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 50)), max_size=20))
def test_batches_add_up_and_never_overwrite(batches: list[tuple[int, int]]) -> None:
    job, sum_ = previewed(), 0
    for planned, present in batches:
        present = min(planned, present)
        job = domain.closed(job, "plads", "barn", planned=planned, present=present, outside_rows=0)
        sum_ += planned - present
    assert (job.place("plads", "barn").deleted, job.batches) == (sum_, len(batches))


def finished(place: Place, count: int, *, exit_: Exit = EXIT, found: int = 0) -> tuple[str, dict[str, Any]]:
    job = domain.answered(previewed(place), {(place.system, place.place): count})
    return domain.result(job, found), domain.row(job.places[0], exit_)


@given(st.integers(0, 100), st.integers(0, 100), st.integers(0, 100))
def test_the_answer_is_never_deleted_where_a_sum_is_not_true(started: int, deleted: int, left: int) -> None:
    result, row = finished(a_place(started=started, deleted=deleted), left)
    true = row["before"] + row["arrived"] == row["deleted"] + row["retained"] + row["residual"]
    assert true == (deleted + left >= started)
    assert (result == "ERROR") == (not true or left > 0)


def test_nothing_there_before_and_after_is_absent_not_deleted() -> None:
    assert finished(a_place(count=0, started=0), 0)[0] == "ABSENT_VERIFIED"


def test_a_probe_found_afterwards_is_an_error() -> None:
    assert finished(a_place(started=10, deleted=10), 0, found=1)[0] == "ERROR"


def test_shared_rows_that_became_fewer_are_an_error_and_more_are_not() -> None:
    shared = a_place(disposition="excluded", reason="SHARED_CODE")
    assert finished(shared, 9)[0] == "ERROR"
    assert finished(shared, 11)[0] == "ABSENT_VERIFIED"


@pytest.mark.parametrize(
    ("changes", "delivered", "expected"),
    [
        ({"started": 10, "deleted": 10}, 10, "both"),
        ({"started": 10, "deleted": 10}, 9, "changed_after_extract"),
        ({"started": 10, "deleted": 10, "deliver": False}, None, "deleted_not_delivered"),
        ({"started": 10, "deleted": 10}, None, None),
        ({"disposition": "excluded", "reason": "SHARED_CODE"}, 10, "delivered_not_deleted"),
        ({"disposition": "excluded", "reason": "NOT_CUSTOMER_DATA"}, None, None),
    ],
)
def test_each_place_is_reconciled_with_what_was_delivered(
    changes: dict[str, Any], delivered: int | None, expected: str | None
) -> None:
    exit_ = replace(EXIT, delivered={} if delivered is None else {("plads", "barn"): delivered})
    left = 10 if "disposition" in changes else 0
    row = finished(a_place(**changes), left, exit_=exit_)[1]
    assert (row["row_class"], row["delivered"]) == (expected, delivered or 0)


def test_rows_that_a_stopped_job_had_deleted_count_when_delivered_is_compared() -> None:
    exit_ = replace(EXIT, delivered={("plads", "barn"): 10})
    place = a_place(started=4, deleted=4, residual=0)
    assert domain.row(place, exit_, earlier=6)["row_class"] == "both"
    assert domain.row(place, exit_, earlier=6)["deleted"] == 4


def test_an_older_package_told_late_does_not_replace_the_latest() -> None:
    row = {"system": "plads", "place": "barn", "rows": 7}
    latest = domain.with_delivered(EXIT, [row], 4)
    assert domain.with_delivered(latest, [row | {"rows": 3}], 2).delivered == {("plads", "barn"): 7}
    assert domain.with_delivered(latest, [row | {"rows": 9}], 5).delivered == {("plads", "barn"): 9}


# Backups.

SET = Backup("e", "plads", "s1", date(2026, 9, 1), date(2026, 11, 1))


def test_a_set_is_looked_at_the_day_after_its_last() -> None:
    assert domain.due([SET], date(2026, 11, 1)) == []
    assert domain.due([SET], date(2026, 11, 2)) == [SET]
    assert domain.due([replace(SET, answer="GONE")], date(2026, 11, 2)) == []


def test_a_set_is_registered_once_with_its_dates() -> None:
    assert domain.register_backup(EXIT, SET, None) == SET
    assert domain.register_backup(EXIT, SET, SET) == SET
    with pytest.raises(Rejected, match="BACKUP_ALREADY_REGISTERED"):
        domain.register_backup(EXIT, replace(SET, expires_on=date(2027, 1, 1)), SET)


def test_the_backups_are_expired_only_when_nothing_is_open() -> None:
    gone = [replace(SET, answer="GONE"), replace(SET, system="vagt", answer="GONE")]
    everything: dict[str, Any] = {"deleted": ["plads", "vagt"], "with_backups": ["plads", "vagt"]}
    assert domain.expired(EXIT, gone, **everything)
    assert not domain.expired(EXIT, [], **everything)
    assert not domain.expired(EXIT, [gone[0], SET], **everything)
    assert not domain.expired(EXIT, gone[:1], **everything)
    assert not domain.expired(EXIT, gone, **(everything | {"deleted": ["plads"]}))


def test_an_exit_that_is_not_known_yet_may_come_later() -> None:
    with pytest.raises(OphorError, match="EXIT_NOT_KNOWN"):
        domain.require_exit(Exit("e"))
