"""The entries of the log, read again in batches: what each batch says, to be put together by `fsck.py`.

A batch is rows of `log_entries` that lie side by side by exit and number; what it says is a `Piece`, a value, so that
processes may share the work.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from os import cpu_count
from typing import Any, Protocol, TypeVar

from services.compliance.log.fsck_leaf import Event, event_of
from services.compliance.verifier import ophor_verify

Row = dict[str, Any]
Read = Callable[[Any], Sequence[Row]]
Result = TypeVar("Result")
Link = tuple[str, int, str | None]
GENESIS = "0" * 64
TELLING = ("REDACTED", "RETENTION_ENDED")


@dataclass(slots=True)
class Piece:
    """What a batch says.

    `hashes` are the leaf hashes of `places`, 32 bytes each; `refs` their refs, None for what cannot be read. `first` is
    what the batch's first entry follows, `last` what its last one is followed by: exit, number, leaf hash.
    `forgotten` are the places without a leaf (exit, number, index, leaf hash), `told` what says so of one place,
    `ended` from which number on an exit's retention has ended.
    """

    read: int = 0
    wrong: list[tuple[int, str]] = field(default_factory=list)
    places: Sequence[int] = ()
    hashes: bytearray = field(default_factory=bytearray)
    refs: list[str | None] = field(default_factory=list)
    first: Link | None = None
    last: Link = ("", 0, GENESIS)
    forgotten: list[tuple[str, int, int, str]] = field(default_factory=list)
    told: list[tuple[str, int, int, str]] = field(default_factory=list)
    ended: list[tuple[str, int]] = field(default_factory=list)


class Share(Protocol):
    """Do `work` on each of many things, and give what comes of it in their order."""

    def __call__(self, work: Callable[[Any], Result], things: Iterable[Any], /) -> Iterator[Result]: ...


@contextmanager
def sharing(*, spread: bool) -> Iterator[Share]:
    """Give a way to have work done: in other processes, which begin at once, or here as it is asked for."""
    if not spread:
        yield map
        return
    with ProcessPoolExecutor(cpu_count(), get_context("spawn"), gc.disable) as pool:  # no batch leaves cycles behind
        yield pool.map


def piece(read: Read, origin: str, batch: Any) -> Piece:
    """Read one batch of entries (checks 2 and 3, within it)."""
    made, rows = Piece(), read(batch)
    for row in rows:
        if "leaf" in row:
            made.refs.append(_kept(made, row, origin))
        else:
            made.refs.append(None)
            _forgotten(made, row)
    made.places = _run([row["index"] for row in rows])
    return made


def _run(places: list[int]) -> Sequence[int]:
    """Write places that follow one another as a range: shorter between processes, and put in place at once."""
    run = range(places[0], places[0] + len(places)) if places else range(0)
    return run if list(run) == places else places


def _kept(made: Piece, row: Row, origin: str) -> str | None:
    """Take a leaf in, and give its ref."""
    data = row["leaf"]
    event, digest = event_of(data), ophor_verify.leaf_hash(data)
    made.hashes += digest
    if event is None or not _same(event, row, origin):
        made.wrong.append((2, f"{row['_id']}: the row is not what its leaf says"))
    if event is None:
        return None
    _follow(made, (event.exit, event.n, event.prev), digest.hex(), row["_id"])
    if event.kind in TELLING:
        _tells(made, event)
    return event.ref


def _forgotten(made: Piece, row: Row) -> None:
    digest, (exit_id, _, _) = bytes(row.get("hash", b"")), row["_id"].rpartition("/")
    true = set(row) == {"_id", "n", "index", "hash"} and len(digest) == 32 and row["_id"] == f"{exit_id}/{row['n']:09d}"
    if not true:
        made.wrong.append((2, f"{row['_id']}: neither a leaf nor the place of a forgotten one"))
    made.hashes += digest.ljust(32, b"\0")[:32]
    made.forgotten.append((exit_id, row["n"], row["index"], digest.hex()))
    _follow(made, (exit_id, row["n"], None), digest.hex(), row["_id"])


def _follow(made: Piece, link: Link, digest: str, name: str) -> None:
    """Take the next entry into the chain; None for `prev` where that was forgotten with it."""
    made.read += 1
    if made.first is None:
        made.first = link
    elif not follows(made.last, link):
        made.wrong.append((3, f"{name}: does not follow the entry before it"))
    made.last = (link[0], link[1] + 1, digest)


def follows(last: Link, link: Link) -> bool:
    """Tell whether an entry follows the one before it, or begins its exit's chain."""
    number, before = last[1:] if link[0] == last[0] else (0, GENESIS)
    return link[1] == number and link[2] in (None, before)


def _tells(made: Piece, event: Event) -> None:
    entry = event.entry
    if event.kind == "REDACTED":
        made.told.append((event.exit, entry["n"], entry["index"], entry["leaf"]))
    else:
        made.ended.append((event.exit, event.n))


def _same(event: Event, row: Row, origin: str) -> bool:
    return (
        event.n == row["n"]
        and event.kind == row["kind"]
        and event.origin == origin
        and f"{event.exit}/{event.n:09d}" == row["_id"]
        and row["about"].items() <= event.entry.items()
    )
