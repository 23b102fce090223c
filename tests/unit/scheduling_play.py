"""One exit as the face of scheduling would treat it, without a face: learn a fact, advance, keep what was told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from contracts.catalogue import COMMANDS, EVENTS
from contracts.registry import primitives
from services.scheduling import domain
from services.scheduling.domain import Done, Exit, Inputs, facts
from shared.rules.profiles import Profile, load_profiles

PROFILES = load_profiles(("ist-standard", "ski-02-19"))
DAY = timedelta(days=1)
START, T, D, K = date(2026, 1, 15), date(2026, 7, 1), date(2026, 6, 30), date(2026, 9, 30)
DIGEST, OTHER = "a" * 64, "b" * 64
EXIT = "exit-1"
LEAD, SUPPLIER = "kommune_projektleder", "ist_projektleder"
RETENTION = "S2-28.2-retention"
SYSTEMS = {"pladsanvisning": "2", "booking": "1", "sagsindeks": "index"}
ORDER: dict[str, Any] = {
    "exit_id": EXIT, "agreement_id": "agreement-1", "customer_cvr": "11111111", "customer_type": "municipality",
    "profiles": ["ist-standard", "ski-02-19"], "in_force_on": date(2020, 9, 1), "takeover_day": date(2020, 9, 30),
    "go_live": T, "operations_end": D, "agreement_end": K, "scope": "whole", "tenant": "korsbaek",
    "map_digest": DIGEST, "amendments": [], "numbers": {}, "lawyer_confirmed": [], "places": [],
    "systems": [{"system": name, "title": name, "kind": "files", "deletion": it} for name, it in SYSTEMS.items()],
    "pinned": [{"name": each.name, "version": each.version, "digest": each.digest} for each in PROFILES],
}  # fmt: skip
ALL = [activity.id for activity in PROFILES[0].activities]
DESTRUCTIVE = [activity.id for activity in PROFILES[0].activities if activity.destructive]
DAYS = {"C1": "2026-06-02", "C2": "2026-06-03", "C3": "2026-06-10", "C4": "2026-06-15", "C6": "2026-06-30"}
JOB = {"job_id": "job-1", "plan_digest": DIGEST}
ACCORD: dict[str, Any] = {"subject": None, "options": [], "on": None, "until": None, "digest": DIGEST}
NOTICE: dict[str, Any] = {"outcome": "accepted", "moved": [], "options": [], "digest": DIGEST}


class Play:
    """One exit; `told` holds every event, checked by its contract."""

    def __init__(self, today: date = START, order: dict[str, Any] = ORDER) -> None:
        self.exit, self.today, self.body = Exit(EXIT), today, order
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.timers: set[date] = set()
        self.texts: dict[str, Profile] = {}

    def shelf(self, inputs: Inputs) -> tuple[Profile, ...]:
        """Give the profiles of these inputs; another pinned text only where the test gave it."""
        return tuple(self.texts.get(inputs.pins.get(each.name, ""), each) for each in load_profiles(inputs.profiles))

    def learn(self, exit_: Exit) -> Play:
        advanced = domain.advance(exit_, self.shelf, self.today)
        self.exit = advanced.exit
        self.told += [(wire, primitives(EVENTS[wire].schema, body, wire)) for wire, body in advanced.events]
        self.timers = (self.timers | advanced.set_timers) - advanced.cancel_timers
        return self

    def look(self) -> domain.Outlook:
        return domain.look(self.exit, self.shelf, self.today)

    def order(self, *, placed: bool = True) -> Play:
        wires = ["orders.window_ordered", "orders.meeting_held", "orders.window_confirmed", "orders.order_placed"]
        for wire in wires if placed else wires[:1]:
            exit_ = self.exit
            if wire != "orders.meeting_held":
                exit_ = facts.with_order(exit_, self.body, placed=wire == "orders.order_placed")
            self.learn(facts.with_fact(exit_, wire, {}, self.today))
        return self

    def fact(self, wire: str, **data: Any) -> Play:
        return self.learn(facts.with_fact(self.exit, wire, data, self.today))

    def answer(self, activity: str, party: str = "", outcome: str = "done") -> Play:
        outlook = self.look()
        party = party or outlook.plan.activity(activity).activity.responsible[0]
        done = Done(self.today, outcome, DIGEST, LEAD)
        return self.learn(domain.complete(self.exit, outlook, {"activity": activity, "outcome": outcome}, party, done))

    def walk(self, day: date) -> Play:
        """Go to a day, stopping where a timer stands."""
        while stops := [timer for timer in self.timers if timer <= day]:
            self.today = max(min(stops), self.today)
            self.timers.discard(min(stops))
            self.learn(self.exit)
        self.today = day
        return self.learn(self.exit)

    def options(
        self, *chosen: str, silence: str = "delete_at_k15", covers: tuple[tuple[str, list[str]], ...] = ()
    ) -> Play:
        rows = [{"option": option, "systems": systems} for option, systems in covers]
        data = {"options": list(chosen), "covers": rows, "silence": silence}
        exit_ = facts.with_options(self.exit, data)
        return self.learn(facts.with_fact(exit_, "orders.options_confirmed", data, self.today))

    def timetable(self, days: dict[str, str] = DAYS) -> Play:
        rows = [{"activity": name, "on": date.fromisoformat(day)} for name, day in days.items()]
        return self.learn(domain.submit_timetable(self.exit, self.look(), {"days": rows}, SUPPLIER))

    def answer_timetable(self, answer: str = "approved", digest: str = "") -> Play:
        table = self.exit.timetable
        data = {"timetable_digest": digest or (table.digest if table else DIGEST), "answer": answer}
        return self.learn(domain.answer_timetable(self.exit, self.look(), self.shelf, data, "p-lead", LEAD))

    def answer_proposal(self, party: str = "customer", answer: str = "approved", digest: str = "") -> str:
        proposal = self.exit.proposal
        assert proposal
        data = {"proposal_id": proposal.proposal_id, "proposal_digest": digest or proposal.digest, "answer": answer}
        exit_, state = domain.answer_proposal(self.exit, self.look(), data, party)
        self.learn(exit_)
        return state

    def notice(self, kind: str, **data: Any) -> Play:
        body = NOTICE | {"kind": kind, "given_on": self.today} | data
        return self.learn(facts.with_notice(self.exit, body, PROFILES, self.today))

    def accord(self, kind: str, **data: Any) -> Play:
        body = ACCORD | {"kind": kind, "signed_on": self.today} | data
        return self.learn(facts.with_accord(self.exit, body, PROFILES, self.today))

    def instruct(self, kind: str = "delete", *, erase_early: bool = False) -> Play:
        told = {"kind": kind, "given_on": self.today, "erase_early": erase_early}
        return self.learn(facts.with_instruction(self.exit, told))

    def approved(self, *options: str, silence: str = "delete_at_k15") -> Play:
        """Everything up to the approved plan (B11) and the approved specification."""
        if not self.exit.placed:
            self.order()
        self.options(*options, silence=silence).answer("B7")
        for wire in ("orders.contact_named", "orders.dates_confirmed", "orders.pairs_decided"):
            self.fact(wire)
        self.learn(facts.with_transfer(self.exit))
        self.fact("delivery.needs_submitted").fact("delivery.dispatch_set")
        self.fact("delivery.connection_tested").fact("delivery.specification_made")
        return self.timetable().answer_timetable().answer("B12")

    def frozen(self, *options: str, silence: str = "delete_at_k15") -> Play:
        self.approved(*options, silence=silence).walk(date(2026, 6, 3))
        return self.fact("orders.billing_run_recorded").fact("access.access_frozen", activity="C2")

    def prepare(self, *options: str, silence: str = "delete_at_k15") -> Play:
        """Everything up to the delivered and accepted data."""
        self.frozen(*options, silence=silence).fact("delivery.package_delivered", package_id="p-1")
        return self.fact("delivery.delivery_accepted", package_id="p-1")

    def open_gates(self) -> Play:
        self.instruct()
        for system in SYSTEMS:
            self.learn(facts.with_archive(self.exit, system))
        return self

    def after_agreement(self) -> Play:
        """The day after the agreement's end, with every gate open and the index cleaned."""
        self.prepare().open_gates().walk(D).fact("access.access_attested", activity="C6")
        return self.fact("deletion.deletion_verified", activity="C7").walk(K + DAY)

    def preview(self, activity: str, job: str = "job-1", digest: str = DIGEST) -> Play:
        return self.learn(domain.preview(self.exit, {"activity": activity, "job_id": job, "plan_digest": digest}))

    def approve(self, activity: str, actor: str, role: str, job: str = "job-1", digest: str = DIGEST) -> Play:
        body = {"exit_id": EXIT, "activity": activity, "job_id": job, "plan_digest": digest}
        approval = {"actor": actor, "role": role, "at": f"{self.today}T08:00:00Z"}
        return self.learn(domain.approve(self.exit, body, approval)[0])

    def both_approve(self, activity: str, job: str = "job-1") -> Play:
        self.approve(activity, "p-1", "ist_sletteansvarlig", job)
        return self.approve(activity, "p-2", "kommune_godkender", job)

    def intent(self, job: str = "job-1", digest: str = DIGEST) -> Play:
        body = {"job_id": job, "plan_digest": digest, "index": 7}
        return self.learn(domain.intent_recorded(self.exit, body, "2026-10-02T08:00:00+00:00"))

    def plan(self) -> dict[str, Any]:
        read = domain.read_plan(self.exit, self.look())
        return primitives(COMMANDS["scheduling.read_plan"].answer, read, "scheduling.read_plan")

    def row(self, activity: str) -> dict[str, Any]:
        return next(row for row in self.plan()["activities"] if row["id"] == activity)

    def state(self, activity: str) -> str:
        return str(self.row(activity)["state"])

    def due(self) -> list[str]:
        return [body["activity"] for wire, body in self.told if wire == "scheduling.activity_due"]

    def bodies(self, name: str) -> list[dict[str, Any]]:
        return [body for wire, body in self.told if wire == f"scheduling.{name}"]

    def count(self, name: str, **of: Any) -> int:
        return sum(of.items() <= body.items() for body in self.bodies(name))

    def waiting(self) -> list[str]:
        found = domain.waiting(self.exit, self.look())
        body = primitives(COMMANDS["scheduling.list_waiting"].answer, found, "scheduling.list_waiting")
        return [row["id"] for row in body["activities"]]


def refusal(call: Callable[[], Any]) -> str:
    """Give the code of the refusal, which has all its texts."""
    import pytest

    from contracts.errors import Rejected

    with pytest.raises(Rejected) as refused:
        call()
    error = refused.value
    assert error.remedy and error.da and error.field
    return error.code
