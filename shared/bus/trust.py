"""The trust file and the signatures of services (design §3.7).

The trust file (`OPHOR_TRUST`, JSON, written by set-up) lists public Ed25519 keys, base64 of 32 bytes; private keys lie
as `<name>.pem` (PKCS 8) in `OPHOR_KEYS`, readable by their owner only:

    {"version": 1,
     "services": {"orders": {"keys": ["…"]}, …},
     "issuers": {"gateway": {"keys": ["…"], "roles": ["kommune_dpo", …]}, …}}

More than one key a name lets a key be changed without a stop. A signature covers id, type, subject, seq and the
body's digest under its own label, does not expire, and carries no user's authority.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from marshmallow import Schema, ValidationError, fields, validate

from contracts.errors import Rejected
from contracts.roles import EVERYONE
from shared.bus.envelope import digest, encode

SIGNER_HEADER = "ophor-signer"
SIGNATURE_HEADER = "ophor-signature"
_LABEL = b"ophor-message-v1\n"
_REMEDY = "write the trust file again with set-up"


class _Service(Schema):
    keys = fields.List(fields.String(), required=True, validate=validate.Length(min=1))


class _Issuer(_Service):
    roles = fields.List(fields.String(validate=validate.OneOf(EVERYONE)), required=True)


class _TrustFile(Schema):
    version = fields.Integer(required=True, validate=validate.Equal(1))
    services = fields.Dict(keys=fields.String(), values=fields.Nested(_Service), required=True)
    issuers = fields.Dict(keys=fields.String(), values=fields.Nested(_Issuer), required=True)


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose public keys count: of services, and of token issuers with the roles that each may grant.

    `proven` is what tokens were found good under these keys (`tokens.verify`); it goes with them.
    """

    services: Mapping[str, tuple[Ed25519PublicKey, ...]]
    issuers: Mapping[str, tuple[Ed25519PublicKey, ...]]
    roles: Mapping[str, frozenset[str]]
    proven: dict[tuple[str, str], Any] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def load(cls, path: Path) -> Trust:
        """Read the trust file; raise Rejected TRUST_INVALID naming the field."""
        try:
            body = _TrustFile().load(json.loads(path.read_text("utf-8")))
        except OSError as error:
            raise _invalid(f"{path} cannot be read: {error.strerror}") from None
        except (ValueError, ValidationError) as error:
            raise _invalid(f"{path}: {error}") from None
        return cls.of(body["services"], body["issuers"])

    @classmethod
    def of(cls, services: Mapping[str, Any], issuers: Mapping[str, Any]) -> Trust:
        """Make the trust from the file's two tables."""
        return cls(
            {name: _keys(name, entry) for name, entry in services.items()},
            {name: _keys(name, entry) for name, entry in issuers.items()},
            {name: frozenset(entry["roles"]) for name, entry in issuers.items()},
        )

    def issuer_keys(self, issuer: str) -> tuple[Ed25519PublicKey, ...]:
        """Give the keys of a token issuer; none if it is unknown."""
        return self.issuers.get(issuer, ())

    def roles_of(self, issuer: str) -> frozenset[str]:
        """Give the roles that a token issuer may grant."""
        return self.roles.get(issuer, frozenset())

    def verifies(self, signer: str, signature: str, envelope: Mapping[str, Any], body: bytes) -> bool:
        """Tell whether `signature` (base64) is `signer`'s over this envelope and its `body` as it travelled."""
        try:
            raw = base64.b64decode(signature, validate=True)
        except (ValueError, binascii.Error):
            return False
        statement = _statement(envelope, body)
        return any(_holds(key, raw, statement) for key in self.services.get(signer, ()))


@dataclass(frozen=True, slots=True)
class Signer:
    """A service's signing key: signs what it tells (events) and sends itself (tasks)."""

    name: str
    key: Ed25519PrivateKey

    @classmethod
    def load(cls, folder: Path, name: str) -> Signer:
        """Read `<name>.pem` from the keys' folder; raise Rejected KEY_INVALID."""
        return cls(name, load_key(folder, name))

    def headers(self, envelope: Mapping[str, Any], body: bytes) -> dict[str, str]:
        """Sign an envelope whose bytes on the wire are `body`; give the two headers to publish it with."""
        signature = base64.b64encode(self.key.sign(_statement(envelope, body))).decode()
        return {SIGNER_HEADER: self.name, SIGNATURE_HEADER: signature}


def load_key(folder: Path, name: str) -> Ed25519PrivateKey:
    """Read the private key `<name>.pem`; raise Rejected KEY_INVALID."""
    path = folder / f"{name}.pem"
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise Rejected("KEY_INVALID", f"{path}: {error}", field="OPHOR_KEYS", remedy="run set-up again") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise Rejected("KEY_INVALID", f"{path} is not an Ed25519 key", field="OPHOR_KEYS", remedy="run set-up again")
    return key


def make_key(folder: Path, name: str) -> str:
    """Write a private key `<name>.pem` (mode 0600) unless there is one; give its public key for the trust file."""
    path = folder / f"{name}.pem"
    if not path.exists():
        pem = Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pem)
    return public_text(load_key(folder, name))


def public_text(key: Ed25519PrivateKey) -> str:
    """Give the public half of `key` as base64 of its 32 bytes."""
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def write(path: Path, services: Mapping[str, str], issuers: Mapping[str, tuple[str, Iterable[str]]]) -> None:
    """Write a trust file: `services` name → public key; `issuers` name → (public key, roles it may grant)."""
    body = {
        "version": 1,
        "services": {name: {"keys": [key]} for name, key in services.items()},
        "issuers": {name: {"keys": [key], "roles": sorted(roles)} for name, (key, roles) in issuers.items()},
    }
    path.write_text(json.dumps(body, ensure_ascii=False, indent=1, sort_keys=True) + "\n", "utf-8")


def _statement(envelope: Mapping[str, Any], body: bytes) -> bytes:
    signed = [envelope["id"], envelope["type"], envelope.get("subject", ""), envelope.get("seq", 0), digest(body)]
    return _LABEL + encode(signed)


def _holds(key: Ed25519PublicKey, signature: bytes, statement: bytes) -> bool:
    try:
        key.verify(signature, statement)
    except InvalidSignature:
        return False
    return True


def _keys(name: str, entry: Mapping[str, Any]) -> tuple[Ed25519PublicKey, ...]:
    try:
        return tuple(Ed25519PublicKey.from_public_bytes(base64.b64decode(key, validate=True)) for key in entry["keys"])
    except ValueError:
        raise _invalid(f"a key of {name} is not base64 of 32 bytes") from None


def _invalid(message: str) -> Rejected:
    return Rejected("TRUST_INVALID", message, field="OPHOR_TRUST", remedy=_REMEDY)
