"""The database's users: each service its own database and the clock to read; two for the clock alone.

* `svc-<service>`: reads and writes `ophor_<service>`, reads `ophor_clock`. Nothing else.
* `clock-reader` only reads `ophor_clock`; `clock-writer` writes it (the console, in demo and test).
Safe to repeat: a user that is there gets this password and these roles.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure

from contracts.catalogue import SERVICES

CLOCK = "ophor_clock"
CLOCK_READER, CLOCK_WRITER = "clock-reader", "clock-writer"
USERS = (*(f"svc-{service}" for service in SERVICES), CLOCK_READER, CLOCK_WRITER)
_EXISTS = 51003


def roles(user: str) -> list[dict[str, str]]:
    """Give the roles of one of USERS."""
    if user in (CLOCK_READER, CLOCK_WRITER):
        return [{"role": "read" if user == CLOCK_READER else "readWrite", "db": CLOCK}]
    return [{"role": "readWrite", "db": f"ophor_{user.removeprefix('svc-')}"}, {"role": "read", "db": CLOCK}]


def make(admin_uri: str, passwords: Mapping[str, str]) -> None:
    """Make or mend every one of USERS in the database `admin`, as the administrator of `admin_uri`."""
    with MongoClient[dict[str, Any]](admin_uri) as client:
        for user in USERS:
            try:
                client.admin.command("createUser", user, pwd=passwords[user], roles=roles(user))
            except OperationFailure as error:
                if error.code != _EXISTS:
                    raise
                client.admin.command("updateUser", user, pwd=passwords[user], roles=roles(user))
