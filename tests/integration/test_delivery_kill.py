"""The extract under `kill -9` and under a cancellation: nothing lost or twice, and no plaintext left behind."""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress

import pytest

from contracts.errors import Rejected
from tests.integration.delivery_parts import DIGEST, EXIT, TENANT, Stage, kill, stage
from tests.parts import Parts
from tests.waiting import until

ROWS = 30_000


@pytest.fixture
def world(parts: Parts) -> Iterator[Stage]:
    with stage(parts, ("postgresql",)) as made:
        for arguments in (("face", "delivery"), ("relay", "delivery")):
            made.start(*arguments)
        made.targets["pladsanvisning"].execute(
            "INSERT INTO sager (id, lejer, navn) SELECT gen_random_uuid(), "
            f"{TENANT}, 'Nr. ' || n || E' \"citat\",\\nny linje' FROM generate_series(1, {ROWS}) n"
        )
        made.order()
        made.instruct_transfer()
        yield made


def begin(world: Stage) -> None:
    recipient = str(world.identity.to_public())
    world.call(
        "delivery.set_dispatch", {"drop": "successor", "recipient": recipient, "transfer_instruction_digest": DIGEST}
    )
    world.call("delivery.submit_needs", {"systems": ["pladsanvisning"], "digest": DIGEST})
    for activity in ("B9", "B10", "C3"):
        world.due(activity)


def size(world: Stage, pattern: str) -> int:
    with suppress(FileNotFoundError):  # the hand is at work there
        return sum(path.stat().st_size for path in world.work.glob(pattern))
    return 0


def reaches(world: Stage, pattern: str, least: int) -> str:
    """Tell whether so much is there, or whether all is over."""
    if size(world, pattern) >= least:
        return "there"
    return "over" if world.delivery()["state"] == "delivered" else ""


def test_an_extract_under_way_stops_when_the_exit_is_cancelled_and_leaves_nothing_behind(world):
    begin(world)
    hand = world.start("hand", "delivery", "extract")
    until(lambda: size(world, "*/tables/*/sager.*") >= 1, "rows are read", at_most_s=0.02)
    kill(hand)
    assert list(world.work.iterdir())
    cancelled = {"exit_id": EXIT, "reason": "agreement_continues", "digest": DIGEST, "on": "2026-06-02"}
    world.tell("orders.exit_cancelled", cancelled)
    until(lambda: world.db("delivery").deliveries.find_one({"_id": EXIT})["cancelled"], "delivery knows")
    world.start("hand", "delivery", "extract")
    world.wait_for_state("stopped")
    world.due("C3")
    until(lambda: world.db("delivery").outbox.count_documents({"state": "pending"}) == 0, "all tasks are out")
    until(lambda: not list(world.work.iterdir()), "nothing is left in the work folder")
    assert list(world.drop.iterdir()) == []
    told = [row["wire"] for row in world.db("delivery").outbox.find({"wire": "delivery.package_delivered"})]
    assert told == []
    for wire, body in (("submit_needs", {"systems": ["pladsanvisning"]}), ("reject_delivery", a_rejection(world))):
        with pytest.raises(Rejected) as caught:
            world.call(f"delivery.{wire}", {"digest": DIGEST, **body})
        assert caught.value.code == "EXIT_CANCELLED" and caught.value.remedy


def a_rejection(world: Stage) -> dict[str, str]:
    return {"package_id": world.delivery()["package_id"], "reason": "incomplete"}


def test_a_hand_that_is_killed_at_every_step_delivers_each_row_exactly_once(world):
    begin(world)
    reached = []
    for pattern, least in (
        ("*/tables/*/sager.*", 1),
        ("*/tables/*/sager.*", 900_000),
        ("*/*.bag", 1),
        ("*/*sealed.age*", 1),
    ):
        hand = world.start("hand", "delivery", "extract")
        seen = until(lambda p=pattern, n=least: reaches(world, p, n), pattern, at_most_s=0.02)
        kill(hand)
        reached.append(seen == "there")
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
