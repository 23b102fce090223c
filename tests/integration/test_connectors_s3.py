"""What only an object store has: versions, delete markers, unfinished uploads, locks, copies, tags."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts.errors import Rejected
from contracts.system_map import PLACEHOLDER
from services.console import systems_init
from shared.connectors import marker
from shared.connectors.s3.listing import UPLOAD
from tests.integration import connectors_targets as targets
from tests.integration.connectors_targets import LEAVING, STAYING, Target, uuid_of
from tests.parts import Parts

SOON = datetime.now(UTC) + timedelta(days=30)


@pytest.fixture
def target(parts: Parts, tmp_path: Path) -> Iterator[Target]:
    with targets.s3(parts.object_store, tmp_path) as one:
        yield one


def refused(target: Target, purpose: str = "verify") -> tuple[str, str]:
    connector = target.open(purpose)
    with pytest.raises(Rejected) as caught:
        connector.order(connector.discover())
    assert caught.value.remedy
    return caught.value.code, str(caught.value.field).removeprefix("systems.maal.places.")


def delete_everything(target: Target, size: int = 1000) -> None:
    connector = target.open("delete")
    for place in connector.order(connector.discover()):
        while keys := connector.keys(place, size):
            with connector.batch() as batch:
                assert batch.delete(place, keys) == len(keys)
                batch.commit()
            assert connector.present(place, keys) == 0


def divided(target: Target, **places: str) -> None:
    """Map the bucket `noter` by prefixes instead of as a whole."""
    del target.content["places"]["noter"]
    for prefix, key in places.items():
        target.content["places"][f"noter/{prefix}/"] = {"tenant_key": key}


def test_versions_delete_markers_and_unfinished_uploads_are_rows_of_their_own(target: Target) -> None:
    rows = target.open("extract").read("sager", None, 1000)
    kinds = [row[3] for row in rows.rows]
    while rows.after is not None:
        rows = target.open("extract").read("sager", rows.after, 1000)
        kinds += [row[3] for row in rows.rows]
    assert sorted(kinds) == ["marker", *["upload"], *["version"] * 5]
    delete_everything(target)
    left = target.virtual.list_object_versions(Bucket="sager", MaxKeys=1000)
    assert {row["Key"].split("/")[0] for row in left["Versions"] + left["DeleteMarkers"]} == {STAYING}
    assert not target.virtual.list_multipart_uploads(Bucket="sager").get("Uploads")


def test_an_object_under_a_delete_marker_is_not_absent(target: Target) -> None:
    for key, _ in targets.s3_versions(target.virtual, "sager", LEAVING):
        target.virtual.delete_object(Bucket="sager", Key=key)
    assert not target.virtual.list_objects_v2(Bucket="sager", Prefix=f"{LEAVING}/").get("Contents")
    verifier = target.open("verify")
    assert verifier.count("sager") > 7
    assert verifier.find("sager", verifier.probes("sager", 3, b"seed"), b"seed") == 3


def test_a_bucket_divided_by_prefixes_names_what_lies_in_none_of_them(target: Target) -> None:
    for key in ("a/101/x", "a/102/y", "b/ny/101/z", "b/gammel/101/z"):
        target.virtual.put_object(Bucket="noter", Key=key, Body=b"")
    divided(target, a="prefix:{tenant}/", **{"b/ny": "prefix:{tenant}/"})
    divided_ = target.open("delete")
    with pytest.raises(Rejected, match=r"noter/0/ exists in the system but not in the map.*noter/b/gammel/"):
        divided_.order(divided_.discover())
    target.virtual.put_object(Bucket="noter", Key="løs.txt", Body=b"")
    live = [place.name for place in target.open("verify").discover().places]
    assert {"noter/.", "noter/a/", "noter/b/ny/", "noter/b/gammel/", "noter/0/"} <= set(live)
    assert target.open("verify").count("noter/a/") == target.open("verify").count("noter/b/ny/") == 1


def test_an_emptied_prefix_and_one_in_another_account_keep_the_fingerprint_and_a_new_setting_changes_it(
    target: Target,
) -> None:
    before = target.open("verify").discover()
    delete_everything(target)
    assert target.open("verify").discover() == before
    rule = {"ID": "a", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 9}}
    target.virtual.put_bucket_lifecycle_configuration(Bucket="sager", LifecycleConfiguration={"Rules": [rule]})
    after = target.open("verify").discover()
    assert [place.name for place in after.places if place not in before.places] == ["sager"]


@pytest.mark.parametrize("kind", ["retention", "legal hold"])
def test_a_locked_object_stops_the_job_with_its_own_code(target: Target, kind: str) -> None:
    target.virtual.create_bucket(Bucket="laast", ObjectLockEnabledForBucket=True)
    key = f"{LEAVING}/{uuid_of(1)}.pdf"
    lock: dict[str, Any] = {"ObjectLockLegalHoldStatus": "ON"}
    if kind == "retention":
        lock = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": SOON}
    target.virtual.put_object(Bucket="laast", Key=key, Body=b"x", **lock)
    target.content["places"]["laast"] = {"tenant_key": "prefix:{tenant}/"}
    code = "OBJECT_LOCKED" if kind == "retention" else "OBJECT_LEGAL_HOLD"
    assert refused(target) == (code, "laast")
    connector = target.open("delete")
    with pytest.raises(Rejected, match=code) as caught, connector.batch() as batch:
        batch.delete("laast", connector.keys("laast", 10))
    assert (f"{SOON:%Y-%m-%d}" in str(caught.value)) == (kind == "retention")
    assert target.open("verify").count("laast") == 1


def test_after_versioning_was_suspended_the_old_versions_still_count_and_go(target: Target) -> None:
    target.content["places"]["noter"] = {"tenant_key": r"key:\d+/(?P<tenant>\d+)/"}
    key = f"0/{LEAVING}/note-{LEAVING}0000.txt"
    for status in ("Enabled", "Suspended"):
        target.virtual.put_bucket_versioning(Bucket="noter", VersioningConfiguration={"Status": status})
        if status == "Enabled":
            target.virtual.put_object(Bucket="noter", Key=key, Body=b"to", Metadata={"lejer": LEAVING})
    names = target.open("verify").keys("noter", 10)
    assert sorted(version == "null" for _, version in names) == [False, True, True, True, True]
    delete_everything(target)
    assert (target.open("verify").count("noter"), target.neighbours()) == (0, 8)


def test_replicas_that_go_to_a_bucket_outside_the_map_stop_the_job(target: Target) -> None:
    admin, to = target.virtual, "arn:aws:s3:::kopi"
    admin.create_bucket(Bucket="kopi")
    admin.put_bucket_versioning(Bucket="kopi", VersioningConfiguration={"Status": "Enabled"})
    rule = {"ID": "r", "Status": "Enabled", "Priority": 1, "Filter": {"Prefix": ""}, "Destination": {"Bucket": to}}
    role = "arn:aws:iam::123456789012:role/r"
    admin.put_bucket_replication(Bucket="sager", ReplicationConfiguration={"Role": role, "Rules": [rule]})
    assert refused(target) == ("PLACE_NOT_MAPPED", "kopi")
    admin.delete_bucket(Bucket="kopi")
    assert refused(target) == refused(target, "delete") == ("COPIES_GO_ELSEWHERE", "sager")
    target.content["connection"]["copies"] = ["kopi"]
    connector = target.open("verify")
    assert connector.order(connector.discover()) == ["noter", "sager"]


def test_by_tag_a_delete_marker_goes_with_its_version_and_an_upload_belongs_to_nobody(target: Target) -> None:
    admin = target.virtual
    for tenant in (LEAVING, STAYING):
        admin.put_object(Bucket="sager", Key=f"fælles/{tenant}.txt", Body=b"x", Tagging=f"kunde={tenant}")
        admin.delete_object(Bucket="sager", Key=f"fælles/{tenant}.txt")
    target.content["places"] |= {"sager": {"tenant_key": "tag:kunde", "without_tenant": "NOT_CUSTOMER_DATA"}}
    verifier = target.open("verify")
    assert (verifier.count("sager"), verifier.unowned("sager")) == (2, 12)
    assert [key[1].startswith(UPLOAD) for key in verifier.keys("sager", 10)] == [False, False]
    delete_everything(target)
    assert (target.open("verify").count("sager"), target.open("verify").total("sager")) == (0, 14)


def test_by_a_pattern_of_the_key_the_tenant_may_stand_anywhere_in_it(target: Target) -> None:
    target.content["places"]["noter"] = {"tenant_key": r"key:\d+/(?P<tenant>\d+)/"}
    assert target.open("verify").count("noter") == 4
    delete_everything(target, 1)
    assert target.open("verify").total("noter") == 3


def test_keys_of_another_tenant_or_place_are_refused_whoever_names_them(target: Target) -> None:
    connector = target.open("delete")
    for place in ("sager", "noter"):
        own, others = connector.keys(place, 2), target.open("delete", STAYING).keys(place, 2)
        with pytest.raises(Rejected, match="OUTSIDE_SCOPE"), connector.batch() as batch:
            batch.delete(place, [*own, *others])
    assert target.neighbours() == 8
    assert target.open("verify").count("sager") == 7


def test_a_neighbours_object_that_goes_while_we_delete_stops_the_job(target: Target) -> None:
    connector = target.open("delete")
    keys = connector.keys("noter", 4)
    with pytest.raises(Rejected, match="OUTSIDE_SCOPE"), connector.batch() as batch:
        batch.delete("noter", keys)
        target.virtual.delete_object(Bucket="noter", Key=f"1/{STAYING}/note-{STAYING}0001.txt")
        batch.commit()
    assert connector.present("noter", keys) == 0


def test_a_verifier_that_may_put_or_delete_is_told_so_and_nothing_is_left_of_asking(target: Target) -> None:
    assert not target.open("verify").can_write() and not target.open("extract").can_write()
    assert target.open("delete").can_write()
    assert target.open("verify").total("sager") == 12 and target.open("verify").total("noter") == 7


def test_what_is_open_to_anybody_is_not_closed_with_the_tenants_principals(target: Target) -> None:
    said = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::noter/*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [said]})
    target.virtual.put_bucket_policy(Bucket="noter", Policy=policy)
    target.open("access").close_access()
    closed = target.open("access").access()
    assert (closed.open, closed.writable, closed.details) == (True, False, {"principals": 0, "anybody": 1})
    kept = json.loads(target.virtual.get_bucket_policy(Bucket="noter")["Policy"])["Statement"]
    assert said in kept and len(kept) == 2


def test_documents_are_every_version_with_its_bytes(target: Target) -> None:
    fetched = {name: Path(path).read_bytes() for name, path in target.open("extract").documents("sager")}
    assert sorted(fetched.values()) == [b"en", b"indhold", b"indhold", b"indhold", b"to"]
    assert sum(".version-" in name for name in fetched) == 2
    assert all(name.startswith(f"{LEAVING}/") for name in fetched)


def test_documents_go_on_behind_a_name_and_leave_no_copy_behind(target: Target) -> None:
    connector = target.open("extract")
    whole = [(name, Path(path)) for name, path in connector.documents("sager")]
    names = [name for name, _ in whole]
    assert names == sorted(names) and not any(path.exists() for _, path in whole)
    assert [name for name, _ in connector.documents("sager", names[1])] == names[2:]


def test_the_marker_stands_in_every_bucket_of_tenants_or_in_none(target: Target) -> None:
    written = marker.prepare(target.open("prepare"), 1.0)
    assert target.open("delete").marker() == written
    target.virtual.delete_object(Bucket="noter", Key="ophor_rehearsal_copy")
    assert target.open("delete").marker() is None


def test_a_first_map_lists_every_bucket_and_asks_whose_its_objects_are(target: Target, tmp_path: Path) -> None:
    user = target.content["credentials"]["verify"]["user"]
    secret = (tmp_path / "secrets" / user).read_text()
    at = target.content["connection"]["url"].removeprefix("http://")
    text = systems_init.draft(f"s3://{user}@{at}?tls=false&region=us-east-1", name="arkiv", password=secret)
    system = yaml.safe_load(text)["systems"]["arkiv"]
    assert (system["kind"], system["connection"]) == ("s3", target.content["connection"])
    assert system["places"] == dict.fromkeys(("sager", "noter", "kode"), PLACEHOLDER)
    assert "12 " in text and secret not in text


def test_a_tenant_that_would_reach_into_another_prefix_is_refused(target: Target) -> None:
    with pytest.raises(Rejected, match="TENANT_INVALID"):
        target.open("verify", tenant="101/brev").count("sager")
