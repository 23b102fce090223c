"""An independent look at the whole evidence log: all of it is derived again from the entries and compared.

Shares no code with the writer (`tree.py`, `checkpoint.py`, `ledger.py`): hashes, canonical JSON and notes are the
stranger's (`verifier/ophor_verify.py`). It reads one snapshot of the database, so the ledger may go on writing.

1. Every index below the head's size has one entry, and no entry has another.
2. Every leaf is canonical JSON with exactly the fields of an event, and its row says the same of it.
3. The entries of an exit form a chain from its first on: numbers without a gap, each with the leaf hash before it.
4. Every entry's ref leads to it, and no ref leads elsewhere.
5. Every stored node is the hash of what is under it; none is missing, none too many.
6. The head has the root of these leaves and the log's key signed it.
7. So has every checkpoint that was ever made, at its own size.
8. Heads kept outside are earlier states of this log.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.compliance.verifier import ophor_verify
from services.compliance.verifier.ophor_verify import NoteKey, leaf_hash, node_hash

Row = dict[str, Any]
GENESIS = "0" * 64
SHOWN = 20
CHECKS = {
    1: ("Hver plads har én post", "Every index has one entry"),
    2: ("Blade og poster siger det samme", "Leaves and rows agree"),
    3: ("Hvert exits kæde er ubrudt", "Every exit's chain is unbroken"),
    4: ("Referencer", "References"),
    5: ("Lagrede knuder", "Stored nodes"),
    6: ("Loggens hoved", "The log's head"),
    7: ("Tidligere hoveder", "Earlier checkpoints"),
    8: ("Hoveder givet udefra", "Heads given from outside"),
}


@dataclass(frozen=True, slots=True)
class Stored:
    """What the store has, `entries` by exit and number; `head` is None for an empty log. Each is read once."""

    head: Row | None
    entries: Iterable[Row]
    refs: Iterable[Row]
    nodes: Iterable[Row]
    heads: Iterable[Row]


@dataclass(slots=True)
class Found:
    """What was looked at, and what is wrong with it, by number of the check."""

    size: int = 0
    counts: dict[int, int] = field(default_factory=lambda: dict.fromkeys(CHECKS, 0))
    wrong: dict[int, list[str]] = field(default_factory=lambda: {n: [] for n in CHECKS})

    def need(self, n: int, true: Any, what: str) -> None:
        """Note that one thing was looked at in check `n`, and `what` is wrong unless `true`."""
        self.counts[n] += 1
        if not true:
            self.wrong[n].append(what)

    @property
    def sound(self) -> bool:
        return not any(self.wrong.values())


def look(stored: Stored, key: NoteKey, outside: Iterable[str] = ()) -> Found:
    """Derive everything again from the entries; `outside` are heads (notes) that were kept elsewhere."""
    head = stored.head or {"size": 0}
    found = Found(int(head["size"]))
    leaves, refs = _entries(stored.entries, key.name, found)
    _refs(stored.refs, refs, found)
    levels = _levels(leaves)
    _nodes(stored.nodes, levels, found)
    if stored.head is not None:
        _note(6, stored.head, levels, key, found)
    for row in stored.heads:
        _note(7, {"size": row["_id"], **row}, levels, key, found)
    for text in outside:
        _outside(text, levels, key, found)
    return found


def _entries(rows: Iterable[Row], origin: str, found: Found) -> tuple[list[bytes], dict[str, int]]:
    """Checks 1–3; give the leaf hashes by index, and each ref's index."""
    leaves: list[bytes | None] = [None] * found.size
    refs: dict[str, int] = {}
    chain = ("", 0, GENESIS)
    for row in rows:
        data, name, index = bytes(row["leaf"]), str(row["_id"]), row["index"]
        event = _event(data)
        found.need(2, event and _same(event, row, origin), f"{name}: the row is not what its leaf says")
        free = 0 <= index < found.size and leaves[index] is None
        found.need(1, free, f"{name}: index {index} is taken or outside the log")
        if free:
            leaves[index] = leaf_hash(data)
        if not event:
            continue
        if event["exit"] != chain[0]:
            chain = (event["exit"], 0, GENESIS)
        found.need(3, (event["n"], event["prev"]) == chain[1:], f"{name}: does not follow the entry before it")
        chain = (event["exit"], event["n"] + 1, leaf_hash(data).hex())
        refs[str(event["ref"])] = index
    for index, leaf in enumerate(leaves):
        if leaf is None:
            found.need(1, False, f"index {index} has no entry")
    return [leaf or bytes(32) for leaf in leaves], refs


def _event(data: bytes) -> Row | None:
    """Read a leaf strictly; None where it is not one."""
    try:
        body = ophor_verify.parse(data, "leaf")
    except ophor_verify.Malformed:
        return None
    event = body.get("event") if isinstance(body, dict) and set(body) == {"event", "salt"} else None
    if not isinstance(event, dict) or set(event) != ophor_verify.EVENT_FIELDS:
        return None
    return event if isinstance(event["n"], int) and isinstance(event["entry"], dict) else None


def _same(event: Row, row: Row, origin: str) -> bool:
    said = (f"{event['exit']}/{event['n']:09d}", event["n"], event["kind"], event["origin"])
    about = all(event["entry"].get(name) == value for name, value in row["about"].items())
    return said == (row["_id"], row["n"], row["kind"], origin) and about


def _refs(rows: Iterable[Row], wanted: dict[str, int], found: Found) -> None:
    seen = {str(row["_id"]): int(row["index"]) for row in rows}
    for ref in sorted(wanted.keys() | seen.keys()):
        found.need(4, wanted.get(ref) == seen.get(ref), f"{ref}: {seen.get(ref)} instead of {wanted.get(ref)}")


