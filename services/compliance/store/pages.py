"""The log's pages: what a transaction appends, where exits stand, and the log as it is exported."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pymongo import ReplaceOne

from services.compliance import domain
from services.compliance.evidence import GENESIS
from services.compliance.log import tree
from services.compliance.store.nodes import Growing, Nodes
from shared.store.unit import Unit

Row = dict[str, Any]
ABOUT = ("job_id", "package_id", "set_id", "request_id", "restore_id")


class Exporting:
    """The log at `head` as `tiles.py` reads it: what is stored below a head never changes; leaves may be forgotten."""

    def __init__(self, unit: Unit, head: Row) -> None:
        self.head, self._unit = head, unit

    def hashes(self, level: int, first: int, count: int) -> list[bytes]:
        """Read stored nodes of one level; raise KeyError where one is missing."""
        return Nodes(self._unit).hashes(level, first, count)

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
        self._unit, self._tree = unit, Growing(unit, size)
        self.stands = _stands(unit, set(exits))
        self._entries: list[Row] = []
        self._refs: list[Row] = []

    @property
    def size(self) -> int:
        """Give how many leaves there are."""
        return self._tree.size

    def add(self, item: Row, leaf: bytes) -> int:
        """Append an entry as the next leaf and the next of its exit; give its index."""
        index, stand = self.size, self.stands[item["exit_id"]]
        about = about_of(item["entry"])
        where = {"_id": f"{item['exit_id']}/{stand.n:09d}", "n": stand.n, "index": index}
        self._entries.append(where | {"kind": item["kind"], "about": about, "leaf": leaf})
        self._refs.append({"_id": item["ref"], "index": index})
        digest = tree.leaf_hash(leaf)
        stand.follow(item["kind"], {name: domain.named(item["entry"], name) for name in about}, digest)
        self._tree.append(digest)
        return index

    def write(self) -> bytes:
        """Write it all, and give the new root."""
        db, session = self._unit.db, self._unit.session
        for collection, rows in ((db.log_entries, self._entries), (db.log_refs, self._refs)):
            if rows:
                collection.insert_many(rows, session=session)
        self._tree.write()
        moved = {str(row["_id"]).rpartition("/")[0] for row in self._entries}
        stands = [ReplaceOne({"_id": name}, _stand_row(self.stands[name]), upsert=True) for name in sorted(moved)]
        if stands:
            db.log_exits.bulk_write(stands, session=session, ordered=False)
        return self._tree.root()


def about_of(entry: Row) -> Row:
    """Give the fields by which one entry waits for another."""
    return {name: entry[name] for name in ABOUT if entry.get(name) is not None}


def _stands(unit: Unit, exits: set[str]) -> dict[str, Stand]:
    """Read where exits stand; one that has no row has no entry yet."""
    rows = unit.db.log_exits.find({"_id": {"$in": sorted(exits)}}, session=unit.session).batch_size(len(exits) + 1)
    return {name: Stand() for name in exits} | {row["_id"]: _read_stand(row) for row in rows}


def _read_stand(row: Row) -> Stand:
    stand = Stand(row["n"], row["last"])
    for name, value, kinds in row["seen"]:
        stand.seen[name, value].update(kinds)
    return stand


def _stand_row(stand: Stand) -> Row:
    seen = [[name, value, dict(kinds)] for (name, value), kinds in stand.seen.items() if kinds]
    return {"n": stand.n, "last": stand.last, "seen": seen}


def hash_of(row: Row) -> bytes:
    """Give an entry's leaf hash: of its leaf, or as it was kept when that was forgotten."""
    return tree.leaf_hash(bytes(row["leaf"])) if "leaf" in row else bytes(row["hash"])


def of_exit(exit_id: str) -> Row:
    """Select an exit's entries: one range of ids."""
    return {"_id": {"$gte": f"{exit_id}/", "$lt": f"{exit_id}0"}}  # "0" follows "/"
