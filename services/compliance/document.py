"""The human form of a certificate: a PDF/A-3 page by page of what the signed statement says, and its PAdES seal.

The page repeats the statement and adds nothing: every value comes out of it. The statement's DSSE envelope is embedded
and its digest printed. The same statement gives the same unsealed bytes (dates, identifier and fonts are fixed); the
seal carries real time. A rehearsal is marked across every page, and each of its dates as simulated.
"""

from __future__ import annotations

import hashlib
import io
import os
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import segno
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from services.compliance.keys import SealKey
from services.compliance.texts_stages import DELETION_TITLE, REASONS, TITLES

TEMPLATES = Path(__file__).parent / "templates"
ATTACHMENT = "certificate.dsse.json"
_LABELS = {
    "deleted": ("slettet", "deleted"),
    "absent_verified": ("konstateret tomt", "verified absent"),
    "excluded": ("undtaget", "excluded"),
    "suspended": ("udskudt", "suspended"),
    "open": ("åben", "open"),
    "attested": ("erklæret", "attested"),
    "both": ("leveret og slettet", "delivered and deleted"),
    "deleted_not_delivered": ("slettet, ikke leveret", "deleted, not delivered"),
    "delivered_not_deleted": ("leveret, ikke slettet", "delivered, not deleted"),
    "changed_after_extract": ("ændret efter udtræk", "changed after extract"),
    "GONE": ("væk", "gone"),
    "PRESENT": ("findes endnu", "still there"),
    "ERROR": ("kunne ikke ses", "could not be seen"),
    "NOT_LOOKED": ("ikke set efter endnu", "not looked for yet"),
    "met": ("opfyldt", "met"),
    "breached": ("OVERTRÅDT", "BREACHED"),
    "pending": ("åben", "open"),
    "at_risk": ("i fare", "at risk"),
    "INSTRUCTION": ("den dataansvarliges instruks", "the controller's instruction"),
    "LAW": ("lov eller kendelse", "law or court order"),
    "DATA_SUBJECT_REQUEST": ("den registreredes anmodning", "a data subject's request"),
    "closed": ("lukket", "closed"),
    "frozen": ("frosset", "frozen"),
    "operations_end": ("Driftsophør", "End of operations"),
    "agreement_end": ("Kontraktophør", "End of agreement"),
    "delivery_accepted": ("Leverance godkendt", "Delivery accepted"),
    "deletion_due": ("Sletning senest", "Deletion due"),
    "deletion_done": ("Sletning efterprøvet", "Deletion verified"),
    "backups_due": ("Backup senest væk", "Backups due"),
    "backups_gone": ("Backup konstateret fjernet", "Backups seen to be gone"),
    "supplier-seal": ("Leverandørens segl", "Supplier's seal"),
    "compliance": ("Compliance", "Compliance"),
    "delete": ("slettede rækker", "rows deleted"),
    "manual (attested), not verified by us": (
        "manuelt (erklæret), ikke efterprøvet af os",
        "manual (attested), not verified by us",
    ),
    "SOFTWARE_REMOVED": ("software fjernet", "software removed"),
    "LICENCE_WITHDRAWN": ("licens trukket tilbage", "licence withdrawn"),
    "MEDIA_SANITISED": ("medier saneret", "media sanitised"),
    "SUBPROCESSOR_CONFIRMED": ("bekræftet slettet af underdatabehandler", "deletion confirmed by sub-processor"),
    "DATA_LEFT_WITH_CUSTOMER": ("data bliver hos Kunden", "data left with the customer"),
    "NOT_USED": ("ikke anvendt", "not used"),
    "supplier": ("Leverandøren", "the supplier"),
    "customer": ("Kunden", "the customer"),
    "subprocessor": ("underdatabehandleren", "the sub-processor"),
    "not_worth_keeping": ("ikke bevaringsværdigt", "not worth keeping"),
    "delivered_and_approved": ("afleveret og godkendt", "delivered and approved"),
    "handed_to_customer": ("udleveret til Kunden", "handed to the customer"),
    "option_after_end": ("option efter ophør", "option after the end"),
    "access_withdrawn": ("adgang trukket tilbage", "access withdrawn"),
    "operations_stopped": ("drift stoppet", "operations stopped"),
    "software_removed": ("software fjernet", "software removed"),
    "access_closed": ("adgang lukket", "access closed"),
    "error": ("kunne ikke ses", "could not be seen"),
    "drop": ("hele stedet fjernet", "whole place dropped"),
    "truncate": ("hele stedet tømt", "whole place emptied"),
    "part": ("lejerens del af stedet fjernet", "tenant's part of the place removed"),
    "successor": ("ny leverandør", "the successor"),
    "tenant": ("Kundens", "the customer's"),
    "shared": ("fælles koder (kopi)", "shared codes (copy)"),
    "controller": ("dataansvarlig", "controller"),
    "processor": ("databehandler", "processor"),
    "agreement": ("aftale", "agreement"),
    "approvals": ("godkendelser", "approvals"),
    "dates": ("datoer", "dates"),
    "systems": ("systemer", "systems"),
    "backups": ("backup", "backups"),
    "access": ("adgang", "access"),
    "delivery": ("leverance", "delivery"),
    "scope": ("omfang", "scope"),
    "obligations": ("forpligtelser", "obligations"),
    "holds": ("tilbageholdelser", "holds"),
    "attestations": ("erklæringer", "attestations"),
    "not_covered": ("ikke dækket", "not covered"),
    "not_done": ("ikke udført", "not done"),
    **{code: (both["da"], both["en"]) for code, both in REASONS.items()},
}
_OPTIONAL: dict[str, Any] = {"supersedes": None, "revokes": None, "follows": None, "scope": None}


