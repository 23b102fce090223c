"""Whose a version, a delete marker or an unfinished upload is, and whether it is locked (asked for, one by one)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from contracts.errors import Rejected
from contracts.system_map.objects import ObjectOwner
from shared.connectors import failures
from shared.connectors.s3.listing import Item, Listing, Where
from shared.connectors.s3.session import translated


class Owners:
    """Finds out to whom things of one place belong."""

    def __init__(self, listing: Listing, system: str, purpose: str, at: Where, rule: ObjectOwner) -> None:
        self._client, self._listing, self._rule, self._at = listing.client, listing, rule, at
        self._system, self._purpose = system, purpose
        self._last: tuple[str, str] = ("", "")

    def of(self, item: Item) -> str:
        """Give the tenant that an item belongs to; empty where nothing says it.

        By tag or metadata a delete marker belongs to whom the newest version beneath it does, and an unfinished upload,
        of which the store tells neither, to nobody.
        """
        if self._rule.by_key:
            return self._rule.of_key(self._at.below(item.key))
        if item.kind == "version":
            return self._said(item)
        return self._beneath(item.key) if item.kind == "marker" else ""

    def _said(self, item: Item) -> str:
        what: dict[str, Any] = {"Bucket": self._at.bucket} | item.address
        with translated(self._system, self._purpose, self._at.bucket):
            if self._rule.way == "meta":
                found = self._client.head_object(**what).get("Metadata", {})
            else:
                found = {row["Key"]: row["Value"] for row in self._client.get_object_tagging(**what)["TagSet"]}
        name = self._rule.text.lower() if self._rule.way == "meta" else self._rule.text
        return str(found.get(name, ""))

    def _beneath(self, key: str) -> str:
        if self._last[0] != key:
            versions = (each for each in self._listing.items(self._at.bucket, key, key) if each.key == key)
            newest = next((each for each in versions if each.kind == "version"), None)
            self._last = (key, self._said(newest) if newest else "")
        return self._last[1]

    def require_unlocked(self, place: str, item: Item) -> None:
        """Raise OBJECT_LOCKED or OBJECT_LEGAL_HOLD where the store keeps an item from being deleted."""
        if item.kind != "version":
            return
        with translated(self._system, self._purpose, place):
            said = self._client.head_object(Bucket=self._at.bucket, **item.address)
        if said.get("ObjectLockLegalHoldStatus") == "ON":
            raise lock_error(
                self._system, place, "OBJECT_LEGAL_HOLD", "an object is under a legal hold of the store",
                "er omfattet af et legal hold",
            )  # fmt: skip
        until = said.get("ObjectLockRetainUntilDate")
        if until is not None and until > datetime.now(UTC):
            day = f"{until:%Y-%m-%d}"
            raise lock_error(
                self._system, place, "OBJECT_LOCKED", f"an object is locked until {day}", f"er låst til og med {day}"
            )


def lock_error(system: str, place: str, code: str, text: str, da: str) -> Rejected:
    """Make an error about something that the store keeps from being deleted."""
    return Rejected(
        code, f"{system}: {text}", field=f"systems.{system}.places.{place}",
        remedy="wait until the lock has ended, or have whoever set it lift it; we never bypass one",
        da=f"{system}: en fil i {place} {da}.",
    )  # fmt: skip


def foreign(system: str, place: str) -> Rejected:
    """Make OUTSIDE_SCOPE for a key of another tenant."""
    return failures.outside(system, place, "an object of another tenant is among the keys")
