"""Changes of a plan: at once before the approval of the timetable, proposals after it; conflicts; restarts; what-if."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from contracts.catalogue import COMMANDS
from contracts.registry import primitives
from services.scheduling import domain
from services.scheduling.domain import facts
from shared.rules.profiles import load_profiles
from tests.unit.orders_parts import placed
from tests.unit.scheduling_play import DAY, DIGEST, EXIT, ORDER, RETENTION, START, D, K, Play, T, refusal
from tests.unit.test_orders_decisions import signed

LATER = date(2027, 3, 31)
EXTENDED = {"moved": [{"anchor": "K", "on": LATER}]}
NOTHING: dict[str, Any] = {
    "go_live": None, "operations_end": None, "agreement_end": None, "option_end": None, "options": None, "days": [],
}  # fmt: skip
DATA_ACT = ORDER | {
    "profiles": ["ist-standard", "ski-02-19", "data-act"],
    "lawyer_confirmed": ["data-act"],
    "pinned": [],
}


def dates(go_live: date, end: date) -> dict[str, date]:
    return {"go_live": go_live, "operations_end": end}


def test_before_the_timetable_is_approved_a_change_is_applied_at_once() -> None:
    play = Play().order()
    play.learn(facts.with_dates(play.exit, dates(date(2026, 8, 1), date(2026, 7, 31))))
    assert play.exit.proposal is None
    assert play.row("B11")["due"] == "2026-06-16"
    assert [body["version"] for body in play.bodies("plan_made")] == [1, 2]


def test_t7_after_the_approval_a_moved_date_is_a_readable_proposal_and_changes_nothing_until_it_is_answered() -> None:
    play = Play().approved()
    before = play.plan()["plan_digest"]
    play.notice("postponement", moved=[{"anchor": "T", "on": date(2026, 8, 1)}])
    plan = play.plan()
    assert (plan["plan_digest"], plan["state"]) == (before, "approved")
    proposal = plan["proposal"]
    assert (proposal["cause"], proposal["needs"], proposal["approved_by"]) == ("postponement", ["customer"], [])
    moved = {(row["id"], row["what"]): (row["before"], row["after"]) for row in proposal["difference"]["changes"]}
    assert moved["C6", "due"] == ("2026-06-30", "2026-07-31")
    assert all(row["why_da"] and row["why_en"] for row in proposal["difference"]["changes"])
    assert play.count("plan_proposed", state="proposed", conflicts=0, changes=len(moved)) == 1
    assert play.answer_proposal() == "applied"
    assert play.row("C2")["earliest"] == "2026-07-04"
    assert play.count("plan_proposed", state="applied") == 1


def test_a_proposal_holds_back_the_deletions_that_it_would_move_and_no_others() -> None:
    play = Play().after_agreement().preview("D2").both_approve("D2").intent()
    covers = (("S1-8.3", ["pladsanvisning"]), (RETENTION, ["pladsanvisning"]))
    play.options("S1-8.3", RETENTION, covers=covers)
    assert play.row("D7a")["waits_for"] == ["PROPOSAL(P1)"]
    assert (play.state("D2"), play.count("cancellation_requested", activity="D2")) == ("due", 0)
    assert play.answer_proposal(answer="rejected") == "rejected"
    assert (play.state("D7a"), play.exit.proposal) == ("due", None)
    assert play.count("activity_due", activity="D7a") == 2
    assert play.count("plan_proposed", state="rejected") == 1


def test_a_newer_proposal_replaces_the_older_and_carries_its_changes_on() -> None:
    play = Play().approved().notice("postponement", moved=[{"anchor": "T", "on": date(2026, 8, 1)}])
    play.accord("amendment", subject="backups_six_months")
    assert play.count("plan_proposed", proposal_id="P1", state="replaced") == 1
    proposal = play.plan()["proposal"]
    assert (proposal["proposal_id"], proposal["needs"]) == ("P2", ["customer", "supplier"])
    assert play.answer_proposal("supplier") == "proposed"
    assert refusal(lambda: play.answer_proposal("supplier")) == "PROPOSAL_ANSWERED"
    assert play.answer_proposal("customer") == "applied"
    assert play.exit.inputs.dates["T"] == date(2026, 8, 1)
    assert play.exit.inputs.amendments == ("backups_six_months",)


def test_what_brings_the_applied_inputs_back_leaves_no_proposal() -> None:
    play = Play().approved()
    play.learn(facts.with_dates(play.exit, dates(date(2026, 8, 1), date(2026, 7, 31))))
    play.learn(facts.with_dates(play.exit, dates(T, D)))
    assert play.exit.proposal is None
    assert [body["state"] for body in play.bodies("plan_proposed")] == ["proposed", "replaced"]


def test_a_fact_is_never_a_proposal() -> None:
    play = Play().after_agreement()
    play.learn(facts.with_deletion(play.exit, "D2", date(2026, 10, 5)))
    play.learn(facts.with_trigger(play.exit, "demand", date(2026, 10, 5), play.today))
    assert play.exit.proposal is None
    assert play.exit.version > 1


def test_a_proposal_is_answered_by_who_is_asked_and_as_it_was_shown() -> None:
    play = Play().approved()
    body = {"proposal_id": "P1", "proposal_digest": DIGEST, "answer": "approved"}
    assert refusal(lambda: domain.answer_proposal(play.exit, play.look(), body, "customer")) == "PROPOSAL_UNKNOWN"
    play.notice("retention", options=[RETENTION])
    assert refusal(lambda: play.answer_proposal("supplier")) == "WRONG_PARTY"
    assert refusal(lambda: play.answer_proposal(digest=DIGEST)) == "PROPOSAL_DIGEST_DIFFERS"


def test_a_notice_that_is_refused_or_needs_both_changes_nothing() -> None:
    play = Play().approved()
    for outcome in ("refused", "agreement_needed"):
        play.notice("termination", outcome=outcome, **EXTENDED)
    assert play.exit.proposal is None
    assert play.state("A5") == "not_chosen"


def test_a_termination_that_takes_effect_completes_a5() -> None:
    play = Play().order().notice("termination", moved=[{"anchor": "K", "on": date(2026, 8, 31)}])
    assert play.state("A5") == "completed"
    assert play.row("D1")["due"] == "2026-08-31"


def test_t14_a_confirmed_overlay_blocks_the_approval_until_the_customer_instructs_earlier_erasure() -> None:
    play = Play(order=DATA_ACT).order().options().answer("B7").fact("orders.dates_confirmed").timetable()
    assert refusal(play.answer_timetable) == "PLAN_IN_CONFLICT"
    (conflict, *_) = play.plan()["conflicts"]
    assert (conflict["not_before"], conflict["not_after"]) == ("2026-10-30", "2026-10-15")
    assert len(conflict["clauses"]) == 2
    assert "CONFLICT" in play.row("D2")["waits_for"]
    play.instruct(erase_early=True)
    assert play.plan()["conflicts"] == []
    assert play.answer_timetable().exit.state == "approved"


def test_t14_an_overlay_that_no_lawyer_confirmed_only_warns() -> None:
    play = Play(order=DATA_ACT | {"lawyer_confirmed": []}).approved()
    assert play.exit.approved
    assert "CONFLICT" not in play.row("D2")["waits_for"]


def test_a_conflict_that_a_proposal_would_bring_blocks_it_and_holds_the_deletions_it_hits() -> None:
    play = Play().approved().open_gates()
    play.notice(
        "postponement", moved=[{"anchor": "T", "on": date(2026, 8, 1)}, {"anchor": "D", "on": date(2026, 7, 1)}]
    )
    assert play.plan()["proposal"]["difference"]["conflicts"]
    assert refusal(play.answer_proposal) == "PLAN_IN_CONFLICT"
    assert play.answer_proposal(answer="rejected") == "rejected"


def test_t17_an_extension_holds_every_deletion_and_restarts_the_plan_where_operations_had_ended() -> None:
    play = Play().prepare().open_gates().walk(D).fact("access.access_attested", activity="C6")
    play.preview("C7").both_approve("C7").intent()
    play.notice("emergency_extension", **EXTENDED)
    assert play.count("cancellation_requested", activity="C7", cause="PROPOSAL") == 1
    assert play.state("C7") == "cancellation_requested"
    assert play.answer_proposal() == "applied"
    assert (play.plan()["state"], play.state("B8"), play.state("C6")) == ("restarted", "overdue", "waiting")
    play.learn(domain.cancelled(play.exit, "job-1"))
    assert play.row("C7")["waits_for"] == ["C6"]
    assert play.row("D1")["due"] == "2027-03-31"
    play.learn(facts.with_dates(play.exit, dates(date(2026, 12, 1), date(2026, 11, 30))))
    days = {"C2": "2026-11-02", "C3": "2026-11-09", "C6": "2026-11-30"}
    assert play.timetable(days).answer_timetable().plan()["state"] == "approved"


def test_t17_an_extension_before_operations_ended_moves_the_dates_only() -> None:
    play = Play().prepare().open_gates().notice("extension", **EXTENDED)
    assert play.answer_proposal() == "applied"
    assert (play.exit.state, play.state("C4")) == ("approved", "completed")
    assert play.row("D2")["earliest"] == "2027-04-01"


def test_t17_an_extension_that_was_given_is_not_rejected_in_the_plan_but_ended_by_a_notice() -> None:
    play = Play().prepare().open_gates().notice("emergency_extension", **EXTENDED)
    assert refusal(lambda: play.answer_proposal(answer="rejected")) == "PROPOSAL_BINDS"
    play.notice("emergency_end", moved=[{"anchor": "K", "on": K}])
    assert play.exit.proposal is None
    assert play.row("D2")["earliest"] == "2026-10-01"


def test_a_change_before_the_approval_is_applied_beside_a_proposed_profile_which_is_then_asked_for_anew() -> None:
    play = Play().order()
    newer = replace(load_profiles(("ist-standard",))[0], digest="e" * 64)
    play.texts[newer.digest] = newer
    play.learn(domain.propose_profile(play.exit, newer))
    shown = play.plan()["proposal"]["proposal_digest"]
    play.options("S1-8.2")
    assert play.row("B13")["chosen"]
    assert refusal(lambda: play.answer_proposal("customer", digest=shown)) == "PROPOSAL_DIGEST_DIFFERS"
    assert play.answer_proposal("customer") == "proposed"
    assert play.answer_proposal("supplier") == "applied"
    assert play.exit.inputs.options == ("S1-8.2",)


def test_an_end_that_is_moved_after_it_came_opens_it_again() -> None:
    play = Play().prepare().walk(K).notice("extension", **EXTENDED).walk(K + DAY)
    assert play.state("D1") != "completed"
    assert play.answer_proposal() == "applied"
    assert play.state("D1") == "planned"
    ended = Play().prepare().walk(K + DAY).notice("emergency_extension", **EXTENDED)
    ended.answer_proposal()
    assert ended.state("D1") == "planned"


def test_an_addendum_completes_b14_and_fixes_the_options_end_with_both_parties_approval() -> None:
    play = Play().approved("S1-8.3", RETENTION)
    assert play.row("D7a")["earliest"] == "2031-10-01"
    play.accord("addendum", options=["S1-8.3"], until=date(2026, 12, 31))
    assert (play.state("B14"), play.plan()["proposal"]["needs"]) == ("completed", ["customer", "supplier"])
    play.answer_proposal("customer")
    assert play.answer_proposal("supplier") == "applied"
    assert play.row("D7a")["earliest"] == "2027-01-01"


def test_a_milestone_of_the_timetable_moves_by_an_accord() -> None:
    play = Play().approved().accord("milestone", subject="C2", on=date(2026, 6, 5))
    play.answer_proposal("supplier")
    assert play.answer_proposal("customer") == "applied"
    assert play.row("C2")["earliest"] == "2026-06-05"


@pytest.mark.parametrize(
    ("go_live", "operations_end", "moves_to", "then"),
    [
        ("2026-10-15", "2026-09-30", "2026-09-15", "2026-09-14"),
        ("2026-07-01", "2026-06-20", "2026-06-18", "2026-06-17"),
    ],
)
def test_production_ends_before_a_switch_that_an_accord_moved_as_orders_has_it(
    go_live: str, operations_end: str, moves_to: str, then: str
) -> None:
    terms = {"kind": "milestone", "subject": "T", "on": moves_to, "reason": "technical"}
    known = signed(placed(go_live=go_live, operations_end=operations_end), START, **terms)
    days = {"go_live": date.fromisoformat(go_live), "operations_end": date.fromisoformat(operations_end)}
    play = Play(order=ORDER | days).order().accord("milestone", subject="T", on=date.fromisoformat(moves_to))
    assert play.exit.inputs.dates["D"] == known.exit.operations_end == date.fromisoformat(then)


def test_an_exit_keeps_its_pinned_text_and_takes_a_newer_one_only_by_both_parties_approval() -> None:
    play = Play().order()
    (ist, _) = load_profiles(("ist-standard", "ski-02-19"))
    shorter = tuple(replace(each, obligatory=each.obligatory) for each in ist.activities if each.id != "B6")
    newer = replace(ist, digest="f" * 64, version="2.0", activities=shorter)
    play.texts[newer.digest] = newer
    play.learn(domain.propose_profile(play.exit, newer))
    assert "B6" in {row["id"] for row in play.plan()["activities"]}
    assert ("B6", "removed") in {(row["id"], row["what"]) for row in play.plan()["proposal"]["difference"]["changes"]}
    assert domain.propose_profile(play.exit, newer) == play.exit
    play.answer_proposal("customer")
    assert play.answer_proposal("supplier") == "applied"
    assert "B6" not in {row["id"] for row in play.plan()["activities"]}


def test_trying_a_change_out_shows_its_difference_and_saves_nothing() -> None:
    play = Play().order()
    asked = NOTHING | {"go_live": date(2026, 8, 1), "options": ["S1-8.2"]}
    shown = domain.preview_plan(play.exit, play.look(), play.shelf, asked)
    body = primitives(COMMANDS["scheduling.preview_plan"].answer, shown, "scheduling.preview_plan")
    changes = {(row["id"], row["what"]): row["after"] for row in body["changes"]}
    assert changes["B13", "chosen"] == "chosen"
    assert changes["C6", "due"] == "2026-07-31"
    assert body["plan_digest"] != play.exit.plan_digest == play.look().plan.digest
    same = domain.preview_plan(play.exit, play.look(), play.shelf, NOTHING)
    assert (same["changes"], same["plan_digest"]) == ([], play.exit.plan_digest)


def test_looking_again_proposes_nothing_twice() -> None:
    play = Play().approved().notice("retention", options=[RETENTION])
    told = len(play.told)
    play.walk(START)
    assert (len(play.told), play.exit.exit_id) == (told, EXIT)
