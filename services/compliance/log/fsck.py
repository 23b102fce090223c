"""An independent look at the whole evidence log: all of it is derived again from the entries and compared.

Shares no code with the writer (`tree.py`, `checkpoint.py`, `ledger.py`): hashes, canonical JSON and notes are the
stranger's (`verifier/ophor_verify.py`). It reads one snapshot of the database, so the ledger may go on writing.

1. Every index below the head's size has one entry, and no entry has another.
2. Every leaf is canonical JSON with exactly the fields of an event, and its row says the same of it.
3. The entries of an exit form a chain from its first on: numbers without a gap, each with the leaf hash before it.
4. Every entry's ref leads to it, and no ref leads elsewhere.
5. Every stored node is the hash of what is under it; no tile of them is missing, or has one too many.
6. The head has the root of these leaves and the log's key signed it.
7. So has every checkpoint that was ever made, at its own size.
8. Heads kept outside are earlier states of this log.
9. Where a leaf is missing, only its hash is left, and an entry of the same exit says that it was forgotten; what an
   entry says was forgotten is not there (`redaction.py`, `retention.py`).
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import Any

from pymongo.errors import PyMongoError

from contracts.errors import OphorError
from services.compliance.log.fsck_entries import GENESIS, Link, Piece, Read, Share, follows, piece, sharing
from services.compliance.log.fsck_found import Found, as_dict, as_text
from services.compliance.verifier import ophor_verify
from services.compliance.verifier.ophor_verify import NoteKey

Row = dict[str, Any]
HASH, TILE, PART = 32, 256 * 32, (1 << 16) * 32  # a hash, those of a tile, those of a subtree that is hashed apart


@dataclass(frozen=True, slots=True)
class Stored:
    """What the store has; `head` is None for an empty log. Each is read once.

    `entries` are batches, by exit and number, of which `read` gives the rows, in other processes where they are to be
    `spread`.
    """

    head: Row | None
    entries: Iterable[Any]
    refs: Iterable[Row]
    tiles: Iterable[Row]
    heads: Iterable[Row]
    read: Read = list
    spread: bool = False


def look(stored: Stored, key: NoteKey, outside: Iterable[str] = (), older: Iterable[NoteKey] = ()) -> Found:
    """Derive everything again from the entries; `outside` are heads (notes) kept elsewhere, `older` the keys before."""
    head = stored.head or {"size": 0}
    found = Found(int(head["size"]), older=tuple(older))
    told = _Told()
    with sharing(spread=stored.spread) as share:
        begun = share(partial(piece, stored.read, key.name), stored.entries)
        refs = {row["_id"]: row["index"] for row in stored.refs}
        leaves, wanted = _entries(begun, found, told)
        levels = _levels(leaves, share)
    _refs(refs, wanted, {index for _, _, index, _ in told.forgotten}, found)
    _told(told, found)
    _tiles(stored.tiles, levels, found)
    if stored.head is not None:
        _note(6, stored.head, levels, key, found)
    for row in stored.heads:
        _note(7, {"size": row["_id"], **row}, levels, key, found)
    for text in outside:
        _outside(text, levels, key, found)
    return found


@dataclass(slots=True)
class _Told:
    """What was forgotten, and what says so, of the whole log."""

    forgotten: set[tuple[str, int, int, str]] = field(default_factory=set)
    told: set[tuple[str, int, int, str]] = field(default_factory=set)
    ended: dict[str, int] = field(default_factory=dict)


def _entries(all_of_them: Iterable[Piece], found: Found, told: _Told) -> tuple[bytes, dict[str | None, int]]:
    """Checks 1–3; give the leaf hashes, side by side by index, and each ref's index."""
    leaves, taken = bytearray(found.size * HASH), bytearray(found.size)
    refs: dict[str | None, int] = {}
    last: Link = ("", 0, GENESIS)
    for one in all_of_them:
        for n, looked in ((1, len(one.places)), (2, len(one.places)), (3, one.read)):
            found.count(n, looked)
        for n, what in one.wrong:
            found.wrong[n].append(what)
        if one.first is not None:
            if not follows(last, one.first):
                found.wrong[3].append(f"{one.first[0]}/{one.first[1]:09d}: does not follow the entry before it")
            last = one.last
        _place(one, leaves, taken, found)
        refs.update(zip(one.refs, one.places, strict=True))
        told.forgotten.update(one.forgotten)
        told.told.update(one.told)
        told.ended.update(one.ended)
    refs.pop(None, None)
    for index in [index for index, there in enumerate(taken) if not there]:
        found.need(1, False, f"index {index} has no entry")
    return bytes(leaves), refs


