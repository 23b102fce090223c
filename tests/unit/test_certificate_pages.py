"""What the pages of certificates and letters show: words for codes, the expiry curve, many systems and none."""

from __future__ import annotations

import ast
import base64
import io
import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from pyhanko.pdf_utils.reader import PdfFileReader

from services.compliance import domain
from services.compliance.documents import document, expiry, labels, report, report_page
from services.compliance.documents.statement import statement
from shared.words.gates import gate
from tests.unit import evidence_world as given
from tests.unit import stage_world as stages
from tests.unit.attested_world import attested_exit
from tests.unit.evidence_world import EXIT, World

SVG = "{http://www.w3.org/2000/svg}"
Row = dict[str, Any]
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys")


def said(world: World, stage: str = domain.ACTIVE, on: str = "2026-10-06") -> Row:
    predicate: Row = statement(stages.draft(world, stage, on, serial=1))["predicate"]
    return predicate


def page(predicate: Row, *, english: bool = False) -> str:
    return document.page(predicate, "0" * 64, english=english)


@pytest.fixture(scope="module")
def active(folder: Path) -> Row:
    return said(World(folder).told(given.deleted_exit()))


def drawn(predicate: Row, language: str) -> tuple[dict[str, str], list[str]]:
    found = expiry.picture(predicate, language)
    assert found is not None
    svg = base64.b64decode(found["src"].partition(",")[2])
    return found, [each.text or "" for each in ElementTree.fromstring(svg).iter(f"{SVG}text")]


@pytest.mark.parametrize(
    ("language", "alt", "title"),
    [
        ("da", "1 af 1 backupsæt findes endnu 6.10.2026. Efter planen er det sidste væk efter 1.3.2027. Sidste frist "
         "er 5.4.2027.", "Backupsæt: planlagt og konstateret udløb"),
        ("en", "1 of 1 backup sets are still there on 2026-10-06. By the plan none is left after 2027-03-01. The last "
         "day allowed is 2027-04-05.", "Backup sets: planned and observed expiry"),
    ],
)  # fmt: skip
def test_the_curve_says_the_statement_s_sets_in_picture_and_words(
    active: Row, language: str, alt: str, title: str
) -> None:
    found, texts = drawn(active, language)
    assert found["alt"].endswith(alt) and texts[0] == title
    assert found == expiry.picture(active, language), "the same statement, the same bytes"
    shown = page(active, english=language == "en")
    assert f'src="{found["src"]}"' in shown and f'alt="{found["alt"]}"' in shown


def test_the_curve_falls_only_with_what_was_seen_and_names_what_is_past_its_day(active: Row) -> None:
    late = active | {"issued_on": "2027-03-05"}
    assert "Over deres sidste dag: 1." in drawn(late, "da")[0]["alt"]
    assert "! pladsanvisning/pg-1" in drawn(late, "da")[1]
    gone = late | {"backups": [active["backups"][0] | {"answer": "GONE", "observed_on": "2027-03-02"}]}
    found, texts = drawn(gone, "da")
    assert found["alt"].startswith("Udløbskurve: 0 af 1") and texts[1].startswith("0 af 1")


def test_a_certificate_draws_its_own_systems_sets_and_a_letter_all_of_them(folder: Path) -> None:
    world = World(folder).told(given.deleted_exit())
    other = {"system": "morgenvagt", "set_id": "m-1", "taken_on": "2026-09-02", "expires_on": "2027-01-01"}
    world.told([("deletion.backup_registered", {"exit_id": EXIT, **other})])
    partly = statement(stages.draft(world, domain.ACTIVE, serial=1, activities=("D2",)))["predicate"]
    assert [one["set_id"] for one in expiry.sets_of(partly)] == ["m-1"]
    assert len(expiry.sets_of(said(world, domain.STATUS))) == 2
    assert "ikke omfattet af beviset" in page(partly)


def test_nothing_is_drawn_where_no_set_is_registered(folder: Path) -> None:
    events = [one for one in given.deleted_exit() if one[0] != "deletion.backup_registered"]
    letter = said(World(folder).told(events), domain.STATUS, "2026-10-15")
    assert expiry.picture(letter, "da") is None and "<figure>" not in page(letter)
    assert expiry.picture(said(World(folder).told(given.deleted_exit()), domain.DELIVERY), "da") is None


