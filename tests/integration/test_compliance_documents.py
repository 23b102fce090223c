"""The human form: what stands on the pages, that it is PDF/A-3, reproducible, and that its seal is sound."""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path

import pytest

from services.compliance.documents import document
from services.compliance.documents.statement import statement
from services.compliance.signing.keys import load_seal
from services.compliance.verifier import ophor_verify
from tests.unit import evidence_world as given
from tests.unit.evidence_world import Certificate, World


@pytest.fixture(scope="module")
def true(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return World(tmp_path_factory.mktemp("keys")).told(given.deleted_exit()).certify()


def run(*argv: str) -> str:
    if shutil.which(argv[0]) is None:
        pytest.skip(f"{argv[0]} is not installed")
    answer = subprocess.run(argv, capture_output=True, check=False)
    assert answer.returncode == 0 and not answer.stderr, answer.stderr
    return answer.stdout.decode()


@pytest.fixture(scope="module")
def file(true: Certificate, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pdf") / "c.pdf"
    path.write_bytes(true.pdf)
    return path


def pages(file: Path) -> list[str]:
    return run("pdftotext", "-layout", str(file), "-").split("\f")[:-1]


def test_every_page_of_a_rehearsal_says_that_it_proves_nothing(file: Path) -> None:
    for page in pages(file):
        assert "ØVELSE – IKKE BEVIS FOR SLETNING" in page


def test_the_first_page_says_what_is_deleted_what_is_not_and_what_is_not_covered(file: Path, true: Certificate) -> None:
    first = " ".join(pages(file)[0].split())
    for words in ("Slettebevis", "ØV-000001", "Korsbæk Kommune", "CVR 11111111", "56 rækker", "Kopier i backup",
                  "ikke permanent", "Ikke dækket", "ikke endeligt"):  # fmt: skip
        assert words in first
    assert document.digest_of(true.payload) in first.replace(" ", "")


def test_t2_the_first_page_lists_a_kept_system_as_not_deleted_until_its_day(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    told = given.kept_exit() + given.hold("morgenvagt", lifted=True)
    made = World(tmp_path_factory.mktemp("keys")).told(told).certify()
    (tmp_path / "kept.pdf").write_bytes(made.pdf)
    first = " ".join(pages(tmp_path / "kept.pdf")[0].split())
    for words in ("pladsanvisning: udskudt,", "til og med 30.9.2027", "er IKKE slettet"):
        assert words in first, first
    assert "den registreredes anmodning" in " ".join(" ".join(pages(tmp_path / "kept.pdf")).split())


def test_the_pages_name_what_is_not_done_and_how_to_verify(file: Path) -> None:
    text = " ".join(" ".join(pages(file)).split())
    for words in ("IKKE UDFØRT: intet vidne", "RFC 3161", "python3 ophor_verify.py", "x509-sha256:", "SHARED_CODE",
                  "Ændringstillæg", "Godkender Et, IT-chef", "ikke set efter endnu"):  # fmt: skip
        assert words in text


def test_an_independent_tool_calls_the_seal_valid_and_the_whole_file_signed(file: Path) -> None:
    said = run("pdfsig", str(file))
    assert "Signature is Valid" in said and "Total document signed" in said and "ETSI.CAdES.detached" in said


def test_the_sealed_file_is_still_pdf_a_3_with_metadata_that_agree(file: Path, true: Certificate) -> None:
    assert b"/Version /2.0" not in true.pdf and true.pdf.startswith(b"%PDF-1.7")
    info = run("pdfinfo", str(file))
    assert "PDF version:     1.7" in info and "pdf:Producer" not in info and "Tagged:          yes" in info
    xmp = run("pdfinfo", "-meta", str(file))
    assert "<pdfaid:part>3</pdfaid:part>" in xmp or 'pdfaid:part="3"' in xmp


def test_the_statement_is_embedded_as_it_was_signed(true: Certificate) -> None:
    assert ophor_verify.read_pdf(true.pdf).dsse == true.dsse


def test_the_unsealed_pdf_and_the_statement_are_the_same_bytes_again(true: Certificate) -> None:
    digest = document.digest_of(true.payload)
    first, second = (document.render(true.statement["predicate"], true.dsse, digest) for _ in range(2))
    assert first == second
    assert statement(true.world.draft()) == true.statement


def test_the_seal_can_be_read_by_the_library_that_did_not_write_our_check(true: Certificate) -> None:
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.validation import validate_pdf_signature
    from pyhanko_certvalidator import ValidationContext

    reader = PdfFileReader(io.BytesIO(true.pdf))
    root = load_seal(true.world.folder / "render").certificate
    from asn1crypto import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    context = ValidationContext(trust_roots=[x509.Certificate.load(root.public_bytes(Encoding.DER))])
    status = validate_pdf_signature(reader.embedded_signatures[0], context)
    assert status.intact and status.valid and status.trusted


def test_english_comes_by_a_switch_with_the_same_facts(true: Certificate) -> None:
    html = document.page(true.statement["predicate"], document.digest_of(true.payload), english=True)
    assert "Deletion certificate" in html and "REHEARSAL – NOT PROOF OF DELETION" in html and ">56<" in html
    assert "Slettebevis" not in html


def test_text_from_a_name_cannot_become_markup(true: Certificate) -> None:
    predicate = true.statement["predicate"] | {"controller": given.party("<script>x</script>", "11111111")}
    assert "<script>" not in document.page(predicate, "0" * 64)
