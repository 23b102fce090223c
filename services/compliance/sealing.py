"""The PDF's seal (PAdES): one signature over the whole file by the sealing key, wherever that lies (`signers.py`).

The file stays PDF/A-3: pyHanko adds nothing but the signature's own objects. The level is PAdES B-B.
"""

from __future__ import annotations

import io
from typing import Any

from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import PdfSignatureMetadata, PdfSigner
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko.sign.signers.pdf_cms import Signer
from pyhanko_certvalidator.registry import SimpleCertificateStore

from services.compliance.keys import SealKey

PLACEHOLDER = bytes(72)


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


def seal(pdf: bytes, key: SealKey, reason: str) -> bytes:
    """Seal the PDF (PAdES B-B, one signature over the whole file) with the demo or the configured certificate."""
    meta = PdfSignatureMetadata(
        field_name="Segl", md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES, reason=reason
    )
    sealed = io.BytesIO()
    PdfSigner(meta, KeySigner(key)).sign_pdf(Writer(io.BytesIO(pdf)), output=sealed)
    return sealed.getvalue()
