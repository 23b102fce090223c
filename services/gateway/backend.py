"""How the pages reach the services: one call a question, with the user's own token and a short deadline."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from contracts.errors import OphorError
from contracts.roles import MONITOR
from shared.bus.client import Client
from shared.bus.tokens import Issuer
from shared.runtime.logins import User

PATIENCE_S = 8.0
READY_S = 3.0  # whoever probes does not wait longer
_PROBE = User("", "", "gateway-ready", (MONITOR,), ("*",))
Question = tuple[str, dict[str, Any]]
Answer = dict[str, Any] | OphorError


class Backend(Protocol):
    """What answers the pages' questions (the bus; in page tests, recorded answers that obey the contracts)."""

    def ask(self, user: User, wire: str, data: dict[str, Any], command_id: str = "") -> dict[str, Any]:
        """Ask a service on behalf of `user`; raise Rejected or Unavailable."""

    def ready(self) -> bool:
        """Tell whether calls can be made."""


def ask_all(
    pool: ThreadPoolExecutor, backend: Backend, user: User, questions: Mapping[str, Question]
) -> dict[str, Answer]:
    """Ask several questions at once; an error stands in its answer's place, so a silent service costs one part."""
    futures = {name: pool.submit(backend.ask, user, wire, data) for name, (wire, data) in questions.items()}
    return {name: _answer(future) for name, future in futures.items()}


def _answer(future: Any) -> Answer:
    try:
        found: dict[str, Any] = future.result()
    except OphorError as error:
        return error
    return found


class BusBackend:
    """The services over the broker; every question carries a token minted for the user by the issuer `gateway`."""

    def __init__(self, client: Client, issuer: Issuer) -> None:
        self._client, self._issuer = client, issuer

    def ask(self, user: User, wire: str, data: dict[str, Any], command_id: str = "") -> dict[str, Any]:
        """Ask a service on behalf of `user`; raise Rejected or Unavailable."""
        return self._acting(user).call(wire, data, command_id or None, timeout=PATIENCE_S)

    def ready(self) -> bool:
        """Tell whether a service answers."""
        try:
            self._acting(_PROBE).call("orders.status", {}, timeout=READY_S)
        except OphorError:
            return False
        return True

    def _acting(self, user: User) -> Client:
        return self._client.on_behalf(self._issuer.acting(user.actor, user.roles, user.customers))