def _place(piece: Piece, leaves: bytearray, taken: bytearray, found: Found) -> None:
    """Put a piece's leaf hashes in their places (check 1)."""
    data, size, places = piece.hashes, found.size, piece.places
    if isinstance(places, range) and places.start >= 0 and places.stop <= size and 1 not in taken[_slice(places)]:
        leaves[places.start * HASH : places.stop * HASH] = data
        taken[_slice(places)] = b"\1" * len(places)
        return
    for at, index in enumerate(places):
        if 0 <= index < size and not taken[index]:
            leaves[index * HASH : (index + 1) * HASH] = data[at * HASH : (at + 1) * HASH]
            taken[index] = 1
        else:
            found.wrong[1].append(f"index {index} is taken or outside the log")


def _slice(places: range) -> slice:
    return slice(places.start, places.stop)


def _refs(refs: dict[str, int], wanted: dict[str | None, int], forgotten: set[int], found: Found) -> None:
    """Check 4; what was forgotten keeps its ref, so that it is not appended again."""
    found.count(4, len(refs))
    if refs == wanted:
        return
    for ref, index in refs.items():
        known = wanted.pop(ref, None)
        if known != index and not (known is None and index in forgotten):
            found.wrong[4].append(f"{ref}: {index} instead of {known}")
    for left, index in wanted.items():
        found.need(4, False, f"{left}: None instead of {index}")


def _told(told: _Told, found: Found) -> None:
    """Check 9."""
    for exit_id, n, index, leaf in sorted(told.forgotten | told.told):
        true = (exit_id, n, index, leaf) in told.forgotten
        said = (exit_id, n, index, leaf) in told.told or n < told.ended.get(exit_id, 0)
        found.need(9, true, f"entry {index} is said to be forgotten, and is there")
        found.need(9, said, f"entry {index} is not there, and nothing says that it was forgotten")


def _levels(leaves: bytes, share: Share) -> list[bytes]:
    """Hash the complete subtrees, level by level, each level's hashes side by side (RFC 6962 §2.1)."""
    parts = share(_above, (leaves[at : at + PART] for at in range(0, len(leaves), PART)))
    levels = [leaves, *(b"".join(each) for each in zip_longest(*parts, fillvalue=b""))]
    return levels + _above(levels[-1])


def _above(below: bytes) -> list[bytes]:
    levels, sha256 = [], hashlib.sha256
    while len(below) > HASH:
        pairs = range(0, len(below) - HASH, 2 * HASH)
        below = b"".join([sha256(b"\x01" + below[at : at + 2 * HASH]).digest() for at in pairs])
        levels.append(below)
    return levels


def _node(levels: list[bytes], level: int, at: int) -> bytes:
    return levels[level][at * HASH : (at + 1) * HASH]


def _size(levels: list[bytes]) -> int:
    return len(levels[0]) // HASH


def _root(levels: list[bytes], size: int) -> bytes:
    """Fold the subtrees that the size's bits name, from the smallest, into the root of the first `size` leaves."""
    if size == 0:
        return ophor_verify.root_of([])
    parts = [_node(levels, bit, (size >> bit) - 1) for bit in range(size.bit_length()) if size >> bit & 1]
    digest = parts[0]
    for part in parts[1:]:
        digest = ophor_verify.node_hash(part, digest)
    return digest


