"""What a rehearsal sets up around the exit: the successor who receives, the pages' users, the backup tool's sets.

The successor is somebody else: it has its own key, reads only its own drop, and its receipt is what it computed itself
from the package it found there.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pyrage
import yaml

from contracts.errors import Rejected
from contracts.system_map import System, SystemMap
from deploy.demo import successor
from services.console.rehearsing import people, results
from services.console.rehearsing.scenario import PROFILES, BackupSet
from shared.backups import listed
from shared.rules import profiles
from shared.runtime.logins import write_users

LISTED = frozenset({"EQUIPMENT-REGISTER", "SUB-SUPPLIER-LIST"})  # answered by lists of their own


class Successor:
    """The new supplier in `folder`: an age key pair and a drop, made once."""

    drop = "ny-leverandoer"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "drop").mkdir(parents=True, exist_ok=True)
        key = folder / "key.txt"
        if not key.exists():
            results.save(key, f"{pyrage.x25519.Identity.generate()}\n".encode(), 0o600)
        self.recipient = str(pyrage.x25519.Identity.from_str(key.read_text().strip()).to_public())

    def receive(self, delivery: dict[str, Any]) -> str:
        """Open and check the package that was delivered; give the digest that the receipt carries."""
        package = self.folder / "drop" / delivery["package_name"]
        return successor.receive(package, self.folder / "key.txt").package_digest


def name_drop(drops: Path, name: str, folder: Path) -> None:
    """Add the drop `name` to the supplier's list of drops."""
    listed = yaml.safe_load(drops.read_text()) if drops.exists() else None
    body = {**(listed or {}), name: str(folder.resolve())}
    results.save(drops, yaml.safe_dump(body, allow_unicode=True).encode(), 0o600)


def make_users(users: Path, told: Path, cvr: str) -> None:
    """Make the pages' users with one-time passwords: hashed in `users`, in clear in `told` (mode 0600)."""
    rows = [
        {
            "login": person.login, "name": person.name, "actor": person.actor, "roles": [person.role],
            "customers": person.customers(cvr), "password": secrets.token_urlsafe(9),
        }
        for person in people.PEOPLE.values()
    ]  # fmt: skip
    write_users(users, rows)
    lines = [f"{row['login']:16} {row['password']:14} {row['roles'][0]}\n" for row in rows]
    results.save(told, "".join(lines).encode(), 0o600)


def catalogue(system: str, folder: Path) -> list[BackupSet]:
    """Read the backup tool's index of one system; raise Rejected BACKUPS_UNREADABLE naming the field."""
    path = folder / "catalogue.json"
    try:
        rows = json.loads(path.read_text("utf-8"))["sets"]
        return [
            BackupSet(system, row["set_id"], date.fromisoformat(row["taken_on"]), date.fromisoformat(row["expires_on"]))
            for row in rows
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Rejected(
            "BACKUPS_UNREADABLE", f"{path}: {type(error).__name__}", field=f"systems.{system}.backups.folder",
            remedy='give a folder with catalogue.json: {"sets": [{"set_id", "taken_on", "expires_on"}]}',
            da="Backupkataloget kan ikke læses.",
        ) from None  # fmt: skip


def sets_of(systems: SystemMap) -> tuple[BackupSet, ...]:
    """List the backup sets of every system of the map."""
    rows = systems.systems.values()
    told = [each for row in rows if row.backups for each in catalogue(row.name, row.home / row.backups)]
    return (*told, *(each for row in rows if row.sources for each in _shown(row)))


def _shown(system: System) -> Iterator[BackupSet]:
    """Give the sets that the map's sources show; raise Rejected BACKUPS_UNDATED where one has no day."""
    for each in listed(system):
        if each.taken_on is not None and each.expires_on is not None:
            yield BackupSet(system.name, each.set_id, each.taken_on, each.expires_on)
        elif not each.stream:  # the deletion itself makes a set of a stream
            raise Rejected(
                "BACKUPS_UNDATED", f"{each.set_id} ({each.kind}) has no day", field=f"systems.{system.name}.backups",
                remedy="give retention_days, and take away what is no backup set",
                da=f"Backupsættet {each.set_id} har ingen dato.",
            )  # fmt: skip


def subprocessors_of(systems: SystemMap) -> tuple[str, ...]:
    """List everybody who processes for us in a system of the map."""
    return tuple(sorted({name for system in systems.systems.values() for name in system.subprocessors}))


def answers(systems: SystemMap, *, backups: bool) -> tuple[dict[str, str], ...]:
    """Answer every line of the profiles' list of places: mapped where a system of the map is meant, else not in it.

    Whatever kind of data the customer has lies in the mapped places, since the map is held against the systems; only
    what waits in queues is not in a rehearsal.
    """
    titles = [system.title.casefold() for system in systems.systems.values()]

    def answer(place: profiles.PlaceLine) -> str:
        name = place.title_da.split(" / ")[0].split(" (")[0].casefold()
        there = {"BACKUPS": backups, "SUB-PROCESSORS": bool(subprocessors_of(systems))}
        mapped = any(title.startswith(name) for title in titles) or there.get(place.line, False)
        mapped = mapped or (place.kind == "data_kind" and place.line != "DATA-QUEUED")
        return "mapped" if mapped else "NOT_IN_REHEARSAL"

    asked = profiles.required_lines(profiles.load_profiles(PROFILES))
    return tuple({"line": place.line, "answer": answer(place)} for place in asked if place.line not in LISTED)
