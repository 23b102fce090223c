"""What lies in a bucket: every version, every delete marker, every unfinished upload, page by page."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, takewhile
from typing import Any

from contracts.system_map import MARKER_PLACE
from shared.connectors import failures
from shared.connectors.protocol import Key
from shared.connectors.s3.session import Answer, pages, translated

UPLOAD = "upload:"
_VERSIONS = {"KeyMarker": "NextKeyMarker", "VersionIdMarker": "NextVersionIdMarker"}
_UPLOADS = {"KeyMarker": "NextKeyMarker", "UploadIdMarker": "NextUploadIdMarker"}
_UNMAPPED_AT_MOST = 100


@dataclass(frozen=True, slots=True)
class Item:
    """One row: `id` is a version's or delete marker's id, or `upload:` and an upload's; `kind` says which it is."""

    key: str
    id: str
    kind: str
    bytes: int = 0
    modified: str = ""
    current: bool = False

    @property
    def name(self) -> Key:
        """Give the row's key."""
        return (self.key, self.id)

    @property
    def address(self) -> dict[str, str]:
        """Give how it is read: a bucket that never had versions may not know the id `null` that it lists."""
        plain = {"Key": self.key}
        return plain if self.id == "null" and self.current else plain | {"VersionId": self.id}


@dataclass(frozen=True, slots=True)
class Where:
    """A place of the map: a bucket, or the prefix of one; `loose`: only what lies directly there."""

    bucket: str
    prefix: str = ""
    loose: bool = False

    def below(self, key: str) -> str:
        """Give a key as it is below its place."""
        return key.removeprefix(self.prefix)

    def holds(self, key: str) -> bool:
        """Tell whether a key lies in the place; the rehearsal marker lies in none."""
        if not key.startswith(self.prefix) or key == MARKER_PLACE:
            return False
        return not self.loose or "/" not in self.below(key)


def where(place: str) -> Where:
    """Read a place's name: `bucket`, `bucket/prefix/`, or `bucket/prefix/.` for what lies beside deeper prefixes."""
    bucket, _, rest = place.partition("/")
    loose = rest == "." or rest.endswith("/.")
    return Where(bucket, rest[:-1] if loose else rest, loose)


