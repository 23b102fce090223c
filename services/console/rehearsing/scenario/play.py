"""The play from the order to the last certificate: answer what waits, certify what is done, else go on in time."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from contracts.errors import Rejected
from services.console.rehearsing.quiet import Account, Flows
from services.console.rehearsing.scenario import certificates, ordering
from services.console.rehearsing.scenario.answers import Answers
from services.console.rehearsing.scenario.stage import Rehearsal, Stage

DELETIONS = ("C7", "D2", "D3b", "D7a")


class Scenario:
    """Play `rehearsal` on `stage` to its end; `play` returns the exit's id."""

    def __init__(self, rehearsal: Rehearsal, stage: Stage) -> None:
        self.rehearsal, self.stage = rehearsal, stage
        self.exit_id = ""
        self._told_stopped: set[str] | None = None
        self._quiet: Account | None = None
        self._jobs_at: tuple[Flows, Flows] | None = None
        self._first_day = date.max

    def play(self) -> str:
        """Run from the order to the last certificate; raise Rejected where the exit cannot go on."""
        self._first_day = self.stage.today()
        self.exit_id = ordering.order(self.rehearsal, self.stage)
        answers = Answers(self.rehearsal, self.stage, self.exit_id)
        while not self.finished():
            self.settle()
            if answers.give() or self.certify():
                self._quiet = None
            elif not self.go_on():
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
        self._quiet = self._quiet or self.stage.walk.quiet()
        self.look()
        stopped = {job["job_id"]: job for job in self.stage.progress.jobs if job["state"] == "stopped"}
        before, self._told_stopped = self._told_stopped, set(stopped)
        if before is not None and (new := stopped.keys() - before):
            raise stopped_by(stopped[min(new)])

    def go_on(self) -> bool:
        """Go to the next instant at which something is due; tell whether there is one."""
        limit = self.stage.now() + timedelta(days=400)
        self._quiet = self.stage.walk.step(limit, self._quiet)
        return self._quiet is not None

    def certify(self) -> bool:
        """Obtain each certificate whose time has come; tell whether there was any."""
        have = {row["stage"] for row in self.stage.certificates}
        if "ACTIVE-DELETED" not in have:
            return self.deletions() | {"D8"} <= self.completed() and self._obtain("ACTIVE-DELETED")
        if "BACKUP-EXPIRED" not in have and self._backups_are_gone():
            return self._obtain("BACKUP-EXPIRED")
        return False

    def _obtain(self, stage: str) -> bool:
        certificates.obtain(self.stage, self.exit_id, stage)
        return True

    def _backups_are_gone(self) -> bool:
        """Tell whether D9 is done, has nothing to wait for, or is late: then the refusal says why."""
        return not self.rehearsal.backups or "D9" in self.completed() or self._overdue("D9")

    def look(self) -> None:
        """Read plan, delivery and jobs anew into the progress display."""
        shown, ref = self.stage.progress, {"exit_id": self.exit_id}
        shown.clock = self.stage.today().isoformat()
        shown.plan(self.read("scheduling.read_plan", ref)["activities"])
        shown.delivery = self.read("delivery.read_delivery", ref)
        told = self._quiet.flows_of("deletion") if self._quiet else None
        if told is None or told != self._jobs_at:  # every change of a job is a message told or handled
            shown.jobs = self.read("deletion.list_jobs", ref)["jobs"]
        self._jobs_at = told

    def read(self, wire: str, data: dict[str, Any]) -> dict[str, Any]:
        """Ask a query as somebody who may."""
        return self.stage.read(wire, data)

    def deletions(self) -> set[str]:
        """List the deletions that have systems."""
        chosen = {row["id"] for row in self.stage.progress.activities if row["chosen"]}
        return chosen & set(DELETIONS)

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


def stopped_by(job: dict[str, Any]) -> Rejected:
    """Make the error that tells why a deletion stopped."""
    return Rejected(
        job["stopped_code"] or "DELETION_STOPPED", f"the deletion of {job['activity']} stopped", remedy=(
            "nothing of the last batch was kept; mend what is named, then run the same command again"
        ), field=job["stopped_field"] or "", da=f"Sletningen i {job['activity']} standsede.",
    )  # fmt: skip
