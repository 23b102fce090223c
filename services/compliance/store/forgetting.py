"""What the log forgets: a leaf's event and salt go, its hash stays (evidence.md §1.7); redactions and retention's rows.

A forgotten entry's row keeps its exit and number (`_id`), index and leaf hash. With it go our own copies of the event:
the bundles and papers drawn before; what was offered and refused goes when retention ends. The emitter's own outbox
forgets by age (90 days); what a customer was handed is theirs.
"""

from __future__ import annotations

from typing import Any

from pymongo import UpdateOne

from services.compliance.log import tree
from services.compliance.store.pages import of_exit
from services.compliance.store.papers import drop_papers
from shared.store.unit import Unit

Row = dict[str, Any]


def entry(unit: Unit, exit_id: str, index: int) -> Row | None:
    """Read the row of one entry of an exit; None where the exit has none at this index."""
    return unit.db.log_entries.find_one({**of_exit(exit_id), "index": index}, session=unit.session)


def forget(unit: Unit, exit_id: str, index: Row | int) -> None:
    """Forget these entries of an exit, `index` selects them, and our own copies of them."""
    wanted = of_exit(exit_id) | {"index": index, "leaf": {"$exists": True}}
    rows = list(unit.db.log_entries.find(wanted, session=unit.session))
    if not rows:
        return
    gone = [
        UpdateOne({"_id": row["_id"]}, {"$set": {"hash": tree.leaf_hash(bytes(row["leaf"]))},
                                        "$unset": {"leaf": 1, "kind": 1, "about": 1}})
        for row in rows
    ]  # fmt: skip
    unit.db.log_entries.bulk_write(gone, session=unit.session, ordered=False)
    _bundles(unit, exit_id, min(row["index"] for row in rows))
    drop_papers(unit, exit_id)


def _bundles(unit: Unit, exit_id: str, index: int) -> None:
    """Remove our copies of the bundles that show what was forgotten; PDF and machine form stay."""
    drawn = {"exit_id": exit_id, "size": {"$gt": index}}
    for row in unit.db.certificates.find(drawn, {"_id": 1}, session=unit.session):
        _remove_documents(unit, f"{row['_id']}/bundle/")


def _remove_documents(unit: Unit, prefix: str) -> None:
    end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
    unit.db.documents.delete_many({"_id": {"$gte": prefix, "$lt": end}}, session=unit.session)


def end_exit(unit: Unit, exit_id: str, ref: str) -> None:
    """Forget all of an exit before entry `ref` but numbers and digests: entries, documents, statements, names."""
    (last,) = unit.db.log_refs.find({"_id": ref}, session=unit.session)
    forget(unit, exit_id, {"$lt": last["index"]})
    unit.db.log_waiting.delete_many({"exit_id": exit_id, "refused": True}, session=unit.session)
    for row in unit.db.certificates.find({"exit_id": exit_id}, {"_id": 1}, session=unit.session):
        _remove_documents(unit, f"{row['_id']}/")
    gone: Row = {"$set": {"statement": None, "signatures": [], "refusals": []}}
    unit.db.certificates.update_many({"exit_id": exit_id}, gone, session=unit.session)
    unit.db.retention.update_one({"_id": exit_id}, {"$set": {"state": "ended"}}, session=unit.session)
    unit.db.exits.update_one(
        {"_id": exit_id}, {"$unset": {"parties": 1, "titles": 1, "rules": 1}}, session=unit.session
    )


# ------------------------------------------------------------------------------------------------ redactions


def redaction(unit: Unit, redaction_id: str) -> Row | None:
    """Read a redaction."""
    return unit.db.redactions.find_one({"_id": redaction_id}, session=unit.session)


def redactions(unit: Unit, exit_id: str) -> list[Row]:
    """List an exit's redactions, by place."""
    return list(unit.db.redactions.find({"exit_id": exit_id}, session=unit.session).sort([("index", 1), ("_id", 1)]))


def save_redaction(unit: Unit, row: Row) -> None:
    """Write a redaction."""
    unit.db.redactions.replace_one({"_id": row["_id"]}, row, upsert=True, session=unit.session)


# ------------------------------------------------------------------------------------------------ retention


def retention(unit: Unit, exit_id: str) -> Row | None:
    """Read how long an exit's evidence is kept; None while it has no certificate."""
    return unit.db.retention.find_one({"_id": exit_id}, session=unit.session)


def retentions(unit: Unit, state: str) -> list[Row]:
    """List the exits whose evidence is in this state, the earliest day first."""
    return list(unit.db.retention.find({"state": state}, session=unit.session).sort([("until", 1), ("_id", 1)]))


def save_retention(unit: Unit, row: Row) -> None:
    """Write how long an exit's evidence is kept."""
    unit.db.retention.replace_one({"_id": row["_id"]}, row, upsert=True, session=unit.session)
