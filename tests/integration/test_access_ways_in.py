"""Ways in, on real systems: frozen when C2 is due, closed when a deletion is, told only when it holds."""

from collections.abc import Iterator

import pytest

from contracts.errors import Rejected, Unavailable
from tests.integration.delivery_parts import DIGEST, EXIT, LEAD, SUPPLIER, Stage, stage
from tests.parts import Parts
from tests.waiting import until


@pytest.fixture(scope="module")
def world(parts: Parts) -> Iterator[Stage]:
    with stage(parts, ("postgresql", "mongodb", "files")) as made:
        for arguments in (("face", "access"), ("relay", "access"), ("hand", "access", "control")):
            made.start(*arguments)
        made.targets["pladsanvisning"].execute("GRANT INSERT ON sager TO PUBLIC")
        made.due("C2")
        made.order()
        yield made


def states(world: Stage) -> dict[str, str]:
    return {row["system"]: row["state"] for row in world.call("access.read_access", {})["systems"]}


def told(world: Stage, wire: str) -> list[dict]:
    rows = world.db("access").outbox.find({"wire": wire})
    return list(rows)


def test_ways_in_are_frozen_then_closed_scope_by_scope_and_attested_by_the_right_party(world):
    # A right that comes through PUBLIC survives the freeze: it is shown as an error, tried again, and never told.
    until(lambda: world.db("access").dead.count_documents({}), f"the task is given up {world.log()[-1500:]}")
    assert states(world) == {"booking": "frozen", "morgenvagt": "frozen", "pladsanvisning": "error"}
    assert told(world, "access.access_frozen") == []

    world.targets["pladsanvisning"].execute("REVOKE INSERT ON sager FROM PUBLIC")
    replay(world)
    until(lambda: told(world, "access.access_frozen"), "frozen")
    assert states(world) == dict.fromkeys(("booking", "morgenvagt", "pladsanvisning"), "frozen")

    world.due("D2", "booking", "morgenvagt")
    until(lambda: told(world, "access.access_closed"), "closed")
    assert states(world) == {"booking": "closed", "morgenvagt": "closed", "pladsanvisning": "frozen"}
    assert world.targets["booking"].open("access").access().open is False

    for activity, kind, role, code in (
        ("C5", "access_withdrawn", SUPPLIER, "WRONG_PARTY"),
        ("C6", "access_closed", SUPPLIER, "KIND_WRONG"),
        ("C1", "access_closed", LEAD, "ACTIVITY_NOT_ATTESTED_HERE"),
    ):
        with pytest.raises(Rejected) as caught:
            world.call("access.attest", {"activity": activity, "kind": kind, "digest": DIGEST}, role)
        assert caught.value.code == code and caught.value.remedy
    attestation = {"activity": "C6", "kind": "operations_stopped", "digest": DIGEST}
    with pytest.raises(Unavailable) as early:
        world.once("access.attest", attestation, SUPPLIER)
    assert early.value.code == "ACTIVITY_NOT_DUE" and not told(world, "access.access_attested")
    world.due("C6")
    until(lambda: world.db("access").exits.find_one({"_id": EXIT})["awaited"] == ["C6"], "due")
    for _ in range(2):
        world.call("access.attest", attestation, SUPPLIER)
    assert len(told(world, "access.access_attested")) == 1


def test_after_the_exit_was_cancelled_nothing_is_closed_and_nothing_is_opened(world):
    before = states(world)
    world.tell("orders.exit_cancelled", {
        "exit_id": EXIT, "reason": "agreement_continues", "digest": DIGEST, "on": "2026-06-20",
    })  # fmt: skip
    until(lambda: world.db("access").exits.find_one({"_id": EXIT})["cancelled"], "access knows")
    sent = world.db("access").outbox.count_documents({"wire": "access.control.control"})
    world.due("D7a", "pladsanvisning")
    until(lambda: world.db("access").inbox.count_documents({"wire": "scheduling.activity_due"}) == 4, "handled")
    assert world.db("access").outbox.count_documents({"wire": "access.control.control"}) == sent
    assert states(world) == before


def replay(world: Stage) -> None:
    """Send the dead task again, as an operator would."""
    (raw,) = until(lambda: world.take("dlq-access"), "the dead letter")
    headers = {name: value for name, value in raw.headers.items() if name in ("ophor-signer", "ophor-signature")}
    world.publish("access.tasks", "control", raw.body, headers)
