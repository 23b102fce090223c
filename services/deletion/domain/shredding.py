"""One plan to end an exit's encrypted sets with their keys, and how far it is. Pure; the rules of a set: `shred.py`.

Rules kept here:
1. A plan names every key and every copy of it; its digest is what two people approve. What may differ from day to day
   (until when to ask) is shown, and is not in the digest.
2. Nothing is asked of any holder before begun was committed. What has begun is never cancelled; only a hold stops it,
   between two keys, and what was asked by then is looked for to its end.
3. A set counts as ended when the verifier saw every copy of its key destroyed, and by nothing else.
4. A plan is of no more sets than people can look at and a message can carry; the rest is planned after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from contracts.deletion_keys import ACTIVITY, STATES
from contracts.errors import Rejected
from services.deletion.domain.job import Exit
from services.deletion.domain.plan import canonical_digest
from services.deletion.domain.shred import Copy, shredded

Row = dict[str, Any]
TRANSITIONS = {
    ("requested", "plan"): "planned",
    ("requested", "refuse"): "refused",
    ("planned", "permit"): "permitted",
    ("permitted", "begin"): "destroying",
    ("destroying", "ask"): "asked",
    ("asked", "see"): "destroyed",
    **{(state, "stop"): "stopped" for state in ("requested", "planned", "permitted", "destroying", "asked")},
    **{(state, "cancel"): "cancelled" for state in ("requested", "planned", "permitted")},
}
MOST = 200
OPEN = ("requested", "planned", "permitted", "destroying", "asked")
BEGUN = ("destroying", "asked", "destroyed")
FIXED = ("system", "set_id", "key_id", "made_at", "encrypted_at", "key_made_at", "last_on", "waits_days", "copies")


@dataclass(frozen=True, slots=True)
class Shredding:
    """A plan: `sets` are its rows with how far each is, `refused` the sets that do not end so, with their reasons."""

    job_id: str
    exit_id: str
    state: str = "requested"
    by: date | None = None
    plan: Row = field(default_factory=dict)
    plan_digest: str = ""
    permit: Row | None = None
    sets: tuple[Row, ...] = ()
    refused: tuple[Row, ...] = ()
    stopped_code: str | None = None

    activity = ACTIVITY

    def after(self, step: str, **changes: Any) -> Shredding:
        """Give the plan after `step`, or raise Rejected STEP_NOT_ALLOWED."""
        if (self.state, step) not in TRANSITIONS:
            raise Rejected("STEP_NOT_ALLOWED", f"a plan that is {self.state} cannot {step}", field="job_id")
        return replace(self, state=TRANSITIONS[self.state, step], **changes)

    @property
    def begun(self) -> bool:
        """Tell whether holders were or are being asked to destroy."""
        return self.state in BEGUN

    def systems(self) -> set[str]:
        """Give the systems whose sets it ends."""
        return {row["system"] for row in self.sets}


def requested(exit_: Exit, before: Sequence[Shredding], by: date | None) -> tuple[Shredding, Shredding | None]:
    """Give the plan to draw up, and the one whose place it takes; raise SHREDDING_BEGUN where one is under way."""
    last = before[-1] if before else None
    if last is not None and last.state in ("destroying", "asked"):
        raise Rejected(
            "SHREDDING_BEGUN", "the keys of the last plan are being destroyed", field="exit_id",
            remedy="wait until it is seen that they are gone", da="Den sidste plans nøgler er ved at blive destrueret.",
        )  # fmt: skip
    new = Shredding(f"{exit_.exit_id}.{ACTIVITY}.{len(before) + 1}", exit_.exit_id, by=by)
    return new, last if last is not None and last.state in OPEN else None


def planned(before: Shredding, exit_: Exit, rows: Sequence[Row], refused: Sequence[Row]) -> Shredding:
    """Give the plan of these sets, the first due first, or, where none can end so, the refusal (rules 1 and 4)."""
    rows, refused = sorted(rows, key=lambda row: str(row["last_on"]))[:MOST], refused[:MOST]
    if not rows:
        return before.after("refuse", refused=tuple(refused))
    plan = plan_of(before, exit_, rows)
    sets = tuple(row | {"answer": "PLANNED", "observed_on": None, "seen": []} for row in rows)
    return before.after("plan", plan=plan, plan_digest=canonical_digest(plan), sets=sets, refused=tuple(refused))


def plan_of(shredding: Shredding, exit_: Exit, rows: Iterable[Row]) -> Row:
    """Give what two people approve: exactly these keys with exactly these copies, under this map."""
    fixed = [{name: _plain(row[name]) for name in FIXED} for row in rows]
    return {
        "exit_id": exit_.exit_id, "activity": ACTIVITY, "job_id": shredding.job_id, "map_digest": exit_.map_digest,
        "sets": sorted(fixed, key=lambda row: (row["system"], row["set_id"])),
    }  # fmt: skip


def check_same(shredding: Shredding, exit_: Exit, rows: Sequence[Row]) -> None:
    """Refuse to begin where the plan drawn up now is not the one that was approved."""
    if canonical_digest(plan_of(shredding, exit_, rows)) != shredding.plan_digest:
        raise Rejected(
            "PLAN_CHANGED", "keys, copies or sets are not as they were approved", field="plan_digest",
            remedy="plan anew (`ophor backups shred plan`) and approve that", da="Nøglerne er andre end godkendt.",
        )  # fmt: skip


def unasked(shredding: Shredding) -> Row | None:
    """Give the first set whose key no holder was asked to destroy."""
    return next((row for row in shredding.sets if row["answer"] == "PLANNED"), None)


def with_asked(shredding: Shredding, set_: Row, seen: Sequence[Row]) -> Shredding:
    """Give the plan after the holders of one set's key were asked."""
    return _with(shredding, set_, {"answer": "ASKED", "seen": list(seen)})


def with_seen(shredding: Shredding, set_: Row, seen: Sequence[Row], today: date) -> Shredding:
    """Give the plan after the verifier looked for every copy of one set's key (rule 3)."""
    changed = _with(
        shredding, set_, {"answer": answer(set_, seen), "seen": list(seen), "observed_on": today.isoformat()}
    )
    done = changed.state == "asked" and all(row["answer"] == "DESTROYED" for row in changed.sets)
    return changed.after("see") if done else changed


def answer(set_: Row, seen: Sequence[Mapping[str, Any]]) -> str:
    """Give the one answer over all copies of a key: the least that is certain."""
    by_name = {(one["copy"], one["holder"]): one["state"] for one in seen}
    copies = [
        Copy(one["copy"], one["holder"] or "", by_name.get(key, "ERROR"), none=not one["holder"])
        for one in set_["copies"]
        for key in [(one["copy"], one["holder"])]
    ]  # fmt: skip
    if shredded(copies):
        return "DESTROYED"
    states = {each.state for each in copies if not each.none}
    return next((state for state in ("ERROR", "ACTIVE", "PENDING") if state in states), "ERROR")


def left(shredding: Shredding) -> list[Row]:
    """List the sets whose key was asked for and is not seen to be destroyed."""
    return [row for row in shredding.sets if row["answer"] in ("ASKED", *STATES) and row["answer"] != "DESTROYED"]


def _with(shredding: Shredding, set_: Row, changes: Row) -> Shredding:
    key = (set_["system"], set_["set_id"])
    rows = tuple(row | changes if (row["system"], row["set_id"]) == key else row for row in shredding.sets)
    return replace(shredding, sets=rows)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
