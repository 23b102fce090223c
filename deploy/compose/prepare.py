"""`python -m deploy.compose.prepare [FOLDER]`: passwords, keys and environment files for `docker-compose.yml`.

Made once, in `.ophor/compose` (mode 0700); what is there already is kept. Each process has its own environment file and
key folder. The evidence keys made here are of the rehearsal kind, so the mode is `demo`; production brings keys of its
own and sets OPHOR_MODE=production in every file of `env/` (without OPHOR_CLOCK_URI, which production refuses).
"""

from __future__ import annotations

import json
import os
import secrets
import sys
from pathlib import Path

from contracts.catalogue import SERVICES
from deploy import mongo_users
from deploy.stack import keys
from deploy.stack.processes import OTHER_SIGNER, PRODUCT, SIGNERS, TABLE, Process
from shared.bus import topology

DEFAULT = Path(__file__).resolve().parent.parent.parent / ".ophor" / "compose"
MODE, PAGES = "demo", "8080"


def prepare(folder: Path) -> None:
    """Make what is not there yet; safe to repeat."""
    for name in ("env", "maps", "rabbitmq"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    passwords = _passwords(folder / "passwords.json")
    keys.make(folder / "keys", folder / "trust.json", f"http://127.0.0.1:{PAGES}/verify")
    broker = {user: passwords[f"rabbitmq:{user}"] for user in topology.users()}
    _write(folder / "rabbitmq" / "definitions.json", json.dumps(topology.definitions(broker, MODE)), 0o644)
    _write(folder / "rabbitmq" / "ophor.conf", "load_definitions = /etc/ophor/definitions.json\n", 0o644)
    _write(folder / "drops.yaml", "{}\n", 0o644)
    _write(folder / "users.json", '{"version": 1, "users": []}\n', 0o644)
    for name in PRODUCT:
        _write(folder / "env" / f"{name}.env", _lines(_environment(TABLE[name], passwords)))
    _write(folder / "env" / "parts.env", _lines(_parts(passwords)))
    _write(folder / "env" / "setup.env", _lines(_setup(passwords)))
    _write(folder / "env" / "console.env", _lines(_console(passwords)))
    _give_away(folder)


def _passwords(path: Path) -> dict[str, str]:
    """Read the passwords, and make those that are missing."""
    held: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    names = [f"rabbitmq:{user}" for user in topology.users()] + [f"mongod:{user}" for user in mongo_users.USERS]
    for name in [*names, "mongod:root", "mongod:keyfile"]:
        held.setdefault(name, secrets.token_hex(18))
    path.unlink(missing_ok=True)
    _write(path, json.dumps(held, indent=1))
    return held


def _environment(row: Process, passwords: dict[str, str]) -> dict[str, str]:
    env = {
        "OPHOR_MODE": MODE,
        "OPHOR_AMQP_URI": _amqp(row.user, passwords),
        "OPHOR_RABBIT_MANAGEMENT": "http://rabbitmq:15672",
        "OPHOR_TRUST": "/etc/ophor/trust.json",
        "OPHOR_KEYS": "/etc/ophor/keys",
        "OPHOR_CLOCK_URI": _mongo("clock-reader", passwords),
    }
    if row.kind == "gateway":
        pages = {"OPHOR_GATEWAY_HOST": "0.0.0.0", "OPHOR_GATEWAY_PORT": PAGES}  # noqa: S104 – inside its container
        return env | pages | {"OPHOR_GATEWAY_USERS": "/etc/ophor/users.json"}
    own = _mongo(row.user, passwords)
    env |= {"OPHOR_MONGO_URI": own, "OPHOR_CLOCK_URI": own}  # it may read the clock: one client serves both
    if other := OTHER_SIGNER.get(row.name):
        env["OPHOR_OTHER_KEYS"] = f"/etc/ophor/keys-of-{other}"  # not mounted: each container has its own keys only
    if row.service in ("delivery", "deletion"):
        env["OPHOR_DROPS"] = "/etc/ophor/drops.yaml"
    if row.kind == "hand":
        env |= {"OPHOR_MAPS": "/etc/ophor/maps", "OPHOR_WORK": "/work"}
    return env


def _parts(passwords: dict[str, str]) -> dict[str, str]:
    return {
        "MONGO_INITDB_ROOT_USERNAME": "root",
        "MONGO_INITDB_ROOT_PASSWORD": passwords["mongod:root"],
        "OPHOR_KEYFILE": passwords["mongod:keyfile"],
    }


def _setup(passwords: dict[str, str]) -> dict[str, str]:
    """Give what `deploy.compose.settle` needs: the administrators' addresses and the users' passwords."""
    users = {f"OPHOR_PASSWORD_{user}": passwords[f"mongod:{user}"] for user in mongo_users.USERS}
    return {
        "OPHOR_MODE": MODE,
        "OPHOR_MONGO_ADMIN": f"mongodb://root:{passwords['mongod:root']}@mongod:27017/?authSource=admin",
        "OPHOR_CLOCK_URI": _mongo("clock-writer", passwords),
        "OPHOR_TOPOLOGY_URI": _amqp(topology.TOPOLOGY_USER, passwords),
        "OPHOR_RABBIT_MANAGEMENT": "http://rabbitmq:15672",
        **{name.replace("-", "_"): password for name, password in users.items()},
    }


def _console(passwords: dict[str, str]) -> dict[str, str]:
    """Give what `ophor` needs to call, to handle dead letters (and write down who did) and to apply the topology."""
    stores = {f"OPHOR_MONGO_URI_{service.upper()}": _mongo(f"svc-{service}", passwords) for service in SERVICES}
    return {
        "OPHOR_MODE": MODE,
        "OPHOR_AMQP_URI": _amqp("console", passwords),
        "OPHOR_TOPOLOGY_URI": _amqp(topology.TOPOLOGY_USER, passwords),
        "OPHOR_RABBIT_MANAGEMENT": "http://rabbitmq:15672",
        "OPHOR_TRUST": "/etc/ophor/trust.json",
        "OPHOR_KEYS": "/etc/ophor/keys",
        "OPHOR_CLOCK_URI": _mongo("clock-writer", passwords),
        **stores,
    }


def _amqp(user: str, passwords: dict[str, str]) -> str:
    return f"amqp://{user}:{passwords[f'rabbitmq:{user}']}@rabbitmq:5672/"


def _mongo(user: str, passwords: dict[str, str]) -> str:
    return f"mongodb://{user}:{passwords[f'mongod:{user}']}@mongod:27017/?replicaSet=rs0&authSource=admin"


def _lines(env: dict[str, str]) -> str:
    return "".join(f"{name}={value}\n" for name, value in env.items())


def _write(path: Path, text: str, mode: int = 0o600) -> None:
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
            file.write(text)
        path.chmod(mode)


def _give_away(folder: Path) -> None:
    """As root, give the keys to the users who must read them: the image's, and the signers' own."""
    if os.geteuid() == 0:
        for service in (*SERVICES, "gateway", "console"):
            for path in (folder / "keys" / service, *(folder / "keys" / service).rglob("*")):
                os.chown(path, 10001, 10001)
        for name, number in SIGNERS.items():
            own = keys.folder_of(folder / "keys", TABLE[name])
            for path in (own, *own.rglob("*")):
                os.chown(path, number, number)
                path.chmod(0o700 if path.is_dir() else 0o600)


if __name__ == "__main__":
    prepare(Path(sys.argv[1]) if sys.argv[1:] else DEFAULT)
    print(f"made: {sys.argv[1] if sys.argv[1:] else DEFAULT}")  # noqa: T201 – a terminal program
