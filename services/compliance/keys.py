"""The keys of evidence: who signs what, and the names by which a stranger can check it.

Four private keys, each in the folder of the one process that uses it (`<name>.pem`): `evidence-log` (Ed25519, the
ledger's checkpoints), `statement-seal` and `statement-sign` (Ed25519, the two signatures of a statement), `pdf-seal`
(ECDSA P-256 with a certificate, the PDF's seal and the bundle's manifest). Beside them every process has
`evidence.json`: the public half, the log's origin and the kind, which is `rehearsal` for every key made here.
A key that does not match its public half is refused at start.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import NameOID

from contracts.errors import Rejected

LOG, SEAL, SIGN, PDF = "evidence-log", "statement-seal", "statement-sign", "pdf-seal"
HOLDERS = {"ledger": LOG, "seal": SEAL, "sign": SIGN, "render": PDF, "face": None}
PUBLIC_FILE = "evidence.json"
_ED25519 = b"\x01"


@dataclass(frozen=True, slots=True)
class NoteKey:
    """An Ed25519 key under a signed-note name."""

    name: str
    private: ed25519.Ed25519PrivateKey

    @property
    def public(self) -> bytes:
        return self.private.public_key().public_bytes_raw()

    @property
    def id(self) -> bytes:
        return key_id(self.name, self.public)

    @property
    def vkey(self) -> str:
        """Give the verifier key `name+hash+key` (c2sp.org/signed-note)."""
        return f"{self.short}+{base64.b64encode(_ED25519 + self.public).decode()}"

    @property
    def short(self) -> str:
        """Give `name+hash`, the key's id in a DSSE signature."""
        return f"{self.name}+{self.id.hex()}"

    def sign(self, message: bytes) -> bytes:
        return self.private.sign(message)


@dataclass(frozen=True, slots=True)
class SealKey:
    """The key and certificate that seal PDF and manifest."""

    private: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.certificate)

    def sign(self, message: bytes) -> bytes:
        """Sign with ECDSA over SHA-256 (DER)."""
        return self.private.sign(message, ec.ECDSA(hashes.SHA256()))


@dataclass(frozen=True, slots=True)
class PublicKeys:
    """The public half of all four, as every process and every reader of a bundle may know it."""

    kind: str
    origin: str
    log: str
    seal: str
    sign: str
    pdf: str
    certificate: str
    verify_url: str = ""

    def lines(self) -> list[str]:
        """List one KEY to verify with a line, as `ophor verify --key` takes them."""
        return [self.log, self.seal, self.sign, self.pdf]

    def as_dict(self) -> dict[str, str]:
        return {name: getattr(self, name) for name in self.__slots__}


def key_id(name: str, public: bytes) -> bytes:
    """Give a note key's four-byte id."""
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:4]


def fingerprint(certificate: x509.Certificate) -> str:
    """Give `x509-sha256:HEX` over the certificate's DER."""
    return "x509-sha256:" + certificate.fingerprint(hashes.SHA256()).hex()


def load_public(folder: Path) -> PublicKeys:
    """Read `evidence.json`; Rejected EVIDENCE_KEYS_MISSING when the folder has none."""
    try:
        body: dict[str, Any] = json.loads((folder / PUBLIC_FILE).read_text("utf-8"))
        return PublicKeys(**body)
    except (OSError, ValueError, TypeError) as error:
        raise _missing(PUBLIC_FILE, type(error).__name__) from None


def load_note(folder: Path, name: str) -> NoteKey:
    """Load the Ed25519 key file `name` and check it against its public half; Rejected when they differ."""
    public = load_public(folder)
    vkey = {LOG: public.log, SEAL: public.seal, SIGN: public.sign}[name]
    private = cast(ed25519.Ed25519PrivateKey, _private(folder, name))
    key = NoteKey(vkey.split("+", 1)[0], private)
    if key.vkey != vkey:
        raise _missing(name, "does not match its public half")
    return key


def load_seal(folder: Path) -> SealKey:
    """Load the PDF's sealing key with its certificate; Rejected when they do not belong together."""
    public = load_public(folder)
    key = SealKey(
        cast(ec.EllipticCurvePrivateKey, _private(folder, PDF)),
        x509.load_der_x509_certificate(base64.b64decode(public.certificate)),
    )
    if key.fingerprint != public.pdf or key.certificate.public_key() != key.private.public_key():
        raise _missing(PDF, "does not match its certificate")
    return key


def _private(folder: Path, name: str) -> Any:
    try:
        return serialization.load_pem_private_key((folder / f"{name}.pem").read_bytes(), None)
    except (OSError, ValueError) as error:
        raise _missing(name, type(error).__name__) from None


def _missing(name: str, why: str) -> Rejected:
    return Rejected(
        "EVIDENCE_KEYS_MISSING",
        f"the key {name} cannot be used: {why}",
        field=name,
        remedy="make the keys at set-up and give each process its own folder",
        da=f"Nøglen {name} kan ikke bruges.",
    )


def make_demo_keys(folder: Path) -> PublicKeys:
    """Make all keys of the rehearsal kind, once: `folder/<holder>/` for each process, `folder/keys.txt` for readers.

    A second call changes nothing and gives the same keys. Private files are readable by their owner only.
    """
    if (folder / "keys.txt").exists():
        return load_public(folder / "face")
    notes = {name: NoteKey(f"ovelse-{name}", ed25519.Ed25519PrivateKey.generate()) for name in (LOG, SEAL, SIGN)}
    private = ec.generate_private_key(ec.SECP256R1())
    certificate = _demo_certificate(private)
    public = PublicKeys(
        kind="rehearsal",
        origin=notes[LOG].name,
        log=notes[LOG].vkey,
        seal=notes[SEAL].vkey,
        sign=notes[SIGN].vkey,
        pdf=fingerprint(certificate),
        certificate=base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode(),
    )
    secrets: dict[str, Any] = {name: key.private for name, key in notes.items()} | {PDF: private}
    for holder, name in HOLDERS.items():
        home = folder / holder
        home.mkdir(parents=True, exist_ok=True)
        (home / PUBLIC_FILE).write_text(json.dumps(public.as_dict(), indent=1, sort_keys=True) + "\n", "utf-8")
        if name:
            _write_private(home / f"{name}.pem", secrets[name])
    (folder / "keys.txt").write_text("\n".join(public.lines()) + "\n", "utf-8")
    return public


def _write_private(path: Path, key: Any) -> None:
    path.touch(mode=0o600)
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def _demo_certificate(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    """Make a self-signed certificate that says of itself that it is for rehearsals."""
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Ophør, øvelse"),
            x509.NameAttribute(NameOID.COMMON_NAME, "ØVELSE – ikke et eIDAS-segl"),
        ]
    )
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=3650))
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )
