"""What must hold when everything is quiet again, looked up in the stores (never in logs)."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from amqp.exceptions import AMQPError
from pymongo.errors import PyMongoError

from contracts.catalogue import EVENTS, SERVICES, TASKS
from contracts.errors import OphorError
from services.compliance.evidence import KIND_OF_EVENT
from shared.store.unit import inbox_key
from tests.chaos import fuzz, points
from tests.chaos.bed import Bed
from tests.chaos.load import Given


@dataclass
class Found:
    """What was found; `lost`, `doubled`, `late` and `wrong` name each case."""

    messages: int = 0
    ordered: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def look(bed: Bed, given: list[Given]) -> Found:
    """Look at every promise."""
    found = Found()
    _facts(bed, found)
    _sequences(bed, found)
    _order(bed, found)
    _evidence(bed, found)
    _commands(bed, given, found)
    _effects(bed, given, found)
    _dead(bed, found)
    return found


def settled(bed: Bed, seconds: float) -> list[str]:
    """Wait until nothing is under way any more; give what still is."""
    ends = time.monotonic() + seconds
    while left := _under_way(bed):
        if time.monotonic() > ends:
            return left
        time.sleep(0.2)
    return []


def _under_way(bed: Bed) -> list[str]:
    found = Found()
    try:
        late = bed.watch.late()
        depths = [f"{name}: {count}" for name, count in bed.depths().items() if count and not name.startswith("dlq-")]
        _facts(bed, found)
    except (OphorError, OSError, PyMongoError, AMQPError) as error:
        return [type(error).__name__]
    return [*(f"{name} is not ready" for name in late), *depths, *found.lost]


def _facts(bed: Bed, found: Found) -> None:
    """Every committed fact has reached every subscriber of the contracts, once."""
    handled = {service: {row["_id"] for row in bed.db(service).inbox.find({}, {"_id": 1})} for service in SERVICES}
    known = set()
    for service in SERVICES:
        for row in bed.db(service).outbox.find({}, {"wire": 1, "state": 1}):
            found.messages += 1
            for at, consumer in _consumers(row["wire"]):
                key = inbox_key(row["_id"], consumer)
                known.add((at, key))
                if key not in handled[at]:
                    found.lost.append(f"{row['wire']} {row['_id']} ({row['state']}) at {consumer}")
    strangers = {(service, key) for service, keys in handled.items() for key in keys} - known
    found.wrong += [f"{service} handled {key}, which nobody told" for service, key in sorted(strangers)]


def _consumers(wire: str) -> list[tuple[str, str]]:
    if event := EVENTS.get(wire):
        return [(subscriber, subscriber) for subscriber in event.subscribers]
    task = TASKS[wire]
    return [(task.service, f"{task.service}.{task.hand}")]


def _sequences(bed: Bed, found: Found) -> None:
    """Each aggregate's events are numbered 1…n without a gap and without a double."""
    for service in SERVICES:
        numbers = defaultdict(list)
        for row in bed.db(service).outbox.find({"seq": {"$gt": 0}}, {"subject": 1, "seq": 1, "aggregate": 1}):
            numbers[row.get("aggregate") or row["subject"]].append(row["seq"])
        for aggregate, seqs in numbers.items():
            if len(set(seqs)) != len(seqs):
                found.doubled.append(f"{service} numbers of {aggregate}")
            elif sorted(seqs) != list(range(1, len(seqs) + 1)):
                found.lost.append(f"{service} numbers of {aggregate}")


