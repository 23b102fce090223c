"""What the log says of backup sets that ended with their keys: approved, destroyed, seen to be destroyed. Pure.

Rules kept here (evidence.md §3.3, §5):
1. A set ended so only where the log holds the whole chain, in this order: planned, approved by two people (intent), the
   permit, begun, every holder asked, every copy of the key seen to be destroyed.
2. The plan says that the set was encrypted since it was made, under a key that is no younger, and answers for every
   kind of copy; no other set of the exit has that key.
3. What is missing is a reason, each on its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts.deletion_keys import KEY_DESTROYED
from contracts.system_map.keys import COPIES
from services.compliance.evidence import Logged
from services.compliance.facts import Facts

__all__ = ["KEY_DESTROYED", "Chain", "chain", "wrong"]

_STEPS = {
    "SHREDDING_PLANNED": "planned", "DELETION_INTENT": "intent", "PERMIT_ISSUED": "permit", "SHREDDING_BEGUN": "begun",
}  # fmt: skip


@dataclass(slots=True)
class Chain:
    """The entries about one set's key, in the order in which they must stand; None while one is missing."""

    planned: Logged | None = None
    intent: Logged | None = None
    permit: Logged | None = None
    begun: Logged | None = None
    asked: Logged | None = None
    seen: Logged | None = None

    def steps(self) -> list[Logged | None]:
        """List the steps."""
        return [self.planned, self.intent, self.permit, self.begun, self.asked, self.seen]

    def row(self, key: tuple[str, str]) -> dict[str, Any] | None:
        """Give the set's row of the plan."""
        rows = self.planned.entry["sets"] if self.planned else []
        return next((row for row in rows if (row["system"], row["set_id"]) == key), None)


def chain(facts: Facts, key: tuple[str, str]) -> Chain:
    """Gather the entries about the key of one set (system, set): those of the plan that destroyed it last."""
    found = Chain()
    for one in facts.entries:
        if one.kind in ("KEY_DESTRUCTION_ASKED", "KEY_OBSERVED") and (one.entry["system"], one.entry["set_id"]) == key:
            setattr(found, "seen" if one.kind == "KEY_OBSERVED" else "asked", one)
    if found.asked is None:
        return found
    job = found.asked.entry["job_id"]
    for one in facts.entries:
        if one.kind in _STEPS and one.entry["job_id"] == job:
            setattr(found, _STEPS[one.kind], one)
    return found


def wrong(facts: Facts, key: tuple[str, str]) -> list[str]:
    """List why the log does not show that this set ended with its key; an empty list means that it does."""
    found = chain(facts, key)
    steps = found.steps()
    if None in steps:
        return [f"{list(Chain.__dataclass_fields__)[steps.index(None)]} is not in the log"]
    return [*_of_order(found), *_of_people(found), *_of_key(facts, found, key)]


def _of_order(found: Chain) -> Iterator[str]:
    at = [one.index for one in found.steps() if one is not None]
    if at != sorted(at):
        yield "the steps are not in the log in their order"
    assert found.seen and found.asked and found.begun and found.planned and found.intent
    jobs = {one.entry["job_id"] for one in (found.seen, found.asked, found.begun, found.planned, found.intent)}
    digests = {one.entry["plan_digest"] for one in (found.begun, found.planned, found.intent)}
    if len(jobs) != 1 or len(digests) != 1:
        yield "another plan than the approved one"


def _of_people(found: Chain) -> Iterator[str]:
    assert found.intent
    given = found.intent.entry["approvals"]
    if min(len({one["actor"] for one in given}), len({one["role"] for one in given})) < 2:
        yield "not approved by two people in two roles"


def _of_key(facts: Facts, found: Chain, key: tuple[str, str]) -> Iterator[str]:
    row = found.row(key)
    assert found.seen and found.asked
    if row is None or {row["key_id"], found.asked.entry["key_id"]} != {found.seen.entry["key_id"]}:
        yield "the plan names another key"
        return
    made, encrypted, born = (datetime.fromisoformat(row[name]) for name in ("made_at", "encrypted_at", "key_made_at"))
    if encrypted > made or born > made:
        yield "not encrypted since the set was made, under a key from before"
    kinds = [one["copy"] for one in row["copies"]]
    both = {one["copy"] for one in row["copies"] if one["holder"]} & {
        one["copy"] for one in row["copies"] if not one["holder"]
    }
    if set(kinds) != set(COPIES) or both:
        yield "a kind of copy of the key is not answered for"
    wanted = {(one["copy"], one["holder"], "DESTROYED") for one in row["copies"] if one["holder"]}
    copies = {(one["copy"], one["holder"], one["state"]) for one in found.seen.entry["copies"]}
    if not wanted or copies != wanted or found.seen.entry["answer"] != "DESTROYED":
        yield "not every copy of the key was seen to be destroyed"
    others = [name for name, one in facts.backups.items() if one.registered.entry.get("key_id") == row["key_id"]]
    if others != [key]:
        yield "the key is not this set's alone"
