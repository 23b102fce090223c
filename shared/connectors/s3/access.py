"""Who gets in: bucket policies that deny the tenant's principals, and what anybody may do: asked of the store.

Rules it keeps: a principal counts as having a way in until the bucket's own policy denies it, for what its other
policies allow is not the bucket's to know; only our own statements are written and replaced, all others stay; what is
open to anybody is told and never closed here, for it may be a neighbour's.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from botocore.exceptions import ClientError

from shared.connectors.protocol import Access
from shared.connectors.s3.session import code_of

_READING = ("s3:Get*", "s3:List*")
FROZEN: dict[str, Any] = {"Sid": "OphorFrozen", "NotAction": list(_READING)}
CLOSED: dict[str, Any] = {"Sid": "OphorClosed", "Action": "s3:*"}
_ANYBODY = ("/AllUsers", "/AuthenticatedUsers")
_READ_GRANTS = {"READ", "READ_ACP"}
Statement = dict[str, Any]


def look(client: Any, buckets: Iterable[str], roles: Sequence[str]) -> Access:
    """Look at the policies and access lists of the tenant's buckets."""
    ways, writable, anybody = 0, False, 0
    for bucket in buckets:
        said = _statements(client, bucket)
        for role in roles:
            closed = any(_denies(each, role, bucket, ("s3:*",)) for each in said)
            frozen = any(_denies(each, role, bucket, _READING) for each in said)
            ways += not closed
            writable = writable or not (closed or frozen)
        public = [each for each in said if _is_public(each)]
        grants = _public_grants(client, bucket)
        anybody += len(public) + len(grants)
        writable = writable or not all(map(_only_reads, public)) or bool(grants - _READ_GRANTS)
    return Access(ways + anybody, writable, ways + anybody > 0, {"principals": ways, "anybody": anybody})


def deny(client: Any, bucket: str, roles: Sequence[str], what: Statement) -> None:
    """Put a statement of ours that denies the principals into a bucket's policy, beside what stands there."""
    kept = [each for each in _statements(client, bucket) if each.get("Sid") != what["Sid"]]
    ours = what | {"Effect": "Deny", "Principal": {"AWS": list(roles)}, "Resource": _resources(bucket)}
    policy = {"Version": "2012-10-17", "Statement": [*kept, ours]}
    client.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))


def _statements(client: Any, bucket: str) -> list[Statement]:
    try:
        said = json.loads(client.get_bucket_policy(Bucket=bucket)["Policy"]).get("Statement", [])
    except ClientError as error:
        if code_of(error) not in ("NoSuchBucketPolicy", "NotImplemented"):
            raise
        return []
    return said if isinstance(said, list) else [said]


def _denies(each: Statement, role: str, bucket: str, actions: Sequence[str]) -> bool:
    """Tell whether a statement denies `role` everything (`s3:*`), or everything but these, in the whole bucket."""
    if each.get("Effect") != "Deny" or each.get("Condition") or role not in _principals(each):
        return False
    if not set(_resources(bucket)) <= set(_listed(each.get("Resource"))):
        return False
    return "s3:*" in _listed(each.get("Action")) or (
        "NotAction" in each and set(_listed(each["NotAction"])) <= set(actions)
    )


def _is_public(each: Statement) -> bool:
    return each.get("Effect") == "Allow" and not each.get("Condition") and "*" in _principals(each)


def _only_reads(each: Statement) -> bool:
    actions = _listed(each.get("Action"))
    return bool(actions) and all(action.startswith(("s3:Get", "s3:List")) for action in actions)


def _principals(each: Statement) -> list[str]:
    said = each.get("Principal")
    return _listed(said.get("AWS") if isinstance(said, dict) else said)


def _public_grants(client: Any, bucket: str) -> set[str]:
    try:
        grants = client.get_bucket_acl(Bucket=bucket)["Grants"]
    except ClientError as error:
        if code_of(error) != "NotImplemented":
            raise
        return set()
    return {str(row["Permission"]) for row in grants if str(row["Grantee"].get("URI", "")).endswith(_ANYBODY)}


def _resources(bucket: str) -> list[str]:
    return [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]


def _listed(value: Any) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else [str(value)] if value else []
