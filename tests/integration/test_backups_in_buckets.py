"""Backup sets in a bucket: one is there as long as a version of it is, wherever in the bucket its content lies."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from contracts.system_map.backups import Source
from shared.backups import Answer, Set, sources
from shared.backups.objects import Objects
from tests.parts import Parts

PRESENT, GONE, ERROR = Answer.PRESENT, Answer.GONE, Answer.ERROR


def look(reader: Objects, *catalogued: Set) -> Answer:
    """Look for the first of these sets."""
    first = catalogued[0]
    return sources.seen([(Source("catalogue"), reader)]).answers([first], catalogued)[first.set_id]


@pytest.fixture
def bucket(parts: Parts) -> Any:
    client = parts.object_store.versioned("backup")
    client.put_object(Bucket="backup", Key="px/2026-10-01/base.tar", Body=b"indhold")
    client.put_object(Bucket="backup", Key="px/2026-10-02/base.tar", Body=b"andet indhold")
    return client


def wipe(bucket: Any, prefix: str) -> None:
    """Take every version below a prefix away."""
    for page in list(bucket.get_paginator("list_object_versions").paginate(Bucket="backup", Prefix=prefix)):
        for row in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
            bucket.delete_object(Bucket="backup", Key=row["Key"], VersionId=row["VersionId"])


def test_a_deleted_object_with_versions_is_still_there(bucket: Any) -> None:
    reader = Objects(bucket, "px", "backup", "px/")
    first, second = reader.sets()
    assert (first.set_id, first.expires_on) == ("2026-10-01", None)
    bucket.delete_object(Bucket="backup", Key="px/2026-10-01/base.tar")
    assert look(reader, first) is PRESENT  # hidden by a delete marker
    bucket.copy_object(
        Bucket="backup", Key="elsewhere/x", CopySource={"Bucket": "backup", "Key": "px/2026-10-02/base.tar"}
    )
    wipe(bucket, "px/")
    assert look(reader, first) is GONE
    assert look(reader, second) is PRESENT  # renamed: its content lies elsewhere in the bucket


@pytest.mark.parametrize("at", ["elsewhere/old", "px/old"])
def test_sets_that_were_moved_aside_together_are_still_there(bucket: Any, at: str) -> None:
    reader = Objects(bucket, "px", "backup", "px/")
    sets = reader.sets()
    for one in sets:
        source = {"Bucket": "backup", "Key": f"px/{one.set_id}/base.tar"}
        bucket.copy_object(Bucket="backup", Key=f"{at}/{one.set_id}/base.tar", CopySource=source)
        wipe(bucket, f"px/{one.set_id}/")
    assert [look(reader, one) for one in sets] == [PRESENT, PRESENT]


def test_of_two_sets_with_the_same_content_the_removed_one_is_gone(bucket: Any) -> None:
    bucket.put_object(Bucket="backup", Key="px/2026-10-03/base.tar", Body=b"indhold")
    reader = Objects(bucket, "px", "backup", "px/")
    first, second, equal = reader.sets()
    for one in (first, second):
        wipe(bucket, f"px/{one.set_id}/")
    assert look(reader, first, equal) is GONE
    assert look(reader, equal, first) is PRESENT


def test_a_lifecycle_promises_a_day_only_where_it_takes_older_versions_too(bucket: Any) -> None:
    rule: dict[str, Any] = {"ID": "a", "Status": "Enabled", "Filter": {"Prefix": "px/"}, "Expiration": {"Days": 30}}
    bucket.put_bucket_lifecycle_configuration(Bucket="backup", LifecycleConfiguration={"Rules": [rule]})
    reader = Objects(bucket, "px", "backup", "px/")
    assert reader.sets()[0].expires_on is None
    rule["NoncurrentVersionExpiration"] = {"NoncurrentDays": 5}
    bucket.put_bucket_lifecycle_configuration(Bucket="backup", LifecycleConfiguration={"Rules": [rule]})
    found = reader.sets()[0]
    assert found.taken_on is not None and found.expires_on == found.taken_on + timedelta(days=35)


def test_a_bucket_that_cannot_be_asked_is_an_error(bucket: Any) -> None:
    found = Objects(bucket, "px", "backup", "px/").sets()[0]
    assert look(Objects(bucket, "px", "missing", "px/"), found) is ERROR
