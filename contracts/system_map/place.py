"""What a map says of one place, checked: whose its rows are, in every form that the map has for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contracts.system_map.attested import attested
from contracts.system_map.model import MARKER_PLACE, Refers, Rule, rejected
from contracts.system_map.objects import owner_of, wrong_place
from contracts.system_map.schema import SQL, WHOLE

_CAN_BE_UNOWNED = (*SQL, "mongodb", "queues", "s3", "files")


def read_rule(source: str, where: str, kind: str, place: str, body: dict[str, Any]) -> Rule:
    """Check what the map says of one place and give it."""
    at = f"{where}.places.{place}"
    said = [name for name in ("tenant_key", "tenant_path", "shared", "excluded", "attested") if body[name]]
    if not said and kind == "files":
        body, said = body | {"tenant_key": "folder"}, ["tenant_key"]
    if not said:
        raise rejected(
            source,
            "MAP_TENANT_KEY_MISSING",
            at,
            "nothing says whose rows these are",
            "give tenant_key, tenant_path, shared, excluded or, in a manual system, attested",
        )
    if len(said) > 1:
        raise rejected(source, "MAP_PLACE_AMBIGUOUS", f"{at}.{said[1]}", f"not beside {said[0]}", "keep one of them")
    if said != ["excluded"] and (kind == "manual") != (said == ["attested"]):
        raise rejected(
            source,
            "MAP_FIELD_INVALID",
            f"{at}.{said[0]}",
            "what people do is attested, everything else is not",
            "in a manual system give attested or excluded",
        )
    if said == ["tenant_path"] and kind not in SQL:
        raise rejected(
            source, "MAP_FIELD_INVALID", f"{at}.tenant_path", "only SQL has foreign keys to follow", "use tenant_key"
        )
    if body["without_tenant"] and not (said[0].startswith("tenant") and kind in _CAN_BE_UNOWNED):
        raise rejected(
            source,
            "MAP_FIELD_INVALID",
            f"{at}.without_tenant",
            "only what lies in tenants' tables, collections, queues, buckets and folders can be without one",
            "take it out",
        )
    if body["whole"] and (fault := _whole_fault(kind, said[0], body)):
        raise rejected(source, "MAP_FIELD_INVALID", f"{at}.whole", fault, "take it out: rows then go batch by batch")
    if not body["deliver"] and said[0].startswith("tenant") and not body["reason"]:
        raise rejected(
            source,
            "MAP_FIELD_MISSING",
            f"{at}.reason",
            "rows that are deleted but not delivered need a reason",
            "give reason: log, secret, cache or derived",
        )
    _check_key(source, f"{at}.tenant_key", kind, body["tenant_key"])
    deliver = body["deliver"] and said != ["attested"]  # what people act on is theirs to hand over
    return Rule(place=place, **(body | _way(body) | {"deliver": deliver} | attested(source, at, body)))


def _check_key(source: str, at: str, kind: str, key: Any) -> None:
    """Refuse a key in JSON outside SQL, and a part of a MongoDB reference: its id may stand for any collection's."""
    if kind not in SQL and isinstance(key, dict):
        raise rejected(
            source,
            "MAP_FIELD_INVALID",
            at,
            "only an SQL column holds JSON to look into",
            "name the field; in MongoDB with dots for what lies deeper (kunde.id)",
        )
    if kind == "mongodb" and any(name.startswith("$") for name in str(key).split(".")):
        raise rejected(
            source,
            "MAP_FIELD_INVALID",
            at,
            "a reference (DBRef) does not say whose a document is",
            "give the documents a field with the tenant",
        )


def check_buckets(source: str, where: str, rules: Mapping[str, Rule]) -> None:
    """Refuse a place of an object store that is no bucket or prefix, lies in another, or whose tenant key says nothing.

    Raise MAP_FIELD_INVALID.
    """
    name, fault = wrong_place([place for place in rules if place != MARKER_PLACE])
    if fault:
        raise rejected(source, "MAP_FIELD_INVALID", f"{where}.places.{name}", fault, "correct the place's name")
    for name, rule in rules.items():
        if rule.owned and owner_of(rule.tenant_key) is None:
            remedy = "give prefix:…{tenant}/, key:REGEX with (?P<tenant>…), tag:NAME or meta:NAME"
            at = f"{where}.places.{name}.tenant_key"
            raise rejected(source, "MAP_FIELD_INVALID", at, "says nothing about objects", remedy)


def check_references(source: str, where: str, rules: Mapping[str, Rule]) -> None:
    """Refuse references by type and id that lead to a place which is no tenants', or back to where they began.

    Raise MAP_FIELD_INVALID.
    """
    to = {name: sorted(set(rule.refers.to.values())) for name, rule in rules.items() if rule.refers is not None}
    for name, places in to.items():
        at = f"{where}.places.{name}.tenant_path.to"
        for place in places:
            if place not in rules or not rules[place].owned or rules[place].goes:
                what = f"{place} is no tenants' place of this system that stays"
                remedy = "name a place with a tenant key or path, and without whole: drop"
                raise rejected(source, "MAP_FIELD_INVALID", at, what, remedy)
        seen, waiting = set[str](), list(places)
        while waiting:
            if (here := waiting.pop()) == name:
                what, remedy = "leads back to the place itself", "take that type out, or give the rows a key"
                raise rejected(source, "MAP_FIELD_INVALID", at, what, remedy)
            waiting += [] if here in seen else to.get(here, [])
            seen.add(here)


def _way(body: dict[str, Any]) -> dict[str, Any]:
    """Take the forms apart: the columns by name, what lies inside a column's JSON, a reference by type and id."""
    key, path = body["tenant_key"], list(body["tenant_path"])
    last = path[-1] if path else key
    form: dict[str, Any] = last if isinstance(last, dict) else {}
    refers = Refers(**form) if "to" in form else None
    column = form.get("id") or form.get("column") or last
    return {
        "tenant_key": "" if path else column, "tenant_path": (*path[:-1], column) if path else (),
        "json": form.get("json", ""), "refers": refers,
    }  # fmt: skip


def _whole_fault(kind: str, said: str, body: dict[str, Any]) -> str:
    """Say why a place cannot go as a whole, or nothing."""
    if body["whole"] not in WHOLE.get(kind, ()) or not said.startswith("tenant"):
        return f"a {kind} place that is {said} cannot go this way"
    if any(isinstance(part, dict) for part in body["tenant_path"]):
        return "rows found by type and id, or inside JSON at a path's end, go batch by batch"
    if body["without_tenant"]:
        return "rows without a tenant stay, so the place is not one tenant's alone"
    return "a part is found by tenant_key" if body["whole"] == "part" and said == "tenant_path" else ""
