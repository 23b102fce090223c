"""Group commit: what waits for the log is appended in one transaction, under one checkpoint.

Rules kept here:
1. A task is about what one transaction offered. It appends that and takes along the oldest that wait beside it
   (`LIMIT`, at most about `BYTES`); where more wait than that, they go first (`drain`). A task of which nothing is left
   counts as handled with it. Entries go in in the order in which they were offered.
2. The same ref is appended once: again, in another transaction or in this one, it keeps its first index.
3. What must come first is waited for, so that the log's order is the order of causes; what waited for an entry follows
   it at once.
4. An entry that is not valid evidence is left to its own task, which appends its other ones, sets it apart and is
   refused; it never spoils the others'. The task told again (a replayed dead letter) judges it again.
5. What REDACTED and RETENTION_ENDED say is done in the transaction that appends them (`redaction.py`, `retention.py`).
6. An intent is told (`evidence_recorded`) with its final index and the size of the checkpoint that covers it; a
   replay (`redeletion_due`), so that its certificate is drawn up.
"""

from __future__ import annotations

import base64
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from contracts.errors import Rejected
from services.compliance import domain, store
from services.compliance.domain.forgetting import KEPT, REDACTED
from services.compliance.evidence import leaf, written
from services.compliance.log import checkpoint
from services.compliance.signing.keys import NoteKey, PublicKeys
from services.compliance.store import forgetting

LIMIT, BYTES = 500, 4 * 1024 * 1024
INTENT, REPLAYED = "DELETION_INTENT", "RESTORE_REPLAYED"


@dataclass(frozen=True, slots=True)
class Desk:
    """Whose log it is, and the key that signs its heads."""

    public: PublicKeys
    key: NoteKey


def append(unit: Any, task_id: str, desk: Desk) -> None:
    """Append what task `task_id` is about, and what else waits (rules 1–6); Rejected where its own is no evidence."""
    own, refused = _own(unit, task_id)
    if refused is not None:
        raise refused
    group = _Group.of(store.waiting(unit, LIMIT + 1) if len(own) < LIMIT else [], task_id)
    rows = sorted([*own, *group.rows], key=lambda row: str(row["_id"]))
    _write(unit, rows, desk)
    store.take(unit, rows, group.done)


def append_valid(unit: Any, task_id: str, desk: Desk) -> None:
    """Append what is evidence of what task `task_id` is about, and set the rest apart (rule 4)."""
    own, _ = _own(unit, task_id)
    _write(unit, own, desk)
    store.take(unit, own, set())
    store.refuse(unit, task_id)


def drain(unit: Any, desk: Desk) -> int:
    """Append the oldest that wait, whoever's task is in hand, and give how many; for when more wait than `LIMIT`."""
    group = _Group.of(store.waiting(unit, LIMIT + 1))
    _write(unit, group.rows, desk)
    store.take(unit, group.rows, group.done)
    return len(group.rows)


def _write(unit: Any, rows: list[store.Row], desk: Desk) -> None:
    fresh = _unseen(rows, store.seen_before(unit, [row["ref"] for row in rows]))
    if fresh:
        exits = {row["exit_id"] for row in fresh}
        _Pen(unit, desk, store.held(unit, exits), exits).write(fresh)


def _unseen(rows: list[store.Row], seen: set[str]) -> list[store.Row]:
    """Leave out what was appended before, and each ref but its first (rule 2)."""
    found: dict[str, store.Row] = {}
    for row in rows:
        if row["ref"] not in seen:
            found.setdefault(row["ref"], row)
    return list(found.values())


def _own(unit: Any, task_id: str) -> tuple[list[store.Row], Rejected | None]:
    """Read what a task's unit offered: what is evidence, and why the first of the others is none."""
    valid, refused = [], None
    for row in store.waiting_of(unit, task_id):
        try:
            valid.append(row | {"written": written(row["kind"], row["entry"])})
        except Rejected as error:
            refused = refused or error
    return valid, refused