def _tiles(rows: Iterable[Row], levels: list[bytes], found: Found) -> None:
    """Check 5: of every eighth level, 256 hashes a tile."""
    wanted = {f"{number}/{at // TILE}": level[at : at + TILE]
              for number, level in enumerate(levels[::8]) for at in range(0, len(level), TILE)}  # fmt: skip
    for row in rows:
        true = wanted.pop(row["_id"], None)
        found.count(5, len(row["hashes"]) // HASH)
        if true is None or row != {"_id": row["_id"], "hashes": true}:
            found.wrong[5].append(f"tile {row['_id']} is another")
    for name in wanted:
        found.need(5, False, f"tile {name} is missing")


def _note(n: int, row: Row, levels: list[bytes], key: NoteKey, found: Found) -> None:
    """Checks 6 and 7: a stored head has the root of its size, and the log's key signed just that."""
    size = int(row["size"])
    if not 0 <= size <= _size(levels):
        found.need(n, False, f"a head of size {size} in a log of {_size(levels)}")
        return
    root = _root(levels, size)
    text = base64.b64encode(root).decode()
    found.need(n, row["root"] == text, f"head {size}: another root than that of the entries")
    found.need(
        n, _signed(row["checkpoint"], key, found) == (key.name, size, root), f"head {size}: its checkpoint is another"
    )


def _outside(text: str, levels: list[bytes], key: NoteKey, found: Found) -> None:
    """Check 8."""
    said = _signed(text, key, found)
    if said is None:
        found.need(8, False, "a head that the log's key did not sign")
        return
    true = said[1] <= _size(levels) and _root(levels, said[1]) == said[2]
    found.need(8, true, f"head {said[1]} given from outside: the log was forked or rolled back")


def _signed(text: str, key: NoteKey, found: Found) -> tuple[str, int, bytes] | None:
    """Read a head that the log's key, or one that it followed by a signed rotation, signed; None for any other."""
    for one in (key, *found.older):
        with suppress(ophor_verify.Failed, ophor_verify.Malformed):
            head = ophor_verify.read_head(text, one)
            return head.origin, head.size, head.root
    return None


def main(argv: list[str] | None = None, say: Callable[[str], Any] = print) -> int:
    """Look at the log that the environment names (`OPHOR_MONGO_URI`, `OPHOR_KEYS`): 0 sound, 1 not, 2 not looked at."""
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
    try:
        found = _look_at_store(key, outside, [] if asked.key else _own_older(key))
    except (OphorError, PyMongoError, OSError) as error:
        print(f"bevisloggen blev ikke gennemgået / not looked at: {error}"[:500], file=sys.stderr)  # noqa: T201
        return 2
    say(
        json.dumps(as_dict(found), ensure_ascii=False, indent=1)
        if asked.json
        else as_text(found, english=asked.english)
    )
    return 0 if found.sound else 1


def _own_key() -> str:
    from services.compliance.signing.keys import load_public

    return load_public(Path(os.environ["OPHOR_KEYS"])).log


def _own_older(key: NoteKey) -> list[NoteKey]:
    """Follow the rotations in `evidence.json` back from the log's key."""
    from services.compliance.signing.keys import load_public

    read = [ophor_verify.read_rotation(note) for note in load_public(Path(os.environ["OPHOR_KEYS"])).rotations]
    mine = [ophor_verify.note_key(one.old) for one in read if one.name == "evidence-log"]
    return [one for one in mine if one.name == key.name]


def _look_at_store(key: NoteKey, outside: list[str], older: list[NoteKey]) -> Found:
    from services.compliance import store as evidence
    from services.compliance.log import program
    from shared.store.unit import Unit

    with program.the_store() as store, store.client.start_session(snapshot=True) as session:
        unit = Unit(store, session, store.clock.fresh())
        return look(evidence.stored(unit, os.environ["OPHOR_MONGO_URI"]), key, outside, older)


if __name__ == "__main__":
    sys.exit(main())
