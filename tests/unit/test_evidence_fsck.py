"""The independent look at the log: it accepts a true one, and finds every single thing that was done to it."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contracts.catalogue import EVENTS
from contracts.registry import check
from services.compliance.evidence import entry_of
from services.compliance.log import checkpoint, fsck, tree
from services.compliance.log.fsck import Stored, as_dict, as_text, look
from services.compliance.signing.keys import LOG, load_note
from services.compliance.verifier import ophor_verify
from tests.unit import evidence_world as given

Rows = dict[str, Any]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> given.World:
    world = given.World(tmp_path_factory.mktemp("keys"))
    for number, (wire, data) in enumerate(given.deleted_exit()):
        world.log.add(*entry_of(wire, check(EVENTS[wire].schema, data, wire)))
        if number == 7:
            world.log.add("NEEDS_SUBMITTED", {"digest": given.sha("another exit's")}, "exit-other")
        if number % 5 == 0:
            world.mark()
    world.mark()
    return world


@pytest.fixture
def rows(world: given.World) -> Rows:
    """Give the log as the store has it, to be bent by a test."""
    log, entries = world.log, []
    for index, data in enumerate(log.leaves):
        event = ophor_verify.json.loads(data)["event"]
        about = {name: event["entry"][name] for name in ("job_id",) if name in event["entry"]}
        name = f"{event['exit']}/{event['n']:09d}"
        row = {"_id": name, "n": event["n"], "index": index, "kind": event["kind"], "about": about, "leaf": data}
        entries.append((row, event["ref"]))
    found = {
        "entries": sorted((row for row, _ in entries), key=lambda row: row["_id"]),
        "refs": [{"_id": ref, "index": row["index"]} for row, ref in entries],
        "tiles": [{"_id": "0/0", "hashes": b"".join(log.nodes[0, index] for index in range(log.size))}],
        "heads": [{"_id": size, "root": root(log, size), "checkpoint": note} for size, note in log.heads.items()],
    }
    return found | {"head": {"size": log.size, **found["heads"][-1]}}


def root(log: given.Log, size: int) -> str:
    return base64.b64encode(tree.root(log.nodes, size)).decode()


def stored(rows: Rows, width: int = 7) -> Stored:
    """Give them in batches, as the store does."""
    entries = rows["entries"]
    return Stored(**rows | {"entries": [entries[at : at + width] for at in range(0, len(entries), width)]})


def wrong(world: given.World, rows: Rows, *outside: str) -> dict[int, list[str]]:
    found = look(stored(rows), ophor_verify.note_key(world.public.log), outside)
    assert found.sound is not any(found.wrong.values())
    return {n: list(each) for n, each in found.wrong.items() if each}


def test_a_true_log_is_sound_and_every_check_looked_at_something(world: given.World, rows: Rows) -> None:
    found = look(stored(rows), ophor_verify.note_key(world.public.log), [rows["heads"][1]["checkpoint"]])
    assert found.sound and found.size == world.log.size
    assert all(count for n, count in found.counts.items() if n != 9)
    assert as_dict(found)["sound"] and "Loggen stemmer" in as_text(found, english=False)


def test_an_empty_log_is_sound(world: given.World) -> None:
    assert wrong(world, {"head": None, "entries": [], "refs": [], "tiles": [], "heads": []}) == {}


def leaf(row: Rows, old: bytes, new: bytes) -> None:
    assert old in row["leaf"]
    row["leaf"] = row["leaf"].replace(old, new)


def swap(rows: Rows) -> None:
    one, other = rows["entries"][3], rows["entries"][4]
    one["leaf"], other["leaf"] = other["leaf"], one["leaf"]


def tile(rows: Rows, bend: Callable[[bytes], bytes]) -> None:
    rows["tiles"][0]["hashes"] = bend(rows["tiles"][0]["hashes"])


BENT: list[tuple[str, Callable[[Rows], Any], set[int]]] = [
    ("an entry's leaf was changed", lambda r: leaf(r["entries"][3], b'"version":1', b'"version":2'), {3, 5, 6, 7}),
    ("a leaf is no canonical JSON", lambda r: leaf(r["entries"][3], b'{"event"', b'{ "event"'), {2, 3, 4, 5, 6, 7}),
    ("an entry was removed", lambda r: r["entries"].pop(3), {1, 3, 4, 5, 6, 7}),
    ("the last entry of all was removed", lambda r: r["entries"].remove(
        max(r["entries"], key=lambda row: row["index"])), {1, 4, 5, 6, 7}),
    ("an entry was added", lambda r: r["entries"].append(
        r["entries"][-1] | {"_id": "exit-z/000000000", "index": 10_000}), {1, 2, 3, 4}),
    ("two leaves were exchanged", swap, {2, 3, 4, 5, 6, 7}),
    ("a row says another kind", lambda r: r["entries"][3].update(kind="GOSSIP"), {2}),
    ("a row is about another job", lambda r: r["entries"][3]["about"].update(job_id="job-other"), {2}),
    ("a ref is missing", lambda r: r["refs"].pop(3), {4}),
    ("a ref leads elsewhere", lambda r: r["refs"][3].update(index=4), {4}),
    ("a ref leads to nothing", lambda r: r["refs"].append({"_id": "ref-x", "index": 1}), {4}),
    ("a node was changed", lambda r: tile(r, lambda hashes: hashes[:320] + bytes(32) + hashes[352:]), {5}),
    ("a node is missing", lambda r: tile(r, lambda hashes: hashes[:-32]), {5}),
    ("a node too many", lambda r: tile(r, lambda hashes: hashes + bytes(32)), {5}),
    ("a tile is missing", lambda r: r["tiles"].pop(), {5}),
    ("a tile too many", lambda r: r["tiles"].append({"_id": "1/0", "hashes": bytes(32)}), {5}),
    ("a tile says more", lambda r: r["tiles"][0].update(level=0), {5}),
    ("the head was rolled back", lambda r: r.update(head=r["heads"][1] | {"size": r["heads"][1]["_id"]}), {1, 5, 7}),
    ("the head has another root", lambda r: r["head"].update(root=base64.b64encode(bytes(32)).decode()), {6}),
    ("the head's checkpoint is an earlier one", lambda r: r["head"].update(
        checkpoint=r["heads"][1]["checkpoint"]), {6}),
    ("a checkpoint has another root", lambda r: r["heads"][1].update(
        root=base64.b64encode(bytes(32)).decode()), {7}),
    ("a checkpoint was cut", lambda r: r["heads"][1].update(checkpoint=r["heads"][1]["checkpoint"][:-9]), {7}),
    ("a checkpoint of the future", lambda r: r["heads"][1].update(_id=10_000), {7}),
]  # fmt: skip


@pytest.mark.parametrize(("bend", "numbers"), [one[1:] for one in BENT], ids=[one[0] for one in BENT])
def test_whatever_was_done_to_the_log_is_found(
    world: given.World, rows: Rows, bend: Callable[[Rows], Any], numbers: set[int]
) -> None:
    bend(rows)
    assert set(wrong(world, rows)) == numbers


def test_a_log_written_anew_is_found_by_a_head_kept_outside(world: given.World, rows: Rows, tmp_path: Path) -> None:
    key = load_note(world.folder / "ledger", LOG)
    fork = checkpoint.sign(world.public.origin, 5, bytes(32), key)
    later = checkpoint.sign(world.public.origin, 10_000, bytes(32), key)
    strange = given.World(tmp_path).told(given.deleted_exit()[:2]).mark()
    for head in (fork, later, strange, "no note at all"):
        assert set(wrong(world, rows, head)) == {8}


def test_subtrees_hashed_apart_are_the_tree_at_every_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fsck, "PART", 4 * fsck.HASH)
    leaves, nodes = [tree.leaf_hash(bytes([number])) for number in range(40)], {}
    for size, leaf_hash in enumerate([*leaves, b""]):
        levels = fsck._levels(b"".join(leaves[:size]), map)
        assert {(level, at): fsck._node(levels, level, at) for level, each in enumerate(levels)
                for at in range(len(each) // fsck.HASH)} == nodes  # fmt: skip
        nodes |= tree.appended(nodes, size, leaf_hash)
