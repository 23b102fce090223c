"""The log's pages: what a transaction appends, and the stored nodes as they are asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, TypeVar

from services.compliance import tree
from services.compliance.evidence import GENESIS
from shared.store.unit import Unit

Row = dict[str, Any]
Result = TypeVar("Result")
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

    def answer(self, ask: Callable[[tree.Nodes], Result]) -> Result:
        """Answer a question to the tree with one read for all the nodes that it needs."""
        wanted = _Wanted()
        ask(wanted)
        names = [f"{level}/{at}" for level, at in wanted.keys() - self.keys()]
        if names:
            for row in self._unit.db.log_nodes.find({"_id": {"$in": names}}, session=self._unit.session):
                self[row["level"], row["at"]] = bytes(row["hash"])
        return ask(self)


class _Wanted(dict[tuple[int, int], bytes]):
    """Stands in for the nodes, and so learns which of them a question needs: that depends on places, not on hashes."""

    def __missing__(self, key: tuple[int, int]) -> bytes:
        self[key] = b""
        return b""


def inclusion(unit: Unit, index: int, size: int) -> list[bytes]:
    """Prove from the stored nodes that leaf `index` is in the tree of `size` leaves; ValueError outside of it."""
    return Nodes(unit).answer(lambda nodes: tree.inclusion(nodes, index, size))


class Page:
    """What one transaction appends, kept here until `write`: many entries cost about as many round trips as one."""

    def __init__(self, unit: Unit, size: int) -> None:
        self.size, self._unit, self._nodes = size, unit, Nodes(unit)
        if size:
            self._nodes.answer(lambda nodes: tree.root(nodes, size))  # whatever an append needs is part of this root
        self._chains: dict[str, tuple[int, str]] = {}
        self._entries: list[Row] = []
        self._refs: list[Row] = []
        self._made: list[Row] = []

    def chain(self, exit_id: str) -> tuple[int, str]:
        """Give how many entries an exit has, these included, and its last leaf hash."""
        if exit_id not in self._chains:
            self._chains[exit_id] = chain(self._unit, exit_id)
        return self._chains[exit_id]

    def add(self, item: Row, leaf: bytes) -> int:
        """Append an entry as the next leaf and the next of its exit; give its index."""
        index, n, digest = self.size, self.chain(item["exit_id"])[0], tree.leaf_hash(leaf)
        about = {name: item["entry"][name] for name in ABOUT if name in item["entry"]}
        where = {"_id": f"{item['exit_id']}/{n:09d}", "n": n, "index": index}
        self._entries.append(where | {"kind": item["kind"], "about": about, "leaf": leaf})
        self._refs.append({"_id": item["ref"], "index": index})
        for (level, at), node in tree.appended(self._nodes, index, digest).items():
            self._nodes[level, at] = node
            self._made.append({"_id": f"{level}/{at}", "level": level, "at": at, "hash": node})
        self._chains[item["exit_id"]] = (n + 1, digest.hex())
        self.size = index + 1
        return index

    def kinds(self, exit_id: str, name: str, value: Any) -> Counter[str]:
        """Count the kinds of these entries of an exit whose `name` is `value`."""
        mine = (row for row in self._entries if row["about"].get(name) == value)
        return Counter(row["kind"] for row in mine if row["_id"].startswith(f"{exit_id}/"))

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
        return tree.root(self._nodes, self.size)


def chain(unit: Unit, exit_id: str) -> tuple[int, str]:
    """Give how many entries an exit has and its last leaf hash."""
    row = unit.db.log_entries.find_one(of_exit(exit_id), sort=[("_id", -1)], session=unit.session)
    return (row["n"] + 1, tree.leaf_hash(bytes(row["leaf"])).hex()) if row else (0, GENESIS)


def of_exit(exit_id: str) -> Row:
    """Select an exit's entries: one range of ids."""
    return {"_id": {"$gte": f"{exit_id}/", "$lt": f"{exit_id}0"}}  # "0" follows "/"
