"""A whole exit played by the people of a rehearsal, through the front doors only.

Orders, answers, approvals and receipts are commands over RPC with fixed ids, so that playing it again from the start
repeats nothing. Each manual activity is answered only when the plan says that it waits for somebody, and by the party
that the plan holds responsible. Between answers the simulated clock walks to the next thing that is due.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from dateutil.relativedelta import relativedelta

from contracts.errors import Rejected, Unavailable
from services.console import people
from services.console.desk import Desk
from services.console.progress import Progress
from services.console.quiet import Walk
from shared.runtime.clock import legal_date

PROFILES = ("ist-standard", "ski-02-19")
DELETIONS = ("C7", "D2", "D7a")
ATTESTED = {
    "C5": "access_withdrawn", "C6": "operations_stopped", "D7b": "software_removed", "D8": "access_closed",
}  # fmt: skip
CERTIFICATE_PATIENCE_S = 300.0


@dataclass(frozen=True, slots=True)
class BackupSet:
    """One backup set that the backup tool's own index lists."""

    system: str
    set_id: str
    taken_on: date
    expires_on: date


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What is rehearsed: whose exit, from which systems (as the order lists them), and where the data go."""

    id: str
    customer: str
    cvr: str
    tenant: str
    map_digest: str
    systems: tuple[dict[str, str], ...]
    places: tuple[dict[str, str], ...]
    drop: str
    recipient: str
    began_on: date
    backups: tuple[BackupSet, ...] = ()

    @property
    def go_live(self) -> date:
        """Give T, by `go_live` of the rehearsal's first day."""
        return go_live(self.began_on)

    @property
    def agreement_end(self) -> date:
        """Give K: the day before T."""
        return self.go_live - timedelta(days=1)


@dataclass(slots=True)
class Stage:
    """What the scenario is given to act on the world with, beside the desk."""

    desk: Desk
    progress: Progress
    walk: Walk
    receive: Callable[[dict[str, Any]], str]
    now: Callable[[], datetime]
    certificates: list[dict[str, Any]] = field(default_factory=list)

    def today(self) -> date:
        """Give the simulated date in Copenhagen."""
        return legal_date(self.now())


