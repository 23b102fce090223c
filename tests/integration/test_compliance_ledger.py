"""Group commit on a real database: order, causes, first indexes, and that the independent look finds it all sound."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from contracts.errors import Rejected
from services.compliance import store
from services.compliance.log import ledger, submit, tree
from services.compliance.log.witness import Witness
from services.compliance.log.witnessing import server
from services.compliance.verifier import ophor_verify
from tests.integration.bus_store_parts import mongo
from tests.integration.ledger_desk import Desk, items, opened

pytestmark = pytest.mark.xdist_group("compliance-ledger")


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with mongo() as made:
        yield made.uri


@pytest.fixture
def there(database: str, tmp_path: Path) -> Iterator[Desk]:
    with opened(database, tmp_path) as made:
        yield made


def test_one_task_appends_all_that_waits_under_one_checkpoint_and_settles_their_tasks(there: Desk) -> None:
    mine = [item for pair in zip(items("exit-a", 40), items("exit-b", 40), strict=True) for item in pair]
    tasks = [there.offer(mine[at : at + 4]) for at in range(0, 80, 4)]
    there.append(tasks[17])
    assert [row["index"] for row in there.db.log_entries.find().sort("index", 1)] == list(range(80))
    for exit_id in ("exit-a", "exit-b"):
        assert [json.loads(row["leaf"])["event"]["ref"] for row in there.logged(exit_id)] == [
            item["ref"] for item in mine if item["exit_id"] == exit_id
        ]
    assert (there.db.log_heads.count_documents({}), there.db.log_waiting.count_documents({})) == (1, 0)
    settled = {row["_id"] for row in there.db.inbox.find({"consumer": "compliance.ledger"})}
    assert settled == {f"{task}/compliance.ledger" for task in tasks if task != tasks[17]}
    assert there.look().sound and there.look().size == 80


def test_more_than_a_transaction_holds_is_left_to_the_next_task(there: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "LIMIT", 10)
    mine = items("exit-a", 25)
    tasks = [there.offer([item]) for item in mine]
    for n, left in ((0, 14), (11, 3), (22, 0)):
        there.append(tasks[n])
        assert there.db.log_waiting.count_documents({}) == left
    assert [row["n"] for row in there.logged("exit-a")] == list(range(25))
    assert there.db.log_heads.count_documents({}) == 3 and there.look().sound


def test_where_more_wait_than_a_transaction_holds_the_oldest_go_first(
    there: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "LIMIT", 10)
    mine = items("exit-a", 25)
    tasks = [there.offer(mine[:14]), there.offer(mine[14:])]
    waits = [there.store.read(lambda unit: store.many_wait(unit, 10))]
    taken = []
    while waits[-1]:
        taken.append(there.store.run(lambda unit: ledger.drain(unit, there.desk)))
        waits.append(there.store.read(lambda unit: store.many_wait(unit, 10)))
        handled = [row["_id"] for row in there.db.inbox.find({"consumer": "compliance.ledger"})]
        assert handled == [f"{task}/compliance.ledger" for task in tasks[: len(taken) - 1]], "done when nothing is left"
    there.append(tasks[0])  # told again: it was taken in its turn
    assert taken == [10, 10] and [row["n"] for row in there.logged("exit-a")] == list(range(25))
    said = [json.loads(row["leaf"])["event"]["ref"] for row in there.logged("exit-a")]
    assert said == [item["ref"] for item in mine] and there.look().sound


def test_the_same_ref_again_keeps_its_first_index_in_this_transaction_and_in_another(there: Desk) -> None:
    (one, other) = items("exit-a", 2)
    task = there.offer([one, other, one | {"entry": other["entry"]}])
    there.offer([one | {"entry": other["entry"]}])
    there.append(task)
    there.append(there.offer([other, one]))
    assert [(row["_id"], row["index"]) for row in there.db.log_refs.find().sort("index", 1)] == [
        (one["ref"], 0), (other["ref"], 1),
    ]  # fmt: skip
    assert json.loads(there.logged("exit-a")[0]["leaf"])["event"]["entry"] == one["entry"]
    assert there.look().sound and there.db.log_waiting.count_documents({}) == 0


@pytest.mark.parametrize("at_once", [True, False])
def test_effects_before_their_causes_wait_in_one_transaction_and_across_several(there: Desk, at_once: bool) -> None:
    mine = items("exit-1")
    mixed = mine[::-1]
    if at_once:
        there.append(there.offer(mixed))
    else:
        for item in mixed:
            there.append(there.offer([item]))
    kinds = [row["kind"] for row in there.logged("exit-1") if row["about"].get("job_id") == "job-D2"]
    causes = ["DELETION_PREVIEWED", "DELETION_INTENT", "PERMIT_ISSUED", "DELETION_BEGUN"]
    assert kinds[:4] == causes and kinds[-2:] == ["DELETION_EXECUTED", "DELETION_VERIFIED"]
    assert len(there.logged("exit-1")) == len(mine) and there.db.log_held.count_documents({}) == 0
    assert there.look().sound


def test_a_set_waits_for_its_own_registration_and_not_for_one_of_its_name_in_another_system(there: Desk) -> None:
    def tell(kind: str, system: str, **told: str) -> list[tuple[str, str]]:
        entry = {"system": system, "set_id": "2026-11-20", "expires_on": "2027-03-01", **told}
        there.append(there.offer([{"ref": f"{kind}-{system}", "exit_id": "exit-1", "kind": kind, "entry": entry}]))
        logged = [json.loads(row["leaf"])["event"] for row in there.logged("exit-1")]
        return [(one["kind"].removeprefix("BACKUP_"), one["entry"]["system"]) for one in logged]

    tell("BACKUP_REGISTERED", "sager", taken_on="2026-11-20")
    assert tell("BACKUP_OBSERVED", "post", answer="GONE", on="2027-03-02") == [("REGISTERED", "sager")]
    assert tell("BACKUP_REGISTERED", "post", taken_on="2026-11-20")[1:] == [
        ("REGISTERED", "post"),
        ("OBSERVED", "post"),
    ]


def test_what_is_held_keeps_its_order_when_some_of_it_was_released(there: Desk) -> None:
    def hold(ref: str) -> None:
        item = {"ref": ref, "exit_id": "exit-1", "kind": "BACKUP_OBSERVED", "entry": {}}
        there.store.run(lambda unit: store.hold(unit, item))

    hold("c"), hold("b")
    there.store.run(lambda unit: store.release(unit, "c"))
    hold("a")
    assert [row["_id"] for row in there.store.read(lambda unit: store.held(unit, ["exit-1"])["exit-1"])] == ["b", "a"]


def test_intents_are_told_with_their_index_and_a_size_that_has_a_checkpoint(there: Desk) -> None:
    mine = items("exit-1")
    there.append(there.offer(mine))
    told = [json.loads(row["body"])["data"] for row in there.db.outbox.find({"wire": "compliance.evidence_recorded"})]
    intents = [row["index"] for row in there.logged("exit-1") if row["kind"] == "DELETION_INTENT"]
    assert sorted(one["index"] for one in told) == sorted(intents) and {one["size"] for one in told} == {len(mine)}
    assert there.db.log_heads.find_one({"_id": len(mine)})
    covering = there.store.read(lambda unit: store.notes(unit, {index + 1 for index in intents}))
    assert covering.keys() == {len(mine)}


def test_what_one_transaction_tells_of_several_exits_is_numbered_for_each(there: Desk) -> None:
    mine = [item for pair in zip(items("exit-1"), items("exit-2"), strict=True) for item in pair]
    for number in range(0, len(mine), 40):
        some = mine[number : number + 40]
        there.append(there.offer(some))
    told = [json.loads(row["body"]) for row in there.db.outbox.find({"wire": "compliance.evidence_recorded"})]
    for exit_id in ("exit-1", "exit-2"):
        seqs = [one["seq"] for one in told if one["aggregate"] == f"compliance:{exit_id}"]
        assert seqs and sorted(seqs) == list(range(1, len(seqs) + 1))


def test_what_is_no_evidence_does_not_spoil_the_others(there: Desk) -> None:
    good, bad = items("exit-a", 2)
    bad["entry"] = {"digest": "ringet til Anna"}
    tasks = [there.offer([good]), there.offer([bad])]
    there.append(tasks[0])
    assert [store.task_of(row) for row in there.db.log_waiting.find()] == [tasks[1]]
    assert len(there.logged("exit-a")) == 1 and there.look().sound


def test_a_transaction_s_offers_are_one_task_s_which_alone_is_refused_for_what_is_no_evidence(there: Desk) -> None:
    mine = items("exit-a", 4)
    entry = mine[1]["entry"]
    mine[1]["entry"] = {"digest": "ringet til Anna"}
    task = there.offer(mine[:3])
    assert there.db.outbox.count_documents({"wire": "compliance.ledger.append"}) == 1
    for _ in range(2):  # a dead letter that is told again is judged again
        with pytest.raises(Rejected) as refused:
            there.work(task)
        assert refused.value.code == "EVIDENCE_INVALID"
        assert [row["ref"] for row in there.db.log_waiting.find()] == [mine[1]["ref"]]
        assert len(there.logged("exit-a")) == 2 and there.db.inbox.count_documents({}) == 0
    there.work(there.offer(mine[3:]))
    there.db.log_waiting.update_one({"ref": mine[1]["ref"]}, {"$set": {"entry": entry}})  # as by a corrected schema
    assert there.store.run(lambda unit: ledger.drain(unit, there.desk)) == 0, "only its own task looks at it"
    there.work(task)
    refs = [json.loads(row["leaf"])["event"]["ref"] for row in there.logged("exit-a")]
    assert refs == [mine[at]["ref"] for at in (0, 2, 3, 1)] and there.look().sound
    assert there.db.log_waiting.count_documents({}) == 0 and there.db.inbox.count_documents({}) == 2


def test_an_offer_without_a_usable_name_is_refused_at_once(there: Desk) -> None:
    (item,) = items("exit-a", 1)
    for wrong in ({"exit_id": "exit-a/000000001"}, {"ref": ""}, {"kind": "ringet til Anna"}):
        with pytest.raises(Rejected):
            there.offer([item | wrong])
    assert there.db.log_waiting.count_documents({}) == 0


def test_a_log_begun_under_another_key_is_not_gone_on_with(there: Desk, tmp_path: Path) -> None:
    (one, other) = items("exit-a", 2)
    there.append(there.offer([one]))
    there.db.log_head.update_one({"_id": "head"}, {"$set": {"origin": "another-log"}})
    with pytest.raises(Rejected) as refused:
        there.append(there.offer([other]))
    assert refused.value.code == "LOG_ORIGIN"


def test_a_proof_read_from_the_store_is_the_tree_s(there: Desk) -> None:
    mine = items("exit-a", 37)
    there.append(there.offer(mine))
    nodes = there.store.read(store.nodes)
    for index in range(37):
        proof = there.store.read(lambda unit, index=index: store.inclusion(unit, index, 37))
        assert proof == tree.inclusion(nodes, index, 37)
    with pytest.raises(ValueError):
        there.store.read(lambda unit: store.inclusion(unit, 37, 37))


def test_tiles_grow_over_their_borders_as_the_tree_does(there: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    nodes: dict[tuple[int, int], bytes] = {}
    mine, size = items("exit-a", 780), 0
    there.offer(mine)
    for count in (1, 254, 1, 1, 300, 211, 12):  # 1, 255, 256, 257, 557, 768, 780
        monkeypatch.setattr(ledger, "LIMIT", count)
        there.store.run(lambda unit: ledger.drain(unit, there.desk))
        for row in there.logged("exit-a")[size:]:
            nodes |= tree.appended(nodes, row["index"], tree.leaf_hash(row["leaf"]))
        size += count
        tiles = {row["_id"]: row["hashes"] for row in there.db.log_tiles.find()}
        widths = {name: len(hashes) // 32 for name, hashes in tiles.items()}
        assert sum(width for name, width in widths.items() if name[0] == "0") == size
        assert tiles.get("1/0", b"") == b"".join(nodes[8, at] for at in range(size // 256))
        known = there.store.read(store.nodes)
        assert {key: known[key] for key in nodes} == nodes
        with pytest.raises(KeyError):
            known[0, size]
    assert there.look().sound and len(mine) == size
    for index in (0, 255, 256, 511, 779):
        proof = there.store.read(lambda unit, index=index: store.inclusion(unit, index, size))
        assert proof == tree.inclusion(nodes, index, size)


def test_a_tile_that_is_longer_than_the_log_is_never_written_over(there: Desk) -> None:
    one, other = items("exit-a", 2)
    there.append(there.offer([one]))
    there.db.log_tiles.update_one({"_id": "0/0"}, {"$set": {"hashes": bytes(96)}})
    task = there.offer([other])
    with pytest.raises(RuntimeError):
        there.append(task)
    assert len(there.logged("exit-a")) == 1


def test_what_was_done_to_the_stored_log_is_found(there: Desk) -> None:
    mine = items("exit-a", 20)
    there.append(there.offer(mine))
    kept = there.db.log_head.find_one()["checkpoint"]
    assert there.look(kept).sound
    row = there.logged("exit-a")[7]
    there.db.log_entries.update_one(
        {"_id": row["_id"]}, {"$set": {"leaf": row["leaf"].replace(b'"version":1', b'"version":2')}}
    )
    assert {n for n, wrong in there.look(kept).wrong.items() if wrong} == {3, 5, 6, 7, 8}


@contextmanager
def served(witness: Witness) -> Iterator[submit.Ask]:
    """Serve a witness over HTTP; give the way to ask it."""
    with server(witness, "127.0.0.1", 0) as made:
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        try:
            yield submit.over_http(f"http://127.0.0.1:{made.server_port}")
        finally:
            made.shutdown()
            thread.join()


def test_a_witness_cosigns_the_log_as_it_grows_and_its_word_stays_with_the_head(there: Desk, tmp_path: Path) -> None:
    witness = Witness.create(tmp_path / "witness", "vidne.example.org")
    witness.trust(there.public.log)
    with served(witness) as ask:
        assert submit.submit(there.store, ask, witness.vkey) is None
        sizes = []
        for number in range(3):
            mine = items(f"exit-{number}", 7 + number)
            there.append(there.offer(mine))
            sizes += [submit.submit(there.store, ask, witness.vkey) for _ in range(2)]
    assert sizes == [7, 7, 15, 15, 24, 24]
    key = ophor_verify.note_key(witness.vkey, 4)
    for row in there.db.log_heads.find():
        assert ophor_verify.cosigned_at(row["checkpoint"], key) and row["checkpoint"].count("— ") == 2
    assert there.db.log_head.find_one()["checkpoint"].count("— ") == 2 and there.look().sound


def test_a_witness_that_says_no_or_answers_falsely_is_not_believed(there: Desk, tmp_path: Path) -> None:
    mine = items("exit-a", 3)
    there.append(there.offer(mine))
    witness, other = (Witness.create(tmp_path / name, "vidne.example.org") for name in ("one", "other"))
    for each in (witness, other):
        each.trust(there.public.log)
    for answer, vkey, code in (
        ((409, "99\n"), witness.vkey, "WITNESS_REFUSES"),
        ((422, ""), witness.vkey, "WITNESS_REFUSES"),
        ((200, "nothing of the kind\n"), witness.vkey, "WITNESS_FALSE"),
        ((200, ""), witness.vkey, "WITNESS_FALSE"),
        (
            (200, other.add_checkpoint(submit.request(None, there.db.log_head.find_one(), 0))),
            witness.vkey,
            "WITNESS_FALSE",
        ),
        ((200, ""), there.public.log, "WITNESS_KEY"),
    ):
        with pytest.raises(Rejected) as refused:
            submit.submit(there.store, lambda _text, answer=answer: answer, vkey)
        assert refused.value.code == code
    assert there.db.log_head.find_one()["checkpoint"].count("— ") == 1
