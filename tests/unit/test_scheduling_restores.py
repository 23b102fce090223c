"""Rows that return open their deletion again: due, approved and permitted anew, and no date moves."""

from __future__ import annotations

from datetime import date

import pytest

from services.scheduling.domain import Told, heard
from tests.unit.scheduling_play import PROFILES, Play

FOUND, VERIFIED = "deletion.reappearance_found", "deletion.deletion_verified"


def tell(play: Play, wire: str, **data: object) -> Play:
    return play.learn(heard(play.exit, Told(wire, data, PROFILES, play.today)))


def verified(play: Play, job: str, result: str = "DELETED") -> Play:
    return tell(play, VERIFIED, activity="D2", job_id=job, result=result, on=play.today)


def found(play: Play, after_job: str = "job-1") -> Play:
    return tell(play, FOUND, activity="D2", after_job=after_job)


@pytest.fixture
def deleted() -> Play:
    play = Play().after_agreement()
    play.preview("D2").both_approve("D2").intent()
    tell(play, "deletion.deletion_begun", job_id="job-1")
    return verified(play, "job-1")


def test_what_returned_is_due_again_and_wants_two_new_approvals(deleted: Play) -> None:
    assert "D2" in deleted.exit.done and deleted.count("activity_due", activity="D2") == 1
    found(deleted)
    assert "D2" not in deleted.exit.done and deleted.count("activity_due", activity="D2") == 2
    deleted.preview("D2", "job-2")
    assert deleted.count("permit_issued") == 1
    deleted.both_approve("D2", "job-2").intent("job-2")
    assert deleted.count("permit_issued", job_id="job-2") == 1
    verified(deleted, "job-2")
    assert "D2" in deleted.exit.done


def test_the_first_deletion_stays_the_first(deleted: Play) -> None:
    first, due = deleted.exit.first_deleted["D2"], deleted.row("D2")["due"]
    deleted.today = date(2027, 1, 4)
    verified(found(deleted).preview("D2", "job-2").both_approve("D2", "job-2").intent("job-2"), "job-2")
    assert deleted.exit.first_deleted["D2"] == first and deleted.row("D2")["due"] == due


def test_it_is_told_once_and_in_any_order(deleted: Play) -> None:
    found(found(deleted))
    assert deleted.count("activity_due", activity="D2") == 2
    verified(deleted, "job-1")  # the answer of the job whose rows returned, delivered once more
    assert "D2" not in deleted.exit.done
    verified(deleted.preview("D2", "job-2").both_approve("D2", "job-2").intent("job-2"), "job-2")
    found(deleted)
    assert "D2" in deleted.exit.done
    found(deleted, "job-2")
    assert "D2" not in deleted.exit.done and deleted.count("activity_due", activity="D2") == 3


def test_a_replay_that_fails_comes_again_the_next_day(deleted: Play) -> None:
    found(deleted).preview("D2", "job-2").both_approve("D2", "job-2").intent("job-2")
    verified(deleted, "job-2", "ERROR")
    assert "D2" not in deleted.exit.done and deleted.exit.troubles["D2"].code == "VERIFICATION_ERROR"
    deleted.walk(deleted.exit.troubles["D2"].retry_on)
    assert deleted.count("activity_due", activity="D2") == 3
