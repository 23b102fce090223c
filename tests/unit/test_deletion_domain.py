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
from services.deletion.domain import Backup, Exit, Job, Place, Survey

EXIT = Exit("e", "11111111", "101", "a" * 64, {"plads": "2", "vagt": "1", "indeks": "index"})
NOW = datetime(2026, 10, 2, tzinfo=UTC)


def a_place(name: str = "barn", count: int = 10, **changes: Any) -> Place:
    return replace(
        Place("plads", name, "deleted", None, True, count, domain.most(count), "k = {tenant}", "f"), **changes
    )


def a_survey(*places: Place, found: int = 2) -> Survey:
    owned = tuple(place.place for place in places if place.disposition == "deleted")
    return Survey("plads", "postgresql", "print", owned, places, {"barn": ("p1", "p2")}, found)


def requested() -> Job:
    job = domain.next_job(EXIT, "D7a", ("plads",), [])
    assert job is not None
    return job


def previewed(*places: Place) -> Job:
    return domain.previewed(requested(), EXIT, [a_survey(*(places or (a_place(),)))], b"seed")


def permitted(**changes: Any) -> Job:
    job = previewed()
    permit = {
        "plan_digest": job.plan_digest, "valid_until": (NOW + timedelta(hours=1)).isoformat(),
        "approvals": [{"actor": "a", "role": "r"}, {"actor": "b", "role": "s"}], **changes,
    }  # fmt: skip
    return job.after("permit", permit=permit)


def test_each_activity_has_the_systems_that_the_map_gives_it() -> None:
    assert domain.scope(EXIT, "C7") == ("indeks",)
    assert domain.scope(EXIT, "D2", ["plads"]) == ("vagt",)
    assert domain.scope(EXIT, "D3b", ["vagt", "ukendt"]) == ("vagt",)


def test_one_job_at_a_time_and_a_stopped_one_is_followed_by_the_next() -> None:
    first = requested()
    assert domain.next_job(EXIT, "D7a", ("plads",), [first]) is None
    second = domain.next_job(EXIT, "D7a", ("plads",), [first.after("stop")])
    assert second is not None and (first.job_id, second.job_id) == ("e.D7a.1", "e.D7a.2")


@pytest.mark.parametrize(
    "state", ["requested", "previewed", "permitted", "executing", "executed", "verified", "stopped"]
)
@pytest.mark.parametrize("step", ["preview", "permit", "begin", "end", "verify", "stop"])
def test_what_the_table_lacks_is_refused(state: str, step: str) -> None:
    job = replace(requested(), state=state)
    if (state, step) in domain.TRANSITIONS:
        assert job.after(step).state == domain.TRANSITIONS[state, step]
    else:
        with pytest.raises(Rejected, match="STEP_NOT_ALLOWED"):
            job.after(step)


def test_what_access_owns_waits_for_the_ways_in_and_a_stopped_job_is_followed() -> None:
    job = requested()
    assert domain.due_systems(EXIT, "C7", "deletion", []) == ("indeks",)
    assert domain.due_systems(EXIT, "D7a", "access", []) is None
    assert domain.due_systems(EXIT, "D7a", "access", [job]) is None
    assert domain.due_systems(EXIT, "D7a", "access", [job.after("stop", stopped_code="SCHEMA_CHANGED")]) == ("plads",)
    assert domain.due_systems(EXIT, "D7a", "access", [job.after("stop", stopped_code="ACCESS_NOT_CLOSED")]) is None


def test_a_way_in_that_is_not_seen_closed_is_named() -> None:
    closed = {"system": "plads", "state": "closed", "verified": True}
    assert domain.not_closed(["plads"], [closed]) is None
    assert domain.not_closed(["plads", "vagt"], [closed]) == "vagt"
    assert domain.not_closed(["plads"], [closed | {"verified": False}]) == "plads"


@pytest.mark.parametrize(
    "changes",
    [
        {"disposition": "excluded"},
        {"most": 99},
        {"fingerprint": "g"},
        {"predicate": "x = {tenant}"},
        {"place": "andet"},
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
    assert previewed(a_place(count=10)).plan_digest == previewed(a_place(count=11, most=domain.most(10))).plan_digest


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


def test_first_last_and_every_tenth_batch_compare_the_neighbours() -> None:
    assert domain.sampled(2, 100, 100, deleted=0)
    assert domain.sampled(7, 99, 100, deleted=600)
    assert domain.sampled(10, 100, 100, deleted=900)
    assert not domain.sampled(7, 100, 100, deleted=600)


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
        domain.require_exit(None)
