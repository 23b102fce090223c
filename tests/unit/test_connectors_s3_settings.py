"""Which buckets are refused for what they are set to: copies that go elsewhere, versions that nobody can delete."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.errors import Rejected
from shared.connectors.s3 import settings

NAMES = ("versioning", "lock", "lifecycle", "replication", "logging", "inventories")
NONE: dict[str, Any] = {name: {} for name in NAMES}
COPY = "arn:aws:s3:::kopi"
COPIES = {
    "replication": {"ReplicationConfiguration": {"Rules": [{"Destination": {"Bucket": COPY}}]}},
    "logging": {"LoggingEnabled": {"TargetBucket": "kopi", "TargetPrefix": ""}},
    "inventories": {"InventoryConfigurationList": [{"Destination": {"S3BucketDestination": {"Bucket": COPY}}}]},
}


@pytest.mark.parametrize("name", COPIES)
def test_copies_may_go_to_known_buckets_only(name: str) -> None:
    settings.check("arkiv", "sager", NONE | {name: COPIES[name]}, {"sager", "kopi"})
    with pytest.raises(Rejected, match=r"COPIES_GO_ELSEWHERE.*kopi, which is not in the map") as caught:
        settings.check("arkiv", "sager", NONE | {name: COPIES[name]}, {"sager"})
    assert caught.value.field == "systems.arkiv.places.sager"


def test_a_bucket_whose_versions_need_a_one_time_code_is_refused() -> None:
    with pytest.raises(Rejected, match="PLACE_NOT_DELETABLE"):
        settings.check(
            "arkiv", "sager", NONE | {"versioning": {"Status": "Enabled", "MFADelete": "Enabled"}}, {"sager"}
        )


def test_every_setting_changes_the_fingerprint() -> None:
    changed = [settings.fingerprint("sager", NONE | {name: {"a": "b"}}) for name in NONE]
    assert len({settings.fingerprint("sager", NONE), *changed}) == len(NONE) + 1
