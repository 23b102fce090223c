"""Who holds a private key: a file, a PKCS#11 token or a key service. All look alike: a public key, and `sign`.

A key folder says which, per key: `<key>.json` describes it (`{"backend": "file" | "pkcs11" | "kms", …}`, see
docs/keys.md); without one the key is the file `<key>.pem`. After a rotation the current key's files carry its id
(`<key>-<id>.pem`, `<key>-<id>.json`), so that evidence.json alone switches from one to the next.

Rules kept here: a description holds no secret, only the path of the file that does (PIN, token), and that file is
refused where everybody may read it; no secret is ever in an error, a log line, an argument or the environment. What a
token or key service answers is believed only after it verified under the public key that evidence.json states.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from contracts.errors import Rejected

PublicKey = ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey
PrivateKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey


class Signer(Protocol):
    """A private key that may lie elsewhere; Ed25519 signs the message (64 bytes), P-256 its SHA-256 (DER)."""

    def public_key(self) -> PublicKey:
        """Give the public half."""

    def sign(self, message: bytes) -> bytes:
        """Sign; Unavailable SIGNER_UNREACHABLE when the holder does not answer, Rejected SIGNER_FALSE for nonsense."""


class FileSigner:
    """A key in this process's memory."""

    def __init__(self, private: PrivateKey) -> None:
        self.private = private

    def public_key(self) -> PublicKey:
        return self.private.public_key()

    def sign(self, message: bytes) -> bytes:
        if isinstance(self.private, ed25519.Ed25519PrivateKey):
            return self.private.sign(message)
        return self.private.sign(message, ec.ECDSA(hashes.SHA256()))


def open_signer(folder: Path, name: str, key_id: str = "") -> Signer:
    """Open the key `name` of a key folder, the one of `key_id` where it was rotated; Rejected EVIDENCE_KEYS_MISSING."""
    stem = next((one for one in (f"{name}-{key_id}", name) if _there(folder, one)), name)
    description = folder / f"{stem}.json"
    if not description.exists():
        return _from_file(folder / f"{stem}.pem", name)
    try:
        said: dict[str, Any] = json.loads(description.read_text("utf-8"))
        return _BACKENDS[said["backend"]](folder, name, said)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise missing(name, f"its description: {type(error).__name__}") from None


def backend_of(folder: Path, name: str, key_id: str = "") -> str:
    """Name the backend of a key: file, pkcs11 or kms."""
    for stem in (f"{name}-{key_id}", name):
        if (folder / f"{stem}.json").exists():
            return str(json.loads((folder / f"{stem}.json").read_text("utf-8"))["backend"])
        if (folder / f"{stem}.pem").exists():
            break
    return "file"


def verifies(public: PublicKey, signature: bytes, message: bytes) -> bool:
    """Tell whether a signature is this key's over `message`."""
    try:
        if isinstance(public, ed25519.Ed25519PublicKey):
            public.verify(signature, message)
        else:
            public.verify(signature, message, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True


def believed(public: PublicKey, signature: bytes, message: bytes) -> bytes:
    """Give back what a token or key service answered when it is a signature; Rejected SIGNER_FALSE else."""
    if not verifies(public, signature, message):
        raise Rejected(
            "SIGNER_FALSE",
            "the key's holder answered with something that is no signature of this key",
            field="signature",
            remedy="check that the description names the key that evidence.json states",
            da="Nøgleholderen svarede ikke med en gyldig underskrift.",
        )
    return signature


def secret(path: Path, name: str) -> str:
    """Read a PIN or token from its file; Rejected where everybody may read it."""
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o007:
            raise missing(name, "the file with its secret is open to everybody (chmod 600)")
        return path.read_text("utf-8").strip()
    except OSError as error:
        raise missing(name, f"the file with its secret: {type(error).__name__}") from None


def missing(name: str, why: str) -> Rejected:
    """Make the error for a key that cannot be used."""
    return Rejected(
        "EVIDENCE_KEYS_MISSING",
        f"the key {name} cannot be used: {why}",
        field=name,
        remedy="make the keys at set-up and give each process its own folder (docs/keys.md)",
        da=f"Nøglen {name} kan ikke bruges.",
    )


def _there(folder: Path, stem: str) -> bool:
    return (folder / f"{stem}.json").exists() or (folder / f"{stem}.pem").exists()


def _from_file(path: Path, name: str) -> Signer:
    try:
        private = serialization.load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError) as error:
        raise missing(name, type(error).__name__) from None
    if not isinstance(private, ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey):
        raise missing(name, "neither Ed25519 nor ECDSA")
    return FileSigner(private)


def _file(folder: Path, name: str, said: dict[str, Any]) -> Signer:
    return _from_file(folder / str(said["file"]), name)


def _pkcs11(folder: Path, name: str, said: dict[str, Any]) -> Signer:
    from services.compliance.signing.signers_pkcs11 import TokenSigner

    pin = secret(folder / str(said["pin_file"]), name)
    return TokenSigner(str(said["module"]), str(said["token"]), str(said["label"]), pin)


def _kms(folder: Path, name: str, said: dict[str, Any]) -> Signer:
    from services.compliance.signing.signers_kms import ServiceSigner

    token = secret(folder / str(said["token_file"]), name) if "token_file" in said else ""
    return ServiceSigner(str(said["url"]), str(said["key"]), token)


_BACKENDS: dict[str, Callable[[Path, str, dict[str, Any]], Signer]] = {"file": _file, "pkcs11": _pkcs11, "kms": _kms}