def test_people_s_system_has_no_counts_and_is_not_called_verified(folder: Path) -> None:
    shown = page(said(World(folder).told(attested_exit())))
    row = shown.split('<td colspan="10"><b>extens</b>')[1].split("</tbody>")[0]
    assert "manuelt (erklæret), ikke efterprøvet af os" in row and "erklæret</span>" in row
    assert row.count('<td class="r">–</td>') == 6 and "not verified" not in row
    assert "DESTROY (erklæret): extens" in shown and "ingen (logisk sletning): pladsanvisning" in shown


def test_what_was_done_below_the_rows_stands_with_its_system(active: Row) -> None:
    danish, english = page(active), page(active, english=True)
    assert "Renset. Bytes kan stadig ligge i databasens log, replikaer, ledig plads i filen." in danish
    assert "Renset, men gamle versioner holdes fast: serverens eget historikvindue." in danish
    assert "Cleaned: 1; Cleaned, but old versions are held: 1; Cannot be cleaned from here: 1." in english


def test_places_with_different_answers_below_the_rows_are_named() -> None:
    rows = [given.below(given.place("pladsanvisning", name, 3)) for name in ("barn", "vej", "kode")]
    rows[2] |= {"answer": "ERROR", "reason": "EFFECT_NOT_SEEN"}
    assert [one.split(".")[0] for one in labels.below_each(rows, "en")] == [
        "Cleaned (barn, vej)", "Not cleaned: the effect could not be seen afterwards (kode)",
    ]  # fmt: skip


@pytest.mark.parametrize("stage", [domain.ACTIVE, domain.DELIVERY, domain.ACCESS, domain.STATUS])
@pytest.mark.parametrize("english", [False, True])
def test_no_sentence_sticks_to_the_one_before_it(folder: Path, stage: str, english: bool) -> None:
    predicate = said(World(folder).told(given.deleted_exit()), stage)
    predicate["signers"] |= {"os_users": {"seal_user": 801, "sign_user": 802}}
    blocks = re.split(r"</?(?:p|li|t[dhr]|d[dt]|div|h\d|br|ul|table|style)\b[^>]*>", page(predicate, english=english))
    told = [re.sub(r"<[^>]*>|\s+", lambda found: " " if found[0].isspace() else "", block) for block in blocks]
    assert [
        stuck[0] for text in told for stuck in [re.search(r".{0,30}[a-zæøå)][.;:,][A-ZÆØÅ][a-zæøå].*", text)] if stuck
    ] == []


def test_every_picture_of_the_tagged_page_has_words_for_whoever_has_it_read_aloud(active: Row) -> None:
    assert "<title>QR code for verifying: " in page(active, english=True)
    pdf = PdfFileReader(io.BytesIO(document.render(active, b"{}", "0" * 64)))
    told = [str(one["/Alt"]) for one in parts_of(pdf.root["/StructTreeRoot"]) if one.get("/S") == "/Figure"]
    found = expiry.picture(active, "da")
    assert found and len(told) == 2 and told[0].startswith("QR-kode til efterprøvning: ") and told[1] == found["alt"]


def parts_of(node: Any) -> Iterator[Any]:
    """Every element of a PDF's structure tree, as the reading order has them."""
    node = node.get_object() if hasattr(node, "get_object") else node
    if isinstance(node, dict):
        yield node
        under = node.get("/K", [])
        for one in under if isinstance(under, list) else [under]:
            yield from parts_of(one)


def test_a_danish_letter_tells_its_gates_in_danish(folder: Path) -> None:
    letter = said(World(folder).told(given.deleted_exit()), domain.STATUS, "2026-10-15")
    shown = page(letter)
    for words in ("C7: ACTIVE-DELETED er ikke udstedt", "pladsanvisning: sættet pg-1: ikke set efter endnu",
                  "Gældende beviser: ingen."):  # fmt: skip
        assert words in shown
    assert "is not issued" not in shown and "is not issued" in page(letter, english=True)


