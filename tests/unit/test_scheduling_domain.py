"""The process manager's rules: what becomes due when, gates, approvals, permits, stops; facts in any order."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.catalogue import COMMANDS, EVENTS
from contracts.errors import Rejected, Unavailable
from contracts.registry import primitives
from services.scheduling import domain
from services.scheduling.domain import Done, Exit
from shared.rules.profiles import load_profiles

PROFILES = load_profiles(("ist-standard", "ski-02-19"))
DAY = timedelta(days=1)
START, T, K = date(2026, 1, 15), date(2026, 7, 1), date(2026, 9, 30)
DIGEST, OTHER = "a" * 64, "b" * 64
EXIT = "exit-1"
ORDER: dict[str, Any] = {
    "exit_id": EXIT, "agreement_id": "agreement-1", "customer_cvr": "11111111", "customer_type": "municipality",
    "profiles": ["ist-standard", "ski-02-19"], "in_force_on": date(2020, 9, 1), "takeover_day": date(2020, 9, 30),
    "go_live": T, "operations_end": date(2026, 6, 30), "agreement_end": K, "tenant": "korsbaek", "map_digest": DIGEST,
    "systems": [
        {"system": "pladsanvisning", "title": "IST Pladsanvisning", "kind": "postgresql", "deletion": "2"},
        {"system": "booking", "title": "Booking", "kind": "files", "deletion": "1"},
        {"system": "sagsindeks", "title": "Sagsindekset", "kind": "case_index", "deletion": "index"},
    ],
    "amendments": [], "places": [],
    "pinned": [{"name": each.name, "version": each.version, "digest": each.digest} for each in PROFILES],
}  # fmt: skip
ALL = [activity.id for activity in PROFILES[0].activities]
DESTRUCTIVE = [activity.id for activity in PROFILES[0].activities if activity.destructive]


class Play:
    """One exit as the face would treat it: learn a fact, advance, keep what was told (checked by its contract)."""

    def __init__(self, today: date = START) -> None:
        self.exit, self.today = Exit(EXIT), today
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.timers: set[date] = set()

    def learn(self, exit_: Exit) -> Play:
        advanced = domain.advance(exit_, PROFILES if exit_.order else (), self.today)
        self.exit = advanced.exit
        self.tell(advanced.events)
        self.timers = (self.timers | advanced.set_timers) - advanced.cancel_timers
        return self

    def tell(self, events: Iterable[tuple[str, dict[str, Any]]]) -> None:
        for wire, body in events:
            self.told.append((wire, primitives(EVENTS[wire].schema, body, wire)))

    def order(self, *, placed: bool = True) -> Play:
        wires = ["orders.window_ordered", "orders.window_confirmed", "orders.order_placed"]
        for wire in wires if placed else wires[:1]:
            exit_ = domain.with_order(self.exit, ORDER, placed=wire == "orders.order_placed")
            self.learn(domain.with_fact(exit_, wire, {}, self.today))
        return self

    def fact(self, wire: str, **data: Any) -> Play:
        return self.learn(domain.with_fact(self.exit, wire, data, self.today))

    def answer(self, activity: str, party: str = "", outcome: str = "done") -> Play:
        plan = domain.plan_of(self.exit, PROFILES)
        party = party or plan.activity(activity).activity.responsible[0]
        done = Done(self.today, outcome, DIGEST, "kommune_projektleder")
        return self.learn(domain.complete(self.exit, plan, {"activity": activity, "outcome": outcome}, party, done))

    def walk(self, day: date) -> Play:
        self.today = day
        return self.learn(self.exit)

    def options(self, *chosen: str) -> Play:
        return self.learn(
            domain.with_fact(replace(self.exit, options=chosen), "orders.options_confirmed", {}, self.today)
        )

    def prepare(self) -> Play:
        """Everything up to the delivered and accepted data."""
        self.order().answer("A2").options()
        for activity in ("B1", "B2", "B6", "B7"):
            self.answer(activity)
        self.fact("delivery.needs_submitted").fact("delivery.dispatch_set")
        self.fact("delivery.connection_tested").fact("delivery.specification_made")
        self.answer("B8").answer("B11").answer("B12").walk(date(2026, 6, 1))
        self.answer("C1").fact("access.access_frozen", activity="C2").fact("delivery.package_delivered")
        return self.fact("delivery.delivery_accepted")

    def open_gates(self) -> Play:
        self.learn(replace(self.exit, instructed=True))
        for system in ORDER["systems"]:
            self.learn(domain.with_archive(self.exit, system["system"]))
        return self

    def preview(self, activity: str, job: str = "job-1", digest: str = DIGEST) -> Play:
        return self.learn(domain.preview(self.exit, {"activity": activity, "job_id": job, "plan_digest": digest}))

    def approve(self, activity: str, actor: str, role: str, job: str = "job-1", digest: str = DIGEST) -> Play:
        body = {"exit_id": EXIT, "activity": activity, "job_id": job, "plan_digest": digest}
        approval = {"actor": actor, "role": role, "at": "2026-10-01T08:00:00Z"}
        self.exit, _, events = domain.approve(self.exit, body, approval)
        self.tell(events)
        return self

    def intent(self, job: str = "job-1", digest: str = DIGEST) -> Play:
        body = {"job_id": job, "plan_digest": digest, "index": 7}
        self.exit, events = domain.intent_recorded(self.exit, body, "2026-10-02T08:00:00+00:00")
        self.tell(events)
        return self

    def state(self, activity: str) -> str:
        return str(self.row(activity)["state"])

    def row(self, activity: str) -> dict[str, Any]:
        read = domain.read_plan(self.exit, domain.plan_of(self.exit, PROFILES), self.today)
        body = primitives(COMMANDS["scheduling.read_plan"].answer, read, "scheduling.read_plan")
        return next(row for row in body["activities"] if row["id"] == activity)

    def due(self) -> list[str]:
        return [body["activity"] for wire, body in self.told if wire == "scheduling.activity_due"]

    def count(self, wire: str, **of: Any) -> int:
        return sum(name == wire and of.items() <= body.items() for name, body in self.told)

    def waiting(self) -> list[str]:
        found = domain.waiting(self.exit, domain.plan_of(self.exit, PROFILES), self.today)
        body = primitives(COMMANDS["scheduling.list_waiting"].answer, found, "scheduling.list_waiting")
        return [row["id"] for row in body["activities"]]


def after_agreement() -> Play:
    play = Play().prepare().open_gates()
    play.fact("access.access_attested", activity="C6").fact("deletion.deletion_verified", activity="C7")
    return play.walk(K + DAY)


def refusal(call: Any) -> str:
    with pytest.raises(Rejected) as refused:
        call()
    assert refused.value.remedy and refused.value.da
    return refused.value.code


def test_a_draft_has_the_phase_of_ordering_only_and_makes_no_plan() -> None:
    play = Play().order(placed=False)
    assert play.due() == ["A2"]
    assert play.count("scheduling.plan_made") == 0
    assert play.timers == set()
    assert play.state("A1") == "completed"


def test_the_final_order_makes_the_plan_once_with_every_activity() -> None:
    play = Play().order()
    (made,) = [body for wire, body in play.told if wire == "scheduling.plan_made"]
    assert [each["id"] for each in made["activities"]] == ALL
    assert len(ALL) == 38
    assert made["conflicts"] == 0


def test_timers_stand_at_every_earliest_day_and_the_day_after_every_due_date() -> None:
    timers = Play().order().timers
    expected = {"2026-04-02", "2026-05-02", "2026-05-18", "2026-06-01", "2026-07-01", "2026-09-30", "2026-10-01"}
    assert {day.isoformat() for day in timers} == expected | {"2026-10-16", "2027-04-16"}


def test_after_the_order_the_customers_activities_wait_for_the_customer() -> None:
    assert Play().order().waiting() == ["A2", "B1", "B2", "B3", "B5", "B6", "B7"]


def test_facts_complete_what_the_profile_says_and_make_the_next_due() -> None:
    play = Play().order().fact("delivery.dispatch_set")
    assert play.state("B5") == "completed"
    assert "B9" in play.due()


def test_an_activity_is_told_as_due_once_however_often_the_plan_is_looked_at() -> None:
    play = Play().order()
    for _ in range(3):
        play.walk(START).fact("delivery.dispatch_set")
    assert play.count("scheduling.activity_due", activity="B9") == 1
    assert play.count("scheduling.activity_completed", activity="B5") == 1


def test_an_activity_is_overdue_from_the_day_after_its_due_date_and_told_once() -> None:
    play = Play().order().walk(date(2026, 4, 1))
    assert play.state("B1") == "due"
    play.walk(date(2026, 4, 2)).walk(date(2026, 4, 3))
    assert play.state("B1") == "overdue"
    assert play.count("scheduling.activity_overdue", activity="B1", due="2026-04-01") == 1
    assert play.answer("B1").state("B1") == "completed"


def test_options_not_chosen_are_told_once_and_count_as_met() -> None:
    play = Play().order().options()
    left_out = [body["activity"] for _, body in play.told if body.get("outcome") == "not_chosen"]
    assert left_out == ["A5", "B13", "B14", "D3", "D3b", "D4", "D5", "D6"]
    assert play.state("D3") == "not_chosen"


def test_a_chosen_option_makes_a_new_version_of_the_plan() -> None:
    play = Play().order().options("S1-8.2")
    versions = [body["version"] for wire, body in play.told if wire == "scheduling.plan_made"]
    assert versions == [1, 2]
    assert play.row("B13")["chosen"]


def test_the_agreements_end_completes_by_its_date_alone_at_midnight_after_it() -> None:
    play = Play().order().walk(K)
    assert play.state("D1") == "due"
    assert play.walk(K + DAY).state("D1") == "completed"
    assert play.row("D1")["completed_on"] == "2026-09-30"


def test_the_second_deletion_is_complete_when_both_its_parts_are() -> None:
    play = after_agreement().fact("deletion.deletion_verified", activity="D7a", on=date(2026, 10, 3))
    assert play.state("D7") == "due"
    play.fact("access.access_attested", activity="D7b", on=date(2026, 10, 5))
    assert (play.state("D7"), play.row("D7")["completed_on"]) == ("completed", "2026-10-05")


def test_no_deletion_is_due_before_the_agreement_has_ended() -> None:
    play = after_agreement()
    assert play.exit.told_due >= {"D2", "D7a"}
    before = Play().prepare().open_gates().walk(K)
    assert before.exit.told_due.isdisjoint({"D2", "D7a"})
    assert before.row("D2")["waits_for"] == ["D1", "DATE(2026-10-01)"]


@pytest.mark.parametrize(
    ("missing", "waits"),
    [("instruction", ["INSTRUCTION"]), ("archive", ["ARCHIVE(booking)"]), ("acceptance", ["C4"])],
)
def test_each_gate_alone_holds_a_deletion_back_and_is_shown(missing: str, waits: list[str]) -> None:
    play = after_agreement()
    facts = {key: done for key, done in play.exit.facts.items() if key != "delivery.delivery_accepted"}
    done = {name: each for name, each in play.exit.done.items() if name != "C4"}
    without = {
        "instruction": {"instructed": False},
        "archive": {"archive": frozenset({"pladsanvisning"})},
        "acceptance": {"facts": facts, "done": done},
    }[missing]
    play.exit = replace(play.exit, told_due=frozenset(), **without)
    play.told.clear()
    play.walk(K + DAY)
    assert "D2" not in play.due()
    assert play.row("D2")["waits_for"] == waits


def test_the_case_index_waits_for_the_end_of_operations_only() -> None:
    play = Play().prepare()
    assert "C7" not in play.due()
    assert "C7" in play.fact("access.access_attested", activity="C6").due()


def test_a_manual_activity_is_answered_by_the_responsible_party_only() -> None:
    play = Play().order()
    assert refusal(lambda: play.answer("B1", "supplier")) == "WRONG_PARTY"
    assert play.answer("A2", "supplier").state("A2") == "completed"


@pytest.mark.parametrize(
    ("activity", "outcome", "code"),
    [
        ("B3", "done", "ACTIVITY_ANSWERED_ELSEWHERE"),
        ("D2", "done", "ACTIVITY_ANSWERED_ELSEWHERE"),
        ("B8", "done", "ACTIVITY_NOT_READY"),
        ("B1", "waived", "ACTIVITY_OBLIGATORY"),
        ("B13", "done", "ACTIVITY_NOT_CHOSEN"),
        ("A2", "done", "ACTIVITY_COMPLETED"),
        ("X1", "done", "ACTIVITY_UNKNOWN"),
    ],
)
def test_what_cannot_be_answered_is_refused_by_its_reason(activity: str, outcome: str, code: str) -> None:
    play = Play().order().answer("A2")
    party = "supplier" if activity in ("B8", "B13", "D2") else "customer"
    assert refusal(lambda: play.answer(activity, party, outcome)) == code


def test_an_option_that_was_chosen_may_be_waived() -> None:
    play = Play().order().options("S1-8.3", "S2-28.2-retention")
    assert play.answer("B14", "supplier", "waived").state("B14") == "waived"


def test_two_people_in_two_roles_approve_and_the_recorded_intent_brings_the_permit() -> None:
    play = after_agreement().preview("D2")
    play.approve("D2", "p-1", "ist_sletteansvarlig")
    assert play.count("scheduling.approval_completed") == 0
    play.approve("D2", "p-2", "kommune_godkender")
    assert play.count("scheduling.approval_completed", plan_digest=DIGEST) == 1
    assert play.count("scheduling.permit_issued") == 0
    play.intent().intent()
    assert play.count("scheduling.permit_issued", plan_digest=DIGEST, intent_index=7) == 1


def test_one_person_with_two_roles_is_refused() -> None:
    play = after_agreement().preview("D2").approve("D2", "p-1", "ist_sletteansvarlig")
    assert refusal(lambda: play.approve("D2", "p-1", "kommune_godkender")) == "APPROVER_SAME_PERSON"


def test_two_people_in_one_role_are_refused() -> None:
    play = after_agreement().preview("D2").approve("D2", "p-1", "ist_sletteansvarlig")
    assert refusal(lambda: play.approve("D2", "p-2", "ist_sletteansvarlig")) == "APPROVER_SAME_ROLE"


def test_an_approval_is_for_the_plan_that_was_shown() -> None:
    play = after_agreement().preview("D2")
    assert refusal(lambda: play.approve("D2", "p-1", "kommune_godkender", digest=OTHER)) == "PLAN_DIGEST_DIFFERS"
    assert refusal(lambda: play.approve("D2", "p-1", "kommune_godkender", job="job-9")) == "APPROVAL_UNKNOWN"
    assert refusal(lambda: play.approve("D7a", "p-1", "kommune_godkender")) == "APPROVAL_UNKNOWN"


def test_a_new_preview_voids_the_approvals_of_the_one_before() -> None:
    play = after_agreement().preview("D2").approve("D2", "p-1", "ist_sletteansvarlig")
    play.approve("D2", "p-2", "kommune_godkender").preview("D2", digest=OTHER).intent()
    assert play.count("scheduling.permit_issued") == 0
    assert [job.state for job in play.exit.jobs] == ["void", "waiting"]
    assert refusal(lambda: play.approve("D2", "p-1", "kommune_godkender")) == "PLAN_DIGEST_DIFFERS"


def test_the_same_preview_told_again_keeps_the_approvals() -> None:
    play = after_agreement().preview("D2").approve("D2", "p-1", "ist_sletteansvarlig").preview("D2")
    assert [len(job.approvals) for job in play.exit.jobs] == [1]


def test_an_intent_for_another_digest_brings_no_permit() -> None:
    play = after_agreement().preview("D2").approve("D2", "p-1", "ist_sletteansvarlig")
    play.approve("D2", "p-2", "kommune_godkender").intent(digest=OTHER).intent(job="job-9")
    assert play.count("scheduling.permit_issued") == 0


def test_an_intent_before_both_approvals_brings_no_permit() -> None:
    play = after_agreement().preview("D2").approve("D2", "p-1", "ist_sletteansvarlig").intent()
    assert play.count("scheduling.permit_issued") == 0


def test_a_stopped_deletion_waits_with_its_code_loses_its_approvals_and_is_due_again_the_next_day() -> None:
    play = after_agreement().preview("D2").approve("D2", "p-1", "ist_sletteansvarlig")
    play.learn(domain.with_trouble(play.exit, "D2", "PLACE_NEW", play.today))
    assert (play.state("D2"), play.row("D2")["waits_for"]) == ("waiting", ["PLACE_NEW"])
    assert refusal(lambda: play.approve("D2", "p-2", "kommune_godkender")) == "APPROVAL_NOT_WAITING"
    assert play.today + DAY in play.timers
    play.walk(play.today + DAY)
    assert play.state("D2") == "due"
    assert play.count("scheduling.activity_due", activity="D2") == 2
    play.preview("D2").approve("D2", "p-2", "kommune_godkender")
    assert [(job.state, len(job.approvals)) for job in play.exit.jobs] == [("void", 1), ("waiting", 1)]


def test_the_backups_date_follows_the_first_actual_deletions_and_never_moves_later() -> None:
    play = after_agreement()
    for activity, day in (("D2", 5), ("D7a", 12)):
        on = date(2026, 10, day)
        play.learn(domain.with_deletion(play.exit, activity, on))
        play.fact("deletion.deletion_verified", activity=activity, on=on)
    assert (play.row("D9")["due"], play.row("D9")["provisional"]) == ("2027-04-12", False)
    play.learn(domain.with_deletion(play.exit, "D7a", date(2026, 12, 1)))
    assert play.row("D9")["due"] == "2027-04-12"


def test_nothing_follows_from_facts_before_the_order_is_known_and_everything_after() -> None:
    play = Play().fact("delivery.dispatch_set").options()
    assert play.told == []
    play.order()
    assert play.state("B5") == play.state("B3") == "completed"


def test_a_profile_that_is_not_the_pinned_text_stops_the_plan() -> None:
    order = ORDER | {"pinned": [{"name": "ist-standard", "version": "1.0", "digest": OTHER}]}
    with pytest.raises(Unavailable) as refused:
        domain.advance(domain.with_order(Exit(EXIT), order, placed=True), PROFILES, START)
    assert refused.value.code == "PROFILE_PIN_DIFFERS"


def test_the_order_of_these_facts_does_not_matter() -> None:
    facts = ("orders.window_ordered", "orders.window_confirmed", "delivery.dispatch_set", "delivery.needs_submitted")
    ends = []
    for order in permutations(facts):
        play = Play().learn(domain.with_order(Exit(EXIT), ORDER, placed=True))
        for wire in order:
            play.fact(wire)
        ends.append((play.exit.facts, play.exit.done, play.exit.told_due, play.exit.timers, play.exit.plan_digest))
    assert all(end == ends[0] for end in ends)


WIRES = sorted({each.completed_by for each in PROFILES[0].activities if each.completed_by in EVENTS})
STEPS = st.one_of(
    st.tuples(st.just("fact"), st.sampled_from(WIRES), st.sampled_from(ALL)),
    st.tuples(st.just("walk"), st.integers(0, 120), st.none()),
    st.tuples(st.just("answer"), st.sampled_from(ALL), st.sampled_from(["customer", "supplier"])),
    st.tuples(st.just("gate"), st.sampled_from(["instruction", "pladsanvisning", "booking", "sagsindeks"]), st.none()),
    st.tuples(st.just("trouble"), st.sampled_from(DESTRUCTIVE), st.none()),
)


def _do(play: Play, kind: str, what: Any, more: Any) -> None:
    if kind == "walk":
        play.walk(play.today + what * DAY)
    elif kind == "fact":
        named = any(each.completed_by == what and each.id == more for each in PROFILES[0].activities)
        play.fact(what, **({"activity": more} if named else {}))
    elif kind == "gate":
        gated = replace(play.exit, instructed=True) if what == "instruction" else domain.with_archive(play.exit, what)
        play.learn(gated)
    elif kind == "trouble":
        play.learn(domain.with_trouble(play.exit, what, "TARGET_UNREACHABLE", play.today))
    else:
        with suppress(Rejected):
            play.answer(what, more)


@settings(max_examples=30, deadline=None)
@given(st.lists(STEPS, max_size=25))
def test_no_destructive_activity_is_ever_due_before_its_gates(steps: list[tuple[str, Any, Any]]) -> None:
    play = Play().order()
    for kind, what, more in steps:
        seen = len(play.told)
        _do(play, kind, what, more)
        plan = domain.plan_of(play.exit, PROFILES)
        for wire, body in play.told[seen:]:
            if wire != "scheduling.activity_due":
                continue
            planned = plan.activity(body["activity"])
            assert not plan.unmet(planned, play.exit.done)
            assert planned.earliest is None or play.today >= planned.earliest
            if planned.activity.gates:
                systems = {each["system"] for each in ORDER["systems"] if each["deletion"] == planned.activity.deletion}
                assert play.exit.instructed and systems <= play.exit.archive
                assert play.today > K
    before = len(play.told)
    play.walk(play.today)
    assert len(play.told) == before
