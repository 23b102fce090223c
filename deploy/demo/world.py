"""The demo's world: five systems with three tenants, their backups, and the system map.

`make_world` makes everything anew in a folder and on servers that are the demo's own; what it did not make itself it
refuses to touch (TARGET_EXISTS). `load_world` finds a world that was made before, so that a rehearsal can be resumed.
"""

from __future__ import annotations

import json
import os
import secrets as tokens
import shutil
import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from contracts.errors import Rejected
from deploy.demo import backups, booking, case_index, data, extens, morgenvagt, pladsanvisning, system_map

MADE_BY_DEMO = ".ophor-demo"
OTHERS_CASES = 12
CASE_INDEX_ROLES = (*system_map.PURPOSES, "import")


@dataclass(frozen=True, slots=True)
class WorldSettings:
    """Where the world is made: a folder of its own, administrators' addresses, the index's port, the backups' dates."""

    folder: Path
    postgres_uri: str = field(repr=False)
    mongo_uri: str = field(repr=False)
    case_index_port: int
    today: date
    deletion: date
    seed: int = data.SEED


@dataclass(frozen=True, slots=True)
class World:
    """A world that was made; `rows` counts every tenant's rows by CVR, system and place, as they were made."""

    folder: Path
    case_index_port: int
    sets: list[backups.BackupSet]
    rows: dict[str, dict[str, dict[str, int]]]
    servers: dict[str, dict[str, Any]]
    tenant: str = data.LEAVING.code
    cvr: str = data.LEAVING.cvr
    customer: str = data.LEAVING.name

    @property
    def map_path(self) -> Path:
        """Give the path of the system map."""
        return self.folder / "systems.yaml"

    @property
    def backups(self) -> Path:
        """Give the folder of the backup tool."""
        return self.folder / "backups"

    @property
    def systems(self) -> tuple[str, ...]:
        """List the systems' names in the map."""
        return "pladsanvisning", "morgenvagt", "booking", "extens", "sagsindeks"

    def secret(self, name: str) -> str:
        """Read one of the world's secrets."""
        return (self.folder / "secrets" / name).read_text()


def make_world(where: WorldSettings) -> World:
    """Make the world anew; raise Rejected TARGET_EXISTS where folder, database or content is not the demo's own."""
    _guard(where)
    _clear(where.folder)
    passwords = _make_secrets(where.folder / "secrets")
    made = [data.tables(tenant, where.seed) for tenant in data.TENANTS]
    _make_systems(where, made, passwords)
    sets = backups.plan(("pladsanvisning", "morgenvagt", "booking"), where.today, where.deletion)
    _take_backups(where, sets)
    url = f"http://127.0.0.1:{where.case_index_port}"
    content = system_map.build(where.postgres_uri, where.mongo_uri, url)
    world = World(
        folder=where.folder, case_index_port=where.case_index_port, sets=sets, rows=_count(made, where.seed),
        servers={name: content["systems"][name]["connection"] for name in ("pladsanvisning", "morgenvagt")},
    )  # fmt: skip
    _write_map(world.map_path, content)
    save(world)
    return world


def load_world(folder: Path) -> World:
    """Load the world that was made in `folder`; raise Rejected WORLD_MISSING."""
    try:
        body = json.loads((folder / "world.json").read_text())
    except OSError:
        raise Rejected(
            "WORLD_MISSING", "no world was made there", field=str(folder.name), remedy="make it first: make demo",
            da="Der er ikke lavet nogen demo-verden i mappen.",
        ) from None  # fmt: skip
    sets = [
        backups.BackupSet(
            row["system"], row["set_id"], date.fromisoformat(row["taken_on"]), date.fromisoformat(row["expires_on"])
        )
        for row in body.pop("sets")
    ]
    return World(folder=folder, sets=sets, **body)


def _guard(where: WorldSettings) -> None:
    """Refuse what is not the demo's own, before anything is changed anywhere."""
    folder = where.folder
    if folder.exists() and any(folder.iterdir()) and not (folder / MADE_BY_DEMO).exists():
        raise Rejected(
            "TARGET_EXISTS", "the folder has content that the demo did not make", field=folder.name,
            remedy="give the demo an empty folder", da="Mappen har indhold, som demoen ikke har lavet.",
        )  # fmt: skip
    pladsanvisning.guard(pladsanvisning.Server(where.postgres_uri, {}))
    morgenvagt.guard(where.mongo_uri)


