"""A bed over TLS: an authority of the test's own, and servers whose certificate names `localhost` and nothing else."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from shared.bus import topology
from tests.integration.bus_faces_parts import Bed
from tests.integration.bus_store_parts import folder, free_ports, mongo, rabbit

HOST = "localhost"


class Files(NamedTuple):
    """The authority's certificate, the server's, its key, and both of the server's in one file."""

    authority: Path
    certificate: Path
    key: Path
    both: Path


def make(folder: Path) -> Files:
    """Make an authority and a server's certificate in `folder`, readable by the servers' users."""
    files = Files(*(folder / name for name in ("ca.pem", "server.pem", "server-key.pem", "server-both.pem")))
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = _signed("ophor test authority", authority_key, "ophor test authority", authority_key)
    server = _signed("a server", key, "ophor test authority", authority_key, host=HOST)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    for path, body in zip(files, (authority, server, secret, server + secret), strict=True):
        path.write_bytes(body)
        path.chmod(0o644)
    return files


@contextmanager
def secure_bed() -> Iterator[Bed]:
    """Run broker and database over TLS alone, but for the broker's port that the test itself looks through."""
    passwords = {user: secrets.token_urlsafe(12) for user in topology.users()}
    port, https = free_ports(2)
    with folder() as keys:
        files = make(keys)
        settings = [f"listeners.ssl.default = 127.0.0.1:{port}", f"management.ssl.port = {https}"]
        for options in ("ssl_options", "management.ssl"):
            settings += [
                f"{options}.cacertfile = {files.authority}",
                f"{options}.certfile = {files.certificate}",
                f"{options}.keyfile = {files.key}",
            ]
        words = ["--tlsMode", "requireTLS", "--tlsCertificateKeyFile", str(files.both), "--tlsCAFile"]
        words += [str(files.authority), "--tlsAllowConnectionsWithoutCertificates"]
        options = f"&tls=true&tlsCAFile={files.authority}"
        with (
            mongo(words, HOST, options) as database,
            rabbit(topology.definitions(passwords, "test"), passwords, more=settings) as node,
        ):
            node.secure = f"@{HOST}:{port}/?cacertfile={files.authority}"
            node.https = f"https://{HOST}:{https}"
            made = Bed(node, database, keys)
            try:
                yield made
            finally:
                made.calls.close()
                made.mongo.close()
                made.connection.close()


def _signed(
    name: str, key: ec.EllipticCurvePrivateKey, issuer: str, issuer_key: ec.EllipticCurvePrivateKey, host: str = ""
) -> bytes:
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=not host, path_length=None), critical=True)
    )
    if host:
        built = built.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
    return built.sign(issuer_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
