"""Keys in a PKCS#11 token: AES-256, made inside it, never extractable.

A token keeps no graves: that a key is not in it says DESTROYED only beside the tombstone that `destroy` wrote (a data
object of its own) into the same token. Copies of the token itself (cloned HSMs, their backups) are answered for apart.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Any

from contracts.errors import Unavailable
from contracts.system_map import MARKER_PLACE
from shared.connectors.protocol import Marker
from shared.keystore import model
from shared.keystore.model import NONCE, KeyAbout, KeyState

_TAG_BITS = 128


class TokenKeys:
    """The set keys of one token."""

    waits_days = 0

    def __init__(self, module: str, token: str, pin: str) -> None:
        self._module, self._token, self._pin = module, token, pin

    def make(self, customer: str, system: str, set_id: str, made_at: datetime) -> KeyAbout:
        """Make the key of one set; raise Rejected KEY_EXISTS where the set has one, or had."""
        import pkcs11

        about = KeyAbout(model.label_of(customer, system, set_id), customer, system, set_id, made_at)
        with self._session(about.key_id) as session:
            if _keys(session, about.key_id) or _graves(session, about.key_id):
                raise model.exists(about.key_id)
            hidden = {pkcs11.Attribute.SENSITIVE: True, pkcs11.Attribute.EXTRACTABLE: False}
            session.generate_key(pkcs11.KeyType.AES, 256, label=about.key_id, store=True, template=hidden)
        return about

    def seal(self, key_id: str, plain: bytes) -> bytes:
        """Encrypt with the key."""
        from pkcs11 import GCMParams, Mechanism

        nonce = secrets.token_bytes(NONCE)
        with self._session(key_id) as session:
            params = GCMParams(nonce, key_id.encode(), _TAG_BITS)
            return nonce + bytes(
                _key(session, key_id).encrypt(plain, mechanism=Mechanism.AES_GCM, mechanism_param=params)
            )

    def unseal(self, key_id: str, sealed: bytes) -> bytes:
        """Decrypt with the key; raise Rejected KEY_NOT_USABLE."""
        from pkcs11 import GCMParams, Mechanism

        with self._session(key_id) as session:
            params = GCMParams(sealed[:NONCE], key_id.encode(), _TAG_BITS)
            key = _key(session, key_id)
            return bytes(key.decrypt(sealed[NONCE:], mechanism=Mechanism.AES_GCM, mechanism_param=params))

    def destroy(self, key_id: str) -> KeyState:
        """Destroy the key in the token; a key that was never in it is ERROR."""
        from pkcs11 import Attribute, ObjectClass

        try:
            with self._session(key_id) as session:
                for key in _keys(session, key_id):
                    if not _graves(session, key_id):
                        session.create_object({
                            Attribute.CLASS: ObjectClass.DATA, Attribute.LABEL: key_id, Attribute.TOKEN: True,
                            Attribute.VALUE: b"destroyed",
                        })  # fmt: skip
                    key.destroy()
        except Unavailable:
            return KeyState.ERROR
        return self.state(key_id)

    def state(self, key_id: str) -> KeyState:
        """Tell how the key is."""
        try:
            with self._session(key_id) as session:
                if _keys(session, key_id):
                    return KeyState.ACTIVE
                return KeyState.DESTROYED if _graves(session, key_id) else KeyState.ERROR
        except Unavailable:
            return KeyState.ERROR

    def about(self, key_id: str) -> KeyAbout | None:
        """Say nothing: a token keeps no more of a key than its name, which binds customer, system and set."""
        return None

    def marker(self) -> Marker | None:
        """Read the mark of a token that was set up for rehearsals: a data object of that name."""
        from pkcs11 import Attribute

        try:
            with self._session(MARKER_PLACE) as session:
                found = [bytes(each[Attribute.VALUE]) for each in _graves(session, MARKER_PLACE)]
        except Unavailable:
            return None
        return model.marked(found[0].decode("utf-8", "replace")) if found else None

    def write_marker(self, marker: Marker) -> None:
        """Write the token's rehearsal mark in the place of an older one."""
        from pkcs11 import Attribute, ObjectClass

        with self._session(MARKER_PLACE) as session:
            for old in _graves(session, MARKER_PLACE):
                old.destroy()
            session.create_object({
                Attribute.CLASS: ObjectClass.DATA, Attribute.LABEL: MARKER_PLACE, Attribute.TOKEN: True,
                Attribute.VALUE: json.dumps(asdict(marker)).encode(),
            })  # fmt: skip

    @contextmanager
    def _session(self, key_id: str) -> Iterator[Any]:
        import pkcs11
        import pkcs11.exceptions

        try:
            token = pkcs11.lib(self._module).get_token(token_label=self._token)
            with token.open(user_pin=self._pin, rw=True) as session:
                yield session
        except (pkcs11.exceptions.PKCS11Error, RuntimeError) as error:
            raise model.unreachable(key_id, type(error).__name__) from None


def _keys(session: Any, key_id: str) -> list[Any]:
    from pkcs11 import Attribute, ObjectClass

    return list(session.get_objects({Attribute.CLASS: ObjectClass.SECRET_KEY, Attribute.LABEL: key_id}))


def _graves(session: Any, key_id: str) -> list[Any]:
    from pkcs11 import Attribute, ObjectClass

    return list(session.get_objects({Attribute.CLASS: ObjectClass.DATA, Attribute.LABEL: key_id}))


def _key(session: Any, key_id: str) -> Any:
    found = _keys(session, key_id)
    if len(found) != 1:
        raise model.not_usable(key_id, f"the token holds {len(found)} keys of this name")
    return found[0]
