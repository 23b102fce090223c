"""A key in a key service, asked over a small HTTP interface that a few lines adapt to any product's own.

    GET  URL/keys/KEY        → {"algorithm": "ed25519" | "ecdsa-p256-sha256", "public_key": base64 of the SPKI's DER}
    POST URL/keys/KEY/sign   {"message": base64} → {"signature": base64}   (64 bytes, or ECDSA's DER)

`Authorization: Bearer …` from the token's file. HTTPS, but on the machine itself; redirects are not followed, for they
would carry the token elsewhere. Answers are small, strict and verified before use.
"""

from __future__ import annotations

import base64
import json
import re
from functools import cached_property
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from contracts.errors import Rejected, Unavailable
from services.compliance.signing.signers import PublicKey, believed, missing

TIMEOUT_S, LONGEST = 10, 16_384
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class _Stay(HTTPRedirectHandler):
    """Follow no redirect: it ends as the error that it came as."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class ServiceSigner:
    """The key `key` of the service at `url`."""

    def __init__(self, url: str, key: str, token: str) -> None:
        parts = urlsplit(url)
        if parts.scheme != "https" and (parts.scheme != "http" or parts.hostname not in LOOPBACK):
            raise missing(key, "a key service is asked over https:// (http:// on this machine only)")
        if not re.fullmatch(r"[A-Za-z0-9._\-]{1,120}", key):
            raise missing("kms", "the key's name has other signs than letters, digits, full stops and dashes")
        self._url, self._token = f"{url.rstrip('/')}/keys/{key}", token

    def public_key(self) -> PublicKey:
        return self._public

    @cached_property
    def _public(self) -> PublicKey:
        said = self._ask("")
        loaded = serialization.load_der_public_key(_bytes(said, "public_key"))
        wanted = {"ed25519": ed25519.Ed25519PublicKey, "ecdsa-p256-sha256": ec.EllipticCurvePublicKey}
        if not isinstance(loaded, wanted.get(said.get("algorithm", ""), ())):
            raise _false("another kind of key than it says")
        assert isinstance(loaded, ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey)
        return loaded

    def sign(self, message: bytes) -> bytes:
        said = self._ask("/sign", json.dumps({"message": base64.b64encode(message).decode()}).encode())
        return believed(self._public, _bytes(said, "signature"), message)

    def _ask(self, what: str, body: bytes | None = None) -> dict[str, Any]:
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        try:
            with build_opener(_Stay).open(Request(self._url + what, body, headers), timeout=TIMEOUT_S) as answer:  # noqa: S310
                said = json.loads(answer.read(LONGEST))
        except HTTPError as error:
            if error.code in (400, 401, 403, 404, 405, 413):
                raise _false(f"it answers {error.code}") from None
            raise _unreachable(str(error.code)) from None
        except ValueError:
            raise _false("its answer is not JSON") from None
        except (URLError, OSError) as error:
            raise _unreachable(type(error).__name__) from None
        if not isinstance(said, dict):
            raise _false("its answer is not an object")
        return said


def _bytes(said: dict[str, Any], name: str) -> bytes:
    try:
        return base64.b64decode(said[name], validate=True)
    except (KeyError, TypeError, ValueError):
        raise _false(f"its answer has no {name}") from None


def _false(why: str) -> Rejected:
    return Rejected(
        "SIGNER_FALSE",
        f"the key service cannot be used: {why}",
        field="kms",
        remedy="check the description's address, key and token file",
        da="Nøgletjenesten svarede ikke, som den skal.",
    )


def _unreachable(why: str) -> Unavailable:
    return Unavailable(
        "SIGNER_UNREACHABLE",
        f"the key service does not answer: {why}",
        field="kms",
        remedy="it is tried again; see that the service runs",
        da="Nøgletjenesten svarer ikke.",
    )
