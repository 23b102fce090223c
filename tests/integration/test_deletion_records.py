"""Proof for single records on real systems: what is committed to is what is gone, and nothing of it stays with us."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from contracts.errors import Rejected
from contracts.roles import CUSTOMER_DPO
from services.compliance.documents.statement import statement
from services.compliance.verifier import ophor_verify
from services.deletion import store
from services.deletion.worker import records, sealing, transaction
from shared.connectors.protocol import Key
from tests.integration import connectors_targets as targets
from tests.integration.connectors_targets import Target
from tests.integration.deletion_house import EXIT, House, Killed
from tests.integration.deletion_world import Customer, World, a_world, preview, stopped
from tests.parts import Parts
from tests.unit import evidence_world as evidence
from tests.unit import record_reader as reader

MADE: dict[str, Callable[[Parts, Path], AbstractContextManager[Target]]] = {
    "postgresql": lambda parts, folder: targets.postgresql(parts.postgres_uri, folder),
    "mongodb": lambda parts, folder: targets.mongodb(parts.mongo_uri, folder),
    "files": lambda parts, folder: targets.files(folder),
    "sqlite": lambda parts, folder: targets.sqlite(folder),
}


@dataclass
class Done:
    """A job that has ended on a real target, with the keys of all that it deleted, place by place."""

    world: World
    customer: Customer
    keys: dict[str, list[Key]]


@pytest.fixture(scope="module", params=list(MADE))
def done(request: pytest.FixtureRequest, parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Done]:
    folder = tmp_path_factory.mktemp(request.param)
    with (
        pytest.MonkeyPatch.context() as patch,
        MADE[request.param](parts, folder) as target,
        a_world(target, parts.mongo_uri, folder, patch) as world,
    ):
        customer = Customer(world, patch)
        customer.ask()
        keys = {place: target.open("verify").keys(place, 100) for place in target.places}
        world.house.tell(*next(one for one in _around(target) if one[0] == "delivery.package_delivered"))
        assert world.house.delete("D7a", "maal")["state"] == "verified"
        yield Done(world, customer, keys)


@pytest.fixture
def world(parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with targets.sqlite(tmp_path) as target, a_world(target, parts.mongo_uri, tmp_path, monkeypatch) as one:
        yield one


def _kept(world: World) -> int:
    return sum(world.house.store.db[name].count_documents({}) for name in ("record_keys", "record_leaves"))


NAMED = {
    "postgresql": {"sager": ["id"], "noter": ["nr"]}, "mongodb": {"sager": ["_id"], "noter": ["_id"]},
    "files": {"sager": ["path"], "noter": ["path"]}, "sqlite": {"sager": [], "noter": ["nr"]},
}  # fmt: skip
"""The columns that name a row; none where the engine names it by its address."""


def test_every_deleted_record_is_among_the_commitments_under_the_told_root_and_nothing_stays_here(done: Done) -> None:
    customer, house, keys = done.customer, done.world.house, done.keys
    told, opened = house.events("deletion.deletion_batch_closed"), customer.opened()
    key = opened.key(told[0]["job_id"], "maal")
    for (batch, leaves), event in zip(opened.batches, told, strict=True):
        assert (batch["number"], batch["place"], len(leaves)) == (event["batch"], event["place"], event["deleted"])
        assert batch["root"] == event["records_root"] == reader.batch_root(key, "maal", batch["place"], leaves)
        assert batch["columns"] == NAMED[done.world.target.kind][batch["place"]]
    for place, mine in keys.items():
        found = sorted(leaf for batch, leaves in opened.batches for leaf in leaves if batch["place"] == place)
        assert found == sorted(reader.commitment(key, "maal", place, one) for one in mine)
    read = ophor_verify.read_records([customer.plain()], EXIT)
    assert read.keys == {(told[0]["job_id"], "maal"): key}
    assert list(read.batches.values()) == [(batch, b"".join(leaves)) for batch, leaves in opened.batches]
    (sealed,), (destroyed,) = house.events("deletion.records_sealed"), house.events("deletion.records_destroyed")
    (file,) = customer.drop.iterdir()
    assert sealed["file_digest"] == destroyed["file_digest"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert sealed["records"] == destroyed["records"] == sum(map(len, keys.values()))
    assert _kept(done.world) == 0


def test_from_a_real_system_to_the_answer_about_one_record(done: Done) -> None:
    house, target, plain = done.world.house, done.world.target, done.customer.plain()
    logged = evidence.World(house.folder / "keys").told(_history(house, target))
    assert logged.refusals() == []
    logged.mark()
    bundle = evidence.issue(logged, statement(logged.draft())).bundle
    options = ophor_verify.Options(evidence.keys(logged), rehearsal=True)
    for place, keys in done.keys.items():
        address = not NAMED[target.kind][place]
        for key in (keys[0][0], keys[-1][0], "102-findes-ikke"):
            asked = json.loads(key) if target.kind == "mongodb" and key.startswith('"') else key
            answer = ophor_verify.prove(bundle, [plain], f"maal/{place}", [asked], options)
            expected = (2, "ADDRESS") if address else (int(key == "102-findes-ikke"), None)
            assert (answer["exit_code"], answer["code"]) == expected


def _history(house: House, target: Target) -> list[evidence.Event]:
    """Give what compliance is told of the whole exit: the deletion's own facts, and around them what must be there."""
    names = ("previewed", "begun", "batch_closed", "executed", "verified")
    told = {name: house.events(f"deletion.deletion_{name}") for name in names}
    (previewed,), (verified,) = told["previewed"], told["verified"]
    about = {name: previewed[name] for name in ("exit_id", "activity", "job_id", "plan_digest")}
    people = [("usr-a", "kommune_godkender"), ("usr-b", "ist_sletteansvarlig")]
    approvals = [{"actor": actor, "role": role, "at": "2026-09-30T10:00:00Z"} for actor, role in people]
    permit = about | {"approvals": approvals, "intent_index": 1, "valid_until": "2026-10-02T12:00:00Z"}
    sealed = ("deletion.records_sealed", "deletion.records_destroyed")
    return [
        evidence.order(systems=(("maal", target.kind, "2"),)), evidence.plan(scopes={"D7a": ("maal",)}),
        *_around(target), ("deletion.deletion_previewed", previewed),
        ("scheduling.approval_completed", about | {"approvals": approvals}), ("scheduling.permit_issued", permit),
        *((f"deletion.deletion_{name}", data) for name in names[1:] for data in told[name]),
        *((wire, data) for wire in sealed for data in house.events(wire)), evidence.own_copies(verified["on"]),
    ]  # fmt: skip


