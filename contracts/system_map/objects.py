"""Whose an object of an object store is: what `tenant_key` may say in a system of kind `s3`. Pure.

`prefix:kommune-{tenant}/`  the key, below its place, begins so; what follows `{tenant}` ends the tenant's value
`key:REGEX`                 a regular expression on the key below its place, with the group `(?P<tenant>…)`
`tag:NAME`, `meta:NAME`     the value of an object tag, or of the object's own metadata (`x-amz-meta-NAME`)
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

HOLE = "{tenant}"
_PLACE = re.compile(r"[a-z0-9][a-z0-9._\-]{1,62}(/([^\x00-\x1f]*/)?\.?)?")


@dataclass(frozen=True, slots=True)
class ObjectOwner:
    """One way of saying whose an object is: `way` is prefix, key, tag or meta."""

    way: str
    text: str

    @property
    def by_key(self) -> bool:
        """Tell whether the key alone says it; a tag or metadata must be asked for, version by version."""
        return self.way in ("prefix", "key")

    def start(self, tenant: str) -> str:
        """Give what the tenant's keys begin with (below their place); empty where that is not known."""
        return self.text.replace(HOLE, tenant) if self.way == "prefix" else ""

    def fits(self, tenant: str) -> bool:
        """Tell whether the tenant's value can stand in the prefix: it must not hold what ends it."""
        return self.way != "prefix" or self.text.partition(HOLE)[2][0] not in tenant

    def of_key(self, below: str) -> str:
        """Give the tenant that a key names, below its place; empty = nobody."""
        if self.way == "prefix":
            before, _, after = self.text.partition(HOLE)
            form = f"{re.escape(before)}(?P<tenant>[^{re.escape(after[0])}]+){re.escape(after)}"
        else:
            form = self.text
        found = re.match(form, below, re.DOTALL)
        return (found["tenant"] or "") if found else ""


def owner_of(tenant_key: str) -> ObjectOwner | None:
    """Read a tenant key; None where it has none of the four forms."""
    way, _, text = tenant_key.partition(":")
    if way == "prefix" and text.count(HOLE) == 1 and text.partition(HOLE)[2]:
        return ObjectOwner(way, text)
    if way == "key" and _has_group(text):
        return ObjectOwner(way, text)
    return ObjectOwner(way, text) if way in ("tag", "meta") and text else None


def wrong_place(places: Collection[str]) -> tuple[str, str]:
    """Give the first place that is no bucket, `bucket/…/` or `bucket/….`, or lies in another one, and what is wrong."""
    for name in sorted(places):
        if not _PLACE.fullmatch(name):
            return name, "must be a bucket, bucket/prefix/, or bucket/. for what lies beside the prefixes"
        over = [each for each in places if each != name and _within(name, each)]
        if over:
            return name, f"lies in {over[0]}, which is a place too"
    return "", ""


def _within(name: str, other: str) -> bool:
    if "/" not in other:
        return name.startswith(other + "/")
    return other.endswith("/") and name.startswith(other)


def _has_group(form: str) -> bool:
    try:
        return "tenant" in re.compile(form).groupindex
    except re.error:
        return False
