"""What a holder of keys can be asked. DESTROYED is a positive answer; what cannot be asked is ERROR."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from contracts.errors import Rejected, Unavailable
from shared.connectors.protocol import Marker

NONCE = 12


class KeyState(StrEnum):
    """How a key was seen: usable, waiting to be destroyed (it can still be taken back), destroyed, or not seen."""

    ACTIVE = "ACTIVE"
    PENDING = "PENDING"
    DESTROYED = "DESTROYED"
    ERROR = "ERROR"


@dataclass(frozen=True, slots=True)
class KeyAbout:
    """A key as its holder tells of it: for whom and for which set it was made, and when."""

    key_id: str
    customer: str
    system: str
    set_id: str
    made_at: datetime


class Keystore(Protocol):
    """Holds the keys of sets."""

    waits_days: int

    def make(self, customer: str, system: str, set_id: str, made_at: datetime) -> KeyAbout:
        """Make the key of one set; raise Rejected KEY_EXISTS where the set has one."""

    def seal(self, key_id: str, plain: bytes) -> bytes:
        """Encrypt with the key."""

    def unseal(self, key_id: str, sealed: bytes) -> bytes:
        """Decrypt with the key; raise Rejected KEY_NOT_USABLE where it is destroyed or waits to be."""

    def destroy(self, key_id: str) -> KeyState:
        """Destroy the key, or have it destroyed after the holder's waiting time."""

    def state(self, key_id: str) -> KeyState:
        """Tell how the key is."""

    def about(self, key_id: str) -> KeyAbout | None:
        """Tell for whom, for which set and when the key was made; None where the holder cannot say."""

    def marker(self) -> Marker | None:
        """Give the mark of a holder that was set up for rehearsals, or None."""

    def write_marker(self, marker: Marker) -> None:
        """Mark the holder as one for rehearsals; a key service is marked by whoever made it, and by nobody else."""


def told(key_id: str, body: Mapping[str, Any]) -> KeyAbout | None:
    """Read what a holder tells of a key; None where it tells of another one, or not whole."""
    try:
        made_at = datetime.fromisoformat(body["made_at"])
        about = KeyAbout(key_id, str(body["customer"]), str(body["system"]), str(body["set_id"]), made_at)
    except (KeyError, TypeError, ValueError):
        return None
    same = body.get("key_id") == key_id == label_of(about.customer, about.system, about.set_id)
    return about if same and made_at.tzinfo is not None else None


def marked(text: str) -> Marker | None:
    """Read a rehearsal mark (JSON: `id`, `written_at` in Unix seconds)."""
    try:
        body = json.loads(text)
        return Marker(str(body["id"]), float(body["written_at"]))
    except (KeyError, TypeError, ValueError):
        return None


def label_of(customer: str, system: str, set_id: str) -> str:
    """Give the id of the key of one customer and set."""
    words = "\0".join((customer, system, set_id))
    return f"set-{hashlib.sha256(words.encode()).hexdigest()[:32]}"


def exists(key_id: str) -> Rejected:
    """Make KEY_EXISTS."""
    return Rejected(
        "KEY_EXISTS", "the set has a key", field=key_id, remedy="a set's key is made once, with the set",
        da="Sættet har allerede en nøgle.",
    )  # fmt: skip


def not_usable(key_id: str, why: str) -> Rejected:
    """Make KEY_NOT_USABLE."""
    return Rejected(
        "KEY_NOT_USABLE", f"the key cannot be used: {why}", field=key_id, remedy="none: a destroyed key is gone",
        da="Nøglen kan ikke bruges.",
    )  # fmt: skip


def unreachable(key_id: str, why: str) -> Unavailable:
    """Make KEYSTORE_UNREACHABLE."""
    return Unavailable(
        "KEYSTORE_UNREACHABLE", f"the keystore does not answer: {why}", field=key_id,
        remedy="see that it is there and lets this user in", da="Nøgleopbevaringen svarer ikke.",
    )  # fmt: skip