def render(predicate: dict[str, Any], dsse: bytes, digest: str, *, english: bool = False) -> bytes:
    """Write the unsealed PDF/A-3 of a statement's predicate, with its envelope `dsse` embedded.

    `digest` is the SHA-256 of the statement's bytes (hexadecimal), as printed and encoded in the QR code.
    """
    return print_page(page(predicate, digest, english=english), dsse, digest, predicate["issued_on"])


def print_page(html: str, dsse: bytes, digest: str, on: str) -> bytes:
    """Write `html` as PDF/A-3 with `dsse` embedded; dates are `on` (ISO), the file's identifier is the digest's."""
    os.environ.setdefault("SOURCE_DATE_EPOCH", "0")  # fonts are subset without today's date
    from weasyprint import HTML, Attachment

    stamp = datetime.fromisoformat(on).replace(tzinfo=UTC)
    attachment = Attachment(
        file_obj=io.BytesIO(dsse),
        name=ATTACHMENT,
        description="in-toto statement, DSSE",
        relationship="Data",
        created=stamp,
        modified=stamp,
    )
    pdf: bytes = HTML(string=html).write_pdf(
        attachments=[attachment], pdf_variant="pdf/a-3b", pdf_identifier=bytes.fromhex(digest)[:16]
    )
    return pdf


def page(predicate: dict[str, Any], digest: str, *, english: bool = False) -> str:
    """Write the document as HTML, Danish unless `english`; a correction looks like the stage that it corrects."""
    language = "en" if english else "da"
    stage = (predicate.get("supersedes") or predicate)["stage"]
    engine = _engine(english, predicate["simulated_dates"])
    return engine.get_template("stage.html" if stage in TITLES else "certificate.html").render(
        p={**_OPTIONAL, **predicate},
        t=lambda danish, english_text: english_text if english else danish,
        said=lambda both: both[language],
        words=predicate["wording"][language],
        language=language,
        digest=digest,
        qr=Markup(_qr(predicate, digest)),
        rehearsal=predicate["kind"] == "rehearsal",
        stage=stage,
        title=TITLES.get(stage, DELETION_TITLE)[language],
        final=stage == "BACKUP-EXPIRED",
    )


@cache
def _engine(english: bool, simulated: bool) -> Environment:
    """Give the templates of a language, compiled once a process."""
    side = 1 if english else 0
    engine = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)
    engine.trim_blocks = engine.lstrip_blocks = True
    engine.filters["n"] = lambda value: _number(value, english)
    engine.filters["day"] = lambda value: _day(value, simulated, english)
    engine.filters["label"] = lambda value: _LABELS.get(value, (str(value),) * 2)[side]
    return engine


def seal(pdf: bytes, key: SealKey, reason: str) -> bytes:
    """Seal the PDF with the sealing key (`sealing.py`)."""
    from services.compliance import sealing

    return sealing.seal(pdf, key, reason)


def digest_of(statement: bytes) -> str:
    """Give the digest that names a statement."""
    return hashlib.sha256(statement).hexdigest()


def _qr(predicate: dict[str, Any], digest: str) -> str:
    where = predicate["signers"]["verify_url"]
    text = f"{where.rstrip('/')}/{digest}" if where else f"ophor verify {predicate['number']} sha256:{digest}"
    svg: str = segno.make(text, error="m", micro=False).svg_inline(scale=3, border=0, dark="#1a2b3c")
    return svg


def _number(value: int, english: bool) -> str:
    grouped = f"{value:,}"
    return grouped if english else grouped.replace(",", ".")


def _day(value: str | None, simulated: bool, english: bool) -> Markup:
    if not value:
        return Markup("–")
    year, month, day = value[:10].split("-")
    text = f"{year}-{month}-{day}" if english else f"{int(day)}.{int(month)}.{year}"
    mark = Markup('<sup class="sim">sim</sup>') if simulated else Markup("")
    return Markup("<span class='day'>{}{}</span>").format(text, mark)
