"""A time-stamp authority for tests: `openssl ts` behind HTTP, its certificates, and a forger of its tokens."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from asn1crypto import algos, cms, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CONFIG = """
[tsa]
default_tsa = own
[own]
serial = {folder}/serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ordering = no
tsa_name = no
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""
YEAR = timedelta(days=365)


@dataclass
class Authority:
    """A root and a certificate for time stamps, in files; `usages` and `ends` make it a false one."""

    folder: Path
    usages: tuple[x509.ObjectIdentifier, ...] = (ExtendedKeyUsageOID.TIME_STAMPING,)
    ends: datetime = field(default_factory=lambda: datetime.now(UTC) + YEAR)
    names: str = "Test"
    fails: bool = False
    asked: int = 0

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.root_key, self.key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        self.root = _certificate(f"{self.names} Root", self.root_key, None, (self.root_key, None))
        self.certificate = _certificate(
            f"{self.names} TSA", self.key, self.usages, (self.root_key, self.root), self.ends
        )
        self.chain = self.root.public_bytes(Encoding.PEM)
        (self.folder / "chain.pem").write_bytes(self.chain)
        (self.folder / "tsa.pem").write_bytes(self.certificate.public_bytes(Encoding.PEM))
        raw = self.key.private_bytes(Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        (self.folder / "tsa.key").write_bytes(raw)
        (self.folder / "serial").write_text("01\n")
        (self.folder / "tsa.cnf").write_text(CONFIG.format(folder=self.folder))

    def answer(self, request: bytes) -> bytes:
        """Answer as `openssl ts` does."""
        self.asked += 1
        (self.folder / "query").write_bytes(request)
        argv = ["openssl", "ts", "-reply", "-config", "tsa.cnf", "-queryfile", "query", "-signer", "tsa.pem",
                "-inkey", "tsa.key", "-out", "reply"]  # fmt: skip
        subprocess.run(argv, cwd=self.folder, check=True, capture_output=True)
        return (self.folder / "reply").read_bytes()

    def list_revoked(self, *gone: x509.Certificate, until: timedelta = YEAR) -> bytes:
        """Give the root's revocation list (PEM), in force for `until` from a day ago on."""
        now = datetime.now(UTC) - timedelta(days=1)
        built = x509.CertificateRevocationListBuilder().issuer_name(self.root.subject)
        built = built.last_update(now).next_update(now + until)
        for one in gone:
            row = x509.RevokedCertificateBuilder().serial_number(one.serial_number).revocation_date(now).build()
            built = built.add_revoked_certificate(row)
        return built.sign(self.root_key, hashes.SHA256()).public_bytes(Encoding.PEM)

    def forge(self, imprint: bytes, at: datetime, *, altered: datetime | None = None) -> bytes:
        """Write a token by hand: over any imprint, at any time, and with genTime altered after it was signed."""
        info = _info(imprint, at)
        signed = _attributes(info, self.certificate)
        message = signed.untag().dump()
        signature = self.key.sign(message, ec.ECDSA(hashes.SHA256()))
        told = info if altered is None else _info(imprint, altered)
        return _response(told, signed, signature, self.certificate)


def _certificate(
    name: str, key: ec.EllipticCurvePrivateKey, usages: Any, issuer: tuple[Any, Any], ends: datetime | None = None
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    by, authority = issuer
    until = ends or datetime.now(UTC) + 5 * YEAR
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(authority.subject if authority else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(until, datetime.now(UTC)) - YEAR)
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=authority is None, path_length=None), critical=True)
    )
    if usages:
        built = built.add_extension(x509.ExtendedKeyUsage(list(usages)), critical=True)
    return built.sign(by, hashes.SHA256())


def _info(imprint: bytes, at: datetime) -> Any:
    algorithm = algos.DigestAlgorithm({"algorithm": "sha256"})
    return tsp.TSTInfo(
        {
            "version": "v1",
            "policy": "1.2.3.4.1",
            "message_imprint": {"hash_algorithm": algorithm, "hashed_message": imprint},
            "serial_number": 7,
            "gen_time": at.replace(microsecond=0),
        }
    )


def _attributes(info: Any, certificate: x509.Certificate) -> Any:
    digest = hashes.Hash(hashes.SHA256())
    digest.update(info.dump())
    bound = tsp.SigningCertificateV2({"certs": [{"cert_hash": certificate.fingerprint(hashes.SHA256())}]})
    return cms.CMSAttributes(
        [
            cms.CMSAttribute({"type": "content_type", "values": ["tst_info"]}),
            cms.CMSAttribute({"type": "message_digest", "values": [digest.finalize()]}),
            cms.CMSAttribute({"type": "signing_certificate_v2", "values": [bound]}),
        ]
    )


def _response(info: Any, signed: Any, signature: bytes, certificate: x509.Certificate) -> bytes:
    held = asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER))
    signer = cms.SignerInfo(
        {
            "version": "v1",
            "sid": cms.SignerIdentifier(
                {"issuer_and_serial_number": {"issuer": held.issuer, "serial_number": held.serial_number}}
            ),
            "digest_algorithm": {"algorithm": "sha256"},
            "signed_attrs": signed,
            "signature_algorithm": {"algorithm": "sha256_ecdsa"},
            "signature": signature,
        }
    )
    data = cms.SignedData(
        {
            "version": "v3",
            "digest_algorithms": [{"algorithm": "sha256"}],
            "encap_content_info": {"content_type": "tst_info", "content": cms.ParsableOctetString(info.dump())},
            "certificates": [held],
            "signer_infos": [signer],
        }
    )
    token = cms.ContentInfo({"content_type": "signed_data", "content": data})
    return bytes(tsp.TimeStampResp({"status": {"status": "granted"}, "time_stamp_token": token}).dump())


class _Server(ThreadingHTTPServer):
    authority: Authority


class _Answers(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        assert self.headers["Content-Type"] == "application/timestamp-query"
        request = self.rfile.read(int(self.headers["Content-Length"]))
        body = b"" if self.server.authority.fails else self.server.authority.answer(request)
        self.send_response(503 if self.server.authority.fails else 200)
        self.send_header("Content-Type", "application/timestamp-reply")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def serving(authority: Authority) -> Iterator[str]:
    """Run an authority on HTTP; give its address."""
    server = _Server(("127.0.0.1", 0), _Answers)
    server.authority = authority
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
