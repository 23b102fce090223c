"""The keys of evidence: who signs what, and the names by which a stranger can check it.

Four private keys, each in the folder of the one process that uses it (`<name>.pem`): `evidence-log` (Ed25519, the
ledger's checkpoints), `statement-seal` and `statement-sign` (Ed25519, the two signatures of a statement), `pdf-seal`
(ECDSA P-256 with a certificate, the PDF's seal and the bundle's manifest). Beside them every process has
`evidence.json`: the public half, the log's origin and the kind, which is `rehearsal` for every key made here.
A key that does not match its public half is refused at start. Where a private key lies (file, token, key service) is
`signers.py`'s matter; how one follows another `rotation.py`'s.
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

from services.compliance.signing.signers import FileSigner, Signer, missing, open_signer

LOG, SEAL, SIGN, PDF = "evidence-log", "statement-seal", "statement-sign", "pdf-seal"
HOLDERS = {"ledger": LOG, "seal": SEAL, "sign": SIGN, "render": PDF, "face": None}
PUBLIC_FILE = "evidence.json"
_ED25519 = b"\x01"


@dataclass(frozen=True, slots=True)
class NoteKey:
    """An Ed25519 key under a signed-note name."""

    name: str
    signer: Signer

    @property
    def public(self) -> bytes:
        return cast(ed25519.Ed25519PublicKey, self.signer.public_key()).public_bytes_raw()

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
        return self.signer.sign(message)


@dataclass(frozen=True, slots=True)
class SealKey:
    """The key and certificate that seal PDF and manifest."""

    signer: Signer
    certificate: x509.Certificate

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.certificate)

    def sign(self, message: bytes) -> bytes:
        """Sign with ECDSA over SHA-256 (DER)."""
        return self.signer.sign(message)


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
    rotations: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """List one KEY to verify with a line, as `ophor verify --key` takes them."""
        return [self.log, self.seal, self.sign, self.pdf]

    def as_dict(self) -> dict[str, Any]:
        """Give it as JSON primitives; `rotations` are the signed notes by which one key followed another."""
        return {name: getattr(self, name) for name in self.__slots__} | {"rotations": list(self.rotations)}

    def key_of(self, name: str) -> str:
        """Give the public half of one of the four as a KEY."""
        return {LOG: self.log, SEAL: self.seal, SIGN: self.sign, PDF: self.pdf}[name]

    def id_of(self, name: str) -> str:
        """Give the short id by which a rotated key's files are named."""
        return self.pdf.removeprefix("x509-sha256:")[:16] if name == PDF else self.key_of(name).split("+")[1]


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
        return PublicKeys(**body | {"rotations": tuple(body.get("rotations", ()))})
    except (OSError, ValueError, TypeError) as error:
        raise missing(PUBLIC_FILE, type(error).__name__) from None


def load_note(folder: Path, name: str) -> NoteKey:
    """Load the Ed25519 key file `name` and check it against its public half; Rejected when they differ."""
    public = load_public(folder)
    vkey = public.key_of(name)
    signer = open_signer(folder, name, public.id_of(name))
    if not isinstance(signer.public_key(), ed25519.Ed25519PublicKey):
        raise missing(name, "is not Ed25519")
    key = NoteKey(vkey.split("+", 1)[0], signer)
    if key.vkey != vkey:
        raise missing(name, "does not match its public half")
    return key


def load_seal(folder: Path) -> SealKey:
    """Load the PDF's sealing key with its certificate; Rejected when they do not belong together."""
    public = load_public(folder)
    certificate = x509.load_der_x509_certificate(base64.b64decode(public.certificate))
    key = SealKey(open_signer(folder, PDF, public.id_of(PDF)), certificate)
    if key.fingerprint != public.pdf or key.certificate.public_key() != key.signer.public_key():
        raise missing(PDF, "does not match its certificate")
    return key


def make_demo_keys(folder: Path, verify_url: str = "") -> PublicKeys:
    """Make all keys of the rehearsal kind, once: `folder/<holder>/` for each process, `folder/keys.txt` for readers.

    A second call changes nothing and gives the same keys. Private files are readable by their owner only. `verify_url`
    is the public page that certificates' QR codes lead to.
    """
    if (folder / "keys.txt").exists():
        return load_public(folder / "face")
    notes = {name: ed25519.Ed25519PrivateKey.generate() for name in (LOG, SEAL, SIGN)}
    vkeys = {name: NoteKey(f"ovelse-{name}", FileSigner(key)).vkey for name, key in notes.items()}
    private = ec.generate_private_key(ec.SECP256R1())
    certificate = demo_certificate(private)
    public = PublicKeys(
        kind="rehearsal",
        origin=f"ovelse-{LOG}",
        log=vkeys[LOG],
        seal=vkeys[SEAL],
        sign=vkeys[SIGN],
        pdf=fingerprint(certificate),
        certificate=base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode(),
        verify_url=verify_url,
    )
    secrets: dict[str, Any] = {**notes, PDF: private}
    for holder, name in HOLDERS.items():
        home = folder / holder
        home.mkdir(parents=True, exist_ok=True)
        (home / PUBLIC_FILE).write_text(json.dumps(public.as_dict(), indent=1, sort_keys=True) + "\n", "utf-8")
        if name:
            write_private(home / f"{name}.pem", secrets[name])
    (folder / "keys.txt").write_text("\n".join(public.lines()) + "\n", "utf-8")
    return public


def write_private(path: Path, key: Any) -> None:
    """Write a private key, readable by its owner only."""
    path.touch(mode=0o600)
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def demo_certificate(
    key: ec.EllipticCurvePrivateKey, public: ec.EllipticCurvePublicKey | None = None
) -> x509.Certificate:
    """Make a certificate that says of itself that it is for rehearsals: self-signed, or by `key` for another's key."""
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
        .public_key(public or key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=3650))
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )
