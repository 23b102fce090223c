"""The system map of the demo's world, as a user would write it (`docs/system-map.md`): paths relative to the map."""

from __future__ import annotations

from typing import Any

from psycopg import conninfo
from pymongo.uri_parser import parse_uri

from deploy.demo import booking, extens, morgenvagt, pladsanvisning
from deploy.demo.data import LEAVING, OWN_SYSTEM, SHARED

PURPOSES = ("extract", "delete", "verify", "access", "prepare")
WITH_CLEAN = (*PURPOSES, "clean")  # where the engine can clean below the rows (ADR 0011)
SUBPROCESSOR = "driftscenter"


def build(postgres_uri: str, mongo_uri: str, case_index_url: str) -> dict[str, Any]:
    """Build the map's content for servers at these addresses (the users in the addresses are not used)."""
    systems = {
        "pladsanvisning": _pladsanvisning(postgres_uri),
        "morgenvagt": _morgenvagt(mongo_uri),
        "booking": _booking(),
        "extens": _extens(),
        "sagsindeks": _sagsindeks(case_index_url),
    }
    return {"version": 1, "systems": systems}


def _credentials(prefix: str, purposes: tuple[str, ...] = PURPOSES) -> dict[str, dict[str, str]]:
    return {
        purpose: {"user": f"{prefix}_{purpose}", "password_file": f"secrets/{prefix}_{purpose}"} for purpose in purposes
    }


def _pladsanvisning(uri: str) -> dict[str, Any]:
    address = conninfo.conninfo_to_dict(uri)
    paths = {
        "barn_foraelder": ["barn_id", "kommunekode"],
        "venteliste": ["barn_id", "kommunekode"],
        "venteliste_note": ["venteliste_id", "barn_id", "kommunekode"],
        "opkraevningslinje": ["opkraevning_id", "kommunekode"],
    }
    places: dict[str, dict[str, Any]] = {
        place: {"tenant_path": paths[place]} if place in paths else {"tenant_key": "kommunekode"}
        for place in pladsanvisning.tenant_places()
    }
    places["login_log"] |= {"deliver": False, "reason": "log"}
    places |= {place: {"shared": "SHARED_CODE"} for place in SHARED if place.startswith("kode_")}
    places["schema_version"] = {"excluded": "NOT_CUSTOMER_DATA"}
    return {
        "title": "IST Pladsanvisning (demo)",
        "kind": "postgresql",
        "deletion": "2",
        "tenant": "{tenant}",
        "connection": {
            "host": str(address.get("host", "127.0.0.1")),
            "port": int(address.get("port") or 5432),
            "database": pladsanvisning.DATABASE,
        },
        "credentials": _credentials("px", WITH_CLEAN),
        "places": places,
        "access": {"roles": [pladsanvisning.app_user(LEAVING)]},
        "backups": {"folder": "backups/pladsanvisning"},
        "subprocessors": {SUBPROCESSOR: {}},
    }


def _morgenvagt(uri: str) -> dict[str, Any]:
    parsed = parse_uri(uri)
    host, port = parsed["nodelist"][0]
    connection = {"host": host, "port": port, "database": morgenvagt.DATABASE, "auth_source": morgenvagt.DATABASE}
    if replica_set := parsed["options"].get("replicaSet"):
        connection["replica_set"] = replica_set
    places: dict[str, dict[str, Any]] = {name: {"tenant_key": "kommune"} for name in morgenvagt.TENANT_COLLECTIONS}
    places["vagttyper"] = {"shared": "SHARED_CODE"}
    places["systemindstillinger"] = {"excluded": "NOT_CUSTOMER_DATA"}
    return {
        "title": "Morgenvagt (demo)",
        "kind": "mongodb",
        "deletion": "1",
        "tenant": "{tenant}",
        "connection": connection,
        "credentials": _credentials("mv", WITH_CLEAN),
        "places": places,
        "access": {"roles": [morgenvagt.app_user(LEAVING)]},
        "backups": {"folder": "backups/morgenvagt"},
    }


def _booking() -> dict[str, Any]:
    places: dict[str, dict[str, Any]] = {place: {"tenant_key": "folder"} for place in booking.TENANT_PLACES}
    places[booking.SHARED_PLACE] = {"shared": "SHARED_CODE"}
    return {
        "title": "Booking (demo)",
        "kind": "files",
        "deletion": "1",
        "tenant": "{tenant}",
        "connection": {"folder": "booking"},
        "places": places,
        "backups": {"folder": "backups/booking"},
    }


def _extens() -> dict[str, Any]:
    return {
        "title": "Extens (demo)",
        "kind": "manual",
        "deletion": "1",
        "tenant": "{tenant}",
        "connection": {"folder": "extens"},
        "places": {extens.PLACE: {"attested": "customer", "owner": "customer"}},
    }


def _sagsindeks(url: str) -> dict[str, Any]:
    return {
        "title": "Sagsindekset (demoens simulator)",
        "kind": "case_index",
        "deletion": "index",
        "tenant": "{cvr}",
        "connection": {"url": url, "afsender": OWN_SYSTEM},
        "credentials": _credentials("ci"),
        "places": {"sager": {"tenant_key": "ejer_cvr", "deliver": False, "reason": "derived"}},
    }
