"""`prove-record`: what became of one record, at the customer's, with the bundle and the file of records alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyrage
import pytest
import typer
from typer.testing import CliRunner

from services.compliance.documents.statement import statement
from services.compliance.verifier import ophor_verify
from services.compliance.verifier.ophor_verify import Options, prove
from services.console import prove_record as console
from tests.unit import record_reader as reader
from tests.unit import record_world as given
from tests.unit.evidence_world import Certificate, World, issue, keys
from tests.unit.record_world import File, true_file

WHERE = "pladsanvisning/barn"


def _certified(folder: Path, events: list[Any]) -> Certificate:
    world = World(folder).told(events)
    world.mark()
    return issue(world, statement(world.draft()))


@pytest.fixture(scope="module")
def true(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return _certified(tmp_path_factory.mktemp("keys"), given.deletion(given.sealed(), given.destroyed()))


def _ask(true: Certificate, key: list[str], *files: File, place: str = WHERE, trust: bool = True) -> dict[str, Any]:
    options = Options(keys(true.world) if trust else [], rehearsal=True)
    return prove(true.bundle, [bytes(one) for one in files], place, key, options)


@pytest.mark.parametrize(("half", "key"), [(0, "0000"), (0, "0019"), (1, "0020"), (1, "0039")])
def test_a_deleted_record_is_proved_with_its_batch_and_time(true: Certificate, half: int, key: str) -> None:
    answer = _ask(true, [key], true_file())
    (found,) = answer["found"]
    assert (answer["exit_code"], found["batch"], found["job_id"]) == (0, half, given.JOB)
    assert (found["at"], found["records"]) == ("2026-10-01T00:00:00Z", 20)
    assert given.HALVES[half][found["record"] - 1] == key
    leaf, root = reader.commitment(given.KEY, given.SYSTEM, given.PLACE, [key]), bytes.fromhex(found["root"])
    path = [bytes.fromhex(one) for one in found["path"]]
    assert found["commitment"] == leaf.hex() and reader.verifies(leaf, found["record"], 21, path, root)
    assert not reader.verifies(bytes(32), found["record"], 21, path, root)
    assert found["root"] == reader.batch_root(given.KEY, given.SYSTEM, given.PLACE, given.leaves_of(half))


def test_a_record_that_is_not_among_them_is_said_not_to_be(true: Certificate) -> None:
    assert _ask(true, ["0040"], true_file())["exit_code"] == 1
    assert _ask(true, ["1"], place="pladsanvisning/kode")["exit_code"] == 1  # excluded: nothing of it was deleted


def test_without_a_key_from_outside_the_answer_is_told_and_the_policy_not_met(true: Certificate) -> None:
    for key in ("0001", "0040"):
        answer = _ask(true, [key], true_file(), trust=False)
        assert (answer["exit_code"], answer["level"]) == (3, "SELF-CONSISTENT")
        assert bool(answer["found"]) == (key == "0001")


def _swapped() -> File:
    first, second = given.leaves_of(0), given.leaves_of(1)
    return File(batches=[(0, [*first[:-1], second[0]]), (1, second)])


FORGED: dict[str, tuple[Callable[[], File], str]] = {
    "a leaf of another batch": (_swapped, "FILE"),
    "batches changed for one another": (lambda: File(batches=[(1, given.leaves_of(0)), (0, given.leaves_of(1))]),
                                        "FILE"),
    "a leaf taken out": (lambda: File(batches=[(0, given.leaves_of(0)[1:]), (1, given.leaves_of(1))]), "FILE"),
    "a leaf put in": (lambda: File(batches=[(0, [*given.leaves_of(0), bytes(32)]), (1, given.leaves_of(1))]), "FILE"),
    "leaves in another order": (lambda: File(batches=[(0, given.leaves_of(0)[::-1]), (1, given.leaves_of(1))]), "FILE"),
    "a batch left out": (lambda: File(batches=[(0, given.leaves_of(0))]), "FILE_MISSING"),
    "cut off": (lambda: replace(true_file(), said=1), "FILE"),
    "more than its head says": (lambda: replace(true_file(), said=-1), "FILE"),
    "another key": (lambda: replace(true_file(), key=bytes(32)), "FILE"),
    "a key of another length": (lambda: replace(true_file(), key=bytes(31)), "FILE"),
    "another exit": (lambda: replace(true_file(), exit_id="exit-2"), "OTHER_EXIT"),
    "another number of columns": (lambda: replace(true_file(), columns=["id", "kommune"]), "COLUMNS"),
    "named by an address": (lambda: replace(true_file(), columns=[]), "ADDRESS"),
}  # fmt: skip


@pytest.mark.parametrize("name", FORGED)
def test_of_a_forged_file_nothing_is_believed(true: Certificate, name: str) -> None:
    made, code = FORGED[name]
    absent = _ask(true, ["0040"], made())
    assert (absent["exit_code"], absent["code"]) == (2, code)


def test_a_file_without_its_batches_proves_the_others_and_says_nothing_of_the_rest(true: Certificate) -> None:
    half = File(batches=[(0, given.leaves_of(0))])
    assert _ask(true, ["0001"], half)["exit_code"] == 0
    assert _ask(true, ["0020"], half)["code"] == "FILE_MISSING"
    other = File(batches=[(1, given.leaves_of(1))])
    assert _ask(true, ["0020"], half, other)["exit_code"] == 0


def test_a_place_without_commitments_or_unknown_cannot_be_told(true: Certificate) -> None:
    assert _ask(true, ["1"], true_file(), place="morgenvagt/vagt")["code"] == "NO_COMMITMENTS"
    assert _ask(true, ["1"], true_file(), place="morgenvagt/findes ikke")["code"] == "PLACE_UNKNOWN"


def test_a_bundle_that_does_not_verify_proves_nothing(true: Certificate) -> None:
    at = true.bundle.index(b"records_root") + 20
    broken = true.bundle[:at] + bytes([true.bundle[at] ^ 1]) + true.bundle[at + 1 :]
    options = Options(keys(true.world), rehearsal=True)
    assert prove(broken, [bytes(true_file())], WHERE, ["0001"], options)["code"] == "BUNDLE"
    assert prove(true.pdf, [bytes(true_file())], WHERE, ["0001"], options)["code"] == "NO_BUNDLE"


def test_the_verifier_refuses_a_certificate_whose_commitments_were_kept(tmp_path: Path) -> None:
    kept = _certified(tmp_path, given.deletion(given.sealed()))
    report = ophor_verify.verify(kept.bundle, Options(keys(kept.world), rehearsal=True))
    (failed,) = [one for one in report.checks if one.result == "FAILED"]
    assert failed.n == 14 and "not destroyed" in failed.detail


def _run(*arguments: str, key: str) -> Any:
    app = typer.Typer()
    app.command()(console.prove_record)
    return CliRunner().invoke(app, list(arguments), input=key)


@pytest.fixture
def kept(true: Certificate, tmp_path: Path) -> list[str]:
    """Lay bundle, sealed file and identity out as the customer has them."""
    identity = pyrage.x25519.Identity.generate()
    (tmp_path / "bevis.zip").write_bytes(true.bundle)
    (tmp_path / "poster.age").write_bytes(pyrage.encrypt(bytes(true_file()), [identity.to_public()]))
    (tmp_path / "age.txt").write_text(f"# den kommunale nøgle\n{identity}\n")
    trust = [f"--trust={one}" for one in keys(true.world)]
    return [str(tmp_path / "bevis.zip"), str(tmp_path / "poster.age"), f"--identity={tmp_path / 'age.txt'}",
            f"--place={WHERE}", "--key=-", *trust, "--rehearsal"]  # fmt: skip


def test_the_command_line_opens_the_sealed_file_and_never_repeats_the_key(
    kept: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    for key, code, said in (("0001", 0, "SLETTET"), ("0987", 1, "IKKE BLANDT DET SLETTEDE")):
        assert _run(*kept, key=f"{key}\n").exit_code == code
        told = capfd.readouterr().out
        assert said in told and key not in told.replace(WHERE, "")
    assert _run(*kept, "--json", key="0001\n").exit_code == 0
    told = json.loads(capfd.readouterr().out)
    assert told["result"] == "DELETED" and told["found"][0]["batch"] == 0


def test_without_the_customers_identity_nothing_can_be_told(kept: list[str], tmp_path: Path) -> None:
    other = tmp_path / "other.txt"
    other.write_text(f"{pyrage.x25519.Identity.generate()}\n")
    for identity in ([], [f"--identity={other}"]):
        arguments = [*kept[:2], *identity, *kept[3:]]
        answer = _run(*arguments, key="0001\n")
        assert answer.exit_code == 2 and "0001" not in answer.output


def test_of_a_place_that_went_as_a_whole_nothing_is_told_of_one_record(tmp_path: Path) -> None:
    events = given.deletion(given.sealed(), given.destroyed())
    for wire, data in events:
        lines = [data] if wire.endswith("batch_closed") else data.get("places", [])
        for line in lines:
            if line.get("place") == "vagt" and "line" not in line and "rows" not in line:
                line["method"] = "drop"
    answer = _ask(_certified(tmp_path, events), ["1"], true_file(), place="morgenvagt/vagt")
    assert (answer["exit_code"], answer["code"]) == (2, "WHOLE")
    assert "drop" in ophor_verify.proved_text(answer, english=True)