def _clear(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    mark = folder / MADE_BY_DEMO
    mark.touch()
    for entry in folder.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
        elif entry != mark:
            entry.unlink()


def _make_secrets(folder: Path) -> dict[str, str]:
    """Draw a secret for every user of every system; one file each, readable by us alone."""
    names = (
        *pladsanvisning.roles(), *morgenvagt.PRIVILEGES,
        *(f"mv_{morgenvagt.app_user(tenant)}" for tenant in data.TENANTS), *(f"ci_{role}" for role in CASE_INDEX_ROLES),
    )  # fmt: skip
    folder.mkdir(mode=0o700)
    drawn = {name: tokens.token_urlsafe(24) for name in names}
    for name, secret in drawn.items():
        write_private(folder / name, secret)
    return drawn


def write_private(path: Path, text: str) -> None:
    """Write a file that nobody but us can read, at no moment."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)


def _make_systems(where: WorldSettings, made: list[data.Tables], passwords: dict[str, str]) -> None:
    """Make the five systems; MongoDB's beside the others, which it does not wait for."""
    of_morgenvagt = {user: passwords[user if user.startswith("mv_") else f"mv_{user}"] for user in morgenvagt.users()}
    failed: list[BaseException] = []

    def beside() -> None:
        try:
            morgenvagt.make(where.mongo_uri, of_morgenvagt, where.seed)
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=beside)
    thread.start()
    try:
        pladsanvisning.make(pladsanvisning.Server(where.postgres_uri, passwords), made)
        booking.make(where.folder / "booking", where.seed)
        extens.make(where.folder / "extens", where.today)
        index_tokens = {role: passwords[f"ci_{role}"] for role in CASE_INDEX_ROLES}
        case_index.write(where.folder / "case-index", _cases(made), index_tokens, data.OWN_SYSTEM)
    finally:
        thread.join()
    if failed:
        raise failed[0]


def _cases(made: list[data.Tables]) -> Iterable[case_index.Sag]:
    for tenant, tables in zip(data.TENANTS, made, strict=True):
        for uuid in data.cases(tables):
            yield case_index.Sag(uuid, tenant.cvr, data.OWN_SYSTEM, data.OWN_SYSTEM)
    draw = data.Draw(data.LEAVING, data.SEED + 3)
    for _ in range(OTHERS_CASES):
        yield case_index.Sag(str(draw.uuid()), data.LEAVING.cvr, data.OTHER_SYSTEM, data.OTHER_SYSTEM)


def _take_backups(where: WorldSettings, sets: list[backups.BackupSet]) -> None:
    writers = {
        "pladsanvisning": backups.dump_postgres(where.postgres_uri, pladsanvisning.DATABASE),
        "morgenvagt": backups.dump_mongo(where.mongo_uri, morgenvagt.DATABASE),
        "booking": backups.pack_folder(where.folder / "booking"),
    }
    backups.take(sets, where.folder / "backups", writers)


def _count(made: list[data.Tables], seed: int) -> dict[str, dict[str, dict[str, int]]]:
    counts: dict[str, dict[str, dict[str, int]]] = {}
    for tenant, tables in zip(data.TENANTS, made, strict=True):
        files: dict[str, int] = {}
        for place, _, _ in booking.files(tenant, seed):
            files[place] = files.get(place, 0) + 1
        counts[tenant.cvr] = {
            "pladsanvisning": {place: len(rows) for place, rows in tables.items()},
            "morgenvagt": {name: len(rows) for name, rows in morgenvagt.documents(tenant, seed).items()},
            "booking": files,
            "sagsindeks": {"sager": len(data.cases(tables))},
        }
    return counts


def _write_map(path: Path, content: dict[str, Any]) -> None:
    head = "# The demo's systems. The format: docs/system-map.md. Paths are relative to this file.\n"
    path.write_text(head + yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=120))


def save(world: World) -> None:
    """Write what `load_world` reads."""
    body = asdict(world)
    del body["folder"]
    beside = world.folder / "world.json.new"  # whoever reads sees the old one or the new one, whole
    beside.write_text(json.dumps(body, default=str, indent=2))
    beside.replace(world.folder / "world.json")
