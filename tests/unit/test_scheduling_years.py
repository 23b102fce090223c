"""Simulated years of one exit: facts, changes, holds, permits and stops in any order that the world may bring.

Invariants: nothing destructive is due before its gates; no permit without two people in two roles, nor before the first
day; last days never decrease along preconditions; looking again concludes nothing; what is suspended and resumed is as
before.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import date
from typing import Any

from hypothesis import HealthCheck, assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from contracts.catalogue import EVENTS
from contracts.errors import Rejected
from services.scheduling import domain
from services.scheduling.domain import facts
from services.scheduling.domain.exits import JOB_STATES
from shared.rules.plan import Plan
from tests.unit.scheduling_play import DAY, DESTRUCTIVE, DIGEST, ORDER, RETENTION, SYSTEMS, Play

ROLES = ("ist_sletteansvarlig", "kommune_godkender")
OPTIONS = st.lists(st.sampled_from(["S1-8.2", "S1-8.3", "S1-8.5", RETENTION]), unique=True, max_size=3)
DELETION = st.sampled_from(DESTRUCTIVE)


class Years(RuleBasedStateMachine):
    """An exit over years; `permits` are those issued, with the day and the first day that the plan allowed."""

    def __init__(self) -> None:
        super().__init__()
        self.permits: list[tuple[dict[str, Any], date, date | None]] = []
        self.seen = self.made = 0

    @initialize(
        start=st.dates(date(2024, 1, 1), date(2030, 12, 31)),
        lead=st.integers(100, 400),
        rest=st.integers(-1, 400),
        steps=st.sampled_from([0, 10, 20, 35]),
    )
    def order(self, start: date, lead: int, rest: int, steps: int) -> None:
        go_live = start + lead * DAY
        dates = {"go_live": go_live, "operations_end": go_live - DAY, "agreement_end": go_live + rest * DAY}
        long_ago = {"takeover_day": date(2020, 9, 30), "in_force_on": date(2020, 9, 1)}
        self.play = Play(start, ORDER | dates | long_ago).order()
        if steps:
            self.play.options()
            self.the_gates_are_opened()
        for _ in range(steps):
            self.all_goes_as_planned()

    # ---- What the world brings

    @rule(days=st.integers(1, 120))
    def time_passes(self, days: int) -> None:
        self.play.walk(self.play.today + days * DAY)

    @rule(number=st.integers(0, 9))
    def something_due_is_done(self, number: int) -> None:
        for name in self._open()[number : number + 2]:
            self._do(name)

    @rule()
    def all_goes_as_planned(self) -> None:
        for name in self._open():
            self._do(name)
        if "B8" in self._open():
            self.the_timetable_is_drawn_up_and_answered("approved")
        for name in sorted(self.play.exit.told_due & set(DESTRUCTIVE) - self.play.exit.done.keys()):
            self.two_approve_and_the_intent_is_recorded(name)
            for what in ("begun", "verified"):
                self.deletion_answers(what)
        coming = [day for day in self.play.timers if day > self.play.today]
        if coming and not self._open():
            self.play.walk(min(coming))

    def _open(self) -> list[str]:
        told = sorted(self.play.exit.told_due - self.play.exit.done.keys() - set(DESTRUCTIVE))
        by_people = [self.play.look().plan.activity(name).activity for name in told]
        return [each.id for each in by_people if each.completed_by not in ("date", "parts")]

    def _do(self, name: str) -> None:
        by = self.play.look().plan.activity(name).activity.completed_by
        if by == "manual":
            self.play.answer(name)
        elif by in EVENTS and not by.startswith("scheduling."):
            named = {"activity": name} if by.startswith(("access.", "deletion.")) else {}
            package = {"package_id": f"p-{len(self.play.exit.rejected)}"} if by.startswith("delivery.p") else {}
            self.play.fact(by, **named, **package)

    @rule(silence=st.sampled_from(["delete_at_k15", "storage_option"]), chosen=OPTIONS)
    def options_are_chosen(self, silence: str, chosen: list[str]) -> None:
        self.play.options(*chosen, silence=silence)

    @precondition(lambda self: "B8" in self.play.exit.told_due)
    @rule(answer=st.sampled_from(["approved", "approved", "rejected"]))
    def the_timetable_is_drawn_up_and_answered(self, answer: str) -> None:
        end = self.play.look().plan.activity("C6").due
        assert end
        before = {"C1": 20, "C2": 19, "C3": 10, "C4": 5, "C6": 0}
        with suppress(Rejected):
            self.play.timetable({name: (end - days * DAY).isoformat() for name, days in before.items()})
            self.play.answer_timetable(answer)

    @rule()
    def the_gates_are_opened(self) -> None:
        self.play.learn(facts.with_transfer(self.play.exit)).open_gates()

    @rule(by=st.integers(0, 300), kind=st.sampled_from(["extension", "emergency_extension", "postponement"]))
    def a_notice_takes_effect(self, by: int, kind: str) -> None:
        dates = self.play.exit.inputs.dates
        anchor = "T" if kind == "postponement" else "K"
        assume(anchor == "K" or dates["T"] + by * DAY <= dates["K"] + DAY)
        self.play.notice(kind, moved=[{"anchor": anchor, "on": dates[anchor] + by * DAY}])

    @precondition(lambda self: self.play.exit.proposal is not None)
    @rule(answer=st.sampled_from(["approved", "approved", "rejected"]))
    def the_proposal_is_answered(self, answer: str) -> None:
        for party in self.play.exit.proposal.needs if self.play.exit.proposal else ():
            if self.play.exit.proposal and party not in self.play.exit.proposal.approved_by:
                with suppress(Rejected):
                    self.play.answer_proposal(party, answer)

    @precondition(lambda self: "C3" in self.play.exit.done and "C4" not in self.play.exit.done)
    @rule()
    def the_delivery_is_rejected(self) -> None:
        package = self.play.exit.facts["delivery.package_delivered"].ref
        wire = "delivery.delivery_rejected"
        self.play.learn(facts.with_rejection(self.play.exit, wire, package, self.play.shelf(self.play.exit.inputs)))

    # ---- Deletions

    @rule(name=DELETION)
    def a_deletion_is_previewed(self, name: str) -> None:
        self._preview(name)

    def _preview(self, name: str) -> str:
        self.made += 1
        due = sorted(set(DESTRUCTIVE) & self.play.exit.told_due - self.play.exit.done.keys()) or [name]
        self.play.preview(due[0], f"job-{self.made}")
        return due[0]

    @rule(number=st.integers(0, 3), actor=st.sampled_from("abc"), role=st.sampled_from(ROLES))
    def somebody_approves(self, number: int, actor: str, role: str) -> None:
        for job in self.play.exit.jobs[-4:][number : number + 1]:
            with suppress(Rejected):
                self.play.approve(job.activity, actor, role, job.job_id)

    @rule(name=DELETION)
    def two_approve_and_the_intent_is_recorded(self, name: str) -> None:
        with suppress(Rejected):
            self.play.both_approve(self._preview(name), f"job-{self.made}")
        self.play.intent(f"job-{self.made}")

    @rule(what=st.sampled_from(["begun", "cancelled", "already_begun", "verified", "stopped"]))
    def deletion_answers(self, what: str) -> None:
        for job in [job for job in self.play.exit.jobs if job.state in ("permitted", "cancelling", "begun")][-1:]:
            exit_ = self.play.exit
            if what == "begun":
                self.play.learn(domain.begun(exit_, job.job_id))
            elif job.state == "cancelling" and what in ("cancelled", "already_begun"):
                named = (job.job_id,) if what == "cancelled" else (job.activity, job.job_id)
                self.play.learn(getattr(domain, what)(exit_, *named))
            elif job.state == "begun" and what == "verified":
                self.play.learn(facts.with_deletion(exit_, job.activity, self.play.today))
                self.play.fact("deletion.deletion_verified", activity=job.activity)
            elif what == "stopped":
                self.play.learn(facts.with_trouble(exit_, job.activity, "PLACE_NEW", self.play.today))

    # ---- Suspended and resumed

    @rule(system=st.sampled_from([None, *SYSTEMS]))
    def a_hold_that_is_lifted_leaves_everything_as_it_was(self, system: str | None) -> None:
        assume(not any(job.state in ("permitted", "waiting", "approved", "cancelling") for job in self.play.exit.jobs))
        before = self.play.plan()
        hold = f"hold-{len(self.play.exit.holds)}"
        self.play.learn(facts.with_hold(self.play.exit, hold, system))
        self.play.learn(facts.with_lifted(self.play.exit, hold))
        assert self.play.plan() == before

    @precondition(lambda self: self.play.exit.approved and self.play.exit.proposal is None)
    @rule()
    def a_proposal_that_is_rejected_leaves_everything_as_it_was(self) -> None:
        assume(not any(job.state in ("permitted", "waiting", "approved", "cancelling") for job in self.play.exit.jobs))
        before = self.play.plan()
        assume(RETENTION not in self.play.look().facts.options)
        self.play.notice("retention", options=[RETENTION])
        self.play.answer_proposal(answer="rejected")
        assert self.play.plan() == before

    # ---- What always holds

    @invariant()
    def nothing_destructive_is_due_before_its_gates(self) -> None:
        if not hasattr(self, "play"):
            return
        outlook, exit_ = self.play.look(), self.play.exit
        going = {job.activity for job in exit_.jobs if job.state == "begun"} | exit_.done.keys() | exit_.troubles.keys()
        for name in exit_.told_due & set(DESTRUCTIVE) - going:
            planned = outlook.plan.activity(name)
            assert planned.chosen and not outlook.plan.unmet(planned, exit_.done)
            assert planned.earliest is None or planned.earliest <= self.play.today
            assert exit_.instructed_on and not exit_.standing_holds
            assert name == "C7" or (set(planned.systems) <= exit_.archive and self.play.today > exit_.inputs.dates["K"])
            assert name == "C7" or "C3" in exit_.done
            assert not (outlook.proposed and name in outlook.proposed.held)

    @invariant()
    def a_permit_has_two_approvals_and_comes_after_the_first_day(self) -> None:
        if not hasattr(self, "play"):
            return
        plan = self.play.look().plan
        for wire, body in self.play.told[self.seen :]:
            if wire == "scheduling.permit_issued":
                self.permits.append((body, self.play.today, plan.activity(body["activity"]).earliest))
        self.seen = len(self.play.told)
        for body, on, earliest in self.permits:
            assert {approval["role"] for approval in body["approvals"]} == set(ROLES)
            assert len({approval["actor"] for approval in body["approvals"]}) == len(ROLES)
            assert body["plan_digest"] == DIGEST and (earliest is None or earliest <= on)

    @invariant()
    def last_days_never_decrease_along_preconditions(self) -> None:
        if hasattr(self, "play"):
            plan = self.play.look().plan
            if not plan.conflicts:
                assert list(_decreasing(plan)) == []

    @invariant()
    def looking_again_concludes_nothing(self) -> None:
        if hasattr(self, "play"):
            again = domain.advance(self.play.exit, self.play.shelf, self.play.today)
            assert (again.exit, again.events) == (self.play.exit, ())


def _decreasing(plan: Plan) -> Any:
    for planned in plan.activities:
        for name in planned.activity.after:
            before = plan.activity(name)
            if planned.chosen and before.chosen and planned.due and before.due and before.due > planned.due:
                yield name, before.due, planned.id, planned.due


TestYears = Years.TestCase
TestYears.settings = settings(
    max_examples=12, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)


def test_every_state_of_a_job_is_reached_from_waiting_and_void_is_the_end() -> None:
    reached, before = {"waiting"}, set()
    while reached != before:
        before = set(reached)
        reached |= {after for (state, _), after in JOB_STATES.items() if state in before}
    assert reached == {"waiting", "approved", "permitted", "begun", "cancelling", "void"}
    assert not [state for state, _ in JOB_STATES if state == "void"]
    assert replace(Play().exit, placed=True).state == "placed"
