"""A batch of versions, delete markers and unfinished uploads, removed at `commit` (see `protocol.Batch`).

The store knows no transaction. So everything is checked before: each key is looked up, the tenant's, and not locked.
What `commit` really did is counted by nobody's answer, but by listing again (`present`); an answer that leaves a key
out, or says that a delete only made a marker, ends the batch. What others have between the first and the last key is
listed before and after: something of theirs that went meanwhile stops the job.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from contracts.errors import Rejected
from shared.connectors import failures
from shared.connectors.protocol import Key
from shared.connectors.s3.listing import UPLOAD, Item, where
from shared.connectors.s3.session import Answer, code_of, translated

if TYPE_CHECKING:
    from shared.connectors.s3.connector import S3Connector

_AT_ONCE, _BESIDE_AT_MOST = 1000, 10_000


class S3Batch:
    """What is to go, place by place."""

    def __init__(self, target: S3Connector, client: Any) -> None:
        self._target, self._client = target, client
        self._chosen: dict[str, dict[Key, Item]] = {}
        self._beside: dict[str, set[Key]] = {}

    def delete(self, place: str, keys: Sequence[Key]) -> int:
        """Choose these keys, where they are there, the tenant's and not locked."""
        chosen, beside = self._chosen.setdefault(place, {}), self._beside.setdefault(place, set())
        wanted, before = {(str(key[0]), str(key[1])) for key in keys}, len(chosen)
        for item, own in self._target.looked_up(place, keys):
            if item.name in wanted:
                chosen[item.name] = item
            elif not own and len(beside) < _BESIDE_AT_MOST:
                beside.add(item.name)
        return len(chosen) - before

    def planned(self) -> dict[str, int]:
        """Give how many were chosen."""
        return {place: len(chosen) for place, chosen in self._chosen.items() if chosen}

    def effects(self) -> dict[str, int]:
        """Give the same: each is named with its version id, and nothing cascades to another."""
        return self.planned()

    def neighbours(self) -> dict[str, int]:
        """Give nothing: a store has no snapshot; `commit` looks itself at what others have between the keys."""
        return {}

    def commit(self) -> None:
        """Remove what was chosen, and look whether anything of the neighbours' went."""
        for place, chosen in self._chosen.items():
            items = sorted(chosen.values(), key=lambda item: (item.key, item.kind != "marker"))
            with translated(self._target.system, "delete", place):
                for start in range(0, len(items), _AT_ONCE):
                    self._remove(place, items[start : start + _AT_ONCE])
            self._look_beside(place, [item.name for item in items])

    def _remove(self, place: str, items: Sequence[Item]) -> None:
        bucket = where(place).bucket
        versions = [item for item in items if item.kind != "upload"]
        if versions:
            what = [{"Key": item.key, "VersionId": item.id} for item in versions]
            answer = self._client.delete_objects(Bucket=bucket, Delete={"Objects": what, "Quiet": False})
            self._check_answer(place, versions, answer)
        for item in items:
            if item.kind == "upload":
                self._abort(bucket, item)

    def _abort(self, bucket: str, item: Item) -> None:
        try:
            self._client.abort_multipart_upload(Bucket=bucket, Key=item.key, UploadId=item.id.removeprefix(UPLOAD))
        except ClientError as error:
            if code_of(error) != "NoSuchUpload":  # which the next listing shows
                raise

    def _check_answer(self, place: str, sent: Sequence[Item], answer: Answer) -> None:
        """Hold the answer per object against what was sent; other errors than a refusal leave it to the next batch."""
        done, failed = answer.get("Deleted", []), answer.get("Errors", [])
        if len(done) + len(failed) < len(sent):
            raise failures.unreachable(self._target.system, "gave no answer per object")
        ids = {item.id for item in sent}
        if any(row.get("DeleteMarker") and row.get("DeleteMarkerVersionId") not in ids for row in done):
            raise Rejected(
                "ONLY_MARKED_DELETED", f"{self._target.system}: a delete made a marker and left the version",
                field=f"systems.{self._target.system}.places.{place}", remedy="the store must delete versions by id",
                da=f"{self._target.system}: en fil blev kun markeret som slettet.",
            )  # fmt: skip
        if any(row.get("Code") in ("AccessDenied", "AccessForbidden") for row in failed):
            raise failures.refused(self._target.system, "delete")

    def _look_beside(self, place: str, keys: Sequence[Key]) -> None:
        before = self._beside.get(place, set())
        if before and not before <= set(self._names(place, keys)):
            raise failures.outside(self._target.system, place, "an object of another tenant went meanwhile")

    def _names(self, place: str, keys: Sequence[Key]) -> Iterator[Key]:
        return (item.name for item in self._target.between(place, keys))
