"""The PDF's seal (PAdES): one signature over the whole file by the sealing key, wherever that lies (`signers.py`).

Rules kept here (levels: ETSI EN 319 142-1, clause 6; ADR 0014):
1. The file stays PDF/A-3: pyHanko adds nothing but the signature's own objects, the store of validation data, and the
   document time stamp, whose place is made before the seal, so that no page is touched behind it.
2. Without an authority the level is B-B. With one the seal bears a time stamp, and one revision behind it holds the
   certificates, the authority's revocation lists where there are any, and a document time stamp: B-LTA with a list for
   each certificate that needs one, else B-T. The sealing certificate signed itself: no list can name it.
3. An authority that fails, or whose answers the stranger's verifier does not accept, costs the level and never the
   seal: the file is sealed B-B, and the reason is told.
4. A document time stamp is renewed while its own certificate holds, by one whose certificate holds longer: one revision
   more, in a place that the seal left room for. What fails leaves the file as it was.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from asn1crypto import crl as asn1_crl
from asn1crypto import tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import PdfSignatureMetadata, PdfSigner, PdfTimeStamper
from pyhanko.sign.fields import SigFieldSpec, SigSeedSubFilter, append_signature_field
from pyhanko.sign.signers.pdf_cms import Signer
from pyhanko.sign.timestamps import TimeStamper
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko_certvalidator.registry import SimpleCertificateStore

from contracts.compliance_seals import SEALS
from contracts.errors import OphorError, Rejected
from services.compliance.log.stamp import Authority
from services.compliance.signing.keys import SealKey
from services.compliance.verifier import ophor_verify
from shared.runtime.logging import log

PLACEHOLDER = bytes(72)
PLAIN = SEALS[0]
SEAL, STAMPS = "Segl", ("Tidsstempel", "Tidsstempel 2", "Tidsstempel 3", "Tidsstempel 4")
RESERVED = 24_576  # hexadecimal digits for a signature or a time stamp; no authority is asked only to learn its size


class KeySigner(Signer):
    """Sign with a key that pyHanko never sees."""

    def __init__(self, key: SealKey) -> None:
        certificate = asn1_x509.Certificate.load(key.certificate.public_bytes(Encoding.DER))
        super().__init__(signing_cert=certificate, cert_registry=SimpleCertificateStore(), embed_roots=True)
        self._key = key

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:
        """Give the signature over `data`; a dry run asks for its length only."""
        assert digest_algorithm == "sha256"
        return PLACEHOLDER if dry_run else self._key.sign(data)


class Writer(IncrementalPdfFileWriter):
    """Keep the file PDF/A-3: version 1.7 and metadata untouched (for P-256 pyHanko would raise it to 2.0)."""

    def ensure_output_version(self, version: tuple[int, int]) -> None:
        super().ensure_output_version(min(version, (1, 7)))

    def register_extension(self, extension: Any) -> None:
        if str(extension.prefix_name) == "/ESIC":
            super().register_extension(extension)

    def _update_meta(self) -> None:
        """Leave document information and XMP as they are, and so alike."""


class Asking(TimeStamper):
    """Ask the authority as the log does, and keep what it answered."""

    def __init__(self, ask: Callable[[bytes], bytes]) -> None:
        super().__init__()
        self._ask = ask
        self.answers: list[bytes] = []

    async def async_request_tsa_response(self, req: Any) -> Any:
        """Give the authority's answer to a request."""
        self.answers.append(self._ask(req.dump()))
        return tsp.TimeStampResp.load(self.answers[-1])


def seal(pdf: bytes, key: SealKey, reason: str) -> bytes:
    """Seal the PDF (PAdES B-B, one signature over the whole file) with the demo or the configured certificate."""
    return _signed(Writer(io.BytesIO(pdf)), key, reason)


def best(pdf: bytes, key: SealKey, reason: str, environ: Mapping[str, str] = os.environ) -> tuple[bytes, str]:
    """Seal the PDF at the highest level that the configured authority makes possible, and name the level (rule 3)."""
    try:
        authority = Authority.from_environment(environ)
        if authority is not None:
            return stamped(pdf, key, reason, authority)
    except OphorError as error:
        log.warning("seal_time_stamp_failed", code=error.code)
    except Exception as error:  # an authority's answer may break any reader of it, and must not cost the seal (rule 3)
        log.warning("seal_time_stamp_failed", code="TSA_FALSE", kind=type(error).__name__, why=str(error)[:200])
    return seal(pdf, key, reason), PLAIN


