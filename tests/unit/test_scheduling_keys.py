"""The destruction of backup keys is approved under D9 as every deletion is: two people, one digest, then a permit."""

from __future__ import annotations

from typing import Any

from services.scheduling import domain
from services.scheduling.domain import Told
from tests.unit.scheduling_play import DIGEST, PROFILES, Play, refusal

KEYS = {"activity": "D9", "job_id": "x-1.D9.1", "plan_digest": DIGEST}


def heard(play: Play, name: str, **data: Any) -> Play:
    told = Told(f"deletion.{name}", KEYS | data, PROFILES, play.today)
    return play.learn(domain.heard(play.exit, told))


def all_deleted() -> Play:
    play = Play().after_agreement()
    for activity in ("D2", "D3b", "D7a"):
        play.fact("deletion.deletion_verified", activity=activity)
    return play


def test_a_plan_of_keys_gets_its_permit_by_two_peoples_approval_and_the_recorded_intent() -> None:
    play = heard(all_deleted(), "shredding_planned")
    assert "D9" in play.due()
    play.approve("D9", "p-1", "ist_sletteansvarlig", job="x-1.D9.1")
    assert refusal(lambda: play.approve("D9", "p-1", "kommune_godkender", job="x-1.D9.1")) == "APPROVER_SAME_PERSON"
    play.approve("D9", "p-2", "kommune_godkender", job="x-1.D9.1")
    assert not play.bodies("permit_issued")
    play.intent("x-1.D9.1")
    assert [body["activity"] for body in play.bodies("permit_issued")] == ["D9"]
    heard(play, "shredding_begun")
    assert play.state("D9") != "completed"  # D9 is done when the backups are seen to be gone, not when keys are


def test_a_plan_of_keys_before_the_live_systems_are_deleted_is_cancelled() -> None:
    play = heard(Play().after_agreement(), "shredding_planned")
    assert play.count("cancellation_requested", activity="D9") == 1


def test_a_plan_of_keys_that_was_stopped_is_asked_for_again_from_the_next_day() -> None:
    play = heard(heard(all_deleted(), "shredding_planned"), "shredding_stopped", code="PLAN_CHANGED")
    before = play.due().count("D9")
    play.walk(play.today.replace(day=play.today.day + 1))
    assert play.due().count("D9") == before + 1
