"""A service's account of its own messages, enough to tell whether the whole is quiet (ADR 0001, Quiet).

* A confirmed outbox row counts once for each consumer of its contract, an inbox row for the consumer that handled it;
  so published = handled, and nothing pending, parked or due, is quiet. Both count for the 90 days of an outbox row: an
  inbox row, which is kept a month longer, would stand for another message, and call a whole quiet that is not.
* A dead letter counts until a replay of it was handled, or until it was given up: that too writes an inbox row, and
  gives its turn away where its consumer handles in order, so that those behind it do not wait for ever.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from contracts.catalogue import EVENTS, TASKS
from shared.store.mongo import KEPT_DAYS

Rows = list[dict[str, Any]]

if TYPE_CHECKING:
    from pymongo.database import Database

    from shared.store.telling import Unit

    Db = Database[dict[str, Any]]


def of(db: Db, service: str, now: datetime) -> dict[str, Any]:
    """Give the account that `contracts.catalogue.Status` describes, at `now` of the rules' clock."""
    told, handled, timers, dead = _counted(db, now)
    states = Counter[str]()
    for row in told:
        states[row["state"]] += row["count"]
    return {
        "service": service,
        "outbox_pending": states["pending"],
        "outbox_parked": states["parked"],
        "outbox_age_s": _since(min((row["oldest"] for row in told if row["state"] == "pending"), default=None)),
        "published": _published(told),
        "handled": [{name: row[name] for name in ("wire", "consumer", "count")} for row in handled if row["count"]],
        "dead": sum(row["count"] for row in dead),
        "timers_due": sum(row["count"] for row in timers),
        "next_timer": next((row["next"].isoformat() for row in timers if row["next"]), None),
        "in_flight": 0,
    }


def consumers(wire: str) -> tuple[str, ...]:
    """Give who handles a message: an event's subscribers, a task's hand (`deletion.delete`), or nobody."""
    if task := TASKS.get(wire):
        return (f"{task.service}.{task.hand}",)
    return EVENTS[wire].subscribers if wire in EVENTS else ()


def give_up(unit: Unit, key: str, code: str, turn: tuple[str, int]) -> bool:
    """Count a dead letter as handled for good; tell whether the service knows it as dead, for this `code`.

    `key` is the inbox's; `turn` the aggregate and seq of an event. A letter that merely bears the id of a message of
    ours has no record under its code, and changes nothing.
    """
    row = unit.db.dead.find_one({"_id": key, "code": code}, session=unit.session)
    if row is None:
        return False
    done = {
        "wire": row["wire"], "consumer": row["consumer"], "handled_at": datetime.now(UTC), "discarded": True,
    }  # fmt: skip
    unit.db.inbox.update_one({"_id": key}, {"$setOnInsert": done}, upsert=True, session=unit.session)
    aggregate, seq = turn
    place = {"_id": f"{row['consumer']}/{aggregate}"}
    position = unit.db.positions.find_one(place, session=unit.session)
    if seq == (position["seq"] if position else 0) + 1:
        unit.db.positions.replace_one(place, {"seq": seq}, upsert=True, session=unit.session)
    return True


def age_s(db: Db) -> float:
    """Give the age of the oldest pending row of the outbox, in seconds."""
    oldest = db.outbox.find_one({"state": "pending"}, sort=[("not_before", 1), ("_id", 1)])
    return _since(oldest["created_at"] if oldest else None)


def _since(instant: datetime | None) -> float:
    return round((datetime.now(UTC) - instant).total_seconds(), 3) if instant else 0.0


def _published(told: Rows) -> Rows:
    return [
        {"wire": row["wire"], "consumer": consumer, "count": row["count"]}
        for row in told
        if row["state"] == "published"
        for consumer in consumers(row["wire"])
    ]


def _counted(db: Db, now: datetime) -> tuple[Rows, Rows, Rows, Rows]:
    """Count outbox, inbox, timers and dead letters in one question: whoever waits for quiet asks it many times."""
    later = {"$cond": [{"$gt": ["$due", now]}, "$due", None]}
    due = {"$sum": {"$cond": [{"$lte": ["$due", now]}, 1, 0]}}
    of_timers = [{"$group": {"_id": None, "count": due, "next": {"$min": later}}}]
    of_dead: list[dict[str, Any]] = [
        {"$lookup": {"from": "inbox", "localField": "_id", "foreignField": "_id", "as": "done"}},
        {"$match": {"done": []}},
        {"$group": {"_id": None, "count": {"$sum": 1}}},
    ]
    kept = {"$gt": ["$handled_at", datetime.now(UTC) - timedelta(days=KEPT_DAYS)]}
    of_inbox = _grouped("wire", "consumer", count={"$sum": {"$cond": [kept, 1, 0]}})
    parts = {"inbox": of_inbox, "timers": of_timers, "dead": of_dead}
    pipeline = [*_grouped("wire", "state", oldest={"$min": "$created_at"}), {"$set": {"from": "outbox"}}]
    for name, part in parts.items():
        pipeline.append({"$unionWith": {"coll": name, "pipeline": [*part, {"$set": {"from": name}}]}})
    found: dict[str, Rows] = {name: [] for name in ("outbox", *parts)}
    for row in db.outbox.aggregate(pipeline):
        found[row["from"]].append(row | (row["_id"] or {}))
    return found["outbox"], found["inbox"], found["timers"], found["dead"]


def _grouped(*names: str, **more: Any) -> Rows:
    return [{"$group": {"_id": {name: f"${name}" for name in names}, "count": {"$sum": 1}, **more}}]
