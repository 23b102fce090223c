"""Compliance's own collections.

* `log_entries` (one an entry, `_id` = exit/number, so that an exit is one range), `log_nodes` (`level/index`),
  `log_heads` (one a size: the signed checkpoint), `log_refs` (what was appended, so that it is once), `log_held`
  (waits for an entry that must come first), `log_head` (one document; the ledger alone writes it).
* `exits`: what certificates name and the log may not (parties, officials, titles, wording of rules).
* `certificates`, `numbers` (one a series), `documents` (parts of `PART` bytes).
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pymongo import ReturnDocument

from services.compliance import domain, tree
from services.compliance.evidence import GENESIS, Logged, read_leaf
from services.compliance.facts import Facts, collect
from services.compliance.statement import Head, Record
from shared.store.unit import Unit

Row = dict[str, Any]
PART = 96 * 1024  # 128 KiB in base64
ABOUT = ("job_id", "package_id", "set_id")


class Nodes(dict[tuple[int, int], bytes]):
    """The log's stored nodes, read when they are asked for."""

    def __init__(self, unit: Unit) -> None:
        super().__init__()
        self._unit = unit

    def __missing__(self, key: tuple[int, int]) -> bytes:
        row = self._unit.db.log_nodes.find_one({"_id": f"{key[0]}/{key[1]}"}, session=self._unit.session)
        if row is None:
            raise KeyError(key)
        self[key] = bytes(row["hash"])
        return self[key]


@dataclass(frozen=True, slots=True)
class Appended:
    """What an append wrote: `index` is final once the transaction is committed."""

    index: int
    size: int
    kind: str
    entry: Row


# ------------------------------------------------------------------------------------------------ the log


def head(unit: Unit) -> Row | None:
    """Read the log's head: size, root (base64), checkpoint, origin, kind, keys; None while the log is empty."""
    return unit.db.log_head.find_one({"_id": "head"}, session=unit.session)


def save_head(unit: Unit, row: Row) -> None:
    """Write the head and keep its checkpoint under its size."""
    unit.db.log_head.replace_one({"_id": "head"}, {"_id": "head", **row}, upsert=True, session=unit.session)
    note = {"_id": row["size"], "root": row["root"], "checkpoint": row["checkpoint"]}
    unit.db.log_heads.replace_one({"_id": row["size"]}, note, upsert=True, session=unit.session)


def seen_before(unit: Unit, ref: str) -> bool:
    """Tell whether `ref` was appended or is held."""
    found = unit.db.log_refs.find_one({"_id": ref}, session=unit.session)
    return bool(found) or unit.db.log_held.find_one({"_id": ref}, session=unit.session) is not None


def seen_kinds(unit: Unit, exit_id: str, field: str, value: Any) -> Mapping[str, int]:
    """Count an exit's kinds of entries whose `field` is `value`."""
    rows = unit.db.log_entries.find(_of(exit_id) | {f"about.{field}": value}, {"kind": 1}, session=unit.session)
    return Counter(row["kind"] for row in rows)


def hold(unit: Unit, task: Row) -> None:
    """Keep an entry until the one that must come before it is in the log."""
    count = unit.db.log_held.count_documents({}, session=unit.session)
    unit.db.log_held.insert_one({"_id": task["ref"], "order": count, **task}, session=unit.session)


def held(unit: Unit, exit_id: str) -> list[Row]:
    """List what is held of an exit, in the order it came."""
    return list(unit.db.log_held.find({"exit_id": exit_id}, session=unit.session).sort([("order", 1), ("_id", 1)]))


def release(unit: Unit, ref: str) -> None:
    """Forget that an entry is held."""
    unit.db.log_held.delete_one({"_id": ref}, session=unit.session)


def chain(unit: Unit, exit_id: str) -> tuple[int, str]:
    """Give how many entries an exit has and its last leaf hash."""
    row = unit.db.log_entries.find_one(_of(exit_id), sort=[("_id", -1)], session=unit.session)
    return (row["n"] + 1, tree.leaf_hash(bytes(row["leaf"])).hex()) if row else (0, GENESIS)


