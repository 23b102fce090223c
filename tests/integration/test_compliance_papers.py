"""The DPO's report and the audit export, from a real database: what they say, for whom, and what a stranger checks."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from contracts.errors import Rejected
from services.compliance import papers
from services.compliance.documents import bundle
from services.compliance.signing import keys
from services.compliance.store import forgetting
from services.compliance.verifier import ophor_verify
from tests.integration.bus_store_parts import mongo
from tests.integration.compliance_house import AUDITOR, DPO, STRANGER, House, house
from tests.unit import evidence_world as given
from tests.unit.evidence_world import EXIT

pytestmark = pytest.mark.xdist_group("compliance-papers")
OTHER = "exit-other-customer"


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with mongo() as database, house(database.uri, tmp_path_factory.mktemp("keys"), "papers") as made:
        events = given.deleted_exit()
        made.clock.set(date(2026, 9, 29))
        made.tell(events[:8])
        made.clock.set(date(2026, 10, 6))
        made.tell(events[8:])
        made.do(DPO, "make_request", exit_id=EXIT, what="DOCUMENTATION", basis="S2-13-a", subject="DELETION")
        stranger = [(wire, data | {"exit_id": OTHER, "customer_cvr": "22222222"}) for wire, data in events[:1]]
        made.tell(stranger)
        made.clock.set(date(2026, 10, 8))
        made.tell([*given.hold("morgenvagt")])
        yield made


def drawn(there: House, row: dict[str, Any]) -> bytes:
    """Draw what was asked for, as the renderer does, and read it back part by part."""
    public, key = there.public, keys.load_seal(there.folder / "render")
    data, reasons = there.store.read(lambda unit: papers.gather(unit, row["paper_id"], public))(key)
    there.store.run(lambda unit: papers.keep(unit, row["paper_id"], data, reasons))
    actor = AUDITOR if row["what"] == "export" else DPO
    made = there.do(actor, "read_paper", paper_id=row["paper_id"])
    assert made["state"] == "made", made["reasons"]
    found, offset = b"", 0
    while offset is not None:
        part = there.do(actor, "read_paper_part", paper_id=row["paper_id"], offset=offset)
        found, offset = found + base64.b64decode(part["part"]), part["next_offset"]
    assert hashlib.sha256(found).hexdigest() == made["digest"]
    return found


def export(there: House, since: str = "2026-10-06", until: str = "2026-10-07", **more: Any) -> bytes:
    return drawn(there, there.do(AUDITOR, "draw_export", since=since, until=until, **more))


def verdict(there: House, data: bytes, **more: Any) -> ophor_verify.Report:
    options = ophor_verify.Options(there.public.lines(), rehearsal=True, **more)
    return ophor_verify.verify(data, options)


def wrong(report: ophor_verify.Report) -> list[int]:
    return sorted(one.n for one in report.checks if one.result == "FAILED")


@pytest.mark.parametrize(("language", "words"), [
    ("da", ["Slettefrister, og hvem der fastsatte dem", "Ikke permanent slettet", "hvad udestår", "ØVELSE"]),
    ("en", ["Deletion periods, and who set them", "Not permanently", "what is left", "REHEARSAL"]),
])  # fmt: skip
def test_the_report_has_the_authority_s_headings_in_both_languages(
    there: House, tmp_path: Path, language: str, words: list[str]
) -> None:
    row = there.do(DPO, "draw_report", exit_id=EXIT, language=language)
    pdf = tmp_path / "report.pdf"
    pdf.write_bytes(drawn(there, row))
    done = subprocess.run(["pdftotext", str(pdf), "-"], capture_output=True, text=True, check=True)
    text = " ".join(done.stdout.split())
    assert [word for word in words if word not in text] == []
    assert all(f"{number} · " in text for number in range(1, 9)), "the eight headings"
    assert "S2 28.1" in text and "GDPR art. 28(3)(g)" in text
    seals = subprocess.run(["pdfsig", str(pdf)], capture_output=True, text=True, check=False).stdout
    assert "Signature is Valid" in seals


def test_only_the_customer_s_own_people_have_a_report_and_read_it(there: House) -> None:
    with pytest.raises(Rejected, match="CUSTOMER_NOT_IN_SCOPE"):
        there.do(STRANGER, "draw_report", exit_id=EXIT)
    row = there.do(DPO, "draw_report", exit_id=EXIT)
    for name, more in (("read_paper", {}), ("read_paper_part", {"offset": 0})):
        with pytest.raises(Rejected, match="CUSTOMER_NOT_IN_SCOPE"):
            there.do(STRANGER, name, paper_id=row["paper_id"], **more)


def test_an_export_is_verified_by_the_verifier_that_everybody_has(there: House) -> None:
    data = export(there, exit_id=EXIT)
    report = verdict(there, data)
    assert (report.code, report.level, report.malformed) == (0, "SIGNED", "")
    assert {one.n for one in report.checks if one.result == "OK"} == {1, 2, 4, 6, 7, 8, 9, 10, 16, 18}
    members = ophor_verify.read_zip(data)
    said = json.loads(members["export.json"])
    (part,) = said["exits"]
    assert len(part["entries"]) == len(part["inside"]) + 2, "the entries next to the period on either side"
    approvals = json.loads(members["approvals/0000.json"])["rows"]
    assert [one["kind"] for one in approvals].count("DELETION_INTENT") == 3
    assert [one["kind"] for one in json.loads(members["requests/0000.json"])["rows"]] == [
        "REQUEST_MADE", "REQUEST_ANSWERED",
    ]  # fmt: skip
    owed = {one["id"]: one["state"] for one in json.loads(members["obligations/0000.json"])["rows"]}
    assert owed["S2-13-a"] == "met" and owed["GDPR-28.3.g"] in ("pending", "at_risk")


def test_the_program_itself_verifies_it(there: House, tmp_path: Path) -> None:
    file = tmp_path / "export.zip"
    file.write_bytes(export(there, exit_id=EXIT))
    argv = [sys.executable, "-I", ophor_verify.__file__, str(file), "--rehearsal"]
    argv += [f"--key={one}" for one in there.public.lines()]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert subprocess.run(argv[:4], capture_output=True, check=False).returncode == 3, "without --rehearsal"


def test_another_customer_s_data_are_never_in_an_export(there: House) -> None:
    data = export(there)
    assert [one["exit"] for one in json.loads(ophor_verify.read_zip(data)["export.json"])["exits"]] == [EXIT]
    assert OTHER.encode() not in data and b"22222222" not in data
    with pytest.raises(Rejected, match="CUSTOMER_NOT_IN_SCOPE"):
        there.do(AUDITOR, "draw_export", since="2026-10-06", until="2026-10-07", exit_id=OTHER)


@pytest.mark.parametrize(("since", "until"), [("2026-10-07", "2026-10-06"), ("2026-10-06", "2027-01-01")])
def test_a_period_that_has_not_been_is_refused(there: House, since: str, until: str) -> None:
    with pytest.raises(Rejected, match="PERIOD_WRONG"):
        there.do(AUDITOR, "draw_export", since=since, until=until)


def forged(there: House, data: bytes, change: Any) -> bytes:
    """Change members and sign a new manifest with the true key, as an insider could."""
    members = {name: one for name, one in ophor_verify.read_zip(data).items() if name != "manifest.dsse.json"}
    said = json.loads(members["export.json"])
    change(members, said)
    members["export.json"] = ophor_verify.canonical(said)
    return bundle.build(members, said["number"], keys.load_seal(there.folder / "render"))


def left_out(members: dict[str, bytes], said: dict[str, Any]) -> None:
    """Leave out an entry in the middle of the period, everywhere."""
    index = said["exits"][0]["inside"][3]
    for rows in (said["exits"][0]["inside"], said["exits"][0]["entries"], said["log"]["entries"]):
        rows.remove(index)
    for folder in ("evidence", "proofs"):
        del members[f"{folder}/{index:012d}.json"]


def retold(members: dict[str, bytes], said: dict[str, Any]) -> None:
    name = "approvals/0000.json"
    listed = json.loads(members[name])
    listed["rows"] = listed["rows"][1:]
    members[name] = ophor_verify.canonical(listed)


def moved(members: dict[str, bytes], said: dict[str, Any]) -> None:
    said["since"] = "2026-09-28"


def rewritten(members: dict[str, bytes], said: dict[str, Any]) -> None:
    name = next(one for one in members if one.startswith("evidence/"))
    members[name] = members[name].replace(b'"version":1', b'"version":2')


@pytest.mark.parametrize(
    ("change", "checks"), [(left_out, [9]), (retold, [16]), (moved, [9]), (rewritten, [8])],
    ids=["left-out", "retold", "moved", "rewritten"],
)  # fmt: skip
def test_even_whoever_holds_the_sealing_key_cannot_leave_out_move_or_rewrite(
    there: House, change: Any, checks: list[int]
) -> None:
    report = verdict(there, forged(there, export(there, exit_id=EXIT), change))
    assert wrong(report) == checks


def test_any_changed_byte_of_an_export_is_rejected(there: House) -> None:
    data = export(there, exit_id=EXIT)
    for at in range(0, len(data), max(1, len(data) // 60)):
        broken = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        assert verdict(there, broken).code in (1, 2), at


def test_what_is_forgotten_takes_the_papers_that_told_of_it_along(there: House) -> None:
    row = there.do(DPO, "draw_report", exit_id=EXIT)
    drawn(there, row)
    entry = there.store.db.log_entries.find_one({"_id": {"$regex": f"^{EXIT}/"}, "kind": "HOLD_PLACED"})
    assert entry is not None
    there.store.run(lambda unit: forgetting.forget(unit, EXIT, entry["index"]))
    gone = there.do(DPO, "read_paper", paper_id=row["paper_id"])
    assert (gone["state"], gone["reasons"]) == ("failed", ["FORGOTTEN"])
    with pytest.raises(Rejected, match="DOCUMENT_PART_UNKNOWN"):
        there.do(DPO, "read_paper_part", paper_id=row["paper_id"], offset=0)
