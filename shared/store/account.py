"""A service's account of its own messages, enough to tell whether the whole is quiet (ADR 0001, Quiet).

* A confirmed outbox row counts once for each consumer of its contract, an inbox row for the consumer that handled it;
  so published = handled, and nothing pending, parked or due, is quiet. Both are kept 90 days.
* A dead letter counts until a replay of it was handled, or until it was given up: that too writes an inbox row, and
  gives its turn away where its consumer handles in order, so that those behind it do not wait for ever.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from contracts.catalogue import EVENTS, TASKS

if TYPE_CHECKING:
    from pymongo.database import Database

    from shared.store.telling import Unit

    Db = Database[dict[str, Any]]


def of(db: Db, service: str, now: datetime) -> dict[str, Any]:
    """Give the account that `contracts.catalogue.Status` describes, at `now` of the rules' clock."""
    following = db.timers.find_one({"due": {"$gt": now}}, sort=[("due", 1)])
    return {
        "service": service,
        "outbox_pending": db.outbox.count_documents({"state": "pending"}),
        "outbox_parked": db.outbox.count_documents({"state": "parked"}),
        "outbox_age_s": age_s(db),
        "published": _published(db),
        "handled": _handled(db),
        "dead": _dead(db),
        "timers_due": db.timers.count_documents({"due": {"$lte": now}}),
        "next_timer": following["due"].isoformat() if following else None,
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
    return round((datetime.now(UTC) - oldest["created_at"]).total_seconds(), 3) if oldest else 0.0


def _published(db: Db) -> list[dict[str, Any]]:
    counted = db.outbox.aggregate(
        [{"$match": {"state": "published"}}, {"$group": {"_id": "$wire", "count": {"$sum": 1}}}]
    )
    return [
        {"wire": row["_id"], "consumer": consumer, "count": row["count"]}
        for row in counted
        for consumer in consumers(row["_id"])
    ]


def _handled(db: Db) -> list[dict[str, Any]]:
    by = {"wire": "$wire", "consumer": "$consumer"}
    return [
        {**row["_id"], "count": row["count"]}
        for row in db.inbox.aggregate([{"$group": {"_id": by, "count": {"$sum": 1}}}])
    ]


def _dead(db: Db) -> int:
    waiting: list[dict[str, Any]] = [
        {"$lookup": {"from": "inbox", "localField": "_id", "foreignField": "_id", "as": "done"}},
        {"$match": {"done": []}},
        {"$count": "count"},
    ]
    return next((int(row["count"]) for row in db.dead.aggregate(waiting)), 0)