def write_leaf(unit: Unit, task: Row, n: int, index: int, leaf: bytes) -> bytes:
    """Write an entry, its ref and the nodes it completes; give the new root."""
    nodes = Nodes(unit)
    made = tree.appended(nodes, index, tree.leaf_hash(leaf))
    about = {name: task["entry"][name] for name in ABOUT if name in task["entry"]}
    row = {
        "_id": f"{task['exit_id']}/{n:09d}",
        "n": n,
        "index": index,
        "kind": task["kind"],
        "about": about,
        "leaf": leaf,
    }
    unit.db.log_entries.insert_one(row, session=unit.session)
    unit.db.log_refs.insert_one({"_id": task["ref"], "index": index}, session=unit.session)
    rows = [{"_id": f"{level}/{at}", "level": level, "at": at, "hash": digest} for (level, at), digest in made.items()]
    unit.db.log_nodes.insert_many(rows, session=unit.session)
    nodes.update(made)
    return tree.root(nodes, index + 1)


def leaves(unit: Unit, exit_id: str, size: int | None = None) -> dict[int, bytes]:
    """Read an exit's leaves by index, those below `size` only where it is given."""
    rows = unit.db.log_entries.find(_of(exit_id), session=unit.session).sort("_id", 1)
    return {row["index"]: bytes(row["leaf"]) for row in rows if size is None or row["index"] < size}


def facts(unit: Unit, exit_id: str, size: int | None = None) -> Facts:
    """Gather what the log says about an exit."""
    found = leaves(unit, exit_id, size)
    entries: list[Logged] = [read_leaf(index, leaf) for index, leaf in found.items()]
    return collect(exit_id, entries)


def head_at(unit: Unit, exit_id: str, size: int) -> Head:
    """Give the log at `size` as a statement names it."""
    row = unit.db.log_heads.find_one({"_id": size}, session=unit.session)
    if row is None:
        raise KeyError(size)
    mine = list(leaves(unit, exit_id, size).values())
    return Head(size, base64.b64decode(row["root"]), (len(mine), tree.leaf_hash(mine[-1]).hex() if mine else GENESIS))


def nodes(unit: Unit) -> Nodes:
    """Read all nodes at once."""
    found = Nodes(unit)
    for row in unit.db.log_nodes.find({}, session=unit.session):
        found[row["level"], row["at"]] = bytes(row["hash"])
    return found


def checks(unit: Unit, exit_id: str) -> bool:
    """Tell whether the log agrees with itself: leaves with nodes, nodes with their children, the root with its head."""
    row, stored = head(unit), nodes(unit)
    if row is None:
        return False
    fresh: dict[tuple[int, int], bytes] = {}
    for index in range(row["size"]):
        leaf = stored.get((0, index))
        if leaf is None:
            return False
        fresh |= tree.appended(fresh, index, leaf)
    mine = all(stored.get((0, index)) == tree.leaf_hash(leaf) for index, leaf in leaves(unit, exit_id).items())
    return mine and dict(stored) == fresh and base64.b64encode(tree.root(fresh, row["size"])).decode() == row["root"]


def notes(unit: Unit, sizes: set[int]) -> dict[int, str]:
    """Read the checkpoints of these sizes."""
    rows = unit.db.log_heads.find({"_id": {"$in": sorted(sizes)}}, session=unit.session)
    return {row["_id"]: row["checkpoint"] for row in rows}


def _of(exit_id: str) -> Row:
    return {"_id": {"$gte": f"{exit_id}/", "$lt": f"{exit_id}0"}}  # "0" follows "/"


# ------------------------------------------------------------------------------------------------ the exit's record


def remember(unit: Unit, exit_id: str, row: Row) -> None:
    """Add to an exit's record."""
    unit.db.exits.update_one({"_id": exit_id}, {"$set": row}, upsert=True, session=unit.session)


def exit_row(unit: Unit, exit_id: str) -> Row:
    """Read an exit's record; empty where nothing is known."""
    return unit.db.exits.find_one({"_id": exit_id}, session=unit.session) or {}


def record(unit: Unit, exit_id: str) -> Record | None:
    """Give what a certificate names; None until the parties are named."""
    row = exit_row(unit, exit_id)
    parties = row.get("parties")
    if parties is None:
        return None
    return Record(
        controller=parties["controller"],
        processor=parties["processor"],
        agreement_reference=parties["agreement_reference"],
        dpa_reference=parties["dpa_reference"],
        officials={one["actor"]: one for one in parties["officials"]},
        titles={one["system"]: one["title"] for one in row.get("titles", [])},
        rules={one["id"]: one for one in row.get("rules", [])},
    )


