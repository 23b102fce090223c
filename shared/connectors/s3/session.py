"""An S3 client for one purpose, what its errors mean, and answers that are checked; no error's text is passed on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from contracts.errors import OphorError, Rejected
from contracts.system_map import System
from shared.connectors import failures

_LOCK = threading.Lock()
_REFUSED = {
    "AccessDenied", "AllAccessDisabled", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken",
    "RequestTimeTooSkewed", "Forbidden", "401", "403",
}  # fmt: skip
_BUSY = {"SlowDown", "ServiceUnavailable", "RequestTimeout", "OperationAborted", "503", "429"}
Answer = dict[str, Any]


@contextmanager
def translated(system: str, purpose: str, place: str = "") -> Iterator[None]:
    """Turn the client's errors into the two families."""
    try:
        yield
    except ClientError as error:
        raise _family(error, system, purpose, place) from None
    except (BotoCoreError, OSError):
        raise failures.unreachable(system) from None


def code_of(error: ClientError) -> str:
    """Give the store's own code of an error."""
    return str(error.response.get("Error", {}).get("Code", ""))


def _family(error: ClientError, system: str, purpose: str, place: str) -> OphorError:
    code, status = code_of(error), error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _REFUSED or status in (401, 403):
        return failures.refused(system, purpose)
    if code == "NoSuchBucket" and place:
        return missing(system, place)
    if code in _BUSY:
        return failures.busy(system, "it asks for patience")
    if status >= 500 or status == 404 or not status:
        return failures.unreachable(system, f"answers {status or 'nothing'}")
    return failures.target_error(system, place, f"error {code if code.isalnum() else status}")


def missing(system: str, place: str) -> Rejected:
    """Make MAP_UNKNOWN_PLACE: the store has no such bucket. That is an error, never an absence of objects."""
    return Rejected(
        "MAP_UNKNOWN_PLACE", f"{system}: the bucket is not there", field=f"systems.{system}.places.{place}",
        remedy="correct its name in the map", da=f"{system}: bucketen findes ikke.",
    )  # fmt: skip


@cache
def _library() -> Any:
    return botocore.session.Session()


def connect(system: System, purpose: str) -> Any:
    """Make a client with the access key of `purpose`; it connects at first use."""
    user, secret = system.secret(purpose)
    where = system.connection
    config = Config(
        signature_version="s3v4", s3={"addressing_style": "path"}, connect_timeout=5, read_timeout=50, proxies={},
        retries={"mode": "standard", "total_max_attempts": 2}, user_agent_extra=f"ophor-{purpose}",
        request_checksum_calculation="when_required", response_checksum_validation="when_required",
    )  # fmt: skip
    with _LOCK:
        return _library().create_client(
            "s3", endpoint_url=str(where["url"]), region_name=str(where.get("region") or "us-east-1"), config=config,
            aws_access_key_id=user, aws_secret_access_key=secret,
        )  # fmt: skip


def pages(system: str, ask: Callable[..., Answer], cursors: dict[str, str], what: Answer) -> Iterator[Answer]:
    """Give every page of a listing; `cursors`: request field → answer field that tells where the next page begins.

    Raise Unavailable where an answer is none, is about something else, or says that there is more but not from where.
    """
    start: dict[str, str] = {}
    while True:
        page = ask(**what, **start)
        if "IsTruncated" not in page or what["Bucket"] != page.get("Name", page.get("Bucket")):
            raise failures.unreachable(system, "gave no listing")
        yield page
        if not page["IsTruncated"]:
            return
        after = {field: str(page[said]) for field, said in cursors.items() if page.get(said)}
        if not after or after == start:
            raise failures.unreachable(system, "says that there is more, and does not give it")
        start = after
