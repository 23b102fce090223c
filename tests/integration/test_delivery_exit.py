"""A delivery on real parts: through the face, over the bus, out of three systems, to a receiver who opens it."""

import csv
import hashlib
import io
import json
from collections.abc import Iterator

import bagit
import pytest

from contracts.errors import Rejected
from tests.integration.delivery_parts import DIGEST, EXIT, Stage, stage
from tests.parts import Parts
from tests.waiting import until

SYSTEMS = ["pladsanvisning", "morgenvagt", "booking"]


@pytest.fixture(scope="module")
def world(parts: Parts) -> Iterator[Stage]:
    with stage(parts, ("postgresql", "mongodb", "files")) as made:
        for arguments in (("face", "delivery"), ("relay", "delivery"), ("hand", "delivery", "extract")):
            made.start(*arguments)
        made.order()
        yield made


def refused(world: Stage, wire: str, data: dict, role: str = "kommune_projektleder") -> Rejected:
    with pytest.raises(Rejected) as caught:
        world.call(wire, data, role)
    return caught.value


def dispatch(world: Stage, **other: str) -> dict[str, str]:
    recipient = str(world.identity.to_public())
    return {"drop": "successor", "recipient": recipient, "transfer_instruction_digest": DIGEST, **other}


def test_a_whole_delivery_from_the_needs_to_the_receipt(world, tmp_path):
    # What is wrong is refused with the field and a remedy, and changes nothing.
    wrong = refused(world, "delivery.submit_needs", {"systems": ["ukendt"], "digest": DIGEST})
    assert (wrong.code, wrong.field) == ("SYSTEM_UNKNOWN", "systems.0") and wrong.remedy
    wrong = refused(world, "delivery.set_dispatch", dispatch(world, drop="attic"))
    assert (wrong.code, wrong.field) == ("DROP_UNKNOWN", "drop") and "successor" in wrong.remedy
    wrong = refused(world, "delivery.set_dispatch", dispatch(world, recipient="age1nonsense"))
    assert (wrong.code, wrong.field) == ("RECIPIENT_INVALID", "recipient")
    assert world.delivery()["state"] == "ordered"

    # The facts come in an odd order; each task is carried out once.
    for activity in ("B10", "B9", "C3"):
        world.due(activity)
    world.call("delivery.set_dispatch", dispatch(world))
    world.call("delivery.submit_needs", {"systems": SYSTEMS, "digest": DIGEST})
    delivery = world.wait_for_state("delivered")
    rows = {(place["system"], place["place"]): place["rows"] for place in delivery["places"]}
    for system in SYSTEMS:
        assert (rows[system, "sager"], rows[system, "noter"]) == (7, 4)
    assert delivery["places_done"] == delivery["places_total"] == len(rows)
    assert list(world.work.iterdir()) == []

    files = world.package()
    _check_bag(files, tmp_path)
    _check_descriptor(files)
    documents = [name for name in files if name.startswith("data/documents/booking/sager/")]
    assert len(documents) == 7 and files[documents[0]] == b"indhold"

    # The receipt counts with the receiver's own digest only; the same receipt again gets the same answer.
    (path,) = world.drop.iterdir()
    assert hashlib.sha256(path.read_bytes()).hexdigest() == delivery["package_digest"]
    receipt = {"package_id": delivery["package_id"], "package_digest": delivery["package_digest"]}
    wrong = refused(world, "delivery.accept_delivery", {**receipt, "package_digest": DIGEST})
    assert wrong.code == "RECEIPT_DIGEST_MISMATCH"
    for _ in range(2):
        assert world.call("delivery.accept_delivery", receipt)["state"] == "accepted"
    wrong = refused(world, "delivery.submit_needs", {"systems": SYSTEMS, "digest": DIGEST})
    assert wrong.code == "EXTRACT_BEGUN"

    told: list[dict] = []
    until(
        lambda: (
            told.extend(world.events("scheduling")) or "delivery.delivery_accepted" in [one["type"] for one in told]
        ),
        "",
    )
    types = [one["type"] for one in told if one["type"].startswith("delivery.")]
    assert sorted(types) == sorted(set(types)), "each fact is told once"
    assert {one["type"]: one["data"] for one in told}["delivery.connection_tested"]["code"] == "OK"
    (packed,) = [one["data"] for one in told if one["type"] == "delivery.package_delivered"]
    assert packed["rows"] == sum(rows.values()) and packed["files"] == sum(name.startswith("data/") for name in files)
    assert "Ida" not in world.log() and EXIT in str(packed)


def _check_bag(files: dict[str, bytes], folder) -> None:
    for name, body in files.items():
        path = folder / "bag" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    assert bagit.Bag(str(folder / "bag")).is_valid()
    assert {"manifest-sha256.txt", "manifest-sha512.txt"} <= set(files)


def _check_descriptor(files: dict[str, bytes]) -> None:
    package = json.loads(files["data/datapackage.json"])
    resources = {resource["name"]: resource for resource in package["resources"]}
    counts = {(row["system"], row["place"]): row["rows"] for row in json.loads(files["data/counts.json"])["places"]}
    for resource in resources.values():
        body = files[f"data/{resource['path']}"]
        assert resource["hash"] == f"sha256:{hashlib.sha256(body).hexdigest()}" and resource["bytes"] == len(body)
        header, *rows = csv.reader(io.StringIO(body.decode(), newline=""), strict=True)
        assert header == [field["name"] for field in resource["schema"]["fields"]]
        system, place = resource["title"].split(": ")
        assert len(rows) == counts[system, place] == resource["ophor:rows"]
    sager = resources["pladsanvisning.sager"]["schema"]
    assert sager["primaryKey"] == ["id"]
    assert {"fields": ["note"], "reference": {"fields": ["nr"], "resource": "pladsanvisning.noter"}} in sager[
        "foreignKeys"
    ]
    assert {"fields": ["over"], "reference": {"fields": ["id"]}} in sager["foreignKeys"]
    assert "## Mål" in files["data/dictionary.da.md"].decode()
    assert json.loads(files["data/dataspecifikation.json"])["places"]
