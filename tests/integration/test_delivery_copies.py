"""Our own copies of a package, disposed of by the hand on a real store and real folders; nothing else is touched."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from contracts.catalogue import EVENTS, TASKS
from contracts.registry import check
from services.delivery import store as kept
from services.delivery.domain import Delivery as Known
from services.delivery.service import Delivery
from services.delivery.worker import HANDS
from shared.bus.envelope import Message, jsonable, new_id
from shared.bus.hands import Work
from shared.store.unit import Store
from tests.integration.deletion_house import HandClock
from tests.parts import Parts

EXIT, BYTES = "x-1", b"age-encryption.org/v1 invented"
LOOKED, DUE = "delivery.own_copies_looked", "delivery.copies_look_due"


@dataclass
class Room:
    """A package that was handed over, its drop and its work folder."""

    store: Store
    clock: HandClock
    folder: Path

    def __post_init__(self) -> None:
        self.drop, self.work = self.folder / "drop", self.folder / "work"
        self.drop.mkdir()
        self.work.mkdir()
        (self.drop / "pakke.age").write_bytes(BYTES)
        self.own("supplier")
        places = [{"system": "s", "place": "p", "rows": 2, "after": ["010170-1234"], "document": "Bo Bo.pdf"}]
        self.store.run(lambda unit: kept.save(unit, Known(EXIT, package_id="pkg-1", packages=1)))
        self.store.db.packages.insert_one({
            "_id": "pkg-1", "exit_id": EXIT, "name": "pakke.age", "state": "accepted", "places": places,
            "drop": "d", "drop_number": self.drop.stat().st_ino,
            "sealed": {"digest": hashlib.sha256(BYTES).hexdigest(), "size": len(BYTES), "files": 1},
        })  # fmt: skip

    def own(self, owner: str) -> None:
        (self.folder / "drops.yaml").write_text(yaml.safe_dump({"d": {"folder": str(self.drop), "owner": owner}}))

    def tell(self, wire: str, data: dict[str, Any]) -> None:
        """Tell the face, and let the hand do what follows."""
        body = check(EVENTS[wire].schema, jsonable({"exit_id": EXIT, **data}), wire)
        message = Message("event", new_id(), wire, body, "", "delivery", EXIT)
        handler = getattr(Delivery, wire.split(".")[1]).__wrapped__
        before = {row["_id"] for row in self.rows("delivery.extract.dispose_copies")}
        self.store.run(lambda unit: handler(Delivery(), unit, message), message=message)
        for row in self.rows("delivery.extract.dispose_copies"):
            if row["_id"] not in before:
                self.dispose(json.loads(row["body"]))

    def dispose(self, body: dict[str, Any]) -> None:
        data = check(TASKS[body["type"]].schema, body["data"], body["type"])
        message = Message("task", body["id"], body["type"], data, "", "delivery.extract", EXIT)
        settings = SimpleNamespace(mode="demo", drops=self.folder / "drops.yaml", work=self.work)
        HANDS["extract"]().dispose_copies(Work(self.store, message, settings, self.clock.now()))

    def verified(self, activity: str = "D2", result: str = "DELETED") -> dict[str, str]:
        """Tell that a deletion was verified; give the answers of the look that follows, by kind."""
        told: dict[str, Any] = {
            name: 0 for name in ("probes_drawn", "probes_found_before", "probes_found_after", "outside")
        }
        told |= {"activity": activity, "job_id": "j", "plan_digest": "0" * 64, "places": [], "result": result}
        self.tell("deletion.deletion_verified", {**told, "on": "2026-10-01"})
        return self.answers()

    def answers(self) -> dict[str, str]:
        looks = self.rows(LOOKED)
        rows = json.loads(looks[-1]["body"])["data"]["rows"] if looks else []
        return {row["kind"]: row["answer"] for row in rows}

    def rows(self, wire: str) -> list[dict[str, Any]]:
        return list(self.store.db.outbox.find({"wire": wire}).sort("_id", 1))


@pytest.fixture
def room(parts: Parts, tmp_path: Path) -> Iterator[Room]:
    clock = HandClock(datetime(2026, 10, 1, 8, tzinfo=UTC))
    store = Store(parts.mongo_uri, "delivery", clock)
    options = store.db.codec_options, store.db.read_preference, store.db.write_concern, store.db.read_concern
    store.__dict__["db"] = store.client.get_database(f"test_delivery_{new_id()[:12]}", *options)
    store.prepare()
    yield Room(store, clock, tmp_path)
    store.client.drop_database(store.db.name)
    store.close()


def test_the_first_verified_deletion_takes_every_copy_of_ours(room: Room) -> None:
    (room.work / "pkg-1").mkdir()
    (room.work / "pkg-1" / "rows.csv").write_text("010170-1234")
    (room.drop / "anden.age").write_bytes(b"another customer's")
    assert room.verified("C7") == {}
    assert room.verified("D2", "ERROR") == {}
    assert room.verified() == {
        "PACKAGE": "DELETED", "WORK_FILES": "DELETED", "POSITIONS": "DELETED", "OWN_BACKUP": "ABSENT_VERIFIED",
    }  # fmt: skip
    assert [path.name for path in room.drop.iterdir()] == ["anden.age"]
    assert list(room.work.iterdir()) == []
    held = str(list(room.store.db.packages.find())) + str(list(room.store.db.deliveries.find()))
    assert "010170-1234" not in held and "Bo Bo" not in held
    assert set(room.verified("D7a").values()) == {"ABSENT_VERIFIED"}


def test_what_lies_in_the_receivers_own_drop_is_theirs(room: Room) -> None:
    room.own("receiver")
    assert room.verified()["PACKAGE"] == "CUSTOMER_POSSESSION"
    assert (room.drop / "pakke.age").read_bytes() == BYTES


def test_other_bytes_under_the_name_are_left_alone_and_are_an_error_until_they_are_gone(room: Room) -> None:
    (room.drop / "pakke.age").write_bytes(b"something else")
    assert room.verified()["PACKAGE"] == "ERROR"
    assert (room.drop / "pakke.age").read_bytes() == b"something else"
    (row,) = room.store.db.timers.find()
    assert row["due"].replace(tzinfo=UTC) < room.clock.instant + timedelta(days=1)
    (room.drop / "pakke.age").unlink()
    room.tell(DUE, {"on": "2026-10-02"})
    assert room.answers()["PACKAGE"] == "ABSENT_VERIFIED"


def test_an_empty_folder_in_the_drops_place_is_no_absence(room: Room) -> None:
    room.drop.rename(room.folder / "elsewhere")
    room.drop.mkdir()
    assert room.verified()["PACKAGE"] == "ERROR"


def test_a_backup_of_our_own_from_before_is_looked_for_until_it_is_gone(
    room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dump = tmp_path / "own" / "mandag"
    dump.mkdir(parents=True)
    monkeypatch.setenv("OPHOR_OWN_BACKUPS", str(tmp_path / "own"))
    assert room.verified()["OWN_BACKUP"] == "ERROR"  # the folder has no anchor: it may not be mounted
    (tmp_path / "own" / "catalogue.json").write_text("{}")
    (dump / "packages.bson.gz").write_bytes(gzip.compress(b"010170-1234"))
    room.tell(DUE, {"on": "2026-10-02"})
    assert room.answers()["OWN_BACKUP"] == "PRESENT"
    (dump / "packages.bson.gz").unlink()
    dump.rmdir()
    room.tell(DUE, {"on": "2026-10-03"})
    assert room.answers()["OWN_BACKUP"] == "ABSENT_VERIFIED"