def _levels(leaves: list[bytes]) -> list[list[bytes]]:
    """Hash the complete subtrees, level by level (RFC 6962 §2.1)."""
    levels = [leaves]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append([node_hash(below[at], below[at + 1]) for at in range(0, len(below) - 1, 2)])
    return levels


def _root(levels: list[list[bytes]], size: int) -> bytes:
    """Fold the subtrees that the size's bits name, from the smallest, into the root of the first `size` leaves."""
    if size == 0:
        return ophor_verify.root_of([])
    parts = [levels[bit][(size >> bit) - 1] for bit in range(size.bit_length()) if size >> bit & 1]
    digest = parts[0]
    for part in parts[1:]:
        digest = node_hash(part, digest)
    return digest


def _nodes(rows: Iterable[Row], levels: list[list[bytes]], found: Found) -> None:
    """Check 5."""
    here = 0
    for row in rows:
        level, at = int(row["level"]), int(row["at"])
        known = 0 <= level < len(levels) and 0 <= at < len(levels[level])
        true = known and levels[level][at] == bytes(row["hash"]) and row["_id"] == f"{level}/{at}"
        found.need(5, true, f"node {row['_id']} is another")
        here += known
    due = sum(map(len, levels))
    found.need(5, here == due, f"{here} nodes of {due}")


def _note(n: int, row: Row, levels: list[list[bytes]], key: NoteKey, found: Found) -> None:
    """Checks 6 and 7: a stored head has the root of its size, and the log's key signed just that."""
    size = int(row["size"])
    if not 0 <= size <= len(levels[0]):
        found.need(n, False, f"a head of size {size} in a log of {len(levels[0])}")
        return
    root = _root(levels, size)
    text = base64.b64encode(root).decode()
    found.need(n, row["root"] == text, f"head {size}: another root than that of the entries")
    found.need(n, _signed(row["checkpoint"], key) == (key.name, size, root), f"head {size}: its checkpoint is another")


def _outside(text: str, levels: list[list[bytes]], key: NoteKey, found: Found) -> None:
    """Check 8."""
    said = _signed(text, key)
    if said is None:
        found.need(8, False, "a head that the log's key did not sign")
        return
    true = said[1] <= len(levels[0]) and _root(levels, said[1]) == said[2]
    found.need(8, true, f"head {said[1]} given from outside: the log was forked or rolled back")


def _signed(text: str, key: NoteKey) -> tuple[str, int, bytes] | None:
    try:
        head = ophor_verify.read_head(text, key)
    except (ophor_verify.Failed, ophor_verify.Malformed):
        return None
    return head.origin, head.size, head.root


# ------------------------------------------------------------------------------------------------ for people


def as_text(found: Found, *, english: bool) -> str:
    """Write what was found, Danish unless `english`."""
    side = 1 if english else 0
    lines = []
    for n, names in CHECKS.items():
        wrong = found.wrong[n]
        word = ("FEJL", "WRONG")[side] if wrong else "OK" if found.counts[n] else ("IKKE UDFØRT", "NOT DONE")[side]
        lines.append(f"{n} {word:<11} {names[side]} – {found.counts[n]}")
        lines += [f"    {one}" for one in wrong[:SHOWN]]
        lines += [f"    … {len(wrong) - SHOWN}"] if len(wrong) > SHOWN else []
    answer = ("Loggen stemmer", "The log is sound") if found.sound else ("LOGGEN STEMMER IKKE", "THE LOG IS NOT SOUND")
    return "\n".join([*lines, "", f"{answer[side]} · {found.size}"])


def as_dict(found: Found) -> Row:
    """Give what was found as JSON primitives."""
    checks = [
        {"n": n, "name": CHECKS[n][1], "looked_at": found.counts[n], "wrong": found.wrong[n][:SHOWN]} for n in CHECKS
    ]
    return {"sound": found.sound, "size": found.size, "checks": checks}


def main(argv: list[str] | None = None, say: Callable[[str], Any] = print) -> int:
    """Look at the log that the environment names (`OPHOR_MONGO_URI`, `OPHOR_KEYS`): 0 sound, 1 not, 2 a wrong call."""
    parser = argparse.ArgumentParser(prog="ophor evidence fsck", description=__doc__)
    parser.add_argument("--key", help="the log's key (name+hash+key); else the one in OPHOR_KEYS")
    parser.add_argument("--head", action="append", default=[], type=Path, help="a checkpoint received earlier (file)")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--english", action="store_true")
    asked = parser.parse_args(argv)
    try:
        key = ophor_verify.note_key(asked.key or _own_key())
        outside = [path.read_text("utf-8") for path in asked.head]
    except (OSError, KeyError, ValueError, ophor_verify.Failed, ophor_verify.Malformed) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201 - a terminal program
        return 2
    found = _look_at_store(key, outside)
    say(
        json.dumps(as_dict(found), ensure_ascii=False, indent=1)
        if asked.json
        else as_text(found, english=asked.english)
    )
    return 0 if found.sound else 1


def _own_key() -> str:
    from services.compliance.keys import load_public

    return load_public(Path(os.environ["OPHOR_KEYS"])).log


def _look_at_store(key: NoteKey, outside: list[str]) -> Found:
    from services.compliance import store as evidence
    from shared.runtime.clock import clock_for
    from shared.store.unit import Store, Unit

    mode = os.environ.get("OPHOR_MODE", "production")
    store = Store(os.environ["OPHOR_MONGO_URI"], "compliance", clock_for(mode, os.environ.get("OPHOR_CLOCK_URI", "")))
    try:
        with store.client.start_session(snapshot=True) as session:
            return look(evidence.stored(Unit(store, session, store.clock.fresh())), key, outside)
    finally:
        store.close()


if __name__ == "__main__":
    sys.exit(main())
