"""`ledger-audit`: the whole log derived again from its entries and compared, as `ophor evidence fsck` does.

The log is of whole exits, written as the ledger writes them but for the queue; the reference reads the same leaves and
hashes them, which is the least that an audit does.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import os
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from contracts.catalogue import EVENTS
from contracts.registry import check
from services.compliance import store as evidence
from services.compliance.evidence import GENESIS, KIND_OF_EVENT, entry_of, leaf
from services.compliance.log import checkpoint, fsck, tree
from services.compliance.log.fsck_found import as_text
from services.compliance.signing.keys import LOG, load_note, load_public, make_demo_keys
from services.compliance.verifier import ophor_verify
from shared.runtime.clock import clock_for
from shared.store.unit import Store, Unit
from tests.bench.figures import Figure, seconds, timed
from tests.bench.ledger_proof import Tiles
from tests.integration.bus_store_parts import mongo
from tests.unit import evidence_world as given

EVENTS_OF_THE_LOG = int(os.environ.get("BENCH_LEAVES", "1000000"))
AT_ONCE = 256 * 40
HEAD_EVERY = 5 * AT_ONCE
Row = dict[str, Any]


def measure() -> Figure:
    """Fill a log, and derive all of it again."""
    with tempfile.TemporaryDirectory(prefix="ophor-bench-") as folder, mongo() as database:
        make_demo_keys(Path(folder))
        store = Store(database.uri, "compliance", clock_for("production"))
        fill(store, Path(folder) / "ledger")
        key = ophor_verify.note_key(load_public(Path(folder) / "ledger").log)
        store.client.admin.command("fsync")  # what is left of writing the log is no part of an audit
        took = seconds(lambda: _look(store, database.uri, key))
        least = seconds(lambda: [hashlib.sha256(row["leaf"]).digest() for row in store.db.log_entries.find()])
        store.close()
    what = f"{EVENTS_OF_THE_LOG:,} events audited: {EVENTS_OF_THE_LOG / took:,.0f}/s"
    return timed("ledger-audit", what, took, "s", "the same leaves read and hashed once", least)


def _look(store: Store, uri: str, key: ophor_verify.NoteKey) -> None:
    with store.client.start_session(snapshot=True) as session:
        found = fsck.look(evidence.stored(Unit(store, session, store.clock.fresh()), uri), key)
    if not found.sound or found.size != EVENTS_OF_THE_LOG:
        raise AssertionError(as_text(found, english=True))


def fill(store: Store, keys: Path) -> None:
    """Write a whole log: entries, refs, nodes, heads."""
    public, key = load_public(keys), load_note(keys, LOG)
    tiles, left, size = Tiles(), events(public.origin), 0
    while size < EVENTS_OF_THE_LOG:
        rows: dict[str, list[Row]] = {"log_entries": [], "log_refs": []}
        for entry, ref in islice(left, min(AT_ONCE, EVENTS_OF_THE_LOG - size)):
            rows["log_entries"].append(entry)
            rows["log_refs"].append({"_id": ref, "index": size})
            tiles.append(tree.leaf_hash(entry["leaf"]))
            size += 1
        rows["log_tiles"] = tiles.taken()
        for name, some in rows.items():
            store.db[name].insert_many(some, ordered=False)
        if size % HEAD_EVERY == 0 or size == EVENTS_OF_THE_LOG:
            root = tiles.root()
            head = {"size": size, "root": base64.b64encode(root).decode(), "origin": public.origin}
            note = checkpoint.sign(public.origin, size, root, key)
            store.run(lambda unit, head=head, note=note: evidence.save_head(unit, head | {"checkpoint": note}))
    while rest := tiles.taken():
        store.db.log_tiles.insert_many(rest)


def events(origin: str) -> Iterator[tuple[Row, str]]:
    """Give the rows of one exit's entries after the other's, each with its ref."""
    told = [entry_of(wire, check(EVENTS[wire].schema, copy.deepcopy(data), wire))
            for wire, data in given.deleted_exit() if wire in KIND_OF_EVENT]  # fmt: skip
    index = 0
    for number in range(EVENTS_OF_THE_LOG):
        exit_id, previous = f"exit-{number:08d}", GENESIS
        for n, (kind, entry) in enumerate(told):
            ref = f"{exit_id}-{n}"
            event = {"version": 1, "origin": origin, "exit": exit_id, "n": n, "prev": previous, "kind": kind,
                     "ref": ref, "at": "2026-10-01T12:00:00+00:00", "entry": entry}  # fmt: skip
            data = leaf(event, hashlib.sha256(ref.encode()).hexdigest())
            previous = tree.leaf_hash(data).hex()
            about = {name: entry[name] for name in evidence.ABOUT if name in entry}
            yield {"_id": f"{exit_id}/{n:09d}", "n": n, "index": index, "kind": kind, "about": about, "leaf": data}, ref
            index += 1
