"""Sets in a bucket: what lies below `prefix`, one set for each first part of a key.

A set is there as long as one version of one of its objects is, whatever hides it: a delete marker, a later version, an
upload that was never finished. Where the bucket's replicas, logs or inventories go elsewhere, that is an error. The
lifecycle says when a set should be gone; only looking says that it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import accumulate
from typing import Any

from contracts.system_map import Credential, System
from contracts.system_map.backups import Source
from shared.backups.model import Listing, Set, digest, not_listed, set_id_of
from shared.connectors.s3 import settings
from shared.connectors.s3.session import connect, pages, translated
from shared.runtime.clock import legal_date

Row = dict[str, Any]
_VERSIONS = {"KeyMarker": "NextKeyMarker", "VersionIdMarker": "NextVersionIdMarker"}
_UPLOADS = {"KeyMarker": "NextKeyMarker", "UploadIdMarker": "NextUploadIdMarker"}


class Objects(Listing):
    """The sets of one bucket, or below one prefix of it."""

    def __init__(self, client: Any, system: str, bucket: str, prefix: str = "") -> None:
        self.client, self.system, self.bucket, self.prefix = client, system, bucket, prefix

    def sets(self) -> list[Set]:
        """List every set below the prefix."""
        with translated(self.system, "verify", self.bucket):
            return self._sets(self._rows(self.prefix))

    def everything(self) -> list[Set]:
        """List the sets, and by its content alone whatever lies elsewhere in the bucket, or inside one of them."""
        with translated(self.system, "verify", self.bucket):
            rows = list(self._rows(""))
            sets = self._sets(row for row in rows if row["Key"].startswith(self.prefix))
        return sets + list(self._aside(rows, {each.set_id: each.identity for each in sets}))

    def heads(self, set_id: str, size: int) -> Iterator[bytes]:
        """Give the first bytes of every version of the set's objects, as anybody who may read the bucket gets them.

        Raise BACKUPS_NOT_LISTED where a part of the set cannot be read: an upload that was never finished.
        """
        with translated(self.system, "verify", self.bucket):
            for row in self._rows(self.prefix):
                if set_id_of(_name(row["Key"], self.prefix)) != set_id:
                    continue
                if "UploadId" in row:
                    raise not_listed(self.bucket, "an upload that was never finished cannot be read")
                yield self._head(row, size) if row["Size"] else b""

    def _head(self, row: Row, size: int) -> bytes:
        what = {"Bucket": self.bucket, "Key": row["Key"]}
        if row.get("VersionId", "null") != "null" or not row.get("IsLatest"):  # without versions `null` may be unknown
            what["VersionId"] = row["VersionId"]
        body = self.client.get_object(**what, Range=f"bytes=0-{size - 1}")["Body"]
        return bytes(body.read(size))

    def _sets(self, rows: Iterable[Row]) -> list[Set]:
        known = settings.read(self.client, self.system, "verify", self.bucket)
        settings.check(self.system, self.bucket, known, {self.bucket})
        days = _days(known, self.prefix)
        found: dict[str, list[Row]] = defaultdict(list)
        for row in rows:
            found[_name(row["Key"], self.prefix)].append(row)
        return [_set(name, mine, days) for name, mine in sorted(found.items())]

    def _aside(self, rows: Sequence[Row], own: Mapping[str, tuple[str, ...]]) -> Iterator[Set]:
        """Give the content of every key and of all below each of its parts, but for what is a set of `own` itself."""
        inside: dict[str, list[Row]] = defaultdict(list)
        for row in rows:
            for at in accumulate(row["Key"].split("/"), "{}/{}".format):
                inside[at].append(row)
        for at, mine in inside.items():
            same = _content(mine)
            if at.startswith(self.prefix):
                aside = same != own.get(set_id_of(_name(at, self.prefix)), same)
            else:
                aside = not self.prefix.startswith(f"{at}/")
            if aside and same:
                yield Set("", "s3", None, same)

    def _rows(self, prefix: str) -> Iterator[Row]:
        what = {"Bucket": self.bucket, "Prefix": prefix}
        for page in pages(self.system, self.client.list_object_versions, _VERSIONS, what):
            yield from page.get("Versions", ())
        for page in pages(self.system, self.client.list_multipart_uploads, _UPLOADS, what):
            yield from page.get("Uploads", ())


def opened(system: System, source: Source, purpose: str = "verify") -> Objects:
    """Open a bucket of sets with the source's own access key, else with the system's of `purpose`."""
    credential = Credential(source.user, source.password_file, source.password_env)
    given = {purpose: credential} if source.user else system.credentials
    bucket = replace(system, connection={"url": source.url, "region": source.region}, credentials=given)
    return Objects(connect(bucket, purpose), system.name, source.bucket, source.prefix)


def _name(key: str, prefix: str) -> str:
    """Give the name of the set that a key below the prefix belongs to."""
    return key[len(prefix) :].partition("/")[0] or key


def _set(name: str, rows: list[Row], days: int | None) -> Set:
    times: list[datetime] = [row.get("LastModified") or row["Initiated"] for row in rows]
    taken: date = legal_date(max(times))
    expires = taken + timedelta(days=days) if days is not None else None
    return Set(set_id_of(name), "s3", taken, _content(rows), expires)


def _content(rows: Iterable[Row]) -> tuple[str, ...]:
    """Give the one digest of all these objects, whatever they are called; none where there is no content."""
    found = sorted({f"{row['ETag']} {row['Size']}" for row in rows if row.get("Size")})
    return (digest(found),) if found else ()


def _days(known: settings.Settings, prefix: str) -> int | None:
    """Give after how many days the lifecycle takes all of a set; None where it leaves a version."""
    rules = [rule for rule in known["lifecycle"].get("Rules", ()) if rule.get("Status") == "Enabled"]
    here = [rule for rule in rules if prefix.startswith(_prefix(rule))]
    first = [rule["Expiration"]["Days"] for rule in here if rule.get("Expiration", {}).get("Days")]
    later = [rule["NoncurrentVersionExpiration"]["NoncurrentDays"] for rule in here
             if rule.get("NoncurrentVersionExpiration", {}).get("NoncurrentDays")]  # fmt: skip
    if not known["versioning"].get("Status"):
        return min(first, default=None)
    return min(first) + min(later) if first and later else None


def _prefix(rule: dict[str, Any]) -> str:
    """Give the prefix of a rule; one that also asks for tags or sizes is no promise for everything below."""
    ask = rule.get("Filter") or {}
    if {"And", "Tag", "ObjectSizeGreaterThan", "ObjectSizeLessThan"} & ask.keys():
        return "\0"
    return str(ask.get("Prefix", rule.get("Prefix", "")))