@pytest.mark.parametrize(
    ("detail", "danish"),
    [
        ("every system: hold h-1 is not lifted", "alle systemer: tilbageholdelsen h-1 er ikke ophævet"),
        ("pladsanvisning/barn: 3 rows are left", "pladsanvisning/barn: 3 rækker er tilbage"),
        ("the log has no plan of this exit", "loggen har ingen plan"),
        ("plads: set pg-1 is ERROR", "plads: sættet pg-1: kunne ikke ses efter"),
        ("what nobody has words for", "what nobody has words for"),
    ],
)
def test_a_detail_is_said_in_danish_where_there_are_words(detail: str, danish: str) -> None:
    assert gate("X", detail)["detail_da"] == danish


@pytest.mark.parametrize(("until", "revoked", "there"), [(179, None, 1), (181, None, 0), (-1, None, 1), (9, "X", 0)])
def test_the_report_reminds_of_a_seal_whose_time_stamp_ends_within_half_a_year(
    folder: Path, until: int, revoked: str | None, there: int
) -> None:
    facts, on = World(folder).told(given.deleted_exit()).log.facts(), date(2026, 10, 16)
    holds = {"until": on + timedelta(days=until), "stamped_by": "CN=Test TSA", "stamped_on": on}
    names = {"number": "SB-000001", "stage": "ACTIVE-DELETED", "state": "issued", "activities": [], "issued_on": on}
    head = {"origin": "-", "size": 0, "root": "-", "checkpoint": "", "keys": []}
    rows = [names | {"revoked": revoked, "seal": "B-LTA", "seal_holds": holds}]
    view = report.View("exit-1", on, "rehearsal", facts, given.RECORD, [], [], rows, [], head)
    left = [one for one in report.report(view)["left"] if one["what"] == "seal"]
    assert len(left) == there
    shown = report_page.page(report.report(view), "0" * 64)
    assert ("Fornyelse af tidsstemplet på seglet" in shown) == bool(there)


KNOWN = {"{ACTIVE}": "ACTIVE-DELETED", "{row['kind']}": "PACKAGE"}
SAYING = ("domain/refusals/*.py", "domain/forgetting.py", "facts/copies.py", "facts/shredded.py",
          "documents/attestations.py")  # fmt: skip


def details() -> Iterator[str]:
    """Every detail that a refusal's source writes, a figure or a day for each value in it."""
    for path in (path for pattern in SAYING for path in sorted((ROOT / "services/compliance").glob(pattern))):
        for node in ast.walk(ast.parse(path.read_text())):
            said = node.args[1:2] if isinstance(node, ast.Call) and ast.unparse(node.func) == "Refusal" else []
            said = [node.value] if isinstance(node, ast.Yield) and node.value else said
            said = said[0].elts[1:] if said and isinstance(said[0], ast.Tuple) else said
            for one in (each.value if isinstance(each, ast.Subscript) else each for each in said):
                yield from written(one)


def written(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.BinOp):  # a detail with two ends
        yield from (first + last for first in written(node.left) for last in written(node.right))
    elif isinstance(node, ast.IfExp):
        yield from (*written(node.body), *written(node.orelse))
    elif isinstance(node, ast.Constant):
        yield str(node.value)
    elif isinstance(node, ast.JoinedStr) and "why" not in ast.unparse(node) and "fault" not in ast.unparse(node):
        yield "".join(
            str(part.value) if isinstance(part, ast.Constant)
            else "2026-10-01" if "until" in ast.unparse(part) else KNOWN.get(ast.unparse(part), "7")
            for part in node.values
        )  # fmt: skip


def test_no_detail_of_a_refusal_stays_english_in_a_danish_letter() -> None:
    found = sorted(set(details()))
    assert len(found) > 70
    assert [one for one in found if gate("X", one)["detail_da"] == one] == []


def test_long_names_and_nobody_s_names_stay_on_the_page(folder: Path) -> None:
    nobody = statement(stages.letter_without_names(World(folder).told(given.deleted_exit()[:1])))["predicate"]
    shown = page(nobody)
    assert shown.count("Ikke navngivet endnu") == 2 and "DPO: –" not in shown