def _around(target: Target) -> list[evidence.Event]:
    """Give what the other services tell, of the target alone."""
    told = [*evidence.preparation()[1:], *evidence.hand_over(), evidence.closing("pladsanvisning", "D7a")]
    renamed = json.loads(json.dumps(told).replace("pladsanvisning", "maal"))
    mine = [(wire, data) for wire, data in renamed if "morgenvagt" not in data.values()]
    return [(wire, data | (_delivered(target) if wire.endswith("package_delivered") else {})) for wire, data in mine]


def _delivered(target: Target) -> dict[str, Any]:
    counts, about = target.before(own=True), {"system": "maal", "disposition": "tenant"}
    rows = [about | {"place": place, "rows": count} for place, count in counts.items()]
    return {"places": rows, "rows": sum(counts.values())}


def test_who_does_not_ask_gets_a_deletion_as_before(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    job = world.house.delete("D7a", "maal")
    told = world.house.events("deletion.deletion_batch_closed")
    assert not any("records_root" in each for each in told) and _kept(world) == 0
    assert world.house.events("deletion.records_sealed") == []
    answer = Customer(world, monkeypatch).ask()
    assert (answer["state"], answer["without"]) == ("asked", [job["job_id"]])


def test_a_killed_batch_gives_the_same_commitments_and_each_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    customer, house = Customer(world, monkeypatch), world.house
    customer.ask()
    expected = {(place, key) for place in world.target.places for key in world.target.open("verify").keys(place, 100)}
    preview(world)
    house.permit()
    for name, at in (("close", 1), ("keep", 2), ("open_", 2)):
        _dies_at(monkeypatch, name, at)
        with pytest.raises(Killed):
            house.carry()
        monkeypatch.undo()
        monkeypatch.setenv("OPHOR_BATCH", "3")
    house.carry()
    opened, told = customer.opened(), house.events("deletion.deletion_batch_closed")
    key = opened.key(told[0]["job_id"], "maal")
    found = [leaf for _, leaves in opened.batches for leaf in leaves]
    assert sorted(found) == sorted(reader.commitment(key, "maal", place, one) for place, one in expected)
    roots = [batch["root"] for batch, _ in opened.batches]
    assert roots == [each["records_root"] for each in told if each["deleted"]]


def _dies_at(patch: pytest.MonkeyPatch, name: str, number: int) -> None:
    real, calls = getattr(transaction, name), []

    def dying(*arguments: Any) -> Any:
        calls.append(1)
        if len(calls) == number:
            raise Killed
        return real(*arguments)

    patch.setattr(transaction, name, dying)


def test_of_a_batch_that_went_in_part_only_what_is_gone_is_committed_to(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Half:
        """A target where every second key is still there."""

        def present(self, place: str, keys: list[Any]) -> int:
            return sum(int(key[0]) % 2 for key in keys)

    customer, house = Customer(world, monkeypatch), world.house
    customer.ask()
    preview(world)
    house.permit()
    house.carry(until=lambda: bool(house.events("deletion.deletion_begun")))
    keys = [(str(number),) for number in range(101)]
    intent = transaction.Intent(1, "maal", "sager", keys)
    proof = records.Proof(b"k" * 32, "sqlite", Half(), [intent])  # type: ignore[arg-type]
    assert proof.present(Half(), intent) == 50  # type: ignore[arg-type]
    job = house.store.read(lambda unit: store.jobs_of(unit, EXIT)[-1])
    told = house.store.run(lambda unit: proof.kept(unit, job, intent, 51))
    gone = [reader.commitment(b"k" * 32, "maal", "sager", one) for one in keys if int(one[0]) % 2 == 0]
    assert told == {"records_root": reader.batch_root(b"k" * 32, "maal", "sager", gone)}


def test_a_key_that_was_lost_stops_the_job(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    Customer(world, monkeypatch).ask()
    preview(world)
    world.house.permit()
    world.house.carry(until=lambda: bool(world.house.events("deletion.deletion_begun")))
    world.house.store.db.record_keys.delete_many({})
    world.house.carry()
    assert stopped(world) == ("RECORD_KEY_LOST", "systems.maal")
    assert world.rows() == sum(world.target.before(own=True).values())


@pytest.mark.parametrize("at", ["_tell_sealed", "_tell_destroyed"])
def test_a_killed_sealing_ends_with_one_file_that_was_told(
    world: World, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    customer, house = Customer(world, monkeypatch), world.house
    customer.ask()
    preview(world)
    house.permit()

    def dying(*arguments: Any) -> Any:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(sealing, at, dying)
        with pytest.raises(Killed):
            house.carry()
    house.carry()
    (told,) = house.events("deletion.records_sealed")
    (file,) = customer.drop.iterdir()
    assert told["file_digest"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert sum(len(leaves) for _, leaves in customer.opened().batches) == told["records"]
    assert len(house.events("deletion.records_destroyed")) == 1 and _kept(world) == 0


def test_what_a_stopped_job_deleted_is_sealed_with_the_next(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    customer, house = Customer(world, monkeypatch), world.house
    customer.ask()
    preview(world)
    house.permit()
    house.carry(until=lambda: len(house.events("deletion.deletion_batch_closed")) == 2)
    job = house.ask("read_job", {"activity": "D7a"})
    house.ask("place_hold", {"system": "maal", "basis": "LAW", "digest": "0" * 64}, role=CUSTOMER_DPO)
    house.carry()
    assert stopped(world)[0] == "HOLD_PLACED"
    (hold,) = house.ask("list_holds", {})["holds"]
    house.ask("lift_hold", {"hold_id": hold["hold_id"], "digest": "1" * 64}, role=CUSTOMER_DPO)
    again = house.delete("D7a", "maal")
    assert again["state"] == "verified" and again["job_id"] != job["job_id"]
    (told,) = house.events("deletion.records_sealed")
    assert told["records"] == sum(world.target.before(own=True).values())
    assert {row["job_id"] for row in customer.opened().head["keys"]} == {job["job_id"], again["job_id"]}


def test_a_key_that_is_none_and_a_drop_that_is_not_there_are_refused(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer = Customer(world, monkeypatch)
    for changes, code in (({"recipient": "age1x"}, "RECIPIENT_INVALID"), ({"drop": "andet"}, "DROP_UNKNOWN")):
        with pytest.raises(Rejected) as refused:
            customer.ask(**changes)
        assert refused.value.code == code
    customer.ask()
    customer.ask()
    assert len(world.house.events("deletion.record_proof_asked")) == 1
    assert world.house.ask("read_record_proof", {})["state"] == "asked"


def test_of_two_workers_that_seal_at_once_one_file_is_told_and_the_other_goes(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer, house = Customer(world, monkeypatch), world.house
    customer.ask()
    preview(world)
    house.permit()
    house.carry(until=lambda: any(body["type"].endswith("seal_records") for body in house.tasks()))
    (task,) = (body for body in house.tasks() if body["type"].endswith("seal_records"))
    other, real = task | {"id": f"{task['id']}-2"}, sealing._write

    def overtaken(*arguments: Any) -> Any:
        monkeypatch.setattr(sealing, "_write", real)
        written = real(*arguments)
        house.do(other)  # the other worker is quicker with its own file
        return written

    monkeypatch.setattr(sealing, "_write", overtaken)
    house.do(task)
    (told,), (file,) = house.events("deletion.records_sealed"), customer.drop.iterdir()
    assert told["file_digest"] == hashlib.sha256(file.read_bytes()).hexdigest()
