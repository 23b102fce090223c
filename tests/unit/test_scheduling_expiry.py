"""Approvals that nothing follows: void after their days, told, and asked for anew from a fresh preview."""

from __future__ import annotations

from datetime import timedelta

from contracts.deletion import APPROVAL_DAYS
from services.scheduling import domain
from tests.unit.scheduling_play import DAY, OTHER, Play, refusal

LAST = timedelta(days=APPROVAL_DAYS)


def half_approved() -> Play:
    return Play().after_agreement().preview("D2").approve("D2", "p-1", "ist_sletteansvarlig")


def test_one_approval_stands_for_its_days_and_is_void_on_the_day_after_by_itself() -> None:
    play = half_approved()
    given = play.today
    assert play.walk(given + LAST - DAY).count("approval_expired") == 0
    assert given + LAST in play.timers
    play.walk(given + LAST)
    assert play.count("approval_expired", activity="D2", job_id="job-1") == 1
    assert play.count("cancellation_requested", job_id="job-1", cause="APPROVAL_EXPIRED") == 1
    assert refusal(lambda: play.approve("D2", "p-2", "kommune_godkender")) == "APPROVAL_NOT_WAITING"
    assert play.walk(given + 2 * LAST).count("approval_expired") == 1, "told once"


def test_once_deletion_has_answered_it_is_due_again_and_a_new_preview_is_approved() -> None:
    play = half_approved()
    due = play.count("activity_due", activity="D2")
    play.walk(play.today + LAST)
    assert play.count("activity_due", activity="D2") == due, "not before deletion has cancelled the old job"
    play.learn(domain.cancelled(play.exit, "job-1"))
    assert play.count("activity_due", activity="D2") == due + 1
    play.preview("D2", "job-2", OTHER)
    for actor, role in (("p-1", "ist_sletteansvarlig"), ("p-2", "kommune_godkender")):
        play.approve("D2", actor, role, "job-2", OTHER)
    assert play.intent("job-2", OTHER).count("permit_issued", job_id="job-2") == 1


def test_two_approvals_whose_intent_never_came_into_the_log_expire_and_bring_no_permit_later() -> None:
    play = Play().after_agreement().preview("D2").both_approve("D2")
    play.walk(play.today + LAST)
    assert play.count("approval_expired", job_id="job-1") == 1
    assert play.intent().count("permit_issued") == 0


def test_what_was_permitted_or_not_approved_by_anybody_does_not_expire() -> None:
    permitted = Play().after_agreement().preview("D2").both_approve("D2").intent()
    asked = Play().after_agreement().preview("D2")
    for play in (permitted, asked):
        assert play.walk(play.today + 3 * LAST).count("approval_expired") == 0
