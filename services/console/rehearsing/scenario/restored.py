"""The play of a drill: an exit to its first certificate, then a backup put back, found, deleted again and certified.

With `announced` the operator closes the systems first and has them looked into afterwards; without, nobody says a word
and the scheduled look has to find it. Either way the two approvals are people's, and the certificates follow by
themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from contracts.errors import Rejected
from services.console.rehearsing import people
from services.console.rehearsing.scenario.certificates import refusals
from services.console.rehearsing.scenario.play import Scenario
from services.console.rehearsing.scenario.stage import Rehearsal, Stage

ACTIVE, AGAIN = "ACTIVE-DELETED", "RE-DELETION"
KEPT = timedelta(days=30)


@dataclass(slots=True)
class Plan:
    """What is drilled: the systems, how each is put back, and what was seen on the way."""

    systems: Sequence[str]
    put_back: Callable[[str], None]
    announced: bool = True
    is_back: bool = False
    on_back: Callable[[], None] = lambda: None
    seen: dict[str, Any] = field(default_factory=dict)


class Restored(Scenario):
    """The exit of `rehearsal`, whose systems are restored from a backup after they were deleted from."""

    def __init__(self, rehearsal: Rehearsal, stage: Stage, plan: Plan) -> None:
        super().__init__(rehearsal, stage)
        self.plan = plan

    def certify(self) -> bool:
        """Obtain the first certificate, put the backups back once, then wait for what follows by itself."""
        if ACTIVE not in self._have():
            return super().certify()
        if not self.plan.is_back:
            self._restore()
            return True
        return self._deleted_again()

    def finished(self) -> bool:
        """Tell whether what returned is certified as deleted again."""
        return {ACTIVE, AGAIN} <= self._have()

    def _have(self) -> set[str]:
        return {row["stage"] for row in self.stage.certificates}

    def _restore(self) -> None:
        restores = [self._announce(name) for name in self.plan.systems] if self.plan.announced else []
        self.plan.seen["closed"] = [name for name in self.plan.systems if not self._gate(name)["released"]]
        for name in self.plan.systems:
            self.stage.progress.say(f"Backup af {name} lægges tilbage")
            self.plan.put_back(name)
        for restore_id in restores:
            self._do("replay_restore", f"replay:{restore_id}", restore_id=restore_id)
        self.plan.is_back = True  # only now: a drill that stopped before it restores and hands over once more
        self.plan.on_back()

    def _announce(self, name: str) -> str:
        """Catalogue the set that is put back, and close its system."""
        set_id, taken = f"drill-{self.rehearsal.id}", self.rehearsal.began_on
        days = {"taken_on": taken.isoformat(), "expires_on": (taken + KEPT).isoformat()}
        self._do("register_backup", f"drill:{name}", exit_id=self.exit_id, system=name, set_id=set_id, **days)
        told = self._do("announce_restore", f"announce:{name}", system=name, set_id=set_id)
        self.stage.progress.say(f"{name}: genskabelse anmeldt; {len(told['entries'])} forløb skal slettes igen")
        return str(told["restore_id"])

    def _deleted_again(self) -> bool:
        """Take the certificates of re-deletion that were issued; raise CERTIFICATE_REFUSED where one was refused."""
        if not all(self._gate(name)["released"] for name in self.plan.systems):
            return False
        listed = self.read("compliance.list_certificates", {"exit_id": self.exit_id})["certificates"]
        mine = [row for row in listed if row["stage"] == AGAIN]
        if wrong := [row for row in mine if row["state"] in ("refused", "failed")]:
            raise Rejected("CERTIFICATE_REFUSED", refusals(wrong[-1]), field="stage")
        if not mine or any(row["state"] != "issued" for row in mine):
            return False
        self.plan.seen["released"] = list(self.plan.systems)
        self.plan.seen["found"] = {job["job_id"]: _deleted(job) for job in self._again()}
        self.plan.seen["revoked"] = [row["number"] for row in listed if row["stage"] == ACTIVE and row["revoked"]]
        self.stage.certificates.extend(mine)
        return True

    def _again(self) -> list[dict[str, Any]]:
        """List the jobs that deleted what had returned: every verified one of an activity but its first."""
        done = [job for job in self.stage.progress.jobs if job["state"] == "verified"]
        first: dict[str, str] = {}
        for job in done:
            first.setdefault(job["activity"], job["job_id"])
        return [job for job in done if first[job["activity"]] != job["job_id"]]

    def _gate(self, name: str) -> dict[str, Any]:
        return self.read("deletion.restore_check", {"system": name})

    def _do(self, method: str, step: str, **data: Any) -> dict[str, Any]:
        return self.stage.desk.do(people.OPERATOR, f"deletion.{method}", step, data)


def _deleted(job: dict[str, Any]) -> int:
    return sum(place["deleted"] for place in job["places"])
