"""The log's pages: what a transaction appends, and the stored nodes as they are asked for."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pymongo import ReplaceOne

from services.compliance import tree
from services.compliance.evidence import GENESIS
from shared.store.unit import Unit

Row = dict[str, Any]
Result = TypeVar("Result")
ABOUT = ("job_id", "package_id", "set_id", "request_id")
_HASHES = {"hash": 1}


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

    def answer(self, ask: Callable[[tree.Nodes], Result]) -> Result:
        """Answer a question to the tree with one read for all the nodes that it needs."""
        wanted = _Wanted()
        ask(wanted)
        names = [f"{level}/{at}" for level, at in wanted.keys() - self.keys()]
        if names:
            rows = self._unit.db.log_nodes.find({"_id": {"$in": names}}, _HASHES, session=self._unit.session)
            for row in rows.batch_size(len(names)):
                level, _, at = row["_id"].partition("/")
                self[int(level), int(at)] = row["hash"]
        return ask(self)


class _Wanted(dict[tuple[int, int], bytes]):
    """Stands in for the nodes, and so learns which of them a question needs: that depends on places, not on hashes."""

    def __missing__(self, key: tuple[int, int]) -> bytes:
        self[key] = b""
        return b""


def inclusion(unit: Unit, index: int, size: int) -> list[bytes]:
    """Prove from the stored nodes that leaf `index` is in the tree of `size` leaves; ValueError outside of it."""
    return Nodes(unit).answer(lambda nodes: tree.inclusion(nodes, index, size))


class Exporting:
    """The log at `head` as `tiles.py` reads it: what is stored below a head never changes; leaves may be forgotten."""

    def __init__(self, unit: Unit, head: Row) -> None:
        self.head, self._unit = head, unit

    def hashes(self, level: int, first: int, count: int) -> list[bytes]:
        """Read stored nodes of one level; raise KeyError where one is missing."""
        names = [f"{level}/{at}" for at in range(first, first + count)]
        rows = self._unit.db.log_nodes.find({"_id": {"$in": names}}, _HASHES, session=self._unit.session)
        found = {row["_id"]: bytes(row["hash"]) for row in rows.batch_size(max(count, 1))}
        return [found[name] for name in names]

    def leaves(self, first: int, size: int) -> Iterator[tuple[int, bytes]]:
        """Read leaves in their order; the server sorts them on disk."""
        wanted = {"index": {"$gte": first, "$lt": size}, "leaf": {"$exists": True}}
        fields = {"_id": 0, "index": 1, "leaf": 1}
        rows = self._unit.db.log_entries.find(wanted, fields, session=self._unit.session)
        for row in rows.sort("index", 1).allow_disk_use(True):
            yield row["index"], bytes(row["leaf"])

    def forgotten(self, size: int) -> list[int]:
        """List the places whose leaf was forgotten."""
        wanted = {"index": {"$lt": size}, "leaf": {"$exists": False}}
        rows = self._unit.db.log_entries.find(wanted, {"_id": 0, "index": 1}, session=self._unit.session)
        return [row["index"] for row in rows]

    def root(self, size: int) -> bytes:
        """Give the root over the first `size` leaves."""
        return Nodes(self._unit).answer(lambda nodes: tree.root(nodes, size))


@dataclass(slots=True)
class Stand:
    """Where an exit stands in the log: how many entries, the last one's leaf hash, and which kinds about what."""

    n: int = 0
    last: str = GENESIS
    seen: dict[tuple[str, str], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def follow(self, kind: str, about: Row, digest: bytes) -> None:
        """Take the next entry in, by its leaf hash."""
        self.n, self.last = self.n + 1, digest.hex()
        for pair in about.items():
            self.seen[pair][kind] += 1


class Page:
    """What one transaction appends, kept here until `write`: many entries cost about as many round trips as one."""

    def __init__(self, unit: Unit, size: int, exits: Iterable[str]) -> None:
        self.size, self._unit, self._nodes = size, unit, Nodes(unit)
        if size:
            self._nodes.answer(lambda nodes: tree.root(nodes, size))  # whatever an append needs is part of this root
        self.stands = _stands(unit, set(exits))
        self._entries: list[Row] = []
        self._refs: list[Row] = []
        self._made: list[Row] = []

    def add(self, item: Row, leaf: bytes) -> int:
        """Append an entry as the next leaf and the next of its exit; give its index."""
        index, stand = self.size, self.stands[item["exit_id"]]
        about = about_of(item["entry"])
        where = {"_id": f"{item['exit_id']}/{stand.n:09d}", "n": stand.n, "index": index}
        self._entries.append(where | {"kind": item["kind"], "about": about, "leaf": leaf})
        self._refs.append({"_id": item["ref"], "index": index})
        digest = tree.leaf_hash(leaf)
        stand.follow(item["kind"], about, digest)
        for (level, at), node in tree.appended(self._nodes, index, digest).items():
            self._nodes[level, at] = node
            self._made.append({"_id": f"{level}/{at}", "level": level, "at": at, "hash": node})
        self.size = index + 1
        return index

    def write(self) -> bytes:
        """Write it all, and give the new root."""
        db, session = self._unit.db, self._unit.session
        for collection, rows in (
            (db.log_entries, self._entries),
            (db.log_refs, self._refs),
            (db.log_nodes, self._made),
        ):
            if rows:
                collection.insert_many(rows, session=session)
        moved = {str(row["_id"]).rpartition("/")[0] for row in self._entries}
        stands = [ReplaceOne({"_id": name}, _stand_row(self.stands[name]), upsert=True) for name in sorted(moved)]
        if stands:
            db.log_exits.bulk_write(stands, session=session, ordered=False)
        return tree.root(self._nodes, self.size)


def about_of(entry: Row) -> Row:
    """Give the fields by which one entry waits for another."""
    return {name: entry[name] for name in ABOUT if name in entry}


def _stands(unit: Unit, exits: set[str]) -> dict[str, Stand]:
    """Read where exits stand; what has no row is counted from its entries."""
    found = {row["_id"]: _read_stand(row) for row in _rows(unit, exits)}
    return found | {name: _counted(unit, name) for name in exits - found.keys()}


def _rows(unit: Unit, exits: set[str]) -> Iterable[Row]:
    return unit.db.log_exits.find({"_id": {"$in": sorted(exits)}}, session=unit.session)


def _read_stand(row: Row) -> Stand:
    stand = Stand(row["n"], row["last"])
    for name, value, kinds in row["seen"]:
        stand.seen[name, value].update(kinds)
    return stand


def _stand_row(stand: Stand) -> Row:
    seen = [[name, value, dict(kinds)] for (name, value), kinds in stand.seen.items() if kinds]
    return {"n": stand.n, "last": stand.last, "seen": seen}


def _counted(unit: Unit, exit_id: str) -> Stand:
    stand = Stand()
    for row in unit.db.log_entries.find(of_exit(exit_id), session=unit.session).sort("_id", 1):
        stand.follow(row.get("kind", ""), row.get("about", {}), hash_of(row))
    return stand


def hash_of(row: Row) -> bytes:
    """Give an entry's leaf hash: of its leaf, or as it was kept when that was forgotten."""
    return tree.leaf_hash(bytes(row["leaf"])) if "leaf" in row else bytes(row["hash"])


def of_exit(exit_id: str) -> Row:
    """Select an exit's entries: one range of ids."""
    return {"_id": {"$gte": f"{exit_id}/", "$lt": f"{exit_id}0"}}  # "0" follows "/"
