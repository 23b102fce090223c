"""The human form of a certificate: a PDF/A-3 page by page of what the signed statement says, and its PAdES seal.

The page repeats the statement and adds nothing: every value comes out of it. The statement's DSSE envelope is embedded
and its digest printed. The same statement gives the same unsealed bytes (dates, identifier and fonts are fixed); the
seal carries real time. A rehearsal is marked across every page, and each of its dates as simulated. The file is tagged
(headings, tables, the picture's words), so that it can be read aloud.
"""

from __future__ import annotations

import gc
import hashlib
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any

import segno
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from services.compliance.documents import expiry, labels
from services.compliance.documents.texts_stages import DELETION_TITLE, RE_DELETION_TITLE, TITLES
from services.compliance.signing.keys import SealKey

TEMPLATES = Path(__file__).parent / "templates"
ATTACHMENT = "certificate.dsse.json"
_OPTIONAL: dict[str, Any] = {"supersedes": None, "revokes": None, "follows": None, "scope": None, "restores": None}


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
    with _uncollected():
        pdf: bytes = HTML(string=html).write_pdf(
            attachments=[attachment], pdf_variant="pdf/a-3b", pdf_identifier=bytes.fromhex(digest)[:16], pdf_tags=True
        )
    return pdf


@contextmanager
def _uncollected() -> Iterator[None]:
    """Leave garbage where it is for now: a page is hundreds of thousands of objects, all of them in use to its end."""
    wanted = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if wanted:
            gc.enable()


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
        qr=Markup(_qr(predicate, digest, english=english)),
        curve=expiry.picture(predicate, language),
        sets=expiry.sets_of(predicate),
        ended=expiry.ENDED,
        rehearsal=predicate["kind"] == "rehearsal",
        stage=stage,
        title=TITLES.get(stage, RE_DELETION_TITLE if stage == "RE-DELETION" else DELETION_TITLE)[language],
        final=stage == "BACKUP-EXPIRED",
    )


@cache
def _engine(english: bool, simulated: bool) -> Environment:
    """Give the templates of a language, compiled once a process."""
    language = "en" if english else "da"
    engine = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)
    engine.trim_blocks = engine.lstrip_blocks = True
    engine.filters["n"] = lambda value: _number(value, english)
    engine.filters["day"] = lambda value: day_of(value, simulated, english)
    for said in (labels.label, labels.reason, labels.role, labels.below_each, labels.below_all):
        engine.filters[said.__name__] = partial(said, language=language)
    return engine


def seal(pdf: bytes, key: SealKey, reason: str) -> bytes:
    """Seal the PDF with the sealing key (`sealing.py`)."""
    from services.compliance.signing import sealing

    return sealing.seal(pdf, key, reason)


def best_seal(pdf: bytes, key: SealKey, reason: str) -> tuple[bytes, str]:
    """Seal the PDF at the level that the configured authority makes possible, and name it (`sealing.py`)."""
    from services.compliance.signing import sealing

    return sealing.best(pdf, key, reason)


def digest_of(statement: bytes) -> str:
    """Give the digest that names a statement."""
    return hashlib.sha256(statement).hexdigest()


def _qr(predicate: dict[str, Any], digest: str, *, english: bool) -> str:
    """Draw the QR code; its title is what a reader aloud says for the picture."""
    where = predicate["signers"]["verify_url"]
    text = f"{where.rstrip('/')}/{digest}" if where else f"ophor verify {predicate['number']} sha256:{digest}"
    said = f"{'QR code for verifying' if english else 'QR-kode til efterprøvning'}: {text}"
    svg: str = segno.make(text, error="m", micro=False).svg_inline(scale=3, border=0, dark="#1a2b3c", title=said)
    return svg


def _number(value: int, english: bool) -> str:
    grouped = f"{value:,}"
    return grouped if english else grouped.replace(",", ".")


def day_of(value: str | None, simulated: bool, english: bool) -> Markup:
    """Write a day as a page has it, marked where it was simulated."""
    if not value:
        return Markup("–")
    year, month, day = value[:10].split("-")
    text = f"{year}-{month}-{day}" if english else f"{int(day)}.{int(month)}.{year}"
    mark = Markup('<sup class="sim">sim</sup>') if simulated else Markup("")
    return Markup("<span class='day'>{}{}</span>").format(text, mark)
