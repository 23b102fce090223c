"""Whether an access key may change objects: tried in ways that have no effect even where they are allowed.

A store does not tell a user's rights, and a simulation would leave the bucket's own policy out. So, in each place of
the tenant's: a part is sent to an upload that does not exist (the right to put), that upload is ended (to end uploads),
and a version that does not exist, of a random key, is deleted (to delete versions). Rights over a bucket's settings
cannot be tried without effect.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from shared.connectors.s3.session import code_of

_DENIED = ("AccessDenied", "Forbidden", "403")


def can_write(client: Any, bucket: str, prefix: str) -> bool:
    """Tell whether anything may be put, ended or deleted below a prefix; only a clear refusal is a no."""
    name = secrets.token_hex(16)
    what = {"Bucket": bucket, "Key": f"{prefix}ophor-{name}"}
    tries: list[Callable[[], Any]] = [
        lambda: client.delete_object(**what, VersionId="null"),
        lambda: client.abort_multipart_upload(**what, UploadId=name),
        lambda: client.upload_part(**what, UploadId=name, PartNumber=1, Body=b""),
    ]
    return any(_may(each) for each in tries)


def _may(act: Callable[[], Any]) -> bool:
    try:
        act()
    except ClientError as error:
        if code_of(error) in _DENIED:
            return False
        if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500) >= 500:
            raise
    return True
