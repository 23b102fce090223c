"""Simulated years of orders and scheduling together: legal commands in any order, their facts carried across.

Orders decides (its own rules refuse what is not legal), scheduling hears what orders tells, time walks from timer to
timer, and the other services' answers come when the plan asks for them. What must hold after every step:

* both know the same dates, options and state of the exit, but for what waits as a proposal;
* nothing destructive is due before its gates, and nothing at all once the exit is cancelled;
* last days never decrease along preconditions; looking again concludes nothing;
* every event is as the contracts say, and an obligation is told only where its standing changed.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import date, timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from contracts.catalogue import EVENTS
from contracts.errors import Rejected
from contracts.registry import check, primitives
from services.orders.domain import Case
from services.scheduling import domain as scheduling
from shared.rules.profiles import load_profiles
from tests.unit import orders_parts
from tests.unit.orders_parts import CUSTOMER, PAIRS, SUPPLIER
from tests.unit.scheduling_play import DESTRUCTIVE, Play

DAY = timedelta(days=1)
RETENTION = "S2-28.2-retention"
SYSTEMS = ("pladsanvisning", "booking")
OPTIONS = st.lists(st.sampled_from(["S1-8.2", "S1-8.3", RETENTION]), unique=True, max_size=3)
NOTICES = st.sampled_from(["termination", "extension", "emergency_extension", "postponement", "retention"])


class Years(RuleBasedStateMachine):
    """One exit, from its order on."""

    case: Case | None = None
    jobs = 0

    @initialize(lead=st.integers(120, 300), both=st.booleans(), steps=st.sampled_from([0, 6, 12, 25, 40]))
    def order(self, lead: int, both: bool, steps: int) -> None:
        profiles = orders_parts.BOTH if both else orders_parts.STANDARD
        go_live = orders_parts.TODAY + lead * DAY
        agreement = orders_parts.registered(profiles=list(profiles), agreement_end=(go_live + 30 * DAY).isoformat())
        self.case = orders_parts.ordered(agreement, go_live=go_live.isoformat())
        self.play = Play(orders_parts.TODAY)
        self.play.exit = scheduling.Exit(self.case.exit.exit_id)
        self.play.shelf = lambda inputs: load_profiles(inputs.profiles)  # type: ignore[method-assign]
        for command in ("confirm_window", "place_final_order"):
            assert self._give(command)
        if steps:
            self.options("delete_at_k15", ["S1-8.2"])
            self.decisions()
            self.instruction(early=False)
            self.dates(0)
        for _ in range(steps):
            self.as_planned()

    # ---- Commands of orders

    def _give(self, command: str, by: str = "", **changes: Any) -> bool:
        """Give a command; tell whether orders took it. What it refuses leaves no trace."""
        assert self.case
        before, seen = self.case, self.play.exit
        try:
            after = orders_parts.do(before, command, by=by, day=self.play.today, **changes)
        except Rejected as refused:
            assert refused.code and refused.field and refused.da
            assert self.case is before and self.play.exit is seen
            return False
        self.case = after
        self._carry(after.told)
        return True

    def _carry(self, told: Any) -> None:
        for wire, data in told:
            body = check(EVENTS[wire].schema, primitives(EVENTS[wire].schema, data, wire), wire)
            if "scheduling" in EVENTS[wire].subscribers:
                self._hear(wire, body)

    def _hear(self, wire: str, body: dict[str, Any]) -> None:
        profiles = self.play.shelf(self.play.exit.inputs)
        self.play.learn(scheduling.heard(self.play.exit, scheduling.Told(wire, body, profiles, self.play.today)))

    @rule(silence=st.sampled_from(["delete_at_k15", "storage_option"]), chosen=OPTIONS)
    def options(self, silence: str, chosen: list[str]) -> None:
        self._give("choose_options", options=chosen, silence=silence)

    @rule(kind=NOTICES, by=st.integers(-30, 200), months=st.integers(1, 24))
    def notice(self, kind: str, by: int, months: int) -> None:
        assert self.case
        wished: dict[str, Any] = {
            "termination": {"effect_on": (self.case.end + by * DAY).isoformat()},
            "extension": {"months": months},
            "emergency_extension": {"months": min(months, 12)},
            "postponement": {"milestone": "T", "effect_on": (self.case.exit.go_live + abs(by) * DAY).isoformat()},
            "retention": {},
        }
        self._give("give_notice", kind=kind, given_on=self.play.today.isoformat(), **wished[kind])

    @rule(by=st.integers(-20, 60))
    def dates(self, by: int) -> None:
        assert self.case
        self._give("confirm_dates", go_live=(self.case.exit.go_live + by * DAY).isoformat())

    @rule(early=st.booleans())
    def instruction(self, early: bool) -> None:
        self._give("instruct", given_on=self.play.today.isoformat(), erase_early=early)

    @rule()
    def decisions(self) -> None:
        for system in SYSTEMS:
            self._give("decide_archive", system=system, decided_on=self.play.today.isoformat())
        self._give("instruct_transfer", approved_on=self.play.today.isoformat())
        self._give("decide_pairs", pairs=PAIRS)
        self._give("name_contact")

    @rule(kind=st.sampled_from(["cooperation", "milestone"]), by=st.integers(1, 60))
    def accord(self, kind: str, by: int) -> None:
        assert self.case
        subject = {"subject": "T", "on": (self.case.exit.go_live + by * DAY).isoformat(), "reason": "technical"}
        if self._give("propose_accord", kind=kind, **(subject if kind == "milestone" else {})):
            newest = list(self.case.exit.accords)[-1]
            self._give("sign_accord", accord_id=newest)

    @rule(sure=st.integers(0, 9))
    def cancel(self, sure: int) -> None:
        if sure == 0:
            self._give("cancel_exit")

    # ---- Time, and the others' answers

    @rule(days=st.integers(1, 60))
    def time(self, days: int) -> None:
        self.play.walk(self.play.today + days * DAY)

    @rule()
    def as_planned(self) -> None:
        """Do all that is due, then go to the next day on which something happens."""
        self.others_answer()
        coming = [day for day in self.play.timers if day > self.play.today]
        if coming:
            self.play.walk(min(coming))

    @rule()
    def deletion_runs(self) -> None:
        """Preview, approve, permit and verify what is due to be deleted."""
        for name in sorted(self.play.exit.told_due & set(DESTRUCTIVE) - self.play.exit.done.keys()):
            self.jobs += 1
            job = f"job-{self.jobs}"
            self.play.preview(name, job)
            with suppress(Rejected):
                self.play.both_approve(name, job)
            self.play.intent(job)
            if any(each.job_id == job and each.state == "permitted" for each in self.play.exit.jobs):
                self._hear("deletion.deletion_begun", {"job_id": job})
                said = {"activity": name, "job_id": job, "result": "DELETED", "on": self.play.today}
                self._hear("deletion.deletion_verified", said)

    def others_answer(self) -> None:
        """Do what is due, as the plan says who does it."""
        plan = self.play.look().plan
        for name in sorted(self.play.exit.told_due - self.play.exit.done.keys() - set(DESTRUCTIVE)):
            by = plan.activity(name).activity.completed_by
            with suppress(Rejected):
                if by == "manual":
                    self.play.answer(name)
                elif by == "orders.billing_run_recorded":
                    self._give("record_billing_run", run_on=self.play.today.isoformat())
                elif by.startswith("access."):
                    self.play.fact(by, activity=name)
                elif by.startswith("delivery."):
                    self.play.fact(by, **({"package_id": "p-1"} if by.startswith("delivery.p") else {}))
                elif by == "scheduling.timetable_submitted":
                    self._timetable()

    def _timetable(self) -> None:
        end = self.play.look().plan.activity("C6").due
        assert end
        days = {"C1": 20, "C2": 19, "C3": 10, "C4": 5, "C6": 0}
        self.play.timetable({name: (end - before * DAY).isoformat() for name, before in days.items()})
        self.play.answer_timetable()

    @rule(answer=st.sampled_from(["approved", "approved", "rejected"]))
    def proposal(self, answer: str) -> None:
        for party in (CUSTOMER, SUPPLIER):
            if self.play.exit.proposal and party in self.play.exit.proposal.needs:
                with suppress(Rejected):
                    self.play.answer_proposal(party, answer)

    # ---- What always holds

    @invariant()
    def both_know_the_same(self) -> None:
        if self.case is None:
            return
        exit_, inputs = self.play.exit, self.play.exit.proposal.inputs if self.play.exit.proposal else None
        wanted = inputs or exit_.inputs
        assert exit_.cancelled == (self.case.exit.state == "cancelled")
        if not exit_.cancelled and not self._rejected_a_change():
            assert wanted.dates["T"] == self.case.exit.go_live
            assert wanted.dates["K"] == self.case.end
            assert set(self.case.exit.options) <= set(wanted.options or ())

    def _rejected_a_change(self) -> bool:
        """Tell whether a party said no to a change in the plan that orders had taken."""
        return any(wire == "scheduling.plan_proposed" and body["state"] == "rejected" for wire, body in self.play.told)

    @invariant()
    def nothing_destructive_is_due_before_its_gates(self) -> None:
        if self.case is None:
            return
        exit_, outlook = self.play.exit, self.play.look()
        begun = {job.activity for job in exit_.jobs if job.state == "begun"}
        for name in exit_.told_due & set(DESTRUCTIVE) - exit_.done.keys() - begun:
            planned = outlook.plan.activity(name)
            assert not exit_.cancelled and planned.chosen
            assert self.case.exit.instruction is not None
            assert not outlook.plan.unmet(planned, exit_.done)
            assert planned.earliest is None or planned.earliest <= self.play.today
            if name != "C7":
                assert set(planned.systems) <= self.case.exit.archive.keys()
                assert self.play.today > exit_.inputs.dates["K"] and "C3" in exit_.done

    @invariant()
    def last_days_never_decrease_along_preconditions(self) -> None:
        if self.case is None:
            return
        plan = self.play.look().plan
        for planned in plan.activities if not plan.conflicts else ():
            for before in map(plan.activity, planned.activity.after):
                if planned.chosen and before.chosen and planned.due and before.due:
                    assert before.due <= planned.due, (before.id, planned.id)

    @invariant()
    def looking_again_concludes_nothing(self) -> None:
        if self.case is not None:
            again = scheduling.advance(self.play.exit, self.play.shelf, self.play.today)
            assert (again.exit, again.events) == (self.play.exit, ())

    @invariant()
    def an_obligation_changes_only_to_another_state_or_reason(self) -> None:
        last: dict[str, Any] = {}
        for wire, body in self.play.told if self.case else ():
            if wire == "scheduling.obligation_changed":
                now = body["state"], body["reason"], body["met_on"]
                assert last.get(body["obligation"]) != now and date.fromisoformat(body["on"]) <= self.play.today
                last[body["obligation"]] = now


TestYears = Years.TestCase
TestYears.settings = settings(
    max_examples=15, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
