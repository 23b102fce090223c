"""The entries of the log, read again in batches: what each batch says, to be put together by `fsck.py`.

A batch is rows of `log_entries` that lie side by side by exit and number. It is a value from bytes to a `Piece`, so
that processes may share the work. A leaf is read as the stranger's verifier reads it (`ophor_verify.parse`); where its
letters are below U+D000, it is enough that writing it again in canonical form gives the same bytes, which a name given
twice or another order of names would not; floats and numbers of 16 digits are refused.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from os import cpu_count
from typing import Any, NoReturn

from services.compliance.verifier import ophor_verify

Row = dict[str, Any]
Read = Callable[[Any], Iterable[Row]]
Link = tuple[str, int, str | None]
GENESIS = "0" * 64
AHEAD, LONG = 3, 16
BEYOND = 0xED  # the first byte of U+D000 and beyond, where names sort otherwise in UTF-16 than here
_WRITE = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), check_circular=False).encode


@dataclass(slots=True)
class Piece:
    """What a batch says.

    `hashes` are the leaf hashes of `places`, 32 bytes each; `refs` their refs, None for what cannot be read. `first` is
    what the batch's first entry follows, `last` what its last one is followed by: exit, number, leaf hash.
    `forgotten` are the places without a leaf (exit, number, index, leaf hash), `told` what says so of one place,
    `ended` from which number on an exit's retention has ended.
    """

    rows: int = 0
    read: int = 0
    wrong: list[tuple[int, str]] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    hashes: bytearray = field(default_factory=bytearray)
    refs: list[str | None] = field(default_factory=list)
    first: Link | None = None
    last: Link = ("", 0, GENESIS)
    forgotten: list[tuple[str, int, int, str]] = field(default_factory=list)
    told: list[tuple[str, int, int, str]] = field(default_factory=list)
    ended: list[tuple[str, int]] = field(default_factory=list)


def pieces(batches: Iterable[Any], read: Read, origin: str, *, spread: bool) -> Iterator[Piece]:
    """Give what each batch says, in their order; `spread` over processes, a few batches ahead."""
    if not spread:
        for batch in batches:
            yield piece(batch, read, origin)
        return
    workers = cpu_count() or 1
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        waiting: deque[Future[Piece]] = deque()
        for batch in batches:
            waiting.append(pool.submit(piece, batch, read, origin))
            if len(waiting) > workers * AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def piece(batch: Any, read: Read, origin: str) -> Piece:
    """Read one batch (checks 2 and 3, within it)."""
    made = Piece()
    for row in read(batch):
        made.rows += 1
        made.places.append(row["index"])
        if "leaf" in row:
            event = _kept(made, row, origin)
        else:
            event = None
            _forgotten(made, row)
        made.refs.append(None if event is None else str(event["ref"]))
        if event is not None and event["kind"] in ("REDACTED", "RETENTION_ENDED"):
            _tells(made, event)
    return made


def _kept(made: Piece, row: Row, origin: str) -> Row | None:
    data = row["leaf"]
    event, digest = event_of(data), ophor_verify.leaf_hash(data)
    made.hashes += digest
    if event is None or not _same(event, row, origin):
        made.wrong.append((2, f"{row['_id']}: the row is not what its leaf says"))
    if event is not None:
        _follow(made, (event["exit"], event["n"], event["prev"]), digest.hex(), row["_id"])
    return event


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


def _tells(made: Piece, event: Row) -> None:
    entry = event["entry"]
    if event["kind"] == "REDACTED":
        made.told.append((event["exit"], entry["n"], entry["index"], entry["leaf"]))
    else:
        made.ended.append((event["exit"], event["n"]))


def event_of(data: bytes) -> Row | None:
    """Read a leaf strictly; None where it is not one."""
    body = _plain(data)
    event = body.get("event") if isinstance(body, dict) and body.keys() == {"event", "salt"} else None
    if not isinstance(event, dict) or event.keys() != ophor_verify.EVENT_FIELDS:
        return None
    return event if isinstance(event["n"], int) and isinstance(event["entry"], dict) else None


def _plain(data: bytes) -> Any:
    try:
        if not data.isascii() and max(data) >= BEYOND:
            return _strict(data)
        text = data.decode()
        body, _ = _READ(text)
        return body if _WRITE(body) == text else None
    except (ValueError, RecursionError):
        return None


def _strict(data: bytes) -> Any:
    try:
        return ophor_verify.parse(data, "leaf")
    except ophor_verify.Malformed:
        return None


def _refuse(text: str) -> NoReturn:
    raise ValueError(text)


def _number(text: str) -> int:
    return int(text) if len(text) < LONG else _refuse(text)


_READ = json.JSONDecoder(parse_float=_refuse, parse_constant=_refuse, parse_int=_number).raw_decode


def _same(event: Row, row: Row, origin: str) -> bool:
    if (event["kind"], event["n"], event["origin"]) != (row["kind"], row["n"], origin):
        return False
    entry = event["entry"]
    return row["_id"] == f"{event['exit']}/{event['n']:09d}" and all(
        [entry.get(name) == value for name, value in row["about"].items()]
    )
