"""Deletion over the broker with its own processes: a whole job whose delete hand is killed again and again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from shared.connectors import marker
from tests.integration.connectors_targets import CVR
from tests.integration.deletion_stage import Stage, stage
from tests.parts import Parts
from tests.waiting import until

ROWS, BATCH = 3_000, "100"


@pytest.fixture
def world(parts: Parts) -> Iterator[Stage]:
    with stage(parts) as made:
        for target in made.targets.values():
            marker.prepare(target.open("prepare"), datetime.now(UTC).timestamp())
        made.targets["pladsanvisning"].execute(
            "INSERT INTO sager (id, lejer, navn) SELECT gen_random_uuid(), 101 + n % 2, 'Nr. ' || n "
            f"FROM generate_series(1, {2 * ROWS}) n"
        )
        for arguments in (("face",), ("relay",), ("hand", "verify")):
            made.start(*arguments)
        made.order()
        yield made


def permit(world: Stage) -> None:
    given = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    seen = world.job("D2")
    world.tell("scheduling.permit_issued", {
        "activity": "D2", "job_id": seen["job_id"], "plan_digest": seen["plan_digest"],
        "approvals": [
            {"actor": "a", "role": "kommune_godkender", "at": given},
            {"actor": "b", "role": "ist_sletteansvarlig", "at": given},
        ],
        "intent_index": 1, "valid_until": (datetime.now(UTC) + timedelta(hours=24)).isoformat(),
    })  # fmt: skip


def test_a_job_whose_hand_is_killed_again_and_again_ends_with_true_sums(world: Stage) -> None:
    rows = [
        {"system": name, "state": "closed", "grants": 0, "verified": True, "on": "2026-07-01"} for name in world.targets
    ]
    world.tell("access.access_closed", {"activity": "D2", "systems": rows, "on": "2026-07-01"})
    due = {"activity": "D2", "owner": "deletion", "earliest": None, "due": None, "on": "2026-07-01"}
    world.tell("scheduling.activity_due", due | {"systems": list(world.targets)})
    until(lambda: world.job("D2")["state"] == "previewed", "the job is previewed")
    permit(world)
    for batches in (1, 5, 9):
        hand = world.start("hand", "delete", OPHOR_BATCH=BATCH)
        until(lambda least=batches: world.batches("D2") >= least, f"{batches} batches are closed", at_most_s=0.02)
        hand.kill()
        hand.wait()
    assert world.job("D2")["state"] == "executing", "the hand was killed in the middle"
    world.start("hand", "delete", OPHOR_BATCH=BATCH)
    until(lambda: world.job("D2")["state"] == "verified", "the job is verified")

    done = world.job("D2")
    deleted = {(row["system"], row["place"]): row["deleted"] for row in done["places"] if row["deleted"]}
    expected = {(name, place): count for name in world.targets for place, count in (("sager", 7), ("noter", 4))}
    assert deleted == expected | {("pladsanvisning", "sager"): ROWS + 7}
    assert done["outside"] == 0
    for target in world.targets.values():
        assert sum(target.open("verify").count(place) for place in target.places) == 0
    assert world.targets["pladsanvisning"].neighbours() == ROWS + 8
    until(world.told_all, "the relay has told all of it")
    told = [each["data"] for each in world.take("evt-compliance") if each["type"] == "deletion.deletion_batch_closed"]
    assert sum(each["deleted"] for each in told) == sum(deleted.values())
    assert len({each["batch"] for each in told}) == len(told) == done["batches"]
    assert not world.take("dlq-deletion")
    assert CVR not in world.log() and "Nr. 1" not in world.log()
