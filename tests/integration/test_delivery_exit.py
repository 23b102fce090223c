"""A delivery on real parts: through the face, over the bus, out of three systems, to a receiver who opens it."""

import csv
import hashlib
import io
import json
from collections import Counter
from collections.abc import Iterator

import bagit
import pytest

from contracts.errors import Rejected, Unavailable
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


def dispatch(world: Stage, **other: str | None) -> dict[str, str | None]:
    recipient = str(world.identity.to_public())
    return {"drop": "successor", "recipient": recipient, "transfer_instruction_digest": DIGEST, **other}


def rejection(package: dict, **other: str) -> dict[str, str]:
    return {"package_id": package["package_id"], "reason": "incomplete", "digest": DIGEST, **other}


def receipt(package: dict, **other: str) -> dict[str, str]:
    return {"package_id": package["package_id"], "package_digest": package["package_digest"], **other}


def test_a_whole_delivery_from_the_needs_to_the_receipt(world, tmp_path):
    # What is wrong is refused with the field and a remedy, and changes nothing.
    wrong = refused(world, "delivery.submit_needs", {"systems": ["ukendt"], "digest": DIGEST})
    assert (wrong.code, wrong.field) == ("SYSTEM_UNKNOWN", "systems.0") and wrong.remedy
    wrong = refused(world, "delivery.set_dispatch", dispatch(world, drop="attic"))
    assert (wrong.code, wrong.field) == ("DROP_UNKNOWN", "drop") and "successor" in wrong.remedy
    wrong = refused(world, "delivery.set_dispatch", dispatch(world, recipient="age1nonsense"))
    assert (wrong.code, wrong.field) == ("RECIPIENT_INVALID", "recipient")
    wrong = refused(world, "delivery.set_dispatch", dispatch(world, transfer_instruction_digest=None))
    assert (wrong.code, wrong.field) == ("TRANSFER_INSTRUCTION_MISSING", "transfer_instruction_digest")
    with pytest.raises(Unavailable, match="TRANSFER_INSTRUCTION_NOT_KNOWN"):
        world.once("delivery.set_dispatch", dispatch(world))
    assert world.delivery()["state"] == "ordered"

    # The facts come in an odd order; each task is carried out once.
    for activity in ("B10", "B9", "C3"):
        world.due(activity)
    world.instruct_transfer()
    world.call("delivery.set_dispatch", dispatch(world))
    world.call("delivery.submit_needs", {"systems": SYSTEMS[:2], "digest": DIGEST})
    first = world.wait_for_state("delivered")

    # The customer says no: needs may change, C3 is due anew and makes another package; the first is superseded.
    wrong = refused(world, "delivery.submit_needs", {"systems": SYSTEMS, "digest": DIGEST})
    assert wrong.code == "EXTRACT_BEGUN"
    wrong = refused(world, "delivery.reject_delivery", rejection(first, package_id="x"))
    assert (wrong.code, wrong.field) == ("PACKAGE_UNKNOWN", "package_id")
    for _ in range(2):
        assert world.call("delivery.reject_delivery", rejection(first))["state"] == "rejected"
    assert refused(world, "delivery.reject_delivery", rejection(first, reason="unreadable")).code == "PACKAGE_STATE"
    assert refused(world, "delivery.accept_delivery", receipt(first)).code == "PACKAGE_STATE"
    world.call("delivery.submit_needs", {"systems": SYSTEMS, "digest": DIGEST})
    world.due("C3")
    delivery = world.wait_for_state("delivered")
    assert delivery["package_id"] != first["package_id"] and delivery["package_name"] != first["package_name"]
    assert world.db("delivery").packages.find_one({"_id": first["package_id"]})["state"] == "superseded"
    for wire, body in (("accept_delivery", receipt(first)), ("reject_delivery", rejection(first))):
        wrong = refused(world, f"delivery.{wire}", body)
        assert (wrong.code, wrong.field) == ("PACKAGE_SUPERSEDED", "package_id") and wrong.remedy
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
    path = world.drop / delivery["package_name"]
    assert hashlib.sha256(path.read_bytes()).hexdigest() == delivery["package_digest"]
    wrong = refused(world, "delivery.accept_delivery", receipt(delivery, package_digest=DIGEST))
    assert wrong.code == "RECEIPT_DIGEST_MISMATCH"
    for _ in range(2):
        assert world.call("delivery.accept_delivery", receipt(delivery))["state"] == "accepted"
    assert refused(world, "delivery.reject_delivery", rejection(delivery)).code == "PACKAGE_STATE"

    told: list[dict] = []
    until(
        lambda: (
            told.extend(world.events("scheduling")) or "delivery.delivery_accepted" in [one["type"] for one in told]
        ),
        "",
    )
    counted = Counter(one["type"] for one in told if one["type"].startswith("delivery."))
    twice = {"delivery.needs_submitted", "delivery.specification_made", "delivery.package_delivered"}
    assert {wire for wire, count in counted.items() if count == 2} == twice
    assert {wire for wire, count in counted.items() if count == 1} == {
        "delivery.dispatch_set",
        "delivery.connection_tested",
        "delivery.delivery_rejected",
        "delivery.delivery_accepted",
    }
    said = {one["type"]: one["data"] for one in told}
    assert said["delivery.connection_tested"]["code"] == "OK" and said["delivery.dispatch_set"]["to"] == "successor"
    assert said["delivery.delivery_rejected"] | {"actor": ""} == rejection(first) | {
        "exit_id": EXIT,
        "actor": "",
        "role": "kommune_projektleder",
        "on": said["delivery.delivery_rejected"]["on"],
    }
    packed = said["delivery.package_delivered"]
    assert packed["rows"] == sum(rows.values()) and packed["files"] == sum(name.startswith("data/") for name in files)
    assert "Ida" not in world.log() and EXIT in str(packed)

    # The plan was opened again: C3 due anew makes a package of its own, and the accepted one is superseded.
    world.due("C3")
    until(lambda: world.delivery()["package_id"] != delivery["package_id"], "another package")
    again = world.wait_for_state("delivered")
    assert again["accepted_on"] is None and again["rows"] == delivery["rows"]
    assert refused(world, "delivery.accept_delivery", receipt(delivery)).code == "PACKAGE_SUPERSEDED"
    assert world.call("delivery.accept_delivery", receipt(again))["state"] == "accepted"


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
