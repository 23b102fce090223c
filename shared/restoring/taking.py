"""Which engine's backup is taken with what; one system, one folder."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from contracts.errors import Rejected
from contracts.system_map import RESTORE, System, SystemMap
from shared.connectors import marker, open_connector
from shared.restoring import mongodb, s3, sql
from shared.restoring.tool import missing

ENGINES = {"postgresql": sql.POSTGRESQL, "mariadb": sql.MARIADB, "mongodb": mongodb.MONGODB, "s3": s3.S3}


@dataclass(frozen=True, slots=True)
class Taken:
    """A backup that was taken: of which system, with what, where it lies, and how large it is."""

    system: str
    tool: str
    at: Path
    size: int


def tools_of(system: System) -> str:
    """Name what takes this system's backup; raise DRILL_NOT_OFFERED, MAP_CREDENTIAL_MISSING, DRILL_TOOL_MISSING."""
    engine = ENGINES.get(system.kind)
    if engine is None:
        raise Rejected(
            "DRILL_NOT_OFFERED", f"{system.name}: no drill for systems of the kind {system.kind}", field=system.name,
            remedy=f"drill systems of the kinds {', '.join(ENGINES)}", da=f"{system.title} kan ikke øves.",
        )  # fmt: skip
    system.secret(RESTORE)
    if lacking := [name for name in engine.needs if missing(name)]:
        raise Rejected(
            "DRILL_TOOL_MISSING", f"{system.name}: {', '.join(lacking)} is not on the PATH", field=system.name,
            remedy="install the engine's client tools", da=f"Værktøjet {lacking[0]} mangler.",
        )  # fmt: skip
    return engine.tool()


def take(systems: SystemMap, name: str, folder: Path) -> Taken:
    """Take a backup of one system into `folder`; raise what `tools_of` does, and DRILL_TOOL_FAILED."""
    system = systems.system(name)
    tool, at = tools_of(system), folder / name
    at.mkdir(parents=True)
    at.chmod(0o700)
    ENGINES[system.kind].take(system, at)
    return Taken(name, tool, at, sum(path.stat().st_size for path in at.rglob("*") if path.is_file()))


def put_back(systems: SystemMap, taken: Taken, look: Callable[[], float] = time.time) -> None:
    """Put a backup back over the system it came from, which must carry a fresh rehearsal marker (design §6)."""
    with closing(open_connector(systems, taken.system, "prepare", "-", "00000000")) as connector:
        marker.require_fresh(connector, look())
    ENGINES[systems.system(taken.system).kind].put_back(systems.system(taken.system), taken.at)
