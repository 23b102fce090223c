"""The zoo's documents: nested keys, lists, references, time series, capped collections and views (see `zoo`)."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pymongo
import pytest
from bson import Binary, DBRef, ObjectId
from pymongo.database import Database

from tests.integration import connectors_targets as targets
from tests.integration.connectors_targets import Target
from tests.integration.zoo import GONE, KEY
from tests.integration.zoo_keeper import outcome
from tests.parts import Parts

Base = Database[dict[str, Any]]
DEEP: dict[str, Any] = {"tenant_key": "kunde.id"}
SAYS_SO = {"without_tenant": "NOT_CUSTOMER_DATA"}
OWN_ID, OWN_UUID = "65f0c0ffee65f0c0ffee65f0", uuid.UUID(targets.OWN)


@dataclass(frozen=True)
class Animal:
    """Documents of `p` (or what makes the collections), what comes of them, and how many must be there afterwards."""

    outcome: str
    documents: list[dict[str, Any]] = field(default_factory=list)
    left: int = 0
    places: dict[str, dict[str, Any]] = field(default_factory=lambda: {"p": KEY})
    make: Callable[[Base], Any] = field(default=lambda base: None)
    tenant: str = targets.LEAVING


ZOO = {
    "numbers and texts": Animal(GONE, [{"lejer": value} for value in (101, "101", 102, "0101", "101 ")], 3),
    "a nested tenant key": Animal(
        GONE, [{"kunde": {"id": 101}}, {"kunde": {"id": "102"}, "lejer": 101}], 1, {"p": DEEP}
    ),
    "an ObjectId as tenant key": Animal(
        GONE, [{"lejer": ObjectId(OWN_ID)}, {"lejer": OWN_ID}, {"lejer": ObjectId()}], 1, tenant=OWN_ID
    ),
    "a UUID as tenant key": Animal(
        GONE, [{"lejer": Binary.from_uuid(OWN_UUID)}, {"lejer": Binary.from_uuid(uuid.UUID(targets.FOREIGN))}], 1,
        tenant=str(OWN_UUID),
    ),
    "a list of several tenants": Animal("ROWS_WITHOUT_TENANT", [{"lejer": [101, 102]}], 1),
    "a list of one tenant": Animal("ROWS_WITHOUT_TENANT", [{"lejer": [101]}], 1),
    "a list on the way to the tenant": Animal("ROWS_WITHOUT_TENANT", [{"kunde": [{"id": 101}]}], 1, {"p": DEEP}),
    "a list of tenants, which the map takes for nobody's": Animal(
        "TENANT_AMBIGUOUS", [{"lejer": [101, 102]}], 1, {"p": KEY | SAYS_SO}
    ),
    "a list of others, which the map takes for nobody's": Animal(
        GONE, [{"lejer": [102, 103]}, {"lejer": 101}, {"lejer": None}], 2, {"p": KEY | SAYS_SO}
    ),
    "no tenant key": Animal("ROWS_WITHOUT_TENANT", [{"lejer": 101}, {}], 2),
    "an object for a tenant": Animal("ROWS_WITHOUT_TENANT", [{"lejer": {"id": 101}}], 1),
    "true for a tenant": Animal("ROWS_WITHOUT_TENANT", [{"lejer": True}], 1),
    "a key of every type": Animal(
        GONE, [{"_id": one, "lejer": 101} for one in (1, "1", 2.5, {"a": 1}, datetime(2026, 1, 1), OWN_UUID.bytes)]
    ),
    "a reference to another collection beside the key": Animal(
        GONE, [{"lejer": lejer, "sag": DBRef("sager", lejer)} for lejer in (101, 102)], 1,
        {"p": KEY, "sager": KEY}, lambda base: base.sager.insert_many([{"_id": n, "lejer": n} for n in (101, 102)]),
    ),
    "a reference to another collection and nothing else": Animal(
        "ROWS_WITHOUT_TENANT", [{"sag": DBRef("sager", 101)}], 1,
        {"p": KEY, "sager": KEY}, lambda base: base.sager.insert_one({"_id": 101, "lejer": 101}),
    ),
    "a time series": Animal(
        "PLACE_NOT_DELETABLE", [{"tid": datetime(2026, 1, 1), "lejer": 101}], 1,
        make=lambda base: base.create_collection("p", timeseries={"timeField": "tid", "metaField": "lejer"}),
    ),
    "a capped collection": Animal(
        "PLACE_NOT_DELETABLE", [{"lejer": 101}], 1,
        make=lambda base: base.create_collection("p", capped=True, size=4096),
    ),
    "a view, which is no place": Animal(
        GONE, [{"lejer": 101}, {"lejer": 102}], 1,
        make=lambda base: base.create_collection("v", viewOn="p", pipeline=[{"$match": {"lejer": 101}}]),
    ),
    "a name with a dot, a blank and Danish letters": Animal(
        GONE, [], 0, {"sager. æøå": {"tenant_key": "lejer nr"}},
        lambda base: base["sager. æøå"].insert_many([{"lejer nr": 101}, {"lejer nr": 102}]),
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def house(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Target, Base]]:
    """Give one database with its users; its deleter may remove anywhere in it."""
    with (
        targets.mongodb(parts.mongo_uri, tmp_path_factory.mktemp("zoo")) as target,
        pymongo.MongoClient[dict[str, Any]](parts.mongo_uri) as client,
    ):
        name = target.content["connection"]["database"]
        look = ["find", "listCollections", "listIndexes", "remove"]
        right = {"resource": {"db": name, "collection": ""}, "actions": look}
        client[name].command("updateRole", "delete_role", privileges=[right])
        yield target, client[name]


@pytest.mark.parametrize("name", ZOO)
def test_every_collection_is_deleted_completely_and_provably_or_refused(house: tuple[Target, Base], name: str) -> None:
    (target, base), animal = house, ZOO[name]
    for collection in base.list_collection_names():
        if not collection.startswith("system."):
            base.drop_collection(collection)
    animal.make(base)
    if animal.documents:
        base.p.insert_many(animal.documents)
    target.content["places"], target.content["tenant"] = animal.places, animal.tenant
    before = {place: base[place].count_documents({}) for place in animal.places}
    assert outcome(target) == animal.outcome
    after = {place: base[place].count_documents({}) for place in animal.places}
    if animal.outcome == GONE:
        assert base.p.count_documents({}) == animal.left
        assert all(left < before[place] for place, left in after.items())
    else:
        assert after == before
    while target.opened:
        target.opened.pop().close()
