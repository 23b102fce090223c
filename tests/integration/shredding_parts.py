"""A world whose backup sets are sealed, and the holders of their keys: for tests of ending sets with their keys."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from contracts.system_map import MARKER_PLACE
from shared.keystore import FileKeys, ServiceKeys
from tests.integration import connectors_targets as targets
from tests.integration.deletion_house import CVR, House
from tests.integration.deletion_world import World, a_world
from tests.integration.key_service import KeyService, serving
from tests.parts import Parts

MADE = datetime(2026, 9, 1, 2, tzinfo=UTC)
PLANNED, BEGUN, ASKED, SEEN, STOPPED, REFUSED = (
    f"deletion.{name}"
    for name in (
        "shredding_planned", "shredding_begun", "key_destruction_asked", "key_observed", "shredding_stopped",
        "shredding_refused",
    )
)  # fmt: skip


@dataclass
class Vault:
    """A world whose sets are sealed: the key in a service that waits seven days, and a copy in files."""

    world: World
    service: KeyService
    keys: ServiceKeys
    escrow: Path
    lay: Callable[[str, bytes], Any]

    @property
    def house(self) -> House:
        return self.world.house

    def seal(self, name: str, *, customer: str = CVR, **told: Any) -> str:
        """Make a sealed set, and register it with what is told of it."""
        key = self.keys.make(customer, "maal", name, MADE - timedelta(seconds=1)).key_id
        FileKeys(self.escrow).make(customer, "maal", name, MADE - timedelta(seconds=1))
        self.lay(name, self.keys.seal(key, os.urandom(5_000)))
        row = {"system": "maal", "set_id": name, "taken_on": "2026-09-01", "expires_on": "2027-09-01", "key_id": key}
        made = MADE.isoformat()
        self.house.ask("register_backup", row | {"made_at": made, "encrypted_at": made} | told)
        return key

    def due(self) -> None:
        """Tell that the backups are due (D9), and let the plan be drawn up."""
        told: dict[str, Any] = {
            "activity": "D9",
            "owner": "deletion",
            "earliest": None,
            "due": None,
            "systems": [],
            "on": "2026-10-01",
        }
        self.house.tell("scheduling.activity_due", told)
        self.house.carry()

    def permit(self, **changes: Any) -> None:
        """Let two people approve what was planned last, and the hands work."""
        told, at = self.house.events(PLANNED)[-1], f"{self.house.clock.instant:%Y-%m-%dT%H:%M:%SZ}"
        self.house.tell("scheduling.permit_issued", {
            **{name: told[name] for name in ("activity", "job_id", "plan_digest")}, "intent_index": 7,
            "approvals": [
                {"actor": "a", "role": "kommune_godkender", "at": at},
                {"actor": "b", "role": "ist_sletteansvarlig", "at": at},
            ],
            "valid_until": (datetime.now(UTC) + timedelta(hours=24)).isoformat(), **changes,
        })  # fmt: skip
        self.house.carry()

    def read(self) -> dict[str, Any]:
        return self.house.ask("read_shredding", {})

    def next_timer(self) -> None:
        """Let the next timer come due."""
        due = self.house.timer()
        assert due is not None
        self.house.clock.instant = due.replace(tzinfo=UTC) + timedelta(hours=8)
        self.house.fire()


@contextmanager
def a_vault(parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vault]:
    """Make the world with an empty folder of sets, a key service that waits seven days, and an escrow in files."""
    with ExitStack() as stack:
        service = stack.enter_context(serving())
        target = stack.enter_context(targets.sqlite(tmp_path))
        for name, text in (("delete", "hemmelig"), ("verify", "kigger")):
            (tmp_path / name).write_text(text)
        (tmp_path / "escrow").mkdir()
        (tmp_path / "backups").mkdir()
        (tmp_path / "backups" / "catalogue.json").write_text("{}")
        url = f"http://127.0.0.1:{service.server_port}"
        target.content["backup_keys"] = {
            "STORE": {"kind": "service", "url": url, "waits_days": 7, "secret_file": "delete", "verify_file": "verify"},
            "ESCROW": {"kind": "files", "folder": "escrow"},
            "REPLICA": "none", "TOKEN": "none", "STORE_BACKUP": "none",
        }  # fmt: skip
        mark = {"id": "f00", "written_at": time.time()}
        service.mark = mark
        (tmp_path / "escrow" / MARKER_PLACE).write_text(json.dumps(mark))
        keys = ServiceKeys(url, "hemmelig")
        stack.callback(keys.close)
        world = stack.enter_context(a_world(target, parts.mongo_uri, tmp_path, monkeypatch))

        def lay(name: str, body: bytes) -> None:
            (tmp_path / "backups" / name).mkdir()
            (tmp_path / "backups" / name / "data.sealed").write_bytes(body)

        yield Vault(world, service, keys, tmp_path / "escrow", lay)
