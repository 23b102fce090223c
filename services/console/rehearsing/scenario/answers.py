"""What waits for somebody after the final order: each activity is answered by the party that the plan names.

Rules kept: data go to the successor only under a transfer instruction given before; the window's timetable is submitted
by the supplier and approved by the customer as it lies; a deletion is approved by two people in two roles; a receipt is
what the successor computed itself; people attest what the map gives them to delete once the rest of its
deletion is done. No option is chosen, so there is no addendum to sign. An obligation that nothing
but an answer shows is answered when it is near its last day, by who owes it, and once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from services.console.rehearsing import people
from services.console.rehearsing.people import Person
from services.console.rehearsing.scenario import timetable
from services.console.rehearsing.scenario.stage import PROFILES, Rehearsal, Stage
from shared.rules.profiles import Obligation, load_profiles

ATTESTED = {
    "C5": "access_withdrawn", "C6": "operations_stopped", "D7b": "software_removed", "D8": "access_closed",
}  # fmt: skip
PAIRS = ("DAGTILBUD-ADMIN", "KLUB-ADMIN", "SFO-ADMIN", "DAGPLEJE-ADMIN")
SUCCESSOR = {"cvr": "13748136", "name": "Tilde Vang", "email": "tilde.vang@ny-leverandoer.invalid"}


class Answers:
    """Gives every answer that the exit `exit_id` waits for."""

    def __init__(self, mine: Rehearsal, stage: Stage, exit_id: str) -> None:
        self.mine, self.stage, self.exit_id = mine, stage, exit_id
        self._owed = {each.id: each for profile in load_profiles(PROFILES) for each in profile.obligations}
        self._shown: set[str] = set()
        self._own: dict[str, Callable[[], None]] = {
            "B1": self._contacts, "B2": self._dates, "B3": self._options, "B4": self._needs, "B5": self._dispatch,
            "B6": self._pairs, "B8": self._timetable, "B11": self._approve_timetable, "C1": self._billing,
            "C4": self._accept,
        }  # fmt: skip

    def give(self) -> bool:
        """Answer every activity, approval and obligation that waits for a person; tell whether there was any."""
        waiting = self.stage.desk.ask(people.SUPPLIER_LEAD, "scheduling.list_waiting", {"exit_id": self.exit_id})
        for activity in waiting["activities"]:
            self._activity(activity)
        asked = [request for request in waiting["approvals"] if request["state"] == "waiting"]
        for request in asked:
            self._approve(request)
        owed = self._near_their_last_day()
        for obligation in owed:
            self._meet(obligation)
        lines = self._to_attest()
        for line in lines:
            self._attest(line)
        return bool(waiting["activities"] or asked or owed or lines)

    def _activity(self, activity: dict[str, Any]) -> None:
        name = activity["id"]
        person = people.CUSTOMER_LEAD if activity["responsible"][0] == "customer" else people.SUPPLIER_LEAD
        if name in self._own:
            self._own[name]()
        elif name in ATTESTED:
            attested = {"activity": name, "kind": ATTESTED[name], "digest": self.mine.shown(name)}
            self._do(person, "access.attest", f"attest:{name}", **attested)
        else:
            done = {"activity": name, "outcome": "done", "evidence_digest": self.mine.shown(name)}
            self._do(person, "scheduling.complete_activity", f"complete:{name}", **done)

    def _do(self, person: Person, wire: str, step: str, **data: Any) -> dict[str, Any]:
        return self.stage.desk.do(person, wire, step, {"exit_id": self.exit_id, **data})

    def _today(self) -> str:
        return self.stage.today().isoformat()

    def _near_their_last_day(self) -> list[Obligation]:
        """List the obligations at risk that only an answer can show to be met, and that had none yet."""
        rows = self.stage.read("compliance.read_obligations", {"exit_id": self.exit_id})["obligations"]
        at_risk = (self._owed[row["id"]] for row in rows if row["state"] == "at_risk" and row["id"] in self._owed)
        by_answer = (each for each in at_risk if not (each.all_of or each.any_of or each.right))
        return [each for each in by_answer if each.id not in self._shown]

    def _meet(self, owed: Obligation) -> None:
        self._shown.add(owed.id)
        person = people.CUSTOMER_LEAD if owed.who[0] == "customer" else people.SUPPLIER_LEAD
        self.stage.progress.say(f"{owed.id} {owed.title_da}: opfyldt")
        met = {"obligation": owed.id, "answer": "met", "on": self._today(), "digest": self.mine.shown(owed.id)}
        self._do(person, "orders.answer_obligation", f"obligation:{owed.id}", **met)

    # What people delete by hand, and sub-processors (S1 D7b, S2 7.3, 12.2).

    def _to_attest(self) -> list[dict[str, Any]]:
        """List the open lines of systems whose deletion has done its own work; a chain from its end (S2 12.2)."""
        done = {
            system for job in self.stage.progress.jobs if job["state"] in ("cleaned", "verified")
            for system in {place["system"] for place in job["places"]}
        }  # fmt: skip
        if not done:
            return []
        told = self.stage.read("deletion.read_attestations", {"exit_id": self.exit_id})["lines"]
        lines = [line for line in told if line["answer"] is None and line["system"] in done]
        above = {(line["system"], line["subprocessor"]): line["through"] for line in told if line["subprocessor"]}
        return sorted(lines, key=lambda line: -_depth(above, line["system"], line["through"]))

    def _attest(self, line: dict[str, Any]) -> None:
        """Have the party that owes a line attest it by the rehearsal's own document."""
        about = f"{line['system']}/{line['place'] or line['subprocessor']} {line['method']}"
        person = people.CUSTOMER_LEAD if line["by"] == "customer" else people.DELETION_OFFICER
        self.stage.progress.say(f"Erklæring {about} afgives af {person.role}")
        self.stage.sign(line, self.mine.words(about), self.stage.today())
        names = ("system", "place", "subprocessor", "method")
        media = "DESTROY" if line["method"] == "MEDIA_SANITISED" else None
        said = {name: line[name] for name in names} | {"media_class": media, "digest": self.mine.shown(about)}
        self._do(person, "deletion.attest", f"attest:{about}", **said, done_on=self._today())

    # Preparation.

    def _contacts(self) -> None:
        """Name the contact persons: the supplier's and the successor's, then the customer's, which completes B1."""
        named = (
            (people.SUPPLIER_LEAD, "supplier", people.SUPPLIER_LEAD.name, people.SUPPLIER_LEAD.email),
            (people.CUSTOMER_LEAD, "successor", SUCCESSOR["name"], SUCCESSOR["email"]),
            (people.CUSTOMER_LEAD, "customer", people.CUSTOMER_LEAD.name, people.CUSTOMER_LEAD.email),
        )
        for person, party, name, email in named:
            said = {"party": party, "name": name, "email": email, "knows_solution": party != "successor"}
            self._do(person, "orders.name_contact", f"contact:{party}", **said)

    def _dates(self) -> None:
        """Keep the dates as they were ordered."""
        dates: dict[str, Any] = {"go_live": self.mine.go_live.isoformat(), "operations_end": None, "fixed_dates": []}
        self._do(people.CUSTOMER_LEAD, "orders.confirm_dates", "dates", **dates)

    def _options(self) -> None:
        for system in self.mine.systems:
            self._do(
                people.CUSTOMER_LEAD, "orders.decide_archive", f"archive:{system['system']}", system=system["system"],
                decision="not_worth_keeping", digest=self.mine.shown(f"archive:{system['system']}"),
                decided_on=self._today(),
            )  # fmt: skip
        given = {"kind": "delete", "basis": "INSTRUCTION", "erase_early": False, "given_on": self._today()}
        self._do(people.CUSTOMER_LEAD, "orders.instruct", "instruct", digest=self.mine.shown("instruct"), **given)
        chosen = {"options": [], "covers": [], "silence": "delete_at_k15"}
        self._do(people.CUSTOMER_LEAD, "orders.choose_options", "options", **chosen)

    def _needs(self) -> None:
        systems = [row["system"] for row in self.mine.systems]
        digest = self.mine.shown("needs")
        self._do(people.CUSTOMER_LEAD, "delivery.submit_needs", "needs", systems=systems, digest=digest)

    def _dispatch(self) -> None:
        """Instruct the transfer (S1 §9), let delivery learn of it, then say where the data go."""
        instruction = self.mine.shown("transfer")
        signed = {"recipient_cvr": SUCCESSOR["cvr"], "approved_on": self._today(), "digest": instruction}
        self._do(people.CUSTOMER_LEAD, "orders.instruct_transfer", "transfer", **signed)
        self.stage.walk.quiet()
        self._do(
            people.CUSTOMER_LEAD, "delivery.set_dispatch", "dispatch", to="successor", drop=self.mine.drop,
            recipient=self.mine.recipient, transfer_instruction_digest=instruction,
        )  # fmt: skip

    def _pairs(self) -> None:
        """Decide that no pair of Børn and Admin systems continues: a rehearsal has none of them."""
        gone = {"continues": False, "agreement_digest": None, "ends_on": None, "delete_on": None, "feed": "none"}
        pairs = [{"line": line, **gone} for line in PAIRS]
        self._do(people.CUSTOMER_LEAD, "orders.decide_pairs", "pairs", pairs=pairs)

    def _timetable(self) -> None:
        """Submit a day for everything in the window that is planned by the day (B8)."""
        drawn = timetable.draw_up(self.stage.progress.activities, timetable.planned_by_day(load_profiles(PROFILES)))
        days = [{"activity": name, "on": day.isoformat()} for name, day in drawn.items()]
        self.stage.progress.say("Leverandøren lægger tidsplanen for exit-vinduet")
        self._do(people.SUPPLIER_LEAD, "scheduling.submit_timetable", "timetable", days=days)

    def _approve_timetable(self) -> None:
        """Approve exactly the timetable that lies there (B11)."""
        plan = self.stage.desk.ask(people.CUSTOMER_LEAD, "scheduling.read_plan", {"exit_id": self.exit_id})
        digest = plan["timetable"]["timetable_digest"]
        self.stage.progress.say("Kunden godkender tidsplanen for exit-vinduet")
        answer = {"timetable_digest": digest, "answer": "approved"}
        self._do(people.CUSTOMER_LEAD, "scheduling.answer_timetable", f"timetable:{digest}", **answer)

    # The window.

    def _billing(self) -> None:
        """Record the last billing run (C1); a rehearsal bills nobody, so its log has no error."""
        log = {"errors": 0, "corrected": 0, "accepted": 0, "digest": self.mine.shown("billing")}
        self._do(people.SUPPLIER_LEAD, "orders.record_billing_run", "billing", run_on=self._today(), **log)

    def _accept(self) -> None:
        delivery = self.stage.desk.ask(people.CUSTOMER_LEAD, "delivery.read_delivery", {"exit_id": self.exit_id})
        self.stage.progress.say("Ny leverandør åbner pakken og kontrollerer den")
        received = {"package_id": delivery["package_id"], "package_digest": self.stage.receive(delivery)}
        step = f"accept:{delivery['package_id']}"
        self._do(people.CUSTOMER_LEAD, "delivery.accept_delivery", step, **received)

    # Deletions.

    def _approve(self, request: dict[str, Any]) -> None:
        done = {approval["actor"] for approval in request["approvals"]}
        same = {name: request[name] for name in ("activity", "job_id", "plan_digest")}
        for person in (people.DELETION_OFFICER, people.CUSTOMER_APPROVER):
            if person.actor not in done:
                self.stage.progress.say(f"Sletning {request['activity']} godkendes af {person.role}")
                step = f"approve:{request['job_id']}:{person.actor}"
                self._do(person, "scheduling.approve", step, **same)


def _depth(above: Mapping[tuple[str, str], str | None], system: str, name: str | None) -> int:
    """Count how many a sub-processor confirms through, one after the other."""
    return 0 if name is None else 1 + _depth(above, system, above.get((system, name)))
