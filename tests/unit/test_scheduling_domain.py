"""The process manager's rules: what becomes due when, who answers, approvals, permits, stops; facts in any order."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import permutations

import pytest

from services.scheduling import domain
from services.scheduling.domain import Exit, facts
from tests.unit.scheduling_play import (
    ALL,
    DAY,
    DIGEST,
    EXIT,
    ORDER,
    OTHER,
    RETENTION,
    START,
    K,
    Play,
    refusal,
)


def test_a_draft_has_the_phase_of_ordering_only_and_makes_no_plan() -> None:
    play = Play().order(placed=False)
    assert play.due() == ["A2"]
    assert play.count("plan_made") == 0
    assert play.timers == set()
    assert (play.state("A1"), play.exit.state) == ("completed", "draft")


def test_the_final_order_makes_the_plan_once_with_every_activity_and_its_systems() -> None:
    play = Play().order()
    (made,) = play.bodies("plan_made")
    assert [each["id"] for each in made["activities"]] == ALL
    assert len(ALL) == 38
    assert made["conflicts"] == 0
    scopes = {each["id"]: each["systems"] for each in made["activities"] if each["systems"]}
    assert scopes == {"C7": ["sagsindeks"], "D2": ["booking"], "D7a": ["pladsanvisning"]}


def test_timers_stand_at_every_earliest_day_and_the_day_after_every_due_date() -> None:
    timers = {day.isoformat() for day in Play().order().timers}
    assert timers >= {"2026-04-02", "2026-05-02", "2026-05-18", "2026-06-01", "2026-07-01", "2026-09-30", "2026-10-01"}
    assert timers >= {"2026-10-16", "2027-04-16"}


def test_after_the_order_the_customers_activities_wait_for_the_customer() -> None:
    assert Play().order().waiting() == ["B1", "B2", "B3", "B5", "B6", "B7"]


def test_facts_complete_what_the_profile_says_and_make_the_next_due() -> None:
    play = Play().order().fact("delivery.dispatch_set")
    assert play.state("B5") == "completed"
    assert "B9" in play.due()


def test_an_activity_is_told_as_due_once_however_often_the_plan_is_looked_at() -> None:
    play = Play().order()
    for _ in range(3):
        play.walk(START).fact("delivery.dispatch_set")
    assert play.count("activity_due", activity="B9") == 1
    assert play.count("activity_completed", activity="B5") == 1


def test_an_activity_is_overdue_from_the_day_after_its_due_date_and_told_once() -> None:
    play = Play().order().walk(date(2026, 4, 1))
    assert play.state("B7") == "due"
    play.walk(date(2026, 4, 2)).walk(date(2026, 4, 3))
    assert play.state("B7") == "overdue"
    assert play.count("activity_overdue", activity="B7", due="2026-04-01") == 1
    assert play.answer("B7").state("B7") == "completed"


def test_options_not_chosen_are_told_once_and_count_as_met() -> None:
    play = Play().order().options()
    left_out = [body["activity"] for body in play.bodies("activity_completed") if body["outcome"] == "not_chosen"]
    assert left_out == ["A5", "B13", "B14", "D3", "D3b", "D4", "D5", "D6"]
    assert play.state("D3") == "not_chosen"


def test_a_chosen_option_makes_a_new_version_of_the_plan() -> None:
    play = Play().order().options("S1-8.2")
    assert [body["version"] for body in play.bodies("plan_made")] == [1, 2]
    assert play.row("B13")["chosen"]


def test_what_an_option_covers_is_deleted_last_and_the_rest_apart() -> None:
    order = ORDER | {
        "systems": [*ORDER["systems"], {"system": "extens", "title": "x", "kind": "files", "deletion": "2"}]
    }
    play = (
        Play(order=order).order().options("S1-8.3", RETENTION, covers=(("S1-8.3", ["extens"]), (RETENTION, ["extens"])))
    )
    assert play.row("D7a")["systems"] == ["extens"]
    assert play.row("D3b")["systems"] == ["pladsanvisning"]
    assert play.row("D2")["systems"] == ["booking"]


def test_the_agreements_end_completes_by_its_date_alone_at_midnight_after_it() -> None:
    play = Play().order().walk(K)
    assert play.state("D1") == "due"
    assert play.walk(K + DAY).state("D1") == "completed"
    assert play.row("D1")["completed_on"] == "2026-09-30"


def test_the_second_deletion_is_complete_when_both_its_parts_are() -> None:
    play = Play().after_agreement().fact("deletion.deletion_verified", activity="D7a", on=date(2026, 10, 3))
    assert play.state("D7") == "due"
    play.fact("access.access_attested", activity="D7b", on=date(2026, 10, 5))
    assert (play.state("D7"), play.row("D7")["completed_on"]) == ("completed", "2026-10-05")


def test_no_deletion_is_due_before_the_agreement_has_ended() -> None:
    assert Play().after_agreement().exit.told_due >= {"D2", "D7a"}
    before = Play().prepare().open_gates().walk(K)
    assert before.exit.told_due.isdisjoint({"D2", "D7a"})
    assert before.row("D2")["waits_for"] == ["D1", "DATE(2026-10-01)"]


def test_a_manual_activity_is_answered_by_the_responsible_party_only() -> None:
    play = Play().order().options()
    assert refusal(lambda: play.answer("B12", "supplier")) == "WRONG_PARTY"
    assert play.answer("B7", "supplier").state("B7") == "completed"


@pytest.mark.parametrize(
    ("activity", "outcome", "code"),
    [
        ("B3", "done", "ACTIVITY_ANSWERED_ELSEWHERE"),
        ("B8", "done", "ACTIVITY_ANSWERED_ELSEWHERE"),
        ("D2", "done", "ACTIVITY_ANSWERED_ELSEWHERE"),
        ("B12", "done", "ACTIVITY_NOT_READY"),
        ("B7", "waived", "ACTIVITY_OBLIGATORY"),
        ("B13", "done", "ACTIVITY_NOT_CHOSEN"),
        ("X1", "done", "ACTIVITY_UNKNOWN"),
    ],
)
def test_what_cannot_be_answered_is_refused_by_its_reason(activity: str, outcome: str, code: str) -> None:
    play = Play().order()
    party = "supplier" if activity in ("B8", "B13", "D2") else "customer"
    assert refusal(lambda: play.answer(activity, party, outcome)) == code


def test_what_is_completed_is_not_answered_again() -> None:
    play = Play().order().answer("B7")
    assert refusal(lambda: play.answer("B7")) == "ACTIVITY_COMPLETED"


def test_an_option_that_was_chosen_may_be_waived() -> None:
    play = Play().approved("S1-8.2").walk(date(2026, 5, 17))
    assert play.answer("B13", "supplier", "waived").state("B13") == "waived"


def test_two_people_in_two_roles_approve_and_the_recorded_intent_brings_the_permit() -> None:
    play = Play().after_agreement().preview("D2")
    play.approve("D2", "p-1", "ist_sletteansvarlig")
    assert play.count("approval_completed") == 0
    play.approve("D2", "p-2", "kommune_godkender")
    assert play.count("approval_completed", plan_digest=DIGEST) == 1
    assert play.count("permit_issued") == 0
    play.intent().intent()
    assert play.count("permit_issued", plan_digest=DIGEST, intent_index=7) == 1


def test_one_person_with_two_roles_is_refused() -> None:
    play = Play().after_agreement().preview("D2").approve("D2", "p-1", "ist_sletteansvarlig")
    assert refusal(lambda: play.approve("D2", "p-1", "kommune_godkender")) == "APPROVER_SAME_PERSON"


def test_two_people_in_one_role_are_refused() -> None:
    play = Play().after_agreement().preview("D2").approve("D2", "p-1", "ist_sletteansvarlig")
    assert refusal(lambda: play.approve("D2", "p-2", "ist_sletteansvarlig")) == "APPROVER_SAME_ROLE"


def test_an_approval_is_for_the_plan_that_was_shown() -> None:
    play = Play().after_agreement().preview("D2")
    assert refusal(lambda: play.approve("D2", "p-1", "kommune_godkender", digest=OTHER)) == "PLAN_DIGEST_DIFFERS"
    assert refusal(lambda: play.approve("D2", "p-1", "kommune_godkender", job="job-9")) == "APPROVAL_UNKNOWN"
    assert refusal(lambda: play.approve("D7a", "p-1", "kommune_godkender")) == "APPROVAL_UNKNOWN"


def test_a_new_preview_voids_the_approvals_of_the_one_before() -> None:
    play = Play().after_agreement().preview("D2").both_approve("D2").preview("D2", digest=OTHER).intent()
    assert play.count("permit_issued") == 0
    assert [job.state for job in play.exit.jobs] == ["void", "waiting"]
    assert refusal(lambda: play.approve("D2", "p-1", "kommune_godkender")) == "PLAN_DIGEST_DIFFERS"


def test_the_same_preview_told_again_keeps_the_approvals() -> None:
    play = Play().after_agreement().preview("D2").approve("D2", "p-1", "ist_sletteansvarlig").preview("D2")
    assert [len(job.approvals) for job in play.exit.jobs] == [1]


def test_an_intent_for_another_digest_or_before_both_approvals_brings_no_permit() -> None:
    play = Play().after_agreement().preview("D2").approve("D2", "p-1", "ist_sletteansvarlig").intent()
    play.approve("D2", "p-2", "kommune_godkender").intent(digest=OTHER).intent(job="job-9")
    assert play.count("permit_issued") == 0


def test_a_stopped_deletion_waits_with_its_code_loses_its_approvals_and_is_due_again_the_next_day() -> None:
    play = Play().after_agreement().preview("D2").approve("D2", "p-1", "ist_sletteansvarlig")
    play.learn(facts.with_trouble(play.exit, "D2", "PLACE_NEW", play.today))
    assert (play.state("D2"), play.row("D2")["waits_for"]) == ("waiting", ["PLACE_NEW"])
    assert refusal(lambda: play.approve("D2", "p-2", "kommune_godkender")) == "APPROVAL_NOT_WAITING"
    assert play.today + DAY in play.timers
    play.walk(play.today + DAY)
    assert play.state("D2") == "due"
    assert play.count("activity_due", activity="D2", systems=["booking"]) == 2
    play.preview("D2").approve("D2", "p-2", "kommune_godkender")
    assert [(job.state, len(job.approvals)) for job in play.exit.jobs] == [("void", 1), ("waiting", 1)]


def test_t16_the_backups_date_follows_the_first_actual_deletions_and_never_moves_later() -> None:
    play = Play().after_agreement()
    for activity, day in (("D2", 5), ("D7a", 12)):
        on = date(2026, 10, day)
        play.learn(facts.with_deletion(play.exit, activity, on))
        play.fact("deletion.deletion_verified", activity=activity, on=on)
    assert (play.row("D9")["due"], play.row("D9")["provisional"]) == ("2027-04-12", False)
    play.learn(facts.with_deletion(play.exit, "D7a", date(2026, 12, 1)))
    assert play.row("D9")["due"] == "2027-04-12"


def test_nothing_follows_from_facts_before_the_order_is_known_and_everything_after() -> None:
    play = Play().fact("delivery.dispatch_set").options()
    assert play.told == []
    play.order()
    assert play.state("B5") == play.state("B3") == "completed"


def test_the_order_of_these_facts_does_not_matter() -> None:
    wires = ("orders.window_ordered", "orders.window_confirmed", "delivery.dispatch_set", "delivery.needs_submitted")
    ends = []
    for order in permutations(wires):
        play = Play().learn(facts.with_order(Exit(EXIT), ORDER, placed=True))
        for wire in order:
            play.fact(wire)
        ends.append((play.exit.facts, play.exit.done, play.exit.told_due, play.exit.timers, play.exit.plan_digest))
    assert all(end == ends[0] for end in ends)


def test_what_a_notice_moved_stays_moved_when_the_order_comes_after_it() -> None:
    later = date(2026, 12, 31)
    play = Play()
    notice = {"kind": "extension", "outcome": "accepted", "given_on": START, "options": []}
    play.exit = facts.with_notice(play.exit, notice | {"moved": [{"anchor": "K", "on": later}]}, (), START)
    assert play.order().row("D1")["due"] == "2026-12-31"


def test_the_plan_shows_slack_the_critical_path_what_blocks_what_and_who_acts_next() -> None:
    play = Play().order()
    plan = play.plan()
    assert plan["critical_path"][-1] == "D9"
    assert play.row("B7")["critical"] == ("B7" in plan["critical_path"])
    assert {"B8", "B11", "C1"} <= set(play.row("B7")["blocks"])
    assert play.row("B8")["next_actors"] == ["customer", "supplier"]
    assert play.row("B7")["slack_days"] is not None


def test_a_late_answer_to_nothing_changes_nothing() -> None:
    play = Play().after_agreement()
    for change in (domain.begun, domain.cancelled):
        assert change(play.exit, "job-9") == play.exit
    assert (
        replace(domain.preview(play.exit, {"activity": "D2", "job_id": "j", "plan_digest": DIGEST}), jobs=())
        == play.exit
    )
