"""Booking, the demo's folder of documents, by place and tenant: `<place>/<tenant>/<file>`."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from deploy.demo.data import SEED, TENANTS, Draw, Tenant

TENANT_PLACES = ("aftaler", "kvitteringer")
SHARED_PLACE = "skabeloner"
SHARED = {"aftaleskabelon.txt": "Aftale om besøg\nDato: ____\nUnderskrift: ____\n".encode()}


def files(tenant: Tenant, seed: int = SEED) -> Iterator[tuple[str, str, bytes]]:
    """Make the tenant's documents: (place, file name, content)."""
    draw = Draw(tenant, seed + 2)
    for number in range(tenant.children // 10):
        yield "aftaler", f"aftale-{draw.uuid()}.txt", agreement(draw, number)
    for number in range(tenant.children // 20):
        text = f"Kvittering {number} til {draw.name()}, {draw.random.randrange(50, 900)},00 kr."
        yield "kvitteringer", f"kvittering-{draw.uuid()}.pdf", pdf(text)


def agreement(draw: Draw, number: int) -> bytes:
    """Make the text of an agreement about a visit."""
    child = f"{draw.name()} ({draw.cpr(draw.day(6))})"
    return f"Aftale {number}\n{draw.tenant.name}\nBarn: {child}\nDato: {draw.day(1)}\n".encode()


def pdf(text: str) -> bytes:
    """Make a PDF of one line of text, small but whole (header, objects, cross-reference table, trailer)."""
    escaped = text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
    stream = f"BT /F1 12 Tf 60 780 Td ({escaped}) Tj ET".encode("cp1252")
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    out, places = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"xref\n0 6\n0000000000 65535 f \n%strailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
    return out + end % (table, len(out))


def make(folder: Path, seed: int = SEED) -> None:
    """Make the folder anew with all tenants' files."""
    shutil.rmtree(folder, ignore_errors=True)
    for tenant in TENANTS:
        for place, name, content in files(tenant, seed):
            _write(folder / place / tenant.code / name, content)
        for place in TENANT_PLACES:
            (folder / place / tenant.code).chmod(0o775)  # the tenant's users come in by the group
    for name, content in SHARED.items():
        _write(folder / SHARED_PLACE / name, content)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
