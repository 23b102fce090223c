"""Keys in a key service over HTTP (docs/backups.md): it makes, seals, unseals, and destroys after a wait.

`POST /keys` · `POST /keys/ID/encrypt`, `/decrypt` · `POST /keys/ID/destroy` with the wait in days · `GET /keys/ID`. An
unknown key (404) is ERROR: only the service's own word DESTROYED, about this very key, says that it is destroyed.
"""

from __future__ import annotations

import base64
from dataclasses import asdict
from datetime import datetime
from typing import Any

import httpx

from contracts.errors import Rejected, Unavailable
from contracts.system_map import MARKER_PLACE
from shared.connectors.protocol import Marker
from shared.keystore import model
from shared.keystore.model import KeyAbout, KeyState

_SECONDS = 10


class ServiceKeys:
    """The keys of one key service; `waits_days` is the wait that is asked for."""

    def __init__(self, url: str, token: str, waits_days: int = 7) -> None:
        self.waits_days = waits_days
        headers = {"Authorization": f"Bearer {token}"}
        self._client = httpx.Client(base_url=url, headers=headers, timeout=_SECONDS, trust_env=False)

    def make(self, customer: str, system: str, set_id: str, made_at: datetime) -> KeyAbout:
        """Make the key of one set; raise Rejected KEY_EXISTS where the set has one, or had."""
        about = KeyAbout(model.label_of(customer, system, set_id), customer, system, set_id, made_at)
        answer = self._ask("POST", "/keys", about.key_id, asdict(about) | {"made_at": made_at.isoformat()})
        if answer.status_code == httpx.codes.CONFLICT:
            raise model.exists(about.key_id)
        self._body(answer, about.key_id)
        return about

    def seal(self, key_id: str, plain: bytes) -> bytes:
        """Encrypt with the key."""
        return self._crypt(key_id, "encrypt", plain)

    def unseal(self, key_id: str, sealed: bytes) -> bytes:
        """Decrypt with the key; raise Rejected KEY_NOT_USABLE."""
        return self._crypt(key_id, "decrypt", sealed)

    def destroy(self, key_id: str) -> KeyState:
        """Have the key destroyed after the wait; asking again does not begin the wait anew."""
        if (now := self.state(key_id)) is not KeyState.ACTIVE:
            return now
        answer = self._ask("POST", f"/keys/{key_id}/destroy", key_id, {"waits_days": self.waits_days})
        self._body(answer, key_id)
        return self.state(key_id)

    def state(self, key_id: str) -> KeyState:
        """Tell how the key is."""
        try:
            body = self._body(self._ask("GET", f"/keys/{key_id}", key_id), key_id)
            return KeyState(body["state"]) if body.get("key_id") == key_id else KeyState.ERROR
        except (Unavailable, Rejected, KeyError, ValueError):
            return KeyState.ERROR

    def about(self, key_id: str) -> KeyAbout | None:
        """Ask for whom, for which set and when the key was made."""
        try:
            return model.told(key_id, self._body(self._ask("GET", f"/keys/{key_id}", key_id), key_id))
        except (Unavailable, Rejected):
            return None

    def marker(self) -> Marker | None:
        """Ask for the mark of a simulator; a real service has none."""
        try:
            return model.marked(self._ask("GET", f"/{MARKER_PLACE}", MARKER_PLACE).text)
        except Unavailable:
            return None

    def write_marker(self, marker: Marker) -> None:
        """Do nothing: only a simulator has a mark, from its beginning (design §6)."""

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _crypt(self, key_id: str, what: str, body: bytes) -> bytes:
        answer = self._ask("POST", f"/keys/{key_id}/{what}", key_id, {"body": base64.b64encode(body).decode()})
        try:
            return base64.b64decode(self._body(answer, key_id)["body"], validate=True)
        except (KeyError, ValueError, TypeError):
            raise model.unreachable(key_id, "gave no body") from None

    def _ask(self, method: str, path: str, key_id: str, body: dict[str, Any] | None = None) -> httpx.Response:
        try:
            return self._client.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise model.unreachable(key_id, type(error).__name__) from None

    def _body(self, answer: httpx.Response, key_id: str) -> dict[str, Any]:
        if answer.status_code in (httpx.codes.CONFLICT, httpx.codes.GONE, httpx.codes.NOT_FOUND):
            raise model.not_usable(key_id, f"the service answers {answer.status_code}")
        try:
            body = answer.raise_for_status().json()
        except (httpx.HTTPError, ValueError):
            raise model.unreachable(key_id, f"answers {answer.status_code}") from None
        if not isinstance(body, dict):
            raise model.unreachable(key_id, "gave no answer")
        return body
