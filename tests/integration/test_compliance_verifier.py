"""The verifier: what it accepts, that every changed byte is rejected, and that each forgery fails for its own reason.

The forgeries are made with all of our own keys: an insider who signs what is not true.
"""

from __future__ import annotations

import copy
import hashlib
import io
import json
import random
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from services.compliance import domain, revocations
from services.compliance.documents import bundle
from services.compliance.documents.statement import statement
from services.compliance.log import checkpoint, tree
from services.compliance.signing.envelope import STATEMENT_TYPE, canonical, envelope, pae
from services.compliance.signing.keys import LOG, SEAL, load_note
from services.compliance.verifier import ophor_verify
from services.compliance.verifier.ophor_verify import Options, Report, verify
from services.console import verify as console_verify
from tests.unit import evidence_world as given
from tests.unit.evidence_world import Certificate, World, issue, sign

SEED, SAMPLE = 1471, 250


@pytest.fixture(scope="module")
def true(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return World(tmp_path_factory.mktemp("keys")).told(given.deleted_exit()).certify()


@pytest.fixture(scope="module")
def last(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    world = World(tmp_path_factory.mktemp("keys")).told(given.deleted_exit()).issued()
    return world.told(given.backups_gone()).certify(domain.EXPIRED, "2027-03-03")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return World(tmp_path_factory.mktemp("keys")).told(given.kept_exit()).certify()


def judge(certificate: Certificate, data: bytes, **more: Any) -> Report:
    return verify(data, Options(**({"keys": given.keys(certificate.world), "rehearsal": True} | more)))


def failed(report: Report) -> dict[int, str]:
    return {check.n: check.detail for check in report.checks if check.result == "FAILED"}


# What it accepts, and the ladder.


@pytest.mark.parametrize("form", ["bundle", "pdf", "dsse"])
def test_all_three_forms_verify(true: Certificate, last: Certificate, form: str) -> None:
    for certificate in (true, last):
        report = judge(certificate, getattr(certificate, form))
        assert (report.code, report.level, failed(report)) == (0, "SIGNED", {})


def test_a_bundle_has_every_check_done_but_those_that_need_something_from_outside(true: Certificate) -> None:
    report = judge(true, true.bundle)
    assert {check.n for check in report.checks if check.result == "OK"} == {*range(1, 19), 22} - {11, 17}
    assert {check.n for check in report.checks if check.result == "NOT DONE"} == {11, 17, 19, 20, 21}


def test_a_rehearsal_without_the_flag_ends_with_3(true: Certificate) -> None:
    assert judge(true, true.bundle, rehearsal=False).code == 3


def test_without_a_key_the_answer_is_self_consistent_and_3(true: Certificate) -> None:
    report = judge(true, true.bundle, keys=[])
    assert (report.code, report.level) == (3, "SELF-CONSISTENT")


def test_one_trusted_signature_of_two_is_not_enough(true: Certificate) -> None:
    log, seal, _, pdf = given.keys(true.world)
    for keys in ([seal], [log], [pdf], [log, seal, pdf]):
        report = judge(true, true.bundle, keys=keys)
        assert (report.code, report.level) == (3, "SELF-CONSISTENT")


def test_heads_from_outside_are_found_in_the_log(true: Certificate) -> None:
    heads = list(true.world.log.heads.values())
    report = judge(true, true.bundle, heads=heads)
    assert report.code == 0 and f"{len(heads)} of {len(heads)}" in next(c.detail for c in report.checks if c.n == 11)


def listed(certificate: Certificate, *rows: tuple[str, str, str], holder: Path | None = None) -> str:
    """Sign a revocation list with the log's key."""
    world = certificate.world
    signer = load_note((holder or world.folder) / "ledger", LOG)
    revoked = [revocations.Revoked(number, digest, "2026-10-09", code) for number, digest, code in rows]
    return revocations.sign(world.public.origin, revoked, signer)


def test_a_revoked_certificate_fails(true: Certificate) -> None:
    mine, other = hashlib.sha256(true.payload).hexdigest(), "0" * 64
    by_digest = listed(true, ("ØV-000007", other, "DATA_FOUND"), ("ØV-000009", mine, "WRONG_COUNTS"))
    assert failed(judge(true, true.bundle, revocations=by_digest)) == {17: "revoked on 2026-10-09: WRONG_COUNTS"}
    by_number = listed(true, ("ØV-000001", other, "KEY_COMPROMISED"))
    for form in (true.bundle, true.pdf, true.dsse):
        assert failed(judge(true, form, revocations=by_number)).keys() == {17}
    for clear in (listed(true), listed(true, ("ØV-000007", other, "DATA_FOUND"), ("ØV-000001", other, "SUPERSEDED"))):
        assert judge(true, true.bundle, revocations=clear).code == 0


def test_a_list_that_the_log_did_not_sign_whole_is_not_believed(true: Certificate, tmp_path: Path) -> None:
    World(tmp_path)
    row = ("ØV-000007", "0" * 64, "DATA_FOUND")
    true_list = listed(true, row)
    for bad, why in (
        (listed(true, row, holder=tmp_path), "did not sign"),
        (true_list.replace("000007", "000008"), "did not sign"),
        (true_list.replace("\n1\n", "\n2\n"), "cut off"),
        (true_list.replace("/revocations", "-2/revocations"), "another log"),
        ("ØV-000007\n", "not a signed list"),
        (true_list + "\n", "not a signed list"),
    ):
        assert why in failed(judge(true, true.bundle, revocations=bad))[17]
    for wrong in (("ØV 7", "0" * 64, "X_Y"), ("ØV-7", "0" * 63, "X_Y"), ("ØV-7", "0" * 64, "x")):
        with pytest.raises(ValueError, match="not a revocation"):
            listed(true, wrong)


def test_what_the_answer_does_not_show_is_said_in_both_languages(true: Certificate) -> None:
    bare, whole = judge(true, true.dsse, keys=[]), judge(true, true.bundle, revocations=listed(true))
    assert "IKKE UDFØRT" in ophor_verify.as_text(bare, "x", False) and "NOT DONE" in ophor_verify.as_text(
        bare, "x", True
    )
    for report, words in ((bare, "Hvem der har underskrevet"), (whole, "intet vidne")):
        assert words in ophor_verify.as_text(report, "x", False)
    assert "trukket tilbage" not in ophor_verify.as_text(whole, "x", False)
    assert "no copies exist" in ophor_verify.as_text(whole, "x", True)


def test_an_answer_cannot_write_on_the_reader_s_terminal(true: Certificate) -> None:
    report = forged(true, lambda p: p.update(number="ØV-1\x1b[2J\u202e"))
    for english in (False, True):
        said = ophor_verify.as_text(report, "x", english)
        assert report.code == 1 and all(one.isprintable() or one == "\n" for one in said)


# The file by itself.


def test_the_verifier_runs_alone_without_the_project(true: Certificate, tmp_path: Path) -> None:
    shutil.copy(bundle.VERIFIER, tmp_path)
    (tmp_path / "b.zip").write_bytes(true.bundle)
    (tmp_path / "head").write_text(next(iter(true.world.log.heads.values())), encoding="utf-8")
    keys = [word for key in given.keys(true.world) for word in ("--key", key)]
    argv = [sys.executable, "-I", "ophor_verify.py", "b.zip", *keys, "--head", "head", "--rehearsal"]
    answer = subprocess.run([*argv, "--json"], cwd=tmp_path, capture_output=True, check=False)
    said = json.loads(answer.stdout)
    assert answer.returncode == 0, answer.stderr
    assert (said["result"], said["level"], said["number"]) == ("VERIFIED", "SIGNED", "ØV-000001")
    text = subprocess.run([*argv, "--english"], cwd=tmp_path, capture_output=True, check=False).stdout.decode()
    assert "REHEARSAL – NOT PROOF OF DELETION" in text and "The signed statement counts, not the page" in text


def test_ophor_verify_gives_the_verifier_s_own_answer_and_exit_code(true: Certificate, tmp_path: Path) -> None:
    app, file = typer.Typer(), tmp_path / "c.pdf"
    app.command()(console_verify.verify)
    file.write_bytes(true.pdf)
    keys = [f"--key={key}" for key in given.keys(true.world)]
    for argv, code in (
        ([*keys, "--rehearsal"], 0),
        (keys, 3),
        (["--rehearsal"], 3),
        ([*keys, "--rehearsal", "--json", "--english", "--head", str(tmp_path / "none")], 2),
    ):
        assert CliRunner().invoke(app, [str(file), *argv]).exit_code == code
    file.write_bytes(true.pdf + b"x")
    assert CliRunner().invoke(app, [str(file), *keys, "--rehearsal"]).exit_code == 2


def test_the_verifier_imports_nothing_of_the_project_and_no_network() -> None:
    text = bundle.VERIFIER.read_text("utf-8")
    for word in ("contracts", "shared", "services", "socket", "urllib", "http.client", "requests"):
        assert f"import {word}" not in text and f"from {word}" not in text


def test_a_missing_file_and_garbage_are_malformed(tmp_path: Path) -> None:
    assert ophor_verify.main([str(tmp_path / "none")]) == 2
    for data in (b"", b"PK", b"%PDF-1.7", b"{", b"{}", b"PK\x03\x04" + bytes(40), random.Random(SEED).randbytes(999)):
        assert verify(data, Options()).code == 2


# Every changed byte.


def changed(data: bytes, at: int, how: random.Random) -> bytes:
    return data[:at] + bytes([data[at] ^ how.randrange(1, 256)]) + data[at + 1 :]


@pytest.mark.parametrize("form", ["bundle", "pdf", "dsse"])
def test_a_changed_byte_anywhere_is_rejected(true: Certificate, form: str) -> None:
    data, how = getattr(true, form), random.Random(SEED)
    edges = [*range(40), *range(len(data) - 60, len(data))]
    for at in [*edges, *(how.randrange(len(data)) for _ in range(SAMPLE))]:
        assert judge(true, changed(data, at, how)).code in (1, 2), f"byte {at} of the {form}"


def test_every_byte_of_the_pdf_s_seal_counts_even_in_another_spelling(true: Certificate) -> None:
    start = true.pdf.index(b"/Contents <") + len(b"/Contents ")
    end = true.pdf.index(b">", start) + 1
    used = len(true.pdf[start:end].rstrip(b"0>"))
    for at in [*range(start, start + 120), *range(start + used - 30, start + used + 30), *range(end - 20, end)]:
        assert judge(true, changed(true.pdf, at, random.Random(at))).code in (1, 2)
        letter = true.pdf[at : at + 1]
        if letter.lower() != letter:
            assert judge(true, true.pdf[:at] + letter.lower() + true.pdf[at + 1 :]).code == 2


def test_every_byte_of_the_byte_range_and_of_the_zip_s_end_counts(true: Certificate) -> None:
    at = true.pdf.index(b"/ByteRange")
    for where in range(at, at + 90):
        assert judge(true, changed(true.pdf, where, random.Random(where))).code in (1, 2)
    for where in range(len(true.bundle) - 22, len(true.bundle)):
        assert judge(true, changed(true.bundle, where, random.Random(where))).code == 2


def test_a_changed_member_zipped_again_with_the_right_checksum_is_rejected(true: Certificate) -> None:
    members, how = ophor_verify.read_zip(true.bundle), random.Random(SEED)
    for name, data in members.items():
        forged = members | {name: changed(data, how.randrange(len(data)), how)}
        assert judge(true, bundle.write_zip(forged)).code in (1, 2), name


def test_a_member_too_many_too_few_or_renamed_is_rejected(true: Certificate) -> None:
    members = ophor_verify.read_zip(true.bundle)
    assert "not listed: extra.txt" in failed(judge(true, bundle.write_zip(members | {"extra.txt": b"x"})))[2]
    without = {name: data for name, data in members.items() if name != "VERIFY.md"}
    assert "listed but missing: VERIFY.md" in failed(judge(true, bundle.write_zip(without)))[2]


def test_bytes_before_and_after_are_rejected(true: Certificate) -> None:
    for data in (true.bundle, true.pdf, true.dsse):
        assert judge(true, data + b"\n").code == 2
        assert judge(true, b"\n" + data).code == 2
        assert judge(true, data[:-1]).code == 2


# Forged files.


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as made:
        for name, data in members.items():
            made.writestr(name, data)
    return file.getvalue()


def spelled(true: Certificate, old: bytes, new: bytes) -> bytes:
    """Sign the statement in another spelling, with both true keys."""
    assert old in true.payload
    return sign(true.world, true.payload.replace(old, new, 1))


MALFORMED: list[tuple[str, Callable[[Certificate], bytes], str]] = [
    ("a zip bomb", lambda _: zipped({"certificate.pdf": bytes(10_000_000)}, zipfile.ZIP_DEFLATED), "zip bomb"),
    ("another zip writer", lambda it: zipped(it.members), "canonical zip"),
    ("a path upwards", lambda it: bundle.write_zip(it.members | {"../../etc/x": b""}), "path refused"),
    ("an absolute path", lambda it: bundle.write_zip(it.members | {"/etc/x": b""}), "path refused"),
    ("a hidden detour", lambda it: bundle.write_zip(it.members | {"a/../b": b""}), "path refused"),
    ("no PDF", lambda it: bundle.write_zip({"certificate.dsse.json": it.dsse}), "missing"),
    ("a duplicate key in the envelope", lambda it: it.dsse.replace(b"{", b'{"payloadType":"x",', 1), "duplicate key"),
    ("a duplicate key in the statement", lambda it: spelled(it, b'{"_type"', b'{"_type":"x","_type"'), "duplicate key"),
    ("NaN", lambda it: spelled(it, b'"changes":0', b'"changes":NaN'), "NaN"),
    ("a fraction", lambda it: spelled(it, b'"changes":0', b'"changes":0.0'), "not an integer"),
    ("a huge number", lambda it: spelled(it, b'"changes":0', b'"changes":' + b"9" * 400), "too large"),
    ("blanks", lambda it: spelled(it, b'{"_type":', b'{"_type": '), "not canonical"),
    (
        "deep nesting",
        lambda it: spelled(it, b'"changes":0', b'"changes":' + b"[" * 90_000 + b"]" * 90_000),
        "statement",
    ),
    ("another payload type", lambda it: it.dsse.replace(b"in-toto", b"ni-toto"), "payload type"),
    ("text after the seal", lambda it: it.pdf + b"\n1 0 obj << >> endobj\n%%EOF\n", "outside the seal"),
    ("an unsealed PDF", lambda it: it.pdf[: it.pdf.index(b"%%EOF") + 6], "not exactly one seal"),
    ("a second seal", lambda it: it.pdf + b"/ByteRange [0 1 2 3]", "bytes outside the seal"),
]


@pytest.mark.parametrize(("make", "reason"), [one[1:] for one in MALFORMED], ids=[one[0] for one in MALFORMED])
def test_a_malformed_file_is_refused_for_its_own_reason(
    true: Certificate, make: Callable[[Certificate], bytes], reason: str
) -> None:
    report = judge(true, make(true))
    assert report.code == 2 and reason in report.malformed


def test_none_and_two_embedded_files_are_refused(true: Certificate) -> None:
    for data in (b"", true.pdf + b"/Type /EmbeddedFile"):
        with pytest.raises(ophor_verify.Malformed, match="not exactly one embedded file"):
            ophor_verify.embedded(data)


def forged(certificate: Certificate, change: Callable[[dict[str, Any]], Any], **more: Any) -> Report:
    """Change the statement, sign and seal it with the true keys, and judge the bundle."""
    made = copy.deepcopy(certificate.statement)
    change(made["predicate"])
    return judge(certificate, issue(certificate.world, made, **more).bundle)


def system(predicate: dict[str, Any], name: str = "pladsanvisning") -> dict[str, Any]:
    return next(one for one in predicate["systems"] if one["system"] == name)


def cook(predicate: dict[str, Any]) -> None:
    """Say one row more was there and deleted: the statement's own sums still agree."""
    one = system(predicate)
    for count in (one["places"][0], one["counts"]):
        for name in ("before", "deleted"):
            count[name] += 1
    one["deleted_in_all"] += 1


HOLD = {"hold_id": "hold-9", "system": None, "basis": "LAW", "digest": "0" * 64, "placed_on": "2026-10-01",
        "lifted_on": "2026-10-02", "evidence": []}  # fmt: skip


def dated(predicate: dict[str, Any], name: str) -> None:
    next(one for one in predicate["dates"] if one["name"] == name)["date"] = "2027-01-01"


def claim_permanent(predicate: dict[str, Any]) -> None:
    predicate["wording"]["da"][1] = "Sletningen er permanent."


STATEMENTS: list[tuple[str, Callable[[dict[str, Any]], Any], int, str]] = [
    ("counts that do not add up", lambda p: system(p)["places"][0].update(deleted=39), 13, "do not add up"),
    ("a total that does not add up", lambda p: system(p)["counts"].update(deleted=99), 13, "deleted does not add up"),
    ("sums cooked together", cook, 16, "differ from the verifier's answer"),
    ("rows left", lambda p: system(p)["places"][0].update(residual=1, before=41), 13, "rows are left"),
    ("changes outside", lambda p: p["outside"].update(changes=1), 13, "outside"),
    ("an open place", lambda p: system(p)["places"][0].update(disposition="open"), 12, "open"),
    ("a reason of our own", lambda p: system(p)["places"][1].update(reason="OURS"), 12, "closed list"),
    ("an unclassified place", lambda p: system(p)["places"][0].update(row_class=None), 12, "reconciled"),
    ("a system left out", lambda p: p["systems"].pop(0), 16, "systems differ"),
    ("the final stage", lambda p: p.update(stage="BACKUP-EXPIRED"), 15, "does not follow"),
    ("an unknown stage", lambda p: p.update(stage="GONE"), 4, "unknown stage"),
    ("permanent too early", claim_permanent, 15, "permanent"),
    ("a real number on a rehearsal", lambda p: p.update(number="SB-000001"), 15, "number series"),
    ("nothing not covered", lambda p: p.update(not_covered=[]), 4, "NOT-COVERED"),
    ("a field left out", lambda p: p.pop("approvals"), 4, "missing: approvals"),
    ("production claimed", lambda p: p.update(kind="production"), 4, "kind and predicate"),
    ("another approver", lambda p: p["approvals"][0]["by"][0].update(actor="usr-z"), 16, "approvals differ"),
    ("approvals left out", lambda p: p.update(approvals=p["approvals"][1:]), 16, "approvals are missing"),
    ("another package", lambda p: p["delivery"].update(package_digest="0" * 64), 16, "package_digest"),
    ("another controller", lambda p: p["controller"].update(cvr="33333333"), 16, "controller"),
    ("another instruction", lambda p: p["instruction"].update(digest="0" * 64), 16, "instruction"),
    ("backups due later", lambda p: p["scope"]["scopes"][2].update(backups_due="2027-12-01"), 16, "backups due on"),
    ("deleted earlier", lambda p: p["scope"]["scopes"][2].update(deleted_on="2026-10-01"), 16, "deleted on another"),
    ("a scope left out", lambda p: p["scope"]["scopes"].pop(), 12, "left to other certificates"),
    ("a scope of another plan", lambda p: p["scope"]["scopes"][1].update(systems=["andet"]), 12, "another scope"),
    ("a part called the whole", lambda p: p["scope"].update(exit="partial"), 12, "exit's scope"),
    ("a date of another plan", lambda p: p["obligations"][0].update(due="2027-01-01"), 16, "another date"),
    ("an agreement's end of its own", lambda p: dated(p, "agreement_end"), 16, "agreement's end"),
    ("a hold that nobody placed", lambda p: p["holds"].append(HOLD), 16, "holds differ"),
    ("an amendment hidden", lambda p: p["agreement"].update(amendment=None), 16, "amendment"),
    ("a backup set hidden", lambda p: p["backups"].clear(), 16, "backups differ"),
    ("a backup gone on paper", lambda p: p["backups"][0].update(answer="GONE"), 16, "backups differ"),
    ("another date", lambda p: system(p)["verification"].update(on="2026-10-01"), 16, "another date"),
    ("another root", lambda p: p["log"].update(root="A" * 43 + "="), 7, "another root"),
    ("another exit", lambda p: p.update(exit="exit-2"), 9, "another exit"),
    ("one signer alone", lambda p: p["signers"].update(threshold=1), 5, "signatures"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "n", "reason"), [one[1:] for one in STATEMENTS], ids=[one[0] for one in STATEMENTS])
def test_a_false_statement_signed_with_the_true_keys_fails_for_its_own_reason(
    true: Certificate, change: Callable[[dict[str, Any]], Any], n: int, reason: str
) -> None:
    found = failed(forged(true, change))
    assert reason in found.get(n, ""), found


def hide(predicate: dict[str, Any]) -> None:
    next(one for one in predicate["obligations"] if one["id"] == "S2-28.1-d")["state"] = "met"


def test_t1_28_1_cannot_be_hidden(tmp_path: Path) -> None:
    made = World(tmp_path).told(given.deleted_exit(amended=False)).certify(issued_on="2026-10-20")
    assert judge(made, made.bundle).code == 0
    assert "28.1" in failed(forged(made, hide))[15]


def test_t1_a_breach_that_was_told_cannot_be_hidden(tmp_path: Path) -> None:
    told = given.obligation("S2-28.1-d", "breached", "FAILED", "2026-10-06")
    made = World(tmp_path).told([*given.deleted_exit(), told]).certify()
    assert judge(made, made.bundle).code == 0
    assert "told to be breached" in failed(forged(made, hide))[15]


def test_t1_a_deletion_after_its_day_cannot_be_called_in_time(tmp_path: Path) -> None:
    made = World(tmp_path).told([*given.deleted_exit(), given.plan(2, end="2026-09-19")]).certify()
    assert judge(made, made.bundle).code == 0
    assert "deleted after 2026-10-04" in failed(forged(made, hide))[15]


# Scopes.


def test_t2_a_certificate_with_a_kept_system_verifies_and_a_later_one_covers_it(
    kept: Certificate, tmp_path: Path
) -> None:
    assert judge(kept, kept.bundle).code == 0 and judge(kept, kept.dsse).code == 0
    assert kept.statement["predicate"]["scope"]["suspended"][0]["until"] == given.KEPT_UNTIL
    world = World(tmp_path).told(given.kept_exit())
    world.told([given.closing("pladsanvisning", "D7a"), *given.destruction("D7a")])
    for made in (world.certify(issued_on="2027-10-02"), world.certify(issued_on="2027-10-02", activities=("D7a",))):
        assert judge(made, made.bundle).code == 0


def test_t10_storage_that_silence_took_is_listed_and_the_index_certified(tmp_path: Path) -> None:
    made = World(tmp_path).told(given.stored_exit()).certify()
    assert judge(made, made.bundle).code == 0
    assert {one["until"] for one in made.statement["predicate"]["scope"]["suspended"]} == {"2031-09-30"}


KEPT: list[tuple[str, Callable[[dict[str, Any]], Any], str]] = [
    ("hidden", lambda p: p["scope"]["suspended"].clear(), "suspended systems differ"),
    ("kept for longer", lambda p: p["scope"]["suspended"][0].update(until="2030-01-01"), "suspended systems differ"),
    ("kept by another option", lambda p: p["scope"]["suspended"][0].update(reason="OPTION(X)"), "suspended systems"),
    ("called whole", lambda p: p["scope"].update(whole=True), "called whole"),
    ("issued after the option's end", lambda p: p.update(issued_on="2027-11-01"), "suspended systems differ"),
    ("called deleted", lambda p: p["scope"]["scopes"].append(
        p["scope"]["scopes"][0] | {"activity": "D7a", "systems": ["pladsanvisning"]}), "not deleted"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "reason"), [one[1:] for one in KEPT], ids=[one[0] for one in KEPT])
def test_t2_a_kept_system_cannot_be_misstated(
    kept: Certificate, change: Callable[[dict[str, Any]], Any], reason: str
) -> None:
    assert reason in failed(forged(kept, change)).get(12, "")


def test_t10_a_deletion_on_silence_verifies_when_it_was_applied_first(tmp_path: Path) -> None:
    made = World(tmp_path).told(given.silent_exit()).certify()
    assert judge(made, made.bundle).code == 0


@pytest.mark.parametrize(
    ("begun", "due"), [("2026-08-31", "2027-02-28"), ("2026-10-05", "2027-04-05"), ("2027-08-31", "2028-02-29")]
)
def test_t16_six_months_are_counted_alike_by_service_and_verifier(tmp_path: Path, begun: str, due: str) -> None:
    events = copy.deepcopy(given.deleted_exit())
    for wire, data in events:
        if wire == "deletion.deletion_begun" and data["activity"] == "D7a":
            data["on"] = begun
        if "approvals" in data and data["activity"] == "D7a":
            data["approvals"] = [one | {"at": f"{begun}T08:00:00Z"} for one in data["approvals"]]
    made = World(tmp_path).told(events).certify()
    found = {one["activity"]: one["backups_due"] for one in made.statement["predicate"]["scope"]["scopes"]}
    assert found["D7a"] == due and judge(made, made.bundle).code == 0


def test_t16_a_part_is_final_only_with_a_set_of_each_of_its_systems(tmp_path: Path) -> None:
    one = {"exit_id": given.EXIT, "system": "booking", "set_id": "bk-1", "expires_on": "2027-03-01"}
    gone = [("deletion.backup_registered", one | {"taken_on": "2026-09-01"}),
            ("deletion.backup_observed", one | {"answer": "GONE", "on": "2027-03-02"})]  # fmt: skip
    world = World(tmp_path).told([*given.kept_exit(), *gone]).issued(("D2", "D3b"))
    made = world.certify(domain.EXPIRED, "2027-03-03", ("D3b",))
    assert judge(made, made.bundle).code == 0
    bare = issue(world, statement(world.draft(domain.EXPIRED, "2027-03-03", ("D2", "D3b"))))
    assert "no backup set is known of ['morgenvagt']" in failed(judge(bare, bare.bundle))[15]
    before = issue(world, statement(world.draft(domain.EXPIRED, "2027-03-03", ("C7", "D3b"))))
    assert "C7: the log knows of no ACTIVE-DELETED" in failed(judge(before, before.bundle))[15]


def test_backups_that_are_not_gone_cannot_be_final(last: Certificate) -> None:
    found = failed(forged(last, lambda p: p["backups"][0].update(answer="PRESENT")))
    assert "not gone" in found[15] and "backups differ" in found[16]


def test_permanent_needs_deletion_s_word_that_every_system_s_backups_expired(tmp_path: Path) -> None:
    world = World(tmp_path).told(given.deleted_exit() + given.backups_gone()[:1]).issued()
    world.mark()
    made = issue(world, statement(world.draft(domain.EXPIRED, "2027-03-03")))
    assert "every system's backups" in failed(judge(made, made.bundle))[15]


# Forged logs.


def dropped(certificate: Certificate, index: int) -> list[str]:
    return [f"{folder}/{index:012d}.json" for folder in ("evidence", "proofs")]


def test_a_dropped_item_is_missed(true: Certificate) -> None:
    index = true.world.log.mine[5]
    found = failed(forged(true, lambda p: None, without=dropped(true, index)))
    assert "dropped from the bundle" in found[8]


def test_an_item_dropped_from_statement_and_bundle_breaks_the_chain(true: Certificate) -> None:
    index = true.world.log.mine[5]
    found = failed(forged(true, lambda p: p["log"]["entries"].remove(index), without=dropped(true, index)))
    assert "an entry is missing" in found[9]


def test_the_last_item_dropped_is_missed(true: Certificate) -> None:
    index = true.world.log.mine[-1]
    found = failed(forged(true, lambda p: p["log"]["entries"].remove(index), without=dropped(true, index)))
    assert "last entries are missing" in found[9]


def test_two_items_exchanged_are_not_in_the_log(true: Certificate) -> None:
    first, second = (f"evidence/{index:012d}.json" for index in true.world.log.mine[3:5])
    members = {first: true.members[second], second: true.members[first]}
    assert "is not in the log" in failed(forged(true, lambda p: None, members=members))[8]


def test_an_item_changed_with_a_proof_made_for_it_is_not_in_the_log(true: Certificate) -> None:
    name = f"evidence/{true.world.log.mine[4]:012d}.json"
    members = {name: true.members[name].replace(b'"version":1', b'"version":2')}
    assert "is not in the log" in failed(forged(true, lambda p: None, members=members))[8]


def test_a_forked_log_is_found_by_its_earlier_heads(true: Certificate) -> None:
    size = min(true.world.log.heads)
    key = load_note(true.world.folder / "ledger", LOG)
    note = checkpoint.sign(true.world.public.origin, size, bytes(32), key)
    found = failed(forged(true, lambda p: None, members={f"checkpoints/{size:012d}.txt": note.encode()}))
    assert "forked log" in found[10]
    assert "forked log" in failed(judge(true, true.bundle, heads=[note]))[11]


def test_a_log_that_was_rolled_back_does_not_know_the_head_that_was_given_out(tmp_path: Path) -> None:
    world = World(tmp_path).told(given.deleted_exit())
    given_out = world.mark()
    again = World(tmp_path).told(given.deleted_exit()[:-1])
    again.log.add("NEEDS_SUBMITTED", {"digest": given.sha("instead")}, "exit-other")
    again.told(given.deleted_exit()[-1:])
    made = again.certify()
    assert judge(made, made.bundle).code == 0
    assert "forked log" in failed(judge(made, made.bundle, heads=[given_out]))[11]


def test_a_head_later_than_the_certificate_is_said_to_be_not_done(true: Certificate) -> None:
    key = load_note(true.world.folder / "ledger", LOG)
    note = checkpoint.sign(true.world.public.origin, 10_000, bytes(32), key)
    report = judge(true, true.bundle, heads=[note])
    assert report.code == 0 and "NOT DONE" in next(check.detail for check in report.checks if check.n == 11)


def test_other_keys_than_the_trusted_ones_fail(true: Certificate, tmp_path: Path) -> None:
    other = World(tmp_path).told(given.deleted_exit()).certify()
    assert judge(other, other.bundle).code == 0
    assert "another key under the name" in failed(judge(true, other.bundle))[6]
    pdf_only = judge(other, other.bundle, keys=[true.world.public.pdf])
    assert "another certificate" in failed(pdf_only)[6]


def test_signatures_of_one_key_or_of_a_stranger_fail(true: Certificate, tmp_path: Path) -> None:
    twice = sign(true.world, true.payload, (("seal", SEAL), ("seal", SEAL)))
    assert "unknown signer" in failed(judge(true, twice))[5]
    once = sign(true.world, true.payload, (("seal", SEAL),))
    assert "1 of 2" in failed(judge(true, once))[5]
    World(tmp_path)
    stranger = load_note(tmp_path / "seal", SEAL)
    ours = load_note(true.world.folder / "seal", SEAL)
    pair = [(key.short, key.sign(pae(STATEMENT_TYPE, true.payload))) for key in (ours, stranger)]
    assert "unknown signer" in failed(judge(true, envelope(STATEMENT_TYPE, true.payload, pair)))[5]


def test_a_pdf_that_embeds_another_statement_fails_in_the_bundle(true: Certificate, last: Certificate) -> None:
    made = copy.deepcopy(true.statement)
    made["predicate"]["version"] = 2
    other = sign(true.world, canonical(made))
    found = failed(forged(true, lambda p: None, members={"certificate.dsse.json": other}))
    assert "another statement" in found[3]


# False histories: the log itself says it, and the statement keeps silent.


def history(tmp_path: Path, events: list[given.Event]) -> dict[int, str]:
    """Log these events and issue, against every refusal, a certificate over them."""
    world = World(tmp_path).told(events)
    world.mark()
    made = issue(world, statement(world.draft()))
    return failed(judge(made, made.bundle))


def moved(events: list[given.Event], wire: str, job: str, before: str) -> list[given.Event]:
    """Move a job's event before another event (of the same job where that has one)."""

    def at(name: str) -> int:
        return next(n for n, one in enumerate(events) if one[0] == name and one[1].get("job_id") in (None, job))

    taken = events.pop(at(wire))
    events.insert(at(before), taken)
    return events


@pytest.mark.parametrize(
    ("events", "n", "reason"),
    [(one[1], *one[3:]) for one in given.FORBIDDEN],
    ids=[one[0] for one in given.FORBIDDEN],
)
def test_what_the_log_forbids_fails(
    tmp_path: Path, events: Callable[[], list[given.Event]], n: int, reason: str
) -> None:
    found = history(tmp_path, events())
    assert reason in found.get(n, ""), found


def test_destruction_before_the_acceptance_fails(tmp_path: Path) -> None:
    events = given.deleted_exit()
    accepted = next(one for one in events if one[0] == "delivery.delivery_accepted")
    events.remove(accepted)
    assert "before the delivery was accepted" in history(tmp_path, [*events, accepted])[14]


def test_an_instruction_given_after_the_delivery_stands_for_its_acceptance(tmp_path: Path) -> None:
    assert history(tmp_path, given.instructed_exit()) == {}
    assert "before the delivery was accepted" in history(tmp_path / "b", given.instructed_exit("2026-09-20"))[14]


def test_a_receipt_that_the_log_does_not_have_for_the_last_package_fails(tmp_path: Path) -> None:
    world = World(tmp_path).told(given.another_package(given.deleted_exit()))
    world.mark()
    made = statement(world.draft())
    accepted = next(one for one in world.log.facts().entries if one.kind == "DELIVERY_ACCEPTED")
    by = {"actor": accepted.entry["actor"], "role": accepted.entry["role"], "name": None, "function": None}
    told = {"on": accepted.entry["on"], "by": by, "evidence": accepted.index}
    made["predicate"]["delivery"]["accepted"] = told
    certificate = issue(world, made)
    assert "its receipt" in failed(judge(certificate, certificate.bundle))[16]


def test_destruction_before_the_approvals_or_without_a_permit_fails(tmp_path: Path) -> None:
    late = moved(given.deleted_exit(), "deletion.deletion_begun", "job-D2", "scheduling.approval_completed")
    assert "before intent and approvals" in history(tmp_path / "a", late)[14]
    events = [one for one in given.deleted_exit() if one[0] != "scheduling.permit_issued"]
    assert "without a permit" in history(tmp_path / "b", events)[14]


def test_a_stopped_job_that_destroyed_without_approvals_fails_too(tmp_path: Path) -> None:
    events = copy.deepcopy(given.deleted_exit())
    early = [one for one in copy.deepcopy(given.destruction("D2")) if "begun" in one[0] or "batch" in one[0]]
    for _, data in early:
        data["job_id"] = "job-D2-first"
    at = next(n for n, one in enumerate(events) if one[1].get("job_id") == "job-D2")
    assert "no inventory or no intent" in history(tmp_path, events[:at] + early + events[at:])[14]


def test_verification_before_the_last_batch_fails(tmp_path: Path) -> None:
    early = moved(given.deleted_exit(), "deletion.deletion_verified", "job-D2", "deletion.deletion_batch_closed")
    assert "after the verification" in history(tmp_path, early)[14]


def test_an_inventoried_place_without_an_answer_fails(tmp_path: Path) -> None:
    events = copy.deepcopy(given.deleted_exit())
    verified = next(data for wire, data in events if wire.endswith("verified") and data["activity"] == "D7a")
    verified["places"].pop()
    assert "unanswered" in history(tmp_path, events)[12]


def test_batches_that_do_not_add_up_to_the_answer_fail(tmp_path: Path) -> None:
    events = copy.deepcopy(given.deleted_exit())
    next(data for wire, data in events if wire.endswith("batch_closed"))["deleted"] += 1
    assert "do not add up" in history(tmp_path, events)[13]


def test_a_neighbour_s_row_changed_in_a_batch_fails(tmp_path: Path) -> None:
    events = copy.deepcopy(given.deleted_exit())
    next(data for wire, data in events if wire.endswith("batch_closed"))["outside"] = 1
    assert "changes outside the scope" in history(tmp_path, events)[13]


def test_the_tree_the_bundle_proves_is_the_log_s(true: Certificate) -> None:
    log = true.world.log
    assert ophor_verify.root_of([tree.leaf_hash(leaf) for leaf in log.leaves]) == tree.root(log.nodes, log.size)
