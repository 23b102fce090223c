"""A certificate's PDF whose time stamp is renewed before the authority's certificate ends (PAdES B-LTA, ADR 0014).

Rules kept here:
1. One revision is put behind the old bytes, in the PDF and in the bundle's copy of it. What was signed and what the log
   holds stays, and so does a bundle whose manifest another seal than today's has signed.
2. The verifier says the same of the new files as of the old ones, check by check (of 3 that it is still OK); else, and
   where the authority fails, everything stays as it was. The reason is logged, and asking again is safe.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding

from contracts.errors import OphorError, Rejected
from services.compliance import store
from services.compliance.documents import bundle
from services.compliance.log.stamp import Authority
from services.compliance.signing.keys import PublicKeys, SealKey
from services.compliance.verifier import ophor_verify
from services.compliance.worker import rendering
from shared.runtime.logging import log

PDF, MANIFEST = "certificate.pdf", "manifest.dsse.json"


def renewed(
    old: Mapping[str, bytes], row: store.Row, public: PublicKeys, key: SealKey, environ: Mapping[str, str] = os.environ
) -> tuple[dict[str, bytes], str] | None:
    """Give the documents that change and the seal's level; None where nothing was renewed, which is logged."""
    try:
        authority = Authority.from_environment(environ)
        if authority is None:
            raise Rejected("TSA_MISSING", "no authority is configured", remedy="set OPHOR_TSA for compliance-render")
        from services.compliance.signing import sealing  # a PDF library that the ledger and the signers never need

        pdf, level = sealing.renewed(old["pdf"], authority)
        made = {"pdf": pdf} | _bundle(old["bundle"], pdf, row, key)
        if any(_told(data, public) != _told(old[name], public) for name, data in made.items()):
            raise Rejected("VERIFIER_DIFFERS", "the verifier says something else of the new file")
        return made, level
    except OphorError as error:
        log.warning("seal_not_renewed", number=row["number"], code=error.code, why=error.message[:200])
    except Exception as error:  # an authority's answer may break any reader of it, and must not cost the task
        log.warning("seal_not_renewed", number=row["number"], code="TSA_FALSE", why=str(error)[:200])
    return None


def keep(unit: Any, certificate_id: str, old: Mapping[str, bytes], made: Mapping[str, bytes], level: str) -> None:
    """Put the new documents in the place of the old ones, unless they are others by now."""
    if any(store.whole_document(unit, certificate_id, name) != old[name] for name in made):
        return
    for name, data in made.items():
        store.drop_document(unit, certificate_id, name)
        store.save_document(unit, certificate_id, name, data)
    row = store.certificate(unit, certificate_id) or {}
    sizes = {f"{name}_bytes": len(data) for name, data in made.items()}
    store.save_certificate(unit, row | sizes | {"seal": level, "seal_holds": rendering.seal_holds(made["pdf"])})


def _bundle(old: bytes, pdf: bytes, row: store.Row, key: SealKey) -> dict[str, bytes]:
    members = ophor_verify.read_zip(old)
    listed = ophor_verify.read_envelope(members.pop(MANIFEST), ophor_verify.MANIFEST_TYPE)
    if listed.signatures[0][0] != ophor_verify.print_of(key.certificate.public_bytes(Encoding.DER)):
        return {}
    return {"bundle": bundle.build(members | {PDF: pdf}, row["number"], key)}


def _told(data: bytes, public: PublicKeys) -> tuple[int, list[tuple[int, str]]]:
    report = ophor_verify.verify(data, ophor_verify.Options(public.lines(), rehearsal=public.kind == "rehearsal"))
    return report.code, [(one.n, one.result) for one in report.checks]
