"""The demo's whole world delivered and its ways in taken: every row of the leaving municipality, nobody else's."""

from collections.abc import Iterator

import pyrage
import pytest

from contracts.system_map import load
from deploy.demo import successor
from deploy.demo.world import World
from tests.integration.delivery_parts import DIGEST, Stage, demo_stage
from tests.parts import Parts
from tests.waiting import until


@pytest.fixture(scope="module")
def scene(parts: Parts) -> Iterator[tuple[Stage, World]]:
    with demo_stage(parts) as (stage, world):
        for service, hand in (("delivery", "extract"), ("access", "control")):
            stage.start("face", service)
            stage.start("relay", service)
            stage.start("hand", service, hand)
        stage.order()
        stage.instruct_transfer()
        yield stage, world


def test_the_successor_receives_exactly_the_leaving_municipality(scene):
    stage, world = scene
    stage.call("delivery.submit_needs", {"systems": list(world.systems), "digest": DIGEST})
    recipient = {"recipient": str(stage.identity.to_public()), "transfer_instruction_digest": DIGEST}
    stage.call("delivery.set_dispatch", {"drop": "successor", **recipient})
    for activity in ("B9", "B10", "C3", "C2"):
        stage.due(activity)
    delivery = stage.wait_for_state("delivered")

    key = stage.root / "key"
    key.write_text(str(stage.identity))
    receipt = successor.receive(stage.drop / delivery["package_name"], key)
    assert receipt.package_digest == delivery["package_digest"] and receipt.rows == delivery["rows"]

    rules = {name: system.rules for name, system in load(world.map_path).systems.items()}
    delivered = {(row["system"], row["place"]): row["rows"] for row in delivery["places"]}
    for (system, place), rows in delivered.items():
        rule = rules[system][place]
        assert rule.deliver and not rule.excluded
        if rule.owned:
            assert rows == world.rows[world.cvr][system][place], (system, place)
    owned = {(system, place) for system, places in rules.items() for place, rule in places.items() if rule.owned}
    assert {place for place in owned if rules[place[0]][place[1]].deliver} <= set(delivered)
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt((stage.drop / delivery["package_name"]).read_bytes(), [pyrage.x25519.Identity.generate()])


def test_every_system_is_frozen_then_each_deletion_closes_its_own(scene):
    stage, world = scene

    def states() -> dict[str, str]:
        return {row["system"]: row["state"] for row in stage.call("access.read_access", {})["systems"]}

    stage.due("C2")
    until(lambda: set(states().values()) == {"frozen"}, "every system is frozen")
    stage.due("D2", "morgenvagt", "booking", "extens")
    stage.due("D7a", "pladsanvisning")
    closed = {name: "frozen" if name == "sagsindeks" else "closed" for name in world.systems}
    until(lambda: states() == closed, "the deletions' systems are closed")
