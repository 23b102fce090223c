"""A key in a PKCS#11 token (HSM, smart card, SoftHSM): it never leaves it, and only a PIN and a label are needed here.

Ed25519 by CKM_EDDSA over the message, P-256 by CKM_ECDSA over its SHA-256 (every token has that one). A session is kept
open per token; after an error of the token it is closed, and the next signature opens another.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from functools import cached_property
from threading import Lock
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from contracts.errors import Unavailable
from services.compliance.signing.signers import PublicKey, believed, missing

_SESSIONS: dict[tuple[str, str], Any] = {}
_LOCK = Lock()


class TokenSigner:
    """The key `label` of a token."""

    def __init__(self, module: str, token: str, label: str, pin: str) -> None:
        self._where, self._label, self._pin = (module, token), label, pin

    def public_key(self) -> PublicKey:
        return self._public

    @cached_property
    def _public(self) -> PublicKey:
        return self._ask(_public, self._label)

    def sign(self, message: bytes) -> bytes:
        return believed(self._public, self._ask(_sign, self._label, message), message)

    def _ask(self, question: Any, *words: Any) -> Any:
        """Put a question to the token, one at a time; a session that broke is left behind."""
        import pkcs11.exceptions

        with _LOCK:
            try:
                return question(_session(self._where, self._pin), *words)
            except pkcs11.exceptions.NoSuchKey:
                raise missing(self._label, "the token has no such key") from None
            except (pkcs11.exceptions.PinIncorrect, pkcs11.exceptions.PinLocked):
                raise missing(self._label, "the token refuses its PIN") from None
            except (pkcs11.exceptions.PKCS11Error, RuntimeError) as error:
                forget(self._where)
                raise Unavailable(
                    "SIGNER_UNREACHABLE",
                    f"the token does not answer: {type(error).__name__}",
                    field="module",
                    remedy="see that module, token and device are there",
                    da="Nøgletokenet svarer ikke.",
                ) from None


def forget(where: tuple[str, str]) -> None:
    """Close the session with a token, so that the next question opens another."""
    import pkcs11.exceptions

    session = _SESSIONS.pop(where, None)
    if session is not None:
        with suppress(pkcs11.exceptions.PKCS11Error):
            session.close()


def _session(where: tuple[str, str], pin: str) -> Any:
    import pkcs11

    if where not in _SESSIONS:
        _SESSIONS[where] = pkcs11.lib(where[0]).get_token(token_label=where[1]).open(user_pin=pin)
    return _SESSIONS[where]


def _public(session: Any, label: str) -> PublicKey:
    from pkcs11 import Attribute, KeyType, ObjectClass
    from pkcs11.util.ec import encode_ec_public_key

    key = session.get_key(object_class=ObjectClass.PUBLIC_KEY, label=label)
    if key.key_type == KeyType.EC_EDWARDS:
        return ed25519.Ed25519PublicKey.from_public_bytes(key[Attribute.EC_POINT][-32:])
    loaded = serialization.load_der_public_key(encode_ec_public_key(key))
    if not isinstance(loaded, ec.EllipticCurvePublicKey):
        raise missing(label, "neither Ed25519 nor ECDSA")
    return loaded


def _sign(session: Any, label: str, message: bytes) -> bytes:
    from pkcs11 import KeyType, Mechanism, ObjectClass
    from pkcs11.util.ec import encode_ecdsa_signature

    key = session.get_key(object_class=ObjectClass.PRIVATE_KEY, label=label)
    if key.key_type == KeyType.EC_EDWARDS:
        return bytes(key.sign(message, mechanism=Mechanism.EDDSA))
    return encode_ecdsa_signature(key.sign(hashlib.sha256(message).digest(), mechanism=Mechanism.ECDSA))
