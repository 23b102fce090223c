"""Holders of keys for tests: a PKCS#11 token (SoftHSM) and a small key service over HTTP, both real."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from services.compliance.signing import keys
from services.compliance.signing.signers import FileSigner, PrivateKey, Signer

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
PIN = "314159"
HOLDERS = ("ledger", "seal", "sign", "render", "face")


def make_token(folder: Path) -> dict[str, Any]:
    """Make a token with the three keys of signers; give its description without label. Skip where SoftHSM is absent."""
    if not MODULE.exists():
        pytest.skip("SoftHSM is not installed (Debian package softhsm2)")
    (folder / "tokens").mkdir()
    conf = folder / "softhsm2.conf"
    conf.write_text(f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(conf)  # the library reads it once, when it is first loaded
    argv = ["softhsm2-util", "--init-token", "--free", "--label", "ophor", "--pin", PIN, "--so-pin", "271828"]
    subprocess.run(argv, check=True, capture_output=True)
    _make_keys()
    (folder / "pin").touch(0o600)
    (folder / "pin").write_text(PIN + "\n")
    return {"backend": "pkcs11", "module": str(MODULE), "token": "ophor", "pin_file": str(folder / "pin")}


def _make_keys() -> None:
    import pkcs11
    from asn1crypto.core import PrintableString
    from pkcs11 import Attribute, KeyType, Mechanism
    from pkcs11.util.ec import encode_named_curve_parameters

    with pkcs11.lib(str(MODULE)).get_token(token_label="ophor").open(user_pin=PIN, rw=True) as session:
        edwards = {Attribute.EC_PARAMS: PrintableString("edwards25519").dump()}
        for label in (keys.LOG, keys.SEAL, keys.SIGN):
            domain = session.create_domain_parameters(KeyType.EC_EDWARDS, edwards, local=True)
            domain.generate_keypair(mechanism=Mechanism.EC_EDWARDS_KEY_PAIR_GEN, store=True, label=label)
        curve = {Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}
        domain = session.create_domain_parameters(KeyType.EC, curve, local=True)
        domain.generate_keypair(store=True, label=keys.PDF)


class KeyService(ThreadingHTTPServer):
    """A key service as docs/keys.md describes it; `says` changes an answer, `asked` counts signatures."""

    def __init__(self, token: str) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.token, self.asked = token, 0
        self.says: Any = None
        self.held: dict[str, PrivateKey] = {
            name: ed25519.Ed25519PrivateKey.generate() for name in (keys.LOG, keys.SEAL, keys.SIGN)
        }
        self.held[keys.PDF] = ec.generate_private_key(ec.SECP256R1())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Answers(BaseHTTPRequestHandler):
    server: KeyService

    def do_GET(self) -> None:
        key = self._key()
        if key is None:
            return
        raw = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        kind = "ed25519" if isinstance(key, ed25519.Ed25519PrivateKey) else "ecdsa-p256-sha256"
        self._answer(200, {"algorithm": kind, "public_key": base64.b64encode(raw).decode()})

    def do_POST(self) -> None:
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        key = self._key()
        if key is None:
            return
        self.server.asked += 1
        signature = FileSigner(key).sign(base64.b64decode(said["message"]))
        self._answer(200, {"signature": base64.b64encode(signature).decode()})

    def _key(self) -> PrivateKey | None:
        if self.server.says:
            self._answer(*self.server.says)
        elif self.headers.get("Authorization") != f"Bearer {self.server.token}":
            self._answer(401, {})
        else:
            key = self.server.held.get(self.path.split("/")[2])
            if key is None:
                self._answer(404, {})
            return key
        return None

    def _answer(self, status: int, said: dict[str, Any], **headers: str) -> None:
        body = json.dumps(said).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **said.get("headers", {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def key_service(token: str = "not-a-secret-of-anybody") -> Iterator[KeyService]:
    """Run a key service."""
    server = KeyService(token)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def move_keys(folder: Path, describe: dict[str, dict[str, Any]], open_key: Any) -> keys.PublicKeys:
    """Have a world's keys lie with another holder: descriptions instead of files, evidence.json as they say."""
    for name, said in describe.items():
        holder = folder / next(one for one, key in keys.HOLDERS.items() if key == name)
        (holder / f"{name}.pem").unlink()
        (holder / f"{name}.json").write_text(json.dumps(said))
    signers: dict[str, Signer] = {name: open_key(name) for name in describe}
    public = _stated(keys.load_public(folder / "face"), signers)
    for holder_name in HOLDERS:
        (folder / holder_name / keys.PUBLIC_FILE).write_text(json.dumps(public.as_dict()))
    return public


def _stated(public: keys.PublicKeys, signers: dict[str, Signer]) -> keys.PublicKeys:
    fields = {keys.LOG: "log", keys.SEAL: "seal", keys.SIGN: "sign"}
    vkeys: dict[str, Any] = {fields[name]: keys.NoteKey(f"ovelse-{name}", signers[name]).vkey for name in fields}
    certificate = certified(signers[keys.PDF])
    raw = certificate.public_bytes(serialization.Encoding.DER)
    return replace(public, **vkeys, pdf=keys.fingerprint(certificate), certificate=base64.b64encode(raw).decode())


def certified(signer: Signer) -> Any:
    """Have an authority of its own certify a public key whose private half never comes out."""
    issuer = ec.generate_private_key(ec.SECP256R1())
    return keys.demo_certificate(issuer, cast(ec.EllipticCurvePublicKey, signer.public_key()))