def stamped(pdf: bytes, key: SealKey, reason: str, authority: Authority) -> tuple[bytes, str]:
    """Seal with time stamps, have the stranger's verifier accept the seal, and name its level.

    Raise Unavailable TSA_UNREACHABLE, and whatever an answer that is none breaks.
    """
    asking, first = Asking(authority.ask), Writer(io.BytesIO(pdf))
    for name in (SEAL, *STAMPS):
        append_signature_field(first, SigFieldSpec(name))
    sealed = _signed(first, key, reason, asking)
    stamp = ophor_verify.read_stamp(asking.answers[0])
    path = _path(authority, stamp)
    held = dict.fromkeys([key.certificate, *path, *stamp.certificates])  # what the token brings stands behind the path
    return _behind(sealed, STAMPS[0], asking, (list(held), _in_force(authority, path, stamp.at)), authority)


def renewed(pdf: bytes, authority: Authority) -> tuple[bytes, str]:
    """Put one more document time stamp behind a stamped seal, and name the level (rule 4).

    Raise Rejected SEAL_NOT_RENEWABLE, Unavailable TSA_UNREACHABLE, and whatever an answer that is none breaks.
    """
    found = ophor_verify.read_pdf(pdf)
    if not 0 < len(found.behind) < len(STAMPS) or STAMPS[len(found.behind)].encode() not in pdf:
        raise _kept("the seal has no time stamp, or no place for another")
    former, asking = ophor_verify.read_token(found.behind[-1].token), Asking(authority.ask)
    asyncio.run(asking.async_timestamp(hashlib.sha256(pdf).digest(), "sha256"))  # by whom, before it is written down
    stamp = ophor_verify.read_stamp(asking.answers[0])
    if stamp.signer.not_valid_after_utc <= former.signer.not_valid_after_utc:
        raise _kept("the authority's certificate does not hold longer than the one that is there")
    there = [x509.load_der_x509_certificate(one) for each in found.behind for one in each.certificates]
    path = _path(authority, stamp)
    added = [one for one in dict.fromkeys([*path, *stamp.certificates]) if one not in there]
    both = [*path, *ophor_verify.authority_path(former.signer, there)]
    name, lists = STAMPS[len(found.behind)], _in_force(authority, both, stamp.at)
    return _behind(pdf, name, asking, (added, lists), authority)


def _behind(
    pdf: bytes,
    name: str,
    asking: Asking,
    data: tuple[list[x509.Certificate], list[Any]],
    authority: Authority,
) -> tuple[bytes, str]:
    """Write the revision of validation data and document time stamp, and have the stranger's verifier accept it."""
    made = Writer(io.BytesIO(pdf))
    DocumentSecurityStore.supply_dss_in_writer(made, None, certs=[_of(one) for one in data[0]], crls=data[1])
    out = PdfTimeStamper(asking, field_name=name).timestamp_pdf(made, "sha256", bytes_reserved=RESERVED)
    found = ophor_verify.read_pdf(out.getvalue())
    ophor_verify.check_seal(found)
    level = ophor_verify.check_level(found, None)
    for answer in asking.answers if authority.chain else ():
        ophor_verify.check_authority(ophor_verify.read_stamp(answer), authority.chain)
    return out.getvalue(), next(one for one in SEALS if f"PAdES {one}," in level)


def _path(authority: Authority, stamp: ophor_verify.Stamp) -> list[x509.Certificate]:
    given = x509.load_pem_x509_certificates(authority.chain) if authority.chain else []
    return ophor_verify.authority_path(stamp.signer, [*given, *stamp.certificates])


def _kept(why: str) -> Rejected:
    return Rejected(
        "SEAL_NOT_RENEWABLE", why, remedy="keep the file as it is", da="Seglets tidsstempel kan ikke fornyes."
    )


def _signed(writer: Writer, key: SealKey, reason: str, asking: Asking | None = None) -> bytes:
    meta = PdfSignatureMetadata(field_name=SEAL, md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES, reason=reason)
    sealed, room = io.BytesIO(), RESERVED if asking else None
    PdfSigner(meta, KeySigner(key), timestamper=asking).sign_pdf(writer, output=sealed, bytes_reserved=room)
    return sealed.getvalue()


def _in_force(authority: Authority, path: list[x509.Certificate], at: datetime) -> list[Any]:
    """Pick one list by each authority of the path that is in force at that time, for the validation data."""
    found: dict[x509.Name, Any] = {}
    for one in authority.lists:
        lasts = one.last_update_utc <= at <= (one.next_update_utc or at)
        if lasts and any(ophor_verify.lists_for(one, issuer) for issuer in path):
            found[one.issuer] = asn1_crl.CertificateList.load(one.public_bytes(Encoding.DER))
    return list(found.values())


def _of(certificate: x509.Certificate) -> Any:
    return asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER))
