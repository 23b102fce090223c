"""Whose document is it: the queries for one tenant's, for others', and for those that no tenant is found for.

A tenant key is a field, or a path with dots to one further down. Its value is a text, a number, an ObjectId or a UUID.
A document in which the path meets a list is nobody's: a list may name several tenants, and the server would take each
of them for a match.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any

from bson import Binary, ObjectId

from contracts.errors import Rejected
from shared.connectors.mongodb.session import Document

_KINDS = ["string", "number", "objectId", "binData"]
_UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


def owner(key: str, tenant: str) -> Document:
    """Find the tenant's documents."""
    values: list[Any] = [tenant]
    if tenant.isascii() and tenant.isdigit() and len(tenant) < 19:
        values.append(int(tenant))
    if ObjectId.is_valid(tenant):
        values.append(ObjectId(tenant))
    if _UUID.fullmatch(tenant):
        values.append(Binary.from_uuid(uuid.UUID(tenant)))
    return {"$and": [{key: {"$in": values}}, *({way: {"$not": {"$type": "array"}}} for way in _ways(key))]}


def foreign(key: str, tenant: str) -> Document:
    """Find the documents that are not the tenant's, apart from `owner`: a mistake in the one is not in the other."""
    return {"$or": [elsewhere(key, tenant), _lists(key)]}


def elsewhere(key: str, tenant: str) -> Document:
    """Find the documents that do not name the tenant at all; an index of the key answers for it without a document."""
    number = [int(tenant)] if re.fullmatch("[0-9]{1,18}", tenant) else []
    ids: list[Any] = [ObjectId(tenant)] if re.fullmatch("[0-9A-Fa-f]{24}", tenant) else []
    ids += [Binary(uuid.UUID(tenant).bytes, 4)] if _UUID.fullmatch(tenant) else []
    return {key: {"$nin": [tenant, *number, *ids]}}


def unowned(key: str) -> Document:
    """Find the documents that no tenant is found for: without the key, or with anything that names nobody in it."""
    return {"$or": [{key: {"$not": {"$type": _KINDS}}}, _lists(key)]}


def among_several(key: str, tenant: str) -> Document:
    """Find the documents that name the tenant inside a list."""
    return {"$and": [{key: owner(key, tenant)["$and"][0][key]}, _lists(key)]}


def kind(row: Mapping[str, Any]) -> str:
    """Name what kind of collection it is: ordinary (`collection`), `timeseries`, or `capped`."""
    return "capped" if row.get("options", {}).get("capped") else str(row["type"])


def refused(system: str, place: str, code: str, what: str, remedy: str) -> Rejected:
    """Make the refusal of a place whose documents cannot be deleted provably."""
    da = f"Dokumenterne i {place} kan ikke slettes beviseligt ({code})."
    return Rejected(code, f"{system}: {place}: {what}", field=f"systems.{system}.places.{place}", remedy=remedy, da=da)


def _lists(key: str) -> Document:
    return {"$or": [{way: {"$type": "array"}} for way in _ways(key)]}


def _ways(key: str) -> list[str]:
    """Give the path and every way on it: a, a.b, a.b.c."""
    names = key.split(".")
    return [".".join(names[: at + 1]) for at in range(len(names))]
