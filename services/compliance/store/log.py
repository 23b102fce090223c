"""The evidence log's collections, the tasks that wait for the ledger among them."""

from __future__ import annotations

import base64
import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from contracts.fields import Code, Id
from contracts.registry import Message, check
from services.compliance.documents.draft import Head
from services.compliance.evidence import GENESIS, Logged, read_leaf
from services.compliance.facts import Facts
from services.compliance.facts.gathering import collect
from services.compliance.log import tree
from services.compliance.log.fsck import Stored
from services.compliance.store.nodes import Nodes
from services.compliance.store.pages import hash_of, of_exit
from services.compliance.verifier import ophor_verify
from shared.store import snapshot
from shared.store.unit import Unit, inbox_key

if TYPE_CHECKING:
    from pymongo.cursor import Cursor

Row = dict[str, Any]
APPEND, LEDGER = "compliance.ledger.append", "compliance.ledger"
_PROVEN, _BATCH, _MANY = 500, 5_000, 20_000
FIELDS = ("ref", "exit_id", "kind", "entry")
_WAITING: Row = {"refused": None}
_turn = itertools.count()


class Offer(Message):
    """What an entry is offered with; `entry` itself is judged by the schema of its kind."""

    ref = Id()
    exit_id = Id()
    kind = Code()


def head(unit: Unit) -> Row | None:
    """Read the log's head: size, root (base64), checkpoint, origin, kind, keys; None while the log is empty."""
    return unit.db.log_head.find_one({"_id": "head"}, session=unit.session)


def save_head(unit: Unit, row: Row) -> None:
    """Write the head and keep its checkpoint under its size."""
    unit.db.log_head.replace_one({"_id": "head"}, {"_id": "head", **row}, upsert=True, session=unit.session)
    note = {"_id": row["size"], "root": row["root"], "checkpoint": row["checkpoint"]}
    unit.db.log_heads.replace_one({"_id": row["size"]}, note, upsert=True, session=unit.session)


def cosigned(unit: Unit, size: int, line: str) -> None:
    """Keep a witness's cosignature with the head of this size, once a witness."""
    row = unit.db.log_heads.find_one({"_id": size}, session=unit.session)
    if row is None or line.split(" ")[1] in {each.split(" ")[1] for each in _lines(row["checkpoint"])}:
        return
    note = {"$set": {"checkpoint": row["checkpoint"] + line}}
    unit.db.log_heads.update_one({"_id": size}, note, session=unit.session)
    unit.db.log_head.update_one({"_id": "head", "size": size}, note, session=unit.session)


def _lines(note: str) -> list[str]:
    return [line for line in note.splitlines() if line.startswith("— ")]


def offer(unit: Unit, item: Row) -> None:
    """Have an entry wait for the ledger, and wake the ledger, once however much a unit offers."""
    check(Offer, item, APPEND)
    task_id = unit.send_once(APPEND, {"exit_id": item["exit_id"]})
    unit.add("log_waiting", {"_id": f"{task_id}/{next(_turn):012d}", **{name: item[name] for name in FIELDS}})


def task_of(row: Row) -> str:
    """Give the task whose unit offered what waits here."""
    return str(row["_id"]).partition("/")[0]


def _of_task(task_id: str) -> Row:
    return of_exit(task_id)  # ids of both are made in the same way


def waiting(unit: Unit, limit: int) -> list[Row]:
    """List what was offered and neither taken nor refused yet, the oldest first."""
    rows = unit.db.log_waiting.find(_WAITING, session=unit.session)
    return list(rows.sort("_id", 1).limit(limit).batch_size(limit + 1))


def waiting_of(unit: Unit, task_id: str) -> list[Row]:
    """List what this task's unit offered and is not taken yet, refused or not."""
    return list(unit.db.log_waiting.find(_of_task(task_id), session=unit.session).sort("_id", 1))


def many_wait(unit: Unit, limit: int) -> bool:
    """Tell whether more wait than `limit`."""
    return unit.db.log_waiting.count_documents(_WAITING, limit=limit + 1, session=unit.session) > limit


def take(unit: Unit, rows: list[Row], tasks: set[str]) -> None:
    """Forget that these wait, and mark tasks as handled, in the transaction that appends the entries."""
    if tasks:
        _mark(unit, sorted(inbox_key(one, LEDGER) for one in tasks))
    unit.db.log_waiting.delete_many({"_id": {"$in": [row["_id"] for row in rows]}}, session=unit.session)


def _mark(unit: Unit, keys: list[str]) -> None:
    told = {"wire": APPEND, "consumer": LEDGER, "handled_at": datetime.now(UTC)}
    known = {row["_id"] for row in unit.db.inbox.find({"_id": {"$in": keys}}, {"_id": 1}, session=unit.session)}
    if done := [{"_id": key, **told} for key in keys if key not in known]:
        unit.db.inbox.insert_many(done, session=unit.session)


def refuse(unit: Unit, task_id: str) -> None:
    """Set apart what is left of a task's: no evidence, and from now on looked at only when its task is told again."""
    unit.db.log_waiting.update_many(_of_task(task_id), {"$set": {"refused": True}}, session=unit.session)


