"""The extract under `kill -9`: nothing lost, nothing twice, one package, and no plaintext left behind."""

import csv
import io
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.integration.delivery_parts import DIGEST, TENANT, Stage, kill, stage
from tests.parts import Parts
from tests.waiting import until

ROWS = 30_000


@pytest.fixture(scope="module")
def world(parts: Parts) -> Iterator[Stage]:
    with stage(parts, ("postgresql",)) as made:
        for arguments in (("face", "delivery"), ("relay", "delivery")):
            made.start(*arguments)
        made.targets["pladsanvisning"].execute(
            "INSERT INTO sager (id, lejer, navn) SELECT gen_random_uuid(), "
            f"{TENANT}, 'Nr. ' || n || E' \"citat\",\\nny linje' FROM generate_series(1, {ROWS}) n"
        )
        made.order()
        yield made


def test_a_hand_that_is_killed_at_every_step_delivers_each_row_exactly_once(world):
    recipient = str(world.identity.to_public())
    world.call(
        "delivery.set_dispatch", {"drop": "successor", "recipient": recipient, "transfer_instruction_digest": DIGEST}
    )
    world.call("delivery.submit_needs", {"systems": ["pladsanvisning"], "digest": DIGEST})
    for activity in ("B9", "B10", "C3"):
        world.due(activity)

    def size(pattern: str) -> int:
        return sum(path.stat().st_size for path in world.work.glob(pattern) if path.exists())

    reached = []
    for pattern, least in (
        ("*/tables/*/sager.*", 1),
        ("*/tables/*/sager.*", 900_000),
        ("*/*.bag", 1),
        ("*/*sealed.age*", 1),
    ):
        hand = world.start("hand", "delivery", "extract")
        until(lambda p=pattern, n=least: size(p) >= n or world.delivery()["state"] == "delivered", pattern)
        reached.append(size(pattern) >= least)
        kill(hand)
    assert reached[0], "the hand was killed in the middle of the table"
    world.start("hand", "delivery", "extract")
    delivery = world.wait_for_state("delivered")

    assert [path.name for path in world.drop.iterdir()] == [delivery["package_name"]]
    assert list(world.work.iterdir()) == []
    files = world.package()
    rows = list(csv.DictReader(io.StringIO(files["data/tables/pladsanvisning/sager.csv"].decode(), newline="")))
    assert len(rows) == len({row["id"] for row in rows}) == ROWS + 7
    assert {row["lejer"] for row in rows} == {TENANT}
    assert next(place["rows"] for place in delivery["places"] if place["place"] == "sager") == ROWS + 7
    told = Counter(row["wire"] for row in world.db("delivery").outbox.find())
    assert told["delivery.package_delivered"] == told["delivery.specification_made"] == 1
