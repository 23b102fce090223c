"""Rows that no tenant is found for stand in preview and answer with their number and the map's reason."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration import connectors_targets as targets
from tests.integration.deletion_world import World, a_world, preview
from tests.parts import Parts


@pytest.fixture
def world(parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with targets.sqlite(tmp_path) as target:
        target.content["places"]["noter"]["without_tenant"] = "LAW(arkivloven,2031-12-31)"
        target.execute("PRAGMA foreign_keys = OFF")
        for number in (9001, 9002):
            target.execute(f"INSERT INTO noter VALUES ({number}, 'findes ikke', 'uden sag')")
        with a_world(target, parts.mongo_uri, tmp_path, monkeypatch) as one:
            yield one


def test_they_are_told_with_count_and_reason_and_stay(world: World) -> None:
    def noter(wire: str) -> dict[str, Any]:
        return next(one for one in world.house.events(wire)[-1]["places"] if one["place"] == "noter")

    preview(world)
    seen = noter("deletion.deletion_previewed")
    assert (seen["unowned"], seen["unowned_reason"]) == (2, "LAW(arkivloven,2031-12-31)")
    world.house.permit()
    world.house.carry(until=lambda: bool(world.house.events("deletion.deletion_executed")))
    world.execute("INSERT INTO noter VALUES (9003, 'findes ikke', 'kom senere')")
    world.house.carry()
    answer = noter("deletion.deletion_verified")
    assert (answer["residual"], answer["unowned"]) == (0, 3)
    assert world.execute("SELECT count(*) FROM noter WHERE nr > 9000") == [(3,)]
