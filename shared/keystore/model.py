"""What a holder of keys can be asked. DESTROYED is a positive answer; what cannot be asked is ERROR."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from contracts.errors import Rejected, Unavailable

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
