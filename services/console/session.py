"""What the command line works on: the local stack of `OPHOR_HOME`, or the addresses in the environment.

An address in the environment counts before the local stack's. Calls are made by a person at this terminal, in one
role, with a token that the console's own key signs.
"""

from __future__ import annotations

import getpass
import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from contracts.errors import Rejected, Unavailable
from contracts.roles import EVERYONE, MONITOR

if TYPE_CHECKING:
    import amqp

    from deploy.stack.instance import Stack
    from shared.bus.client import Client

NAMES = (
    "OPHOR_MODE",
    "OPHOR_AMQP_URI",
    "OPHOR_TOPOLOGY_URI",
    "OPHOR_RABBIT_MANAGEMENT",
    "OPHOR_KEYS",
    "OPHOR_TRUST",
    "OPHOR_CLOCK_URI",
)


@dataclass(frozen=True, slots=True)
class Session:
    """The addresses that this command works with, by the name of their variable."""

    values: Mapping[str, str]

    @classmethod
    def here(cls, environ: Mapping[str, str] = os.environ) -> Session:
        """Take the environment and, for what it does not say, the local stack, where there is one."""
        said = {name: environ[name] for name in NAMES if environ.get(name)}
        return cls({**_of_stack(environ), **said})

    def want(self, name: str) -> str:
        """Give one address; raise Unavailable ADDRESS_MISSING."""
        if name not in self.values:
            raise Unavailable(
                "ADDRESS_MISSING",
                f"there is no local stack here, and {name} is not set",
                field=name,
                remedy=f"`ophor up`, or set {name}",
                da="Der er intet at arbejde på.",
            )
        return self.values[name]

    @property
    def mode(self) -> str:
        """Give the mode that the processes run in."""
        return self.values.get("OPHOR_MODE", "production")

    @contextmanager
    def client(self, role: str = MONITOR, actor: str = "", customers: tuple[str, ...] = ("*",)) -> Iterator[Client]:
        """Open a client that calls as the person at this terminal, in `role`; raise Rejected ROLE_UNKNOWN."""
        from shared.bus.client import Client
        from shared.bus.tokens import Issuer
        from shared.bus.trust import load_key

        if role not in EVERYONE:
            raise Rejected(
                "ROLE_UNKNOWN",
                f"there is no role {role}",
                field="--as",
                remedy=f"one of {', '.join(sorted(EVERYONE))}",
                da=f"Rollen {role} findes ikke.",
            )
        issuer = Issuer("console", load_key(Path(self.want("OPHOR_KEYS")), "console"))
        acting = issuer.acting(actor or person(), [role], customers)
        client = Client(self.want("OPHOR_AMQP_URI"), "console", acting)
        try:
            yield client
        finally:
            client.close()


def person(environ: Mapping[str, str] = os.environ) -> str:
    """Give an opaque id of the person at this terminal (`OPHOR_ACTOR`, else made of the login name)."""
    if actor := environ.get("OPHOR_ACTOR"):
        return actor
    return "terminal-" + hashlib.sha256(getpass.getuser().encode()).hexdigest()[:12]


@contextmanager
def reached(uri: str) -> Iterator[amqp.Connection]:
    """Open a connection to the broker at `uri` as the console; raise Unavailable BROKER_UNREACHABLE, BROKER_REFUSED."""
    from shared.bus.pump import FATAL, LOST, BusMismatch, dial

    try:
        with dial(uri, "console") as connection:
            yield connection
    except (*FATAL, BusMismatch) as error:
        raise Unavailable(
            "BROKER_REFUSED",
            f"the broker refuses or lacks something: {error}",
            remedy="ophor topology diff; look at the user in the address",
            da="Brokeren afviser det.",
        ) from None
    except LOST as error:
        raise Unavailable(
            "BROKER_UNREACHABLE",
            f"the broker does not answer ({type(error).__name__})",
            remedy="see whether it runs (`ophor status`), then repeat",
            da="Brokeren kan ikke nås.",
        ) from None


def stack() -> Stack:
    """Open the local stack; raise Unavailable STACK_MISSING."""
    home()
    from deploy.stack.instance import Stack

    return Stack.open()


def home() -> Path:
    """Give the local stack's folder; raise Unavailable STACK_MISSING in an image, which holds the product alone."""
    try:
        from deploy.stack.instance import home_folder
    except ImportError:
        raise Unavailable(
            "STACK_MISSING", "no local stack can be here: this is the product alone", field="OPHOR_HOME",
            remedy="set the address that the command needs (docs/operations.md)", da="Der er ingen lokal stak her.",
        ) from None  # fmt: skip
    return home_folder()


def _of_stack(environ: Mapping[str, str]) -> dict[str, str]:
    try:
        from deploy.stack.instance import Stack, home_folder
    except ImportError:  # an image holds the product without the local stack
        return {}
    try:
        return Stack.open(home_folder(environ)).settings.console()
    except Unavailable as error:
        if error.code == "STACK_MISSING":
            return {}
        raise
