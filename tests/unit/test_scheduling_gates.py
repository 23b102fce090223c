"""Gates, silence, revoked deletions, the frozen zone's bypass, heavy jobs, force majeure, reminders, obligations."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from services.scheduling import domain
from services.scheduling.domain import facts
from tests.unit.scheduling_play import DAY, DESTRUCTIVE, DIGEST, LEAD, RETENTION, SUPPLIER, D, K, Play, refusal

K15 = date(2026, 10, 15)
BYPASS = {"system": "booking", "kind": "rectification", "digest": DIGEST}


@pytest.mark.parametrize(
    ("missing", "waits"),
    [("instruction", ["INSTRUCTION"]), ("archive", ["ARCHIVE(booking)"]), ("acceptance", ["ACCEPTED"])],
)
def test_t3_t10_each_gate_alone_holds_a_deletion_back_and_is_shown(missing: str, waits: list[str]) -> None:
    play = Play().after_agreement()
    done = {name: each for name, each in play.exit.done.items() if name != "C4"}
    facts = {wire: each for wire, each in play.exit.facts.items() if wire != "delivery.delivery_accepted"}
    without = {
        "instruction": {"instructed_on": None},
        "archive": {"archive": frozenset({"pladsanvisning"})},
        "acceptance": {"done": done, "facts": facts, "instructed_on": date(2026, 6, 1)},
    }[missing]
    play.exit = replace(play.exit, told_due=frozenset(), **without)
    play.told.clear()
    play.walk(K + DAY)
    assert "D2" not in play.due()
    assert play.row("D2")["waits_for"] == waits


def test_t20_no_gate_of_any_activity_knows_a_payment() -> None:
    play = Play().order().options("S1-8.2", "S1-8.3", "S1-8.4", "S1-8.5", RETENTION)
    waits = {code for row in play.plan()["activities"] for code in row["waits_for"]}
    assert not [code for code in waits if "PAY" in code or "INVOICE" in code]


def test_t4_the_case_index_waits_for_the_end_of_operations_and_the_instruction_only() -> None:
    play = Play().prepare().walk(D)
    assert play.row("C7")["waits_for"] == ["C6", "INSTRUCTION"]
    play.instruct()
    assert "C7" in play.fact("access.access_attested", activity="C6").due()


def test_an_instruction_to_return_opens_no_deletion_and_a_later_one_takes_it_back() -> None:
    play = Play().prepare().walk(D)
    assert play.instruct("return").row("C7")["waits_for"] == ["C6", "INSTRUCTION"]
    assert play.instruct("delete").row("C7")["waits_for"] == ["C6"]
    play = Play().after_agreement().preview("D2").both_approve("D2").intent()
    play.instruct("return")
    assert play.count("cancellation_requested", activity="D2", job_id="job-1", cause="INSTRUCTION") == 1
    assert play.row("D2")["waits_for"] == ["INSTRUCTION", "CANCELLATION"]


def test_data_go_to_the_successor_only_under_a_transfer_instruction() -> None:
    play = Play().frozen()
    without = replace(play.exit, transfer=False, told_due=frozenset())
    play.learn(without)
    assert play.row("C3")["waits_for"] == ["TRANSFER"]
    assert play.learn(facts.with_dispatch(play.exit, "customer")).row("C3")["waits_for"] == []


def test_t10_silence_that_means_deletion_opens_the_gate_on_the_fifteenth_day_and_not_before() -> None:
    play = Play().frozen(silence="delete_at_k15").open_gates().fact("delivery.package_delivered", package_id="p-1")
    play.walk(K15 - DAY)
    assert play.row("D2")["waits_for"] == ["ACCEPTED"]
    assert play.count("silence_applied") == 0
    play.walk(K15)
    assert play.state("D2") == "due"
    assert play.bodies("silence_applied") == [{"exit_id": "exit-1", "silence": "delete_at_k15", "on": "2026-10-15"}]


def test_t10_silence_that_means_storage_takes_the_option_the_day_before_the_end() -> None:
    play = Play().frozen(silence="storage_option").open_gates().fact("delivery.package_delivered", package_id="p-1")
    play.walk(K - 2 * DAY)
    assert RETENTION not in (play.exit.inputs.options or ())
    play.walk(K - DAY)
    assert play.count("silence_applied", silence="storage_option") == 1
    assert play.exit.inputs.options == (RETENTION,)
    assert play.exit.proposal is None
    play.walk(K15 + DAY)
    assert play.row("D2")["earliest"] == "2031-10-01"
    assert not play.exit.told_due & {"D2", "D7a"}


@pytest.mark.parametrize(("silence", "on"), [("storage_option", K - DAY), ("delete_at_k15", K15)])
def test_t10_silence_waits_for_the_end_that_an_extension_gave_while_the_plan_still_has_the_old_one(
    silence: str, on: date
) -> None:
    play = Play().frozen(silence=silence).open_gates().fact("delivery.package_delivered", package_id="p-1")
    play.notice("extension", moved=[{"anchor": "K", "on": K + 365 * DAY}]).walk(on)
    assert play.count("silence_applied") == 0 and not play.exit.inputs.options
    play.answer_proposal()
    play.walk(on + 365 * DAY)
    assert play.bodies("silence_applied") == [
        {"exit_id": "exit-1", "silence": silence, "on": (on + 365 * DAY).isoformat()}
    ]


def test_t10_silent_without_any_instruction_nothing_is_deleted_and_a_status_letter_names_every_gate() -> None:
    play = Play().frozen(silence="delete_at_k15")
    play.exit = replace(play.exit, silence="")
    play.fact("delivery.package_delivered", package_id="p-1").walk(K15 + DAY)
    assert not play.exit.told_due & set(DESTRUCTIVE)
    (letter,) = play.bodies("status_letter_due")
    assert letter["on"] == "2026-10-15"
    assert {"INSTRUCTION", "ACCEPTED", "ARCHIVE(booking)", "ARCHIVE(pladsanvisning)"} <= set(letter["unmet"])
    assert play.count("obligation_changed", obligation="S2-28.1-d", state="breached", on="2026-10-16") == 1


def test_t10_reminders_come_before_the_end_with_a_ready_notice_and_only_while_something_is_open() -> None:
    play = Play().frozen().walk(K)
    ready = [body for body in play.bodies("reminder_due") if body["notice"]]
    told = [(body["reminder"], body["on"], body["notice"]) for body in ready]
    days = [("K-30", "2026-08-31"), ("K-15", "2026-09-15"), ("K-5", "2026-09-25"), ("K-1", "2026-09-29")]
    assert told == [(name, day, "retention") for name, day in days]
    assert all(body["latest_on"] == "2026-09-29" for body in ready)
    assert Play().order().open_gates().prepare().walk(K15 + DAY).bodies("reminder_due") == []


def test_a_hold_revokes_a_due_deletion_and_its_permit_until_deletion_has_answered() -> None:
    play = Play().after_agreement().preview("D2").both_approve("D2").intent()
    play.learn(facts.with_hold(play.exit, "hold-1", "booking"))
    assert play.count("cancellation_requested", activity="D2", job_id="job-1", cause="HOLD") == 1
    assert (play.state("D2"), play.row("D2")["waits_for"]) == (
        "cancellation_requested", ["HOLD(booking)", "CANCELLATION"],
    )  # fmt: skip
    assert play.plan()["holds"] == ["hold-1"]
    assert play.plan()["approvals"][0]["state"] == "void"
    play.learn(facts.with_lifted(play.exit, "hold-1"))
    assert play.state("D2") == "cancellation_requested"
    play.learn(domain.cancelled(play.exit, "job-1"))
    assert play.state("D2") == "due"
    assert play.count("activity_due", activity="D2") == 2
    assert play.state("D7a") == "due"


def test_a_job_that_had_begun_goes_on_and_is_not_asked_to_be_cancelled_again() -> None:
    play = Play().after_agreement().preview("D2").both_approve("D2").intent()
    play.learn(facts.with_hold(play.exit, "hold-1", None))
    play.learn(domain.already_begun(play.exit, "D2", "job-1"))
    assert play.count("cancellation_requested", activity="D2") == 1
    assert play.fact("deletion.deletion_verified", activity="D2").state("D2") == "completed"


def test_a_preview_of_what_is_no_longer_due_asks_for_its_cancellation() -> None:
    play = Play().after_agreement()
    play.learn(facts.with_hold(play.exit, "hold-1", None)).preview("D7a")
    assert play.count("cancellation_requested", activity="D7a", cause="HOLD") == 1
    assert refusal(lambda: play.approve("D7a", "p-1", "kommune_godkender")) == "APPROVAL_NOT_WAITING"


def test_a_hold_that_was_lifted_before_it_was_told_does_not_stand() -> None:
    play = Play().after_agreement()
    play.learn(facts.with_lifted(play.exit, "hold-1"))
    assert play.learn(facts.with_hold(play.exit, "hold-1", None)).state("D2") == "due"


def test_a_cancelled_exit_lets_nothing_become_due_and_asks_to_cancel_what_has_not_begun() -> None:
    play = Play().after_agreement().preview("D2")
    play.learn(facts.with_cancellation(play.exit))
    assert play.count("cancellation_requested", cause="EXIT_CANCELLED") == 1
    assert (play.plan()["state"], play.state("D7a"), play.timers) == ("cancelled", "cancelled", set())
    play.learn(domain.cancelled(play.exit, "job-1"))
    assert play.state("D2") == "cancelled"


def test_a_rejected_delivery_opens_the_delivery_again_and_the_old_package_counts_no_more() -> None:
    play = Play().frozen().fact("delivery.package_delivered", package_id="p-1")
    rejected = ("delivery.delivery_rejected", "p-1", play.shelf(play.exit.inputs))
    play.learn(facts.with_rejection(play.exit, *rejected))
    assert play.state("C3") == "due"
    assert play.count("activity_due", activity="C3") == 2
    play.fact("delivery.package_delivered", package_id="p-1")
    assert play.state("C3") == "due"
    play.fact("delivery.package_delivered", package_id="p-2")
    assert play.state("C3") == "completed"
    play.learn(facts.with_rejection(play.exit, *rejected))
    assert play.state("C3") == "completed"


def test_t11_a_change_in_the_frozen_zone_is_asked_for_agreed_and_closed_by_its_delta() -> None:
    play = Play().frozen().open_gates()
    exit_, bypass = domain.request_bypass(play.exit, BYPASS, "command-1")
    play.learn(exit_)
    assert play.row("D2")["waits_for"][-1] == f"BYPASS({bypass.bypass_id})"
    named = {"bypass_id": bypass.bypass_id}
    assert refusal(lambda: domain.answer_bypass(play.exit, named | {"answer": "refused"})) == "BYPASS_OWED"
    play.learn(domain.answer_bypass(play.exit, named | {"answer": "agreed"})[0])
    play.learn(domain.close_bypass(play.exit, named | {"delta_digest": "c" * 64})[0])
    states = [(body["state"], body["digest"][0]) for body in play.bodies("bypass_changed")]
    assert states == [("requested", "a"), ("agreed", "a"), ("delta_delivered", "c")]
    assert "BYPASS" not in "".join(play.row("D2")["waits_for"])
    assert refusal(lambda: domain.close_bypass(play.exit, named | {"delta_digest": DIGEST})) == "BYPASS_STATE"


def test_t11_a_bypass_is_for_frozen_data_of_a_system_of_the_exit() -> None:
    assert refusal(lambda: domain.request_bypass(Play().approved().exit, BYPASS, "c")) == "ZONE_NOT_FROZEN"
    exit_ = Play().frozen().exit
    assert refusal(lambda: domain.request_bypass(exit_, BYPASS | {"system": "x"}, "c")) == "SYSTEM_UNKNOWN"
    assert refusal(lambda: domain.answer_bypass(exit_, {"bypass_id": "b", "answer": "agreed"})) == "BYPASS_UNKNOWN"


HEAVY = [("2026-03-31", False), ("2026-04-01", True), ("2026-07-01", True), ("2026-07-02", False)]


@pytest.mark.parametrize(("day", "refused"), HEAVY, ids=[f"R1-{day}" for day, _ in HEAVY])
def test_r1_a_heavy_job_is_refused_from_preparation_to_go_live(day: str, *, refused: bool) -> None:
    play = Play().order().options("S1-8.5", RETENTION)
    asked = {"activity": "D5", "on": date.fromisoformat(day)}
    if refused:
        assert refusal(lambda: domain.check_heavy_job(play.exit, play.look(), asked)) == "HEAVY_JOB_REFUSED"
    else:
        assert domain.check_heavy_job(play.exit, play.look(), asked) == "S1 §7, §8.5"


def test_r1_gives_way_to_an_accord_of_both_parties_and_never_refuses_a_duty() -> None:
    play = Play().order().options("S1-8.5", RETENTION)
    on = date(2026, 5, 4)
    duty = domain.check_heavy_job(play.exit, play.look(), {"activity": "C3", "on": on})
    assert duty == "S2 3.2, 28.1"
    play.accord("heavy_job", subject="D5", on=on)
    assert domain.check_heavy_job(play.exit, play.look(), {"activity": "D5", "on": on})
    other = {"activity": "D5", "on": on + DAY}
    assert refusal(lambda: domain.check_heavy_job(play.exit, play.look(), other)) == "HEAVY_JOB_REFUSED"


def test_r1_a_heavy_job_that_was_ordered_becomes_due_the_day_after_go_live() -> None:
    play = (
        Play()
        .approved("S1-8.5", RETENTION)
        .walk(date(2026, 5, 18))
        .accord("addendum", options=["S1-8.5"], until=date(2026, 12, 31))
    )
    play.answer_proposal("customer")
    play.answer_proposal("supplier")
    assert play.row("D5")["waits_for"] == ["R1"]
    assert "D5" in play.walk(date(2026, 7, 2)).due()


def test_force_majeure_suspends_the_clock_and_moves_the_day_from_which_something_is_late() -> None:
    play = Play().after_agreement()
    play.learn(facts.with_trigger(play.exit, "force_majeure", date(2026, 10, 5), play.today)).walk(date(2026, 10, 20))
    assert play.state("D2") == "due"
    play.learn(facts.with_trigger(play.exit, "force_majeure_end", date(2026, 10, 20), play.today))
    assert play.walk(date(2026, 10, 31)).state("D2") == "due"
    play.walk(date(2026, 11, 1))
    assert play.state("D2") == "overdue"
    assert play.count("activity_overdue", activity="D2") == 1


def test_a_force_majeure_whose_end_came_before_its_beginning_has_ended() -> None:
    both = ("force_majeure", date(2026, 10, 5)), ("force_majeure_end", date(2026, 10, 20))
    ends = [Play().after_agreement() for _ in range(2)]
    for play, told in zip(ends, (both, both[::-1]), strict=True):
        for anchor, on in told:
            play.learn(facts.with_trigger(play.exit, anchor, on, play.today))
    assert ends[0].exit.stops == ends[1].exit.stops
    assert ends[1].walk(date(2026, 11, 1)).state("D2") == "overdue"


@pytest.mark.parametrize(("told_on", "state"), [("2026-10-12", "due"), ("2026-10-13", "overdue")])
def test_a_force_majeure_that_was_told_later_than_5_working_days_stops_no_clock(told_on: str, state: str) -> None:
    play = Play().after_agreement().walk(date.fromisoformat(told_on))
    play.learn(facts.with_trigger(play.exit, "force_majeure", date(2026, 10, 5), play.today))
    assert play.walk(date(2026, 10, 16)).state("D2") == state


def test_how_an_obligation_stands_is_told_once_for_each_change() -> None:
    play = Play().order()
    demanded = date(2026, 2, 2)
    play.walk(demanded).learn(facts.with_trigger(play.exit, "demand", demanded, demanded)).walk(demanded)
    states = lambda: [body["state"] for body in play.bodies("obligation_changed") if body["obligation"] == "S2-13-a"]  # noqa: E731
    assert states() == ["pending"]
    play.walk(date(2026, 2, 17)).walk(date(2026, 2, 18))
    assert states() == ["pending", "at_risk", "breached"]
    answer = {"obligation": "S2-13-a", "answer": "met", "on": date(2026, 2, 18)}
    play.learn(facts.with_answered(play.exit, answer))
    assert states()[-1] == "met"
    assert play.bodies("obligation_changed")[-1]["reason"] == "MET_LATE"


def test_the_timetable_is_submitted_in_bounds_and_approved_as_exactly_what_lies_there() -> None:
    play = Play().order()
    assert refusal(play.timetable) == "ACTIVITY_NOT_READY"
    play.options().answer("B7").fact("orders.dates_confirmed")
    assert refusal(lambda: play.timetable({"C2": "2026-07-02"})) == "TIMETABLE_OUT_OF_BOUNDS"
    assert refusal(lambda: play.timetable({"C2": "2026-06-10", "C3": "2026-06-05"})) == "TIMETABLE_OUT_OF_ORDER"
    play.timetable()
    assert (play.plan()["timetable"]["state"], play.state("B8")) == ("submitted", "completed")
    assert refusal(lambda: play.answer_timetable(digest=DIGEST)) == "TIMETABLE_DIGEST_DIFFERS"
    play.answer_timetable("rejected")
    assert (play.state("B8"), play.exit.state) == ("due", "placed")
    assert refusal(play.answer_timetable) == "TIMETABLE_NOT_WAITING"
    play.timetable().answer_timetable()
    assert (play.exit.state, play.row("C2")["earliest"], play.row("C2")["due"]) == (
        "approved",
        "2026-06-03",
        "2026-06-03",
    )
    assert refusal(play.timetable) == "TIMETABLE_APPROVED"
    assert [body["answer"] for body in play.bodies("timetable_answered")] == ["rejected", "approved"]
    assert {body["role"] for body in play.bodies("timetable_answered")} == {LEAD} != {SUPPLIER}
