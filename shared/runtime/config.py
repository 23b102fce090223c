"""The environment of a process (ADR 0001), read once, validated, with an error that names the variable.

Production refuses a simulated clock (design §4), TLS without its checks, and one member for the whole replica set. No
value is ever printed: addresses carry passwords.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from contracts.errors import Rejected

MODES = ("demo", "test", "production")
_REMEDIES = {
    "OPHOR_MODE": "set it to demo, test or production",
    "OPHOR_AMQP_URI": "set it to this service's address of the broker, amqp://user:password@host:port/vhost",
    "OPHOR_MONGO_URI": "set it to this service's address of the database, mongodb://…, without a database name",
    "OPHOR_TRUST": "set it to the trust file that set-up wrote",
    "OPHOR_KEYS": "set it to the folder with this process's private keys",
}
_BLIND = ("tlsinsecure", "tlsallowinvalidcertificates", "tlsallowinvalidhostnames")


@dataclass(frozen=True, slots=True)
class Config:
    """What a process is told by its environment; empty where it was not told."""

    mode: str
    amqp_uri: str = field(default="", repr=False)
    mongo_uri: str = field(default="", repr=False)
    clock_uri: str = field(default="", repr=False)
    trust: Path | None = None
    keys: Path | None = None
    maps: Path | None = None
    drops: Path | None = None
    work: Path | None = None
    health_port: int = 0

    @classmethod
    def read(cls, environ: Mapping[str, str], need: Iterable[str] = ()) -> Config:
        """Read the environment, which must have the variables in `need`; raise Rejected CONFIG_INVALID."""
        for name in ("OPHOR_MODE", *need):
            if not environ.get(name):
                raise _invalid(name, "is not set")
            if environ["OPHOR_MODE"] not in MODES:
                raise _invalid("OPHOR_MODE", f"must be one of {', '.join(MODES)}")
        config = cls(
            mode=environ["OPHOR_MODE"],
            amqp_uri=_address(environ, "OPHOR_AMQP_URI", ("amqp://", "amqps://")),
            mongo_uri=_address(environ, "OPHOR_MONGO_URI", ("mongodb://",)),
            clock_uri=_address(environ, "OPHOR_CLOCK_URI", ("mongodb://",)),
            trust=_path(environ, "OPHOR_TRUST", file=True),
            keys=_path(environ, "OPHOR_KEYS"),
            maps=_path(environ, "OPHOR_MAPS"),
            drops=_path(environ, "OPHOR_DROPS", file=True),
            work=_path(environ, "OPHOR_WORK"),
            health_port=_port(environ, "OPHOR_HEALTH_PORT"),
        )
        if config.mode == "production":
            _refuse_pretence(config)
        return config


def _refuse_pretence(config: Config) -> None:
    """Refuse what only a rehearsal may do: a clock that is set, TLS that believes anybody, one member for the set."""
    if config.clock_uri:
        raise _invalid("OPHOR_CLOCK_URI", "is a simulated clock, which production refuses", "remove it")
    options = {name.lower(): value.lower() for name, value in parse_qsl(urlsplit(config.mongo_uri).query)}
    for option in _BLIND:
        if options.get(option, "false") != "false":
            raise _invalid("OPHOR_MONGO_URI", f"sets {option}, which production refuses", "give the right certificates")
    if options.get("directconnection", "false") != "false":  # docs/promises.md says what it does to a process
        what = "sets directConnection, so that a member would be asked that has stepped down"
        raise _invalid("OPHOR_MONGO_URI", what, "name the members and their replicaSet")


def _address(environ: Mapping[str, str], name: str, schemes: tuple[str, ...]) -> str:
    value = environ.get(name, "")
    if value and not value.startswith(schemes):
        raise _invalid(name, f"must begin with {' or '.join(schemes)}")
    return value


def _path(environ: Mapping[str, str], name: str, *, file: bool = False) -> Path | None:
    if not environ.get(name):
        return None
    path = Path(environ[name])
    if not (path.is_file() if file else path.is_dir()):
        raise _invalid(name, f"is not a {'file' if file else 'folder'} that this process can see")
    return path


def _port(environ: Mapping[str, str], name: str) -> int:
    value = environ.get(name) or "0"
    if not value.isascii() or not value.isdigit() or int(value) > 65535:
        raise _invalid(name, "must be a port number, 0–65535")
    return int(value)


def _invalid(name: str, what: str, remedy: str = "") -> Rejected:
    return Rejected("CONFIG_INVALID", f"{name} {what}", field=name, remedy=remedy or _REMEDIES.get(name, "correct it"))