def seen_before(unit: Unit, refs: list[str]) -> set[str]:
    """Give those of `refs` that were appended or are held."""
    wanted = {"_id": {"$in": refs}}
    found = (each.find(wanted, {"_id": 1}, session=unit.session) for each in (unit.db.log_refs, unit.db.log_held))
    return {row["_id"] for rows in found for row in rows}


def hold(unit: Unit, task: Row) -> None:
    """Keep an entry until the one that must come before it is in the log."""
    last = unit.db.log_held.find_one({}, sort=[("order", -1)], session=unit.session)
    row = {"_id": task["ref"], "order": last["order"] + 1 if last else 0, **{name: task[name] for name in FIELDS}}
    unit.db.log_held.insert_one(row, session=unit.session)


def held(unit: Unit, exit_ids: Iterable[str]) -> dict[str, list[Row]]:
    """List what is held by exit, in the order it came."""
    found: dict[str, list[Row]] = defaultdict(list)
    rows = unit.db.log_held.find({"exit_id": {"$in": list(exit_ids)}}, session=unit.session)
    for row in rows.sort([("order", 1), ("_id", 1)]):
        found[row["exit_id"]].append(row)
    return found


def release(unit: Unit, ref: str) -> None:
    """Forget that an entry is held."""
    unit.db.log_held.delete_one({"_id": ref}, session=unit.session)


def leaves(unit: Unit, exit_id: str, size: int | None = None) -> dict[int, bytes]:
    """Read an exit's leaves by index, but what was forgotten; those below `size` only where it is given."""
    return {row["index"]: bytes(row["leaf"]) for row in _of(unit, exit_id, size) if "leaf" in row}


def _of(unit: Unit, exit_id: str, size: int | None = None) -> list[Row]:
    rows = unit.db.log_entries.find(of_exit(exit_id), session=unit.session).sort("_id", 1)
    return [row for row in rows if size is None or row["index"] < size]


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
    mine = _of(unit, exit_id, size)
    chain = (len(mine), hash_of(mine[-1]).hex() if mine else GENESIS)
    body, _, signatures = row["checkpoint"].partition("\n\n")
    return Head(size, base64.b64decode(row["root"]), chain, f"{body}\n\n{signatures.splitlines()[0]}\n")


def nodes(unit: Unit) -> Nodes:
    """Read all nodes at once."""
    return Nodes(unit).whole()


def checks(unit: Unit, exit_id: str) -> bool:
    """Tell whether every entry of an exit is in the log under its head, by the stored nodes.

    The whole log is looked at where a bundle is verified (all its leaf hashes) and by `fsck`.
    """
    row, known, mine = head(unit), Nodes(unit), _of(unit, exit_id)
    if row is None:
        return False
    root = base64.b64decode(row["root"])
    with suppress(KeyError):
        for some in (mine[at : at + _PROVEN] for at in range(0, len(mine), _PROVEN)):
            paths = known.answer(partial(_inclusions, [one["index"] for one in some], int(row["size"])))
            if not all(
                ophor_verify.included(hash_of(one), one["index"], row["size"], path, root)
                for one, path in zip(some, paths, strict=True)
            ):
                return False
        return True
    return False


def _inclusions(indexes: list[int], size: int, known: tree.Nodes) -> list[list[bytes]]:
    return [tree.inclusion(known, index, size) for index in indexes]


def stored(unit: Unit, address: str = "", many: int = _MANY) -> Stored:
    """Give all of the log as it is stored, for the one who derives it again; the unit's session has one snapshot.

    With the database's `address`, a log of `many` entries is given for other processes to read their part themselves.
    """
    db, session = unit.db, unit.session
    heads = db.command("find", "log_head", filter={"_id": "head"}, session=session)["cursor"]
    first = next(iter(heads["firstBatch"]), None)
    spread = bool(address and first and first["size"] >= many)
    rows = db.log_entries.find({}, session=session, batch_size=_BATCH).sort("_id", 1)
    refs = db.log_refs.find({}, session=session, batch_size=10 * _BATCH)
    return Stored(
        head=first,
        entries=snapshot.pages(db.log_entries) if spread else _batches(rows),
        refs=itertools.chain.from_iterable(_batches(refs)),
        tiles=db.log_tiles.find({}, session=session),
        heads=db.log_heads.find({}, session=session),
        read=partial(snapshot.read, address, "compliance", heads["atClusterTime"]) if spread else list,
        spread=spread,
    )


def _batches(rows: Cursor[Row]) -> Iterator[list[Row]]:
    return iter(lambda: rows.to_list(_BATCH), [])


def notes(unit: Unit, sizes: set[int]) -> dict[int, str]:
    """Read, for each of these sizes, the first checkpoint that covers it."""
    found = (unit.db.log_heads.find_one({"_id": {"$gte": size}}, sort=[("_id", 1)], session=unit.session)
             for size in sizes)  # fmt: skip
    return {row["_id"]: row["checkpoint"] for row in found if row}