class Scenario:
    """Play `rehearsal` on `stage` to its end; `play` returns the exit's id."""

    def __init__(self, rehearsal: Rehearsal, stage: Stage) -> None:
        self.rehearsal, self.stage, self.desk = rehearsal, stage, stage.desk
        self.exit_id = ""
        self._told_stopped: set[str] | None = None
        self._first_day = date.max

    def play(self) -> str:
        """Run from the order to the last certificate; raise Rejected where the exit cannot go on."""
        self._first_day = self.stage.today()
        self.order()
        while not self.finished():
            self.settle()
            if not (self.answer() or self.certify() or self.go_on()):
                raise Rejected(
                    "REHEARSAL_STUCK", f"nothing is due and nobody is waited for; open: {', '.join(self.open())}",
                    field="plan", remedy="`ophor status` shows what is down; the plan page, what is waited for",
                )  # fmt: skip
        self.look()
        return self.exit_id

    def settle(self) -> None:
        """Wait until everything that was told is handled, then look at the exit anew.

        Raise Rejected with the code of a deletion that stopped meanwhile; run again, the plan has it done anew.
        """
        self.stage.walk.quiet()
        self.look()
        stopped = {job["job_id"]: job for job in self.stage.progress.jobs if job["state"] == "stopped"}
        before, self._told_stopped = self._told_stopped, set(stopped)
        if before is not None and (new := stopped.keys() - before):
            raise stopped_by(stopped[min(new)])

    def go_on(self) -> bool:
        """Go to the next instant at which something is due; tell whether there is one."""
        limit = self.stage.now() + timedelta(days=400)
        return self.stage.walk.step(limit) is not None

    # Ordering: A1–A4 and what the order rests on.

    def order(self) -> None:
        """Register the agreement and order, confirm and finally order the exit window (A1, A3, A4)."""
        say, do, mine = self.stage.progress.say, self.desk.do, self.rehearsal
        say("Aftale registreres (ist-standard, ski-02-19, ændringstillæg om backup)")
        agreement = do(people.SUPPLIER_LEAD, "orders.register_agreement", "agreement", self._agreement())
        say("Exit-vindue bestilles")
        ordered = do(people.CUSTOMER_LEAD, "orders.order_window", "order", {
            "agreement_id": agreement["agreement_id"], "go_live": mine.go_live.isoformat(), "operations_end": None,
            "tenant": mine.tenant, "map_digest": mine.map_digest,
            "systems": list(mine.systems), "places": list(mine.places),
        })  # fmt: skip
        self.exit_id = ordered["exit_id"]
        self.stage.walk.quiet()
        do(people.SUPPLIER_LEAD, "scheduling.complete_activity", "complete:A2", self._done("A2"))
        do(people.SUPPLIER_LEAD, "orders.confirm_window", "confirm", {"exit_id": self.exit_id})
        say("Endelig bestilling: vinduet er reserveret")
        do(people.CUSTOMER_LEAD, "orders.place_final_order", "final-order", {"exit_id": self.exit_id})
        self.stage.walk.quiet()
        do(people.SUPPLIER_LEAD, "compliance.name_parties", "parties", self._parties())
        for backup in mine.backups:
            self._register(backup)

    def _agreement(self) -> dict[str, Any]:
        mine, takeover = self.rehearsal, self.rehearsal.agreement_end - relativedelta(months=72)
        return {
            "reference": f"aftale-{mine.id}", "dpa_reference": f"dba-{mine.id}",
            "customer": {"cvr": mine.cvr, "name": mine.customer}, "customer_type": "municipality",
            "supplier": {"cvr": "99999999", "name": "Demoleverandøren A/S"}, "profiles": list(PROFILES),
            "in_force_on": (takeover - timedelta(days=30)).isoformat(), "takeover_day": takeover.isoformat(),
            "agreement_end": mine.agreement_end.isoformat(),
            "amendments": [{
                "kind": "backups_six_months", "signed_by": ["customer", "supplier"],
                "digest": digest(f"tillæg {mine.id}"), "signed_on": (mine.began_on - timedelta(days=30)).isoformat(),
            }],
        }  # fmt: skip

    def _parties(self) -> dict[str, Any]:
        mine = self.rehearsal
        return {
            "exit_id": self.exit_id, "agreement_reference": f"aftale-{mine.id}", "dpa_reference": f"dba-{mine.id}",
            "controller": {
                "cvr": mine.cvr, "name": mine.customer, "address": "Rådhuspladsen 1, 9999 Øvelsesby",
                "dpo_name": people.DPO.name, "dpo_email": "dpo@kommune.invalid",
            },
            "processor": {
                "cvr": "99999999", "name": "Demoleverandøren A/S", "address": "Leverandørvej 2, 9999 Øvelsesby",
                "dpo_name": "Misse Møhge", "dpo_email": "dpo@leverandoer.invalid",
            },
            "officials": [
                {"actor": person.actor, "name": person.name, "function": person.role}
                for person in people.PEOPLE.values()
            ],
        }  # fmt: skip

    def _register(self, backup: BackupSet) -> None:
        self.desk.do(people.OPERATOR, "deletion.register_backup", f"backup:{backup.system}:{backup.set_id}", {
            "exit_id": self.exit_id, "system": backup.system, "set_id": backup.set_id,
            "taken_on": backup.taken_on.isoformat(), "expires_on": backup.expires_on.isoformat(),
        })  # fmt: skip

    # What waits for somebody.

    def answer(self) -> bool:
        """Answer every activity and approval that waits for a person; tell whether there was any."""
        waiting = self.desk.ask(people.SUPPLIER_LEAD, "scheduling.list_waiting", {"exit_id": self.exit_id})
        for activity in waiting["activities"]:
            self._answer_activity(activity)
        asked = [request for request in waiting["approvals"] if request["state"] == "waiting"]
        for request in asked:
            self._approve(request)
        return bool(waiting["activities"] or asked)

    def _answer_activity(self, activity: dict[str, Any]) -> None:
        name = activity["id"]
        special = {"B3": self._options, "B4": self._needs, "B5": self._dispatch, "C4": self._accept}
        if name in special:
            special[name]()
            return
        party = activity["responsible"][0]
        person = people.CUSTOMER_LEAD if party == "customer" else people.SUPPLIER_LEAD
        if name in ATTESTED:
            self.desk.do(person, "access.attest", f"attest:{name}", {
                "exit_id": self.exit_id, "activity": name, "kind": ATTESTED[name], "digest": self._shown(name),
            })  # fmt: skip
            return
        self.desk.do(person, "scheduling.complete_activity", f"complete:{name}", self._done(name))

    def _done(self, name: str) -> dict[str, Any]:
        return {"exit_id": self.exit_id, "activity": name, "outcome": "done", "evidence_digest": self._shown(name)}

    def _options(self) -> None:
        today = self.stage.today().isoformat()
        for system in self.rehearsal.systems:
            self.desk.do(people.CUSTOMER_LEAD, "orders.decide_archive", f"archive:{system['system']}", {
                "exit_id": self.exit_id, "system": system["system"], "decision": "not_worth_keeping",
                "digest": self._shown(f"archive:{system['system']}"), "decided_on": today,
            })  # fmt: skip
        self.desk.do(people.CUSTOMER_LEAD, "orders.instruct", "instruct", {
            "exit_id": self.exit_id, "kind": "delete", "basis": "INSTRUCTION",
            "digest": self._shown("instruct"), "given_on": today,
        })  # fmt: skip
        self.desk.do(people.CUSTOMER_LEAD, "orders.choose_options", "options", {
            "exit_id": self.exit_id, "options": [], "silence": "delete_at_k15",
        })  # fmt: skip

    def _needs(self) -> None:
        self.desk.do(people.CUSTOMER_LEAD, "delivery.submit_needs", "needs", {
            "exit_id": self.exit_id, "systems": [row["system"] for row in self.rehearsal.systems],
            "digest": self._shown("needs"),
        })  # fmt: skip

    def _dispatch(self) -> None:
        self.desk.do(people.CUSTOMER_LEAD, "delivery.set_dispatch", "dispatch", {
            "exit_id": self.exit_id, "drop": self.rehearsal.drop, "recipient": self.rehearsal.recipient,
            "transfer_instruction_digest": self._shown("transfer"),
        })  # fmt: skip

    def _accept(self) -> None:
        delivery = self.desk.ask(people.CUSTOMER_LEAD, "delivery.read_delivery", {"exit_id": self.exit_id})
        self.stage.progress.say("Ny leverandør åbner pakken og kontrollerer den")
        received = self.stage.receive(delivery)
        self.desk.do(people.CUSTOMER_LEAD, "delivery.accept_delivery", f"accept:{delivery['package_id']}", {
            "exit_id": self.exit_id, "package_id": delivery["package_id"], "package_digest": received,
        })  # fmt: skip

    def _approve(self, request: dict[str, Any]) -> None:
        done = {approval["actor"] for approval in request["approvals"]}
        for person in (people.DELETION_OFFICER, people.CUSTOMER_APPROVER):
            if person.actor not in done:
                self.stage.progress.say(f"Sletning {request['activity']} godkendes af {person.role}")
                self.desk.do(person, "scheduling.approve", f"approve:{request['job_id']}:{person.actor}", {
                    "exit_id": self.exit_id, "activity": request["activity"], "job_id": request["job_id"],
                    "plan_digest": request["plan_digest"],
                })  # fmt: skip

    # Certificates.

    def certify(self) -> bool:
        """Ask for each certificate whose time has come; tell whether there was any."""
        have = {row["stage"] for row in self.stage.certificates}
        done = self.completed()
        if "ACTIVE-DELETED" not in have:
            return self.deletions() | {"D8"} <= done and self._certificate("ACTIVE-DELETED")
        if "BACKUP-EXPIRED" not in have and (not self.rehearsal.backups or "D9" in done or self._overdue("D9")):
            return self._certificate("BACKUP-EXPIRED")
        return False

    def deletions(self) -> set[str]:
        """List the deletions that have systems."""
        chosen = {row["id"] for row in self.stage.progress.activities if row["chosen"]}
        return chosen & set(DELETIONS)

    def _certificate(self, stage: str) -> bool:
        asked = self._asked(stage)
        ends = time.monotonic() + CERTIFICATE_PATIENCE_S
        while (row := self._read(asked["certificate_id"]))["state"] != "issued":
            if row["state"] in ("failed", "refused"):
                raise Rejected("CERTIFICATE_" + row["state"].upper(), refusals(row), field="stage")
            if time.monotonic() > ends:
                raise Unavailable("CERTIFICATE_LATE", f"{stage} is {row['state']}", remedy="ophor status")
            self.stage.progress.wait(f"slettebevis {stage}: {row['state']}")
            time.sleep(0.1)
        self.stage.certificates.append(row)
        self.stage.progress.certificates.append(f"{stage} {row['number']}")
        return True

    def _asked(self, stage: str) -> dict[str, Any]:
        """Give the certificate of `stage` that is issued or under way, asked for now (anew) where there is none."""
        listed = self.read("compliance.list_certificates", {"exit_id": self.exit_id})["certificates"]
        mine = [row for row in listed if row["stage"] == stage]
        alive = [row for row in mine if row["state"] not in ("failed", "refused")]
        if alive:
            return alive[-1]
        self.stage.progress.say(f"DPO beder om slettebevis {stage}")
        step, wanted = f"certificate:{stage}:{len(mine) + 1}", {"exit_id": self.exit_id, "stage": stage}
        return self.desk.do(people.DPO, "compliance.request_certificate", step, wanted)

    def _read(self, certificate_id: str) -> dict[str, Any]:
        return self.desk.ask(people.DPO, "compliance.read_certificate", {"certificate_id": certificate_id})

    # Looking.

    def look(self) -> None:
        """Read plan, delivery and jobs anew into the progress display."""
        shown, me, ref = self.stage.progress, people.OPERATOR, {"exit_id": self.exit_id}
        shown.clock = self.stage.today().isoformat()
        shown.plan(self.desk.ask(me, "scheduling.read_plan", ref)["activities"])
        shown.delivery = self.desk.ask(me, "delivery.read_delivery", ref)
        shown.jobs = self.desk.ask(me, "deletion.list_jobs", ref)["jobs"]

    def read(self, wire: str, data: dict[str, Any]) -> dict[str, Any]:
        """Ask a query as somebody who may: the DPO for documents, the operator for the rest."""
        return self.desk.ask(people.DPO if wire.startswith("compliance.") else people.OPERATOR, wire, data)

    def completed(self) -> set[str]:
        """List the activities that are completed."""
        return {row["id"] for row in self.stage.progress.activities if row["state"] == "completed"}

    def open(self) -> list[str]:
        """List the chosen activities that are not completed."""
        ended = {"completed", "waived", "not_chosen"}
        return [row["id"] for row in self.stage.progress.activities if row["chosen"] and row["state"] not in ended]

    def finished(self) -> bool:
        """Tell whether both certificates are there."""
        return {row["stage"] for row in self.stage.certificates} >= {"ACTIVE-DELETED", "BACKUP-EXPIRED"}

    def _overdue(self, activity: str) -> bool:
        """Tell whether an activity is days late, as this run has seen it grow: what was mended is looked at first."""
        row = next((row for row in self.stage.progress.activities if row["id"] == activity), None)
        due = row["due"] if row else None
        late = due is not None and self.stage.today() > date.fromisoformat(due) + timedelta(days=3)
        return late and self.stage.today() > self._first_day

    def _shown(self, what: str) -> str:
        return digest(f"{self.rehearsal.id} {what}")


def go_live(began_on: date) -> date:
    """Give T for an exit that is ordered on `began_on`: the first of the month, at least four months later."""
    return (began_on + relativedelta(months=5)).replace(day=1)


def digest(text: str) -> str:
    """Give the SHA-256 of a rehearsal's stand-in for a document."""
    return hashlib.sha256(f"øvelse {text}".encode()).hexdigest()


def refusals(row: dict[str, Any]) -> str:
    """Write a certificate's refusals, one after the other."""
    return "; ".join(f"{reason['code']}: {reason['detail']}" for reason in row["refusals"]) or row["state"]


def stopped_by(job: dict[str, Any]) -> Rejected:
    """Make the error that tells why a deletion stopped."""
    return Rejected(
        job["stopped_code"] or "DELETION_STOPPED", f"the deletion of {job['activity']} stopped", remedy=(
            "nothing of the last batch was kept; mend what is named, then run the same command again"
        ), field=job["stopped_field"] or "", da=f"Sletningen i {job['activity']} standsede.",
    )  # fmt: skip
