"""The MongoDB system of the demo's world: staff, shifts and attendance of all tenants in shared collections.

Users live in the database itself, one for each purpose with the least that MongoDB can narrow down to (actions on
collections; it knows no rows), and one app user for each tenant. A database of the same name that the demo did not
make is refused.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

from pymongo import MongoClient
from pymongo.database import Database

from contracts.errors import Rejected
from deploy.demo.data import SEED, TENANTS, Draw, Tenant
from deploy.demo.names import INSTITUTIONER

DATABASE = "morgenvagt"
TENANT_COLLECTIONS = ("medarbejdere", "vagter", "fremmoede")
MARKER = "ophor_rehearsal_copy"
MADE_BY_DEMO = "ophor-demo"

Document = dict[str, Any]

SHARED: dict[str, list[Document]] = {  # the mark by which `guard` knows the database comes first
    "systemindstillinger": [
        {"_id": "version", "vaerdi": "4.2", "made_by": MADE_BY_DEMO},
        {"_id": "servicevindue", "vaerdi": "søndag 02:00"},
    ],
    "vagttyper": [
        {"_id": "AABNE", "navn": "Åbnevagt"},
        {"_id": "MELLEM", "navn": "Mellemvagt"},
        {"_id": "LUKKE", "navn": "Lukkevagt"},
    ],
}


def documents(tenant: Tenant, seed: int = SEED) -> dict[str, list[Document]]:
    """Make the tenant's documents, collection by collection."""
    draw = Draw(tenant, seed + 1)
    staff = [
        {"_id": str(draw.uuid()), "kommune": tenant.code, "navn": draw.name(), "institution": draw.pick(INSTITUTIONER)}
        for _ in range(120)
    ]
    return {
        "medarbejdere": staff,
        "vagter": [shift(draw, draw.pick(staff)["_id"]) for _ in range(tenant.children // 2)],
        "fremmoede": [attendance(draw) for _ in range(tenant.children)],
    }


def shift(draw: Draw, person: str) -> Document:
    """Make a shift of the employee with this id."""
    start = datetime.combine(draw.day(1), time(draw.pick((6, 7, 9, 11))), UTC)
    return {
        "_id": str(draw.uuid()),
        "kommune": draw.tenant.code,
        "medarbejder": person,
        "fra": start,
        "til": start + timedelta(hours=7.4),
        "pauser": [{"minutter": draw.pick((15, 29, 30))}],
    }


def attendance(draw: Draw) -> Document:
    """Make a child's announced morning."""
    return {
        "_id": str(draw.uuid()),
        "kommune": draw.tenant.code,
        "barn": {"navn": draw.name(), "cpr": draw.cpr(draw.day(6))},
        "dag": draw.day(1).isoformat(),
        "kommer": f"{draw.random.randrange(6, 10):02}:{draw.pick(('00', '15', '30', '45'))}",
        "hentes_af": draw.name() if draw.chance(0.6) else None,
    }


def guard(admin_uri: str) -> None:
    """Refuse TARGET_EXISTS where the server has a database of this name that is not the demo's own."""
    with _connect(admin_uri) as client:
        base = client[DATABASE]
        ours = base["systemindstillinger"].find_one({"_id": "version", "made_by": MADE_BY_DEMO})
        if base.list_collection_names() and ours is None:
            raise Rejected(
                "TARGET_EXISTS", f"the server has a database {DATABASE} that the demo did not make", field="mongo",
                remedy="give the demo a server of its own", da=f"Serveren har allerede en database {DATABASE}.",
            )  # fmt: skip


def _connect(admin_uri: str) -> MongoClient[Document]:
    return MongoClient(admin_uri, tz_aware=True, serverSelectionTimeoutMS=10_000)


def make(admin_uri: str, passwords: dict[str, str], seed: int = SEED) -> None:
    """Make the database anew with all tenants' documents; call `guard` first."""
    with _connect(admin_uri) as client:
        base = client[DATABASE]
        base.command("dropAllUsersFromDatabase")
        base.command("dropAllRolesFromDatabase")
        client.drop_database(DATABASE)
        for collection, rows in SHARED.items():
            base[collection].insert_many(rows)
        for tenant in TENANTS:
            for collection, rows in documents(tenant, seed).items():
                base[collection].insert_many(rows, ordered=False)
        for collection in TENANT_COLLECTIONS:
            base[collection].create_index("kommune")
        _make_users(base, passwords)


def _privilege(actions: str, collection: str = "") -> Document:
    return {"resource": {"db": DATABASE, "collection": collection}, "actions": actions.split()}


LOOK = _privilege("find listCollections listIndexes collStats dbStats")
PRIVILEGES: dict[str, list[Document]] = {
    "mv_extract": [LOOK],
    "mv_verify": [LOOK],
    "mv_delete": [LOOK, *(_privilege("remove", collection) for collection in TENANT_COLLECTIONS)],
    "mv_clean": [LOOK, *(_privilege("compact", collection) for collection in TENANT_COLLECTIONS)],
    "mv_access": [_privilege("viewUser viewRole grantRole revokeRole dropUser changeCustomData listCollections")],
    "mv_prepare": [_privilege("find insert update createCollection", MARKER), _privilege("listCollections")],
}


def app_user(tenant: Tenant) -> str:
    """Give the name of the tenant's app user."""
    return f"{tenant.slug}_app"


def users() -> list[str]:
    """List every user that is made."""
    return [*PRIVILEGES, *(app_user(tenant) for tenant in TENANTS)]


def _make_users(base: Database[Document], passwords: dict[str, str]) -> None:
    for user, privileges in PRIVILEGES.items():
        base.command("createRole", f"{user}_role", privileges=privileges, roles=[])
        base.command("createUser", user, pwd=passwords[user], roles=[f"{user}_role"])
    for tenant in TENANTS:
        base.command("createUser", app_user(tenant), pwd=passwords[app_user(tenant)], roles=["readWrite"])