@dataclass(frozen=True, slots=True)
class _Group:
    """Of what waits, the valid ones that fit into a transaction, and the tasks of which nothing is left then."""

    rows: list[store.Row]
    done: set[str]

    @classmethod
    def of(cls, waiting: list[store.Row], own: str = "") -> _Group:
        """Take the oldest (rules 1 and 4) but those of task `own`."""
        taken: list[store.Row] = []
        left, size = {own}, 0
        for row in waiting:
            task = store.task_of(row)
            if task != own and size <= BYTES and len(taken) < LIMIT:
                with suppress(Rejected):
                    row["written"] = written(row["kind"], row["entry"])
                    size += len(row["written"])
                    taken.append(row)
                    continue
            left.add(task)
        return cls(taken, {store.task_of(row) for row in taken} - left)


@dataclass(slots=True)
class _Pen:
    """Writes one transaction's entries; `held` are the exits' entries that wait for another."""

    unit: Any
    desk: Desk
    held: dict[str, list[store.Row]]
    exits: set[str]
    page: store.Page = field(init=False)
    intents: list[tuple[store.Row, int]] = field(default_factory=list)
    forgets: list[store.Row] = field(default_factory=list)
    replays: list[store.Row] = field(default_factory=list)

    def __post_init__(self) -> None:
        head = store.head(self.unit)
        if head is not None and head["origin"] != self.desk.public.origin:
            raise Rejected(
                "LOG_ORIGIN", "the log was begun under another key", field="origin", remedy="use the log's key"
            )
        self.page = store.Page(self.unit, head["size"] if head else 0, self.exits)

    def write(self, items: list[store.Row]) -> None:
        """Write the entries, the head over all of them, and what is told of them."""
        before = self.page.size
        for item in items:
            self._take(item)
        if self.page.size == before:
            return
        root, size, public = self.page.write(), self.page.size, self.desk.public
        note = checkpoint.sign(public.origin, size, root, self.desk.key)
        head = {"size": size, "root": base64.b64encode(root).decode(), "checkpoint": note}
        store.save_head(self.unit, head | {"origin": public.origin, "keys": public.lines()})
        self._forget()
        for item, index in self.intents:
            told = {name: item["entry"][name] for name in ("activity", "job_id", "plan_digest")}
            told |= {"exit_id": item["exit_id"], "kind": item["kind"], "index": index, "size": size}
            self.unit.emit("compliance.evidence_recorded", item["exit_id"], told)
        for item in self.replays:
            told = {name: item["entry"][name] for name in ("activity", "restore_id")}
            told |= {"exit_id": item["exit_id"], "on": self.unit.today}
            self.unit.emit("compliance.redeletion_due", item["exit_id"], told)

    def _forget(self) -> None:
        for item in self.forgets:
            if item["kind"] == REDACTED:
                forgetting.forget(self.unit, item["exit_id"], item["entry"]["index"])
            else:
                forgetting.end_exit(self.unit, item["exit_id"], item["ref"])

    def _take(self, item: store.Row) -> None:
        if self._waits(item):
            self.held[item["exit_id"]].append(item)
            store.hold(self.unit, item)
            return
        self._append(item)
        waiting = self.held[item["exit_id"]]
        while ready := next((one for one in waiting if not self._waits(one)), None):
            waiting.remove(ready)
            store.release(self.unit, ready["ref"])
            self._append(ready)

    def _append(self, item: store.Row) -> None:
        stand = self.page.stands[item["exit_id"]]
        event = {
            "version": 1,
            "origin": self.desk.public.origin,
            "exit": item["exit_id"],
            "n": stand.n,
            "prev": stand.last,
            "kind": item["kind"],
            "ref": item["ref"],
            "at": self.unit.now.isoformat(timespec="seconds"),
            "entry": item["entry"],
        }
        index = self.page.add(item, leaf(event, secrets.token_hex(32), item.get("written")))
        if item["kind"] == INTENT:
            self.intents.append((item, index))
        if item["kind"] == REPLAYED:
            self.replays.append(item)
        if item["kind"] in KEPT:
            self.forgets.append(item)

    def _waits(self, item: store.Row) -> bool:
        rule = domain.before(item["kind"])
        if rule is None:
            return False
        seen = self.page.stands[item["exit_id"]].seen[rule[1], domain.named(item["entry"], rule[1])]
        return domain.waits_for(item["kind"], item["entry"], seen) is not None