class Listing:
    """Looks into the buckets of one account with the client of one purpose."""

    def __init__(self, client: Any, system: str, purpose: str) -> None:
        self.client, self._system, self._purpose = client, system, purpose

    def buckets(self) -> list[str]:
        """List every bucket that the account has."""
        found: list[str] = []
        after: dict[str, str] = {}
        while True:
            with translated(self._system, self._purpose):
                answer: Answer = self.client.list_buckets(**after)
            if not isinstance(answer.get("Buckets"), list):
                raise failures.unreachable(self._system, "gave no list of buckets")
            found += [str(row["Name"]) for row in answer["Buckets"]]
            token = str(answer.get("ContinuationToken") or "")
            if not token:
                return sorted(found)
            if after == {"ContinuationToken": token}:
                raise failures.unreachable(self._system, "says that there is more, and does not give it")
            after = {"ContinuationToken": token}

    def items(self, place: str, start: str = "", last: str | None = None, after: str = "") -> Iterator[Item]:
        """Give what lies in a place below its prefix and `start`, behind `after` up to `last`; uploads at the end."""
        at = where(place)
        what = {"Bucket": at.bucket, "Prefix": at.prefix + start} | ({"Delimiter": "/"} if at.loose else {})
        what |= {"KeyMarker": after} if after else {}
        with translated(self._system, self._purpose, place):
            listed = pages(self._system, self.client.list_object_versions, _VERSIONS, what)
            rows = chain.from_iterable(map(rows_of, listed))
            yield from (item for item in takewhile(lambda row: last is None or row.key <= last, rows) if _in(at, item))
            uploads = self._uploads(at.bucket, at.prefix + start)
            yield from (item for item in uploads if _in(at, item) and (last is None or item.key <= last))

    def page(self, place: str, start: str, after: Sequence[str], limit: int) -> tuple[list[Item], list[str] | None]:
        """Give a page of the versions and where the next begins; after the last of them the uploads (None: the end)."""
        at = where(place)
        with translated(self._system, self._purpose, place):
            if list(after) == [UPLOAD]:
                return [item for item in self._uploads(at.bucket, at.prefix + start) if at.holds(item.key)], None
            what = {"Bucket": at.bucket, "Prefix": at.prefix + start, "MaxKeys": max(1, min(limit, 1000))}
            what |= dict(zip(_VERSIONS, after, strict=False)) | ({"Delimiter": "/"} if at.loose else {})
            page = next(pages(self._system, self.client.list_object_versions, _VERSIONS, what))
        found = [item for item in rows_of(page) if at.holds(item.key)]
        more = [str(page.get(said) or "") for said in _VERSIONS.values()] if page["IsTruncated"] else [UPLOAD]
        if more == list(after) or not more[0]:
            raise failures.unreachable(self._system, "says that there is more, and does not give it")
        return found, more

    def among(self, place: str, keys: Sequence[Key]) -> Iterator[Item]:
        """Give what lies between the first and the last of these keys, both included, and perhaps a little more."""
        names = [str(key[0]) for key in keys]
        if names:
            yield from self.items(place, where(place).below(_common(min(names), max(names))), max(names))

    def contradicts_itself(self, place: str, start: str) -> bool:
        """Tell whether the store's other listing shows an object where this one shows no version of anybody's."""
        at = where(place)
        what = {"Bucket": at.bucket, "Prefix": at.prefix + start} | ({"Delimiter": "/"} if at.loose else {})
        with translated(self._system, self._purpose, place):
            answer = self.client.list_objects_v2(**what, MaxKeys=2)
        if "IsTruncated" not in answer or answer.get("Name") != at.bucket:
            raise failures.unreachable(self._system, "gave no listing")
        found = [str(row["Key"]) for row in answer.get("Contents", ())]
        if not any(at.holds(key) for key in found):
            return False
        return not any(item.kind == "version" for item in self.items(place, start))

    def unmapped(self, bucket: str, mapped: Collection[str], level: str = "") -> list[str]:
        """List what lies in a bucket of mapped prefixes and in none of them: prefixes, and `….` for what lies loose."""
        at = Where(bucket, level, loose=True)
        prefixes, loose = self._level(at)
        names = [f"{bucket}/{level}."] if loose and f"{bucket}/{level}." not in mapped else []
        for prefix in sorted(prefixes):
            place = f"{bucket}/{prefix}"
            if place in mapped:
                continue
            if any(each.startswith(place) for each in mapped):
                names += self.unmapped(bucket, mapped, prefix)
            else:
                names.append(place)
            if len(names) >= _UNMAPPED_AT_MOST:
                break
        return names

    def _level(self, at: Where) -> tuple[set[str], bool]:
        prefixes, loose = set[str](), False
        what = {"Bucket": at.bucket, "Prefix": at.prefix, "Delimiter": "/"}
        with translated(self._system, self._purpose, at.bucket):
            for page in pages(self._system, self.client.list_object_versions, _VERSIONS, what):
                prefixes |= {str(row["Prefix"]) for row in page.get("CommonPrefixes", ())}
                loose = loose or any(at.holds(item.key) for item in rows_of(page))
            for item in self._uploads(at.bucket, at.prefix):
                head, slash, _ = at.below(item.key).partition("/")
                prefixes |= {at.prefix + head + slash} if slash else set()
                loose = loose or at.holds(item.key)
        return prefixes, loose

    def _uploads(self, bucket: str, prefix: str) -> Iterator[Item]:
        what = {"Bucket": bucket, "Prefix": prefix}
        for page in pages(self._system, self.client.list_multipart_uploads, _UPLOADS, what):
            for row in page.get("Uploads", ()):
                if str(row["Key"]).startswith(prefix):
                    yield Item(str(row["Key"]), UPLOAD + str(row["UploadId"]), "upload", 0, str(row["Initiated"]))


def rows_of(page: Answer) -> list[Item]:
    """Give a page's versions and delete markers by key; of one key the markers first."""
    found = [_item(row, "marker") for row in page.get("DeleteMarkers", ())]
    found += [_item(row, "version") for row in page.get("Versions", ())]
    return sorted(found, key=lambda item: item.key)


def _common(first: str, last: str) -> str:
    same = takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
    return "".join(letter for letter, _ in same)


def _in(at: Where, item: Item) -> bool:
    return at.holds(item.key)


def _item(row: Answer, kind: str) -> Item:
    size, current = int(row.get("Size") or 0), bool(row.get("IsLatest"))
    return Item(str(row["Key"]), str(row.get("VersionId") or "null"), kind, size, str(row["LastModified"]), current)