# ------------------------------------------------------------------------------------------------ certificates


def known(unit: Unit, exit_id: str, kind: str, *, log_checks: bool) -> domain.Known:
    """Give what is known beside the log."""
    named = record(unit, exit_id) is not None
    return domain.Known(kind=kind, named=named, log_checks=log_checks, held=len(held(unit, exit_id)))


def asked(row: Row) -> domain.Asked:
    """Give what a certificate's row asks for."""
    return domain.Asked(row["stage"], date.fromisoformat(row["issued_on"]), tuple(row["activities"]))


def certificate(unit: Unit, certificate_id: str) -> Row | None:
    """Read a certificate."""
    return unit.db.certificates.find_one({"_id": certificate_id}, session=unit.session)


def certificates(unit: Unit, exit_id: str) -> list[Row]:
    """List an exit's certificates and refusals, the oldest first."""
    found = unit.db.certificates.find({"exit_id": exit_id}, session=unit.session)
    return list(found.sort([("order", 1), ("_id", 1)]))


def issued(unit: Unit, exit_id: str, stage: str, activities: list[str]) -> Row | None:
    """Give the latest issued certificate of a stage that covers one of these scopes."""
    wanted = {"exit_id": exit_id, "stage": stage, "state": "issued", "activities": {"$in": activities}}
    return unit.db.certificates.find_one(wanted, sort=[("order", -1)], session=unit.session)


def save_certificate(unit: Unit, row: Row) -> None:
    """Write a certificate."""
    unit.db.certificates.replace_one({"_id": row["_id"]}, row, upsert=True, session=unit.session)


def save_refusal(unit: Unit, row: Row) -> None:
    """Write a refused request outside the transaction, which the refusal ends; repeating it changes nothing."""
    unit.db.certificates.replace_one({"_id": row["_id"]}, row, upsert=True)


def next_number(unit: Unit, series: str) -> int:
    """Take the next number of a series; it is given back when the transaction fails, so there are no gaps."""
    row = unit.db.numbers.find_one_and_update(
        {"_id": series}, {"$inc": {"last": 1}}, upsert=True, return_document=ReturnDocument.AFTER, session=unit.session
    )
    return int(row["last"])


def new_certificate(exit_id: str, asked: domain.Asked, kind: str, command_id: str) -> Row:
    """Make the row of a request; its id follows from the command's, so that a repeated run makes the same."""
    return {
        "_id": "crt-" + hashlib.sha256(command_id.encode()).hexdigest()[:24],
        "exit_id": exit_id,
        "stage": asked.stage,
        "activities": list(asked.activities),
        "number": None,
        "version": 1,
        "state": "requested",
        "kind": kind,
        "statement": None,
        "statement_digest": None,
        "signatures": [],
        "size": 0,
        "pdf_bytes": 0,
        "bundle_bytes": 0,
        "issued_on": None,
        "follows": None,
        "refusals": [],
        "order": 0,
    }


def certificate_row(row: Row) -> Row:
    """Give a certificate as the contract's CertificateRow."""
    names = (
        "exit_id",
        "stage",
        "number",
        "version",
        "state",
        "kind",
        "statement_digest",
        "pdf_bytes",
        "bundle_bytes",
        "refusals",
        "activities",
    )
    issued_on = date.fromisoformat(row["issued_on"]) if row["issued_on"] else None
    return {"certificate_id": row["_id"], **{name: row[name] for name in names}, "issued_on": issued_on}


# ------------------------------------------------------------------------------------------------ documents


def save_document(unit: Unit, certificate_id: str, document: str, data: bytes) -> None:
    """Keep a document in parts."""
    rows = [
        {"_id": f"{certificate_id}/{document}/{at}", "data": data[at : at + PART], "size": len(data)}
        for at in range(0, len(data), PART)
    ]
    unit.db.documents.insert_many(rows, session=unit.session)


def document_part(unit: Unit, certificate_id: str, document: str, offset: int) -> tuple[bytes, int] | None:
    """Read the part that begins at `offset`, and the whole's size; None where no part begins."""
    row = unit.db.documents.find_one({"_id": f"{certificate_id}/{document}/{offset}"}, session=unit.session)
    return (bytes(row["data"]), int(row["size"])) if row else None
