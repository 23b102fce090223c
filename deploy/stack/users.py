"""System users of the signers: numbers without an entry in /etc/passwd, a folder each that only they can read.

Rules kept here: only root can start a process under another user, and only one that this user can run: an interpreter
and a checkout that lie where others may go. Where that is not so, the signers run as everything else does, and their
certificates say that they were not kept apart. A signer's folder lies in the stack's data folder (others may pass
through it, and list nothing of it); where the keys were, a link leads to it, so that the operator finds them there.
"""

from __future__ import annotations

import functools
import os
import pwd
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from deploy.stack.processes import Process
from deploy.stack.state import State

ROLES = ("ledger", "seal", "sign")
FIRST, STACKS = 59_000, 300
FOLDER = "signers"
TRIED = "import pkcs11, services.compliance.worker, shared.bus.trust"


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python that another user can run, and what it needs in its environment to find the libraries."""

    path: str
    env: Mapping[str, str]


def ids(stack: str) -> dict[str, int]:
    """Give a stack's numbers by role: three of its own, as far as three hundred stacks can differ."""
    first = FIRST + len(ROLES) * (int(stack, 16) % STACKS)
    return {role: first + at for at, role in enumerate(ROLES)}


def user_of(stack: str, role: str, root: Path) -> int | None:
    """Give the number that a role runs under, None where it cannot have one of its own."""
    if os.geteuid() != 0 or role not in ROLES:
        return None
    number = ids(stack)[role]
    with suppress(KeyError):
        pwd.getpwuid(number)
        return None
    return number if interpreter(root) else None


@functools.cache
def interpreter(root: Path) -> Interpreter | None:
    """Find an interpreter of this version that users without an entry can run in the checkout `root`; None for none.

    It is tried with one number: such users can all do the same.
    """
    return next((one for one in _candidates() if _runs(one, FIRST, root)), None)


def launched(home: Path, state: State, row: Process, env: dict[str, str]) -> tuple[str, str | None, dict[str, str]]:
    """Give interpreter, user and environment of a process: a signer's own user where it can have one."""
    root, data = Path(__file__).resolve().parents[2], Path(state.data)
    number = user_of(state.id, row.role, root) if row.service == "compliance" else None
    found = interpreter(root) if number else None
    if number is None or found is None:
        return sys.executable, None, env
    settle(data, Path(env["OPHOR_KEYS"]), row.role, number)
    return found.path, str(number), environment(data, home / "trust.json", row.role, number, env, root)


def settle(data: Path, made: Path, role: str, number: int) -> Path:
    """Move a role's key folder to where only its user can read it, leave a link, and give the place; safe to repeat."""
    place = data / FOLDER / role
    place.parent.mkdir(mode=0o711, exist_ok=True)
    place.parent.chmod(0o711)
    if not made.is_symlink():
        shutil.copytree(made, place, dirs_exist_ok=True)
        _own(place, number)
        shutil.rmtree(made)
        made.symlink_to(place)
    return place


def environment(data: Path, trust: Path, role: str, number: int, env: Mapping[str, str], root: Path) -> dict[str, str]:
    """Give a signer's environment: as it was, with what its user can reach instead of what it cannot."""
    found = interpreter(root)
    assert found
    copy = data / FOLDER / "trust.json"
    shutil.copyfile(trust, copy)
    copy.chmod(0o644)
    work = Path(env["OPHOR_WORK"])
    os.chown(work, number, number)
    made = {name: value for name, value in env.items() if name not in ("OPHOR_MAPS", "VIRTUAL_ENV")}
    made |= {"OPHOR_KEYS": str(data / FOLDER / role), "OPHOR_TRUST": str(copy), "HOME": str(work), **found.env}
    other = {"seal": "sign", "sign": "seal"}.get(role)
    return made | ({"OPHOR_OTHER_KEYS": str(data / FOLDER / other)} if other else {})


def _own(folder: Path, number: int) -> None:
    for path in (folder, *folder.rglob("*")):
        os.chown(path, number, number)
        path.chmod(0o700 if path.is_dir() else 0o600)


def _candidates() -> Iterator[Interpreter]:
    """List the present interpreter, and the system's of the same version with the present one's libraries."""
    yield Interpreter(sys.executable, {})
    libraries = sysconfig.get_paths()["purelib"]
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for folder in ("/usr/bin", "/usr/local/bin"):
        if Path(folder, name).exists():
            yield Interpreter(f"{folder}/{name}", {"PYTHONPATH": libraries})


def _runs(candidate: Interpreter, number: int, root: Path) -> bool:
    env = {"PATH": os.environ.get("PATH", ""), "HOME": "/", **candidate.env}
    argv = [candidate.path, "-c", TRIED]
    try:
        tried = subprocess.run(
            argv, cwd=root, env=env, user=number, group=number, extra_groups=[], capture_output=True, timeout=60,
            check=False,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError, ValueError):
        return False
    return tried.returncode == 0
