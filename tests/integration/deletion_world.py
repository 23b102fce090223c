"""One exit whose deletion 2 is one real target: the house of deletion with a system to delete in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyrage
import pytest
import yaml

from contracts.roles import CUSTOMER_DPO
from shared.connectors import marker
from tests.integration.connectors_targets import Target
from tests.integration.deletion_house import HandClock, House, own_store
from tests.unit import record_reader as reader


@dataclass
class World:
    house: House
    target: Target

    def execute(self, statement: str) -> Any:
        return self.target.execute(statement)

    def rows(self) -> int:
        return sum(self.target.open("verify").count(place) for place in self.target.places)


@contextmanager
def a_world(target: Target, mongo_uri: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    clock = HandClock()
    store = own_store(mongo_uri, clock)
    target.content |= {"deletion": "2", "backups": {"folder": str(folder / "backups")}}
    monkeypatch.setenv("OPHOR_BATCH", "3")
    marker.prepare(target.open("prepare"), datetime.now(UTC).timestamp())
    house = House(store, clock, folder, {"maal": target.content})
    house.order()
    try:
        yield World(house, target)
    finally:
        store.client.drop_database(store.db.name)
        store.close()


class Customer:
    """A customer who asks for proof of single records: an age key of its own, and a drop."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world, self.drop = world, world.house.folder / "drop"
        self.identity = pyrage.x25519.Identity.generate()
        self.drop.mkdir()
        drops = world.house.folder / "drops.yaml"
        drops.write_text(yaml.safe_dump({"kommunen": str(self.drop)}))
        monkeypatch.setenv("OPHOR_DROPS", str(drops))

    def ask(self, **changes: str) -> dict[str, Any]:
        asked = {"recipient": str(self.identity.to_public()), "drop": "kommunen"} | changes
        return self.world.house.ask("ask_record_proof", asked, role=CUSTOMER_DPO)

    def plain(self) -> bytes:
        (file,) = self.drop.iterdir()
        opened: bytes = pyrage.decrypt(file.read_bytes(), [self.identity])
        return opened

    def opened(self) -> reader.Opened:
        return reader.opened(self.plain())


def preview(world: World) -> None:
    world.house.due("D7a", "maal")
    world.house.close_access("D7a", "maal")
    world.house.carry()


def stopped(world: World) -> tuple[str, str | None]:
    told = world.house.events("deletion.deletion_stopped")[-1]
    assert world.house.ask("read_job", {"activity": "D7a"})["state"] == "stopped"
    return told["code"], told["field"]