def _order(bed: Bed, found: Found) -> None:
    """The ordered handler applied seq 1…n of every aggregate, each in its turn, without a gap."""
    service, emitter = points.ORDERED
    last = Counter[str]()
    for row in bed.db(emitter).outbox.find({"seq": {"$gt": 0}}, {"subject": 1, "seq": 1}):
        last[f"{emitter}:{row['subject']}"] = max(last[f"{emitter}:{row['subject']}"], row["seq"])
    applied = defaultdict(list)
    for row in bed.db(service)[points.APPLIED].find().sort("nth", 1):
        applied[row["aggregate"]].append((row["nth"], row["seq"]))
    for aggregate, count in last.items():
        turns = applied.pop(aggregate, [])
        found.ordered += len(turns)
        if turns != [(number, number) for number in range(1, count + 1)]:
            found.wrong.append(f"{service} applied {turns} of {aggregate}, which has 1…{count}")
    found.wrong += [f"{service} applied {aggregate}, which nobody told" for aggregate in applied]


def _evidence(bed: Bed, found: Found) -> None:
    """The evidence log has its indexes 0…n without a gap, every reference once, and every fact that is evidence."""
    db = bed.db("compliance")
    indexes = sorted(row["index"] for row in db.log_entries.find({}, {"index": 1}))
    entry = {row["_id"]: row["index"] for row in db.log_refs.find()}
    if sorted(entry.values()) != indexes:
        found.doubled.append(f"evidence: {len(indexes)} entries of {len(entry)} references")
    for service in SERVICES:
        told = bed.db(service).outbox.find({"wire": {"$in": list(KIND_OF_EVENT)}}, {"wire": 1})
        found.lost += [f"{row['wire']} {row['_id']} is in no entry" for row in told if row["_id"] not in entry]
    if indexes != list(range(len(indexes))):
        found.lost.append(f"evidence indexes of {len(indexes)} entries")
    head = db.log_head.find_one({"_id": "head"}) or {"size": 0}
    if head["size"] != len(indexes):
        found.wrong.append(f"the log's head says {head['size']} of {len(indexes)}")
    if held := db.log_held.count_documents({}):
        found.wrong.append(f"{held} entries are held still")


def _commands(bed: Bed, given: list[Given], found: Found) -> None:
    """Every command has one answer, the same at each repetition, and none was carried out after its last deadline."""
    for command in given:
        row = bed.db(command.wire.partition(".")[0]).answers.find_one({"_id": command.id})
        if not command.settled:
            found.lost.append(f"{command.wire} {command.id} has no answer")
        if command.answer is not None and row is None:
            found.lost.append(f"{command.wire} {command.id} is not remembered")
        if command.differs:
            found.doubled.append(f"{command.wire} {command.id} was answered differently")
        if row is not None and row["answered_at"] > datetime.fromtimestamp(max(command.deadlines), UTC):
            found.late.append(f"{command.wire} {command.id}")


def _effects(bed: Bed, given: list[Given], found: Found) -> None:
    """An agreement was registered once for each command that was answered."""
    wanted = Counter(
        command.data["reference"] for command in given
        if command.wire == "orders.register_agreement" and command.answer is not None
    )  # fmt: skip
    stored = Counter(_references(bed))
    for reference in wanted:
        if stored[reference] != 1:
            (found.doubled if stored[reference] else found.lost).append(f"agreement {reference}: {stored[reference]}")


def _references(bed: Bed) -> list[str]:
    return [str(row.get("reference") or row.get("agreement", {}).get("reference")) for row in _agreements(bed)]


def _agreements(bed: Bed) -> list[dict[str, Any]]:
    return list(bed.db("orders").agreements.find({}))


def _dead(bed: Bed, found: Found) -> None:
    """The dead letters are exactly the malformed messages (some twice, after a kill), and no log has a body of one."""
    for service in SERVICES:
        there, wanted = bed.dead(service), bed.spoiled.get(service, set())
        found.lost += [f"malformed message {each} of {service}" for each in sorted(wanted - there - bed.excused)]
        found.wrong += [f"dlq-{service} has {each}, which was well" for each in sorted(there - wanted)]
    for name, text in bed.logs():
        if fuzz.MARK in text:
            found.wrong.append(f"{name} has the body of a malformed message")
