"""What a bucket is set to: a part of its place's fingerprint, and what is refused because copies would be left.

A store that does not offer a setting at all (501 NotImplemented) has none of it; who may not be told stops the job.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator
from typing import Any

from botocore.exceptions import ClientError

from contracts.errors import Rejected
from shared.connectors.s3.session import Answer, code_of, translated

_NONE = {
    "NotImplemented", "NoSuchLifecycleConfiguration", "ReplicationConfigurationNotFoundError", "NoSuchConfiguration",
    "ObjectLockConfigurationNotFoundError",
}  # fmt: skip
_ASKED = {
    "versioning": "get_bucket_versioning", "lock": "get_object_lock_configuration",
    "lifecycle": "get_bucket_lifecycle_configuration", "replication": "get_bucket_replication",
    "logging": "get_bucket_logging", "notification": "get_bucket_notification_configuration",
    "inventories": "list_bucket_inventory_configurations",
}  # fmt: skip
Settings = dict[str, Answer]


def read(client: Any, system: str, purpose: str, bucket: str) -> Settings:
    """Ask for every setting of a bucket that decides what deleting in it means."""
    found: Settings = {}
    for name, method in _ASKED.items():
        with translated(system, purpose, bucket):
            try:
                found[name] = dict(getattr(client, method)(Bucket=bucket))
            except ClientError as error:
                if code_of(error) not in _NONE:
                    raise
                found[name] = {}
        found[name].pop("ResponseMetadata", None)
    return found


def fingerprint(place: str, settings: Settings) -> str:
    """Give a digest that changes with any of the settings."""
    return hashlib.sha256(json.dumps([place, settings], sort_keys=True, default=str).encode()).hexdigest()


def locks(settings: Settings) -> bool:
    """Tell whether objects of the bucket can be locked at all."""
    return bool(settings["lock"].get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") == "Enabled")


def check(system: str, bucket: str, settings: Settings, known: Collection[str]) -> None:
    """Refuse a bucket whose copies go to a bucket that is not `known`, and one in which no version can be deleted."""
    for what, other in _copies(settings):
        if other not in known:
            raise _refused(
                system, "COPIES_GO_ELSEWHERE", bucket, f"{what} of {bucket} go to {other}, which is not in the map",
                "map that bucket; where it lies in another account, as a system of its own, and name it under copies",
                f"sender {what} til {other}, som ikke er i systemkortet",
            )  # fmt: skip
    if settings["versioning"].get("MFADelete") == "Enabled":
        raise _refused(
            system, "PLACE_NOT_DELETABLE", bucket, f"versions of {bucket} can be deleted with a one-time code only",
            "switch MFA delete off until the exit is over", "kræver en engangskode til hver sletning",
        )  # fmt: skip


def _copies(settings: Settings) -> Iterator[tuple[str, str]]:
    rules = settings["replication"].get("ReplicationConfiguration", {}).get("Rules", ())
    yield from (("replicas", _name(rule["Destination"]["Bucket"])) for rule in rules)
    target = settings["logging"].get("LoggingEnabled", {}).get("TargetBucket")
    if target:
        yield "access logs", _name(target)
    for row in settings["inventories"].get("InventoryConfigurationList", ()):
        yield "inventories", _name(row["Destination"]["S3BucketDestination"]["Bucket"])


def _name(arn: str) -> str:
    return arn.rpartition(":")[2]


def _refused(system: str, code: str, bucket: str, text: str, remedy: str, da: str) -> Rejected:
    where = f"systems.{system}.places.{bucket}"
    return Rejected(code, f"{system}: {text}", field=where, remedy=remedy, da=f"{system}: {bucket} {da}.")
