"""A sample of `make fuzz`: changed bytes are rejected, and no mutation makes the verifier crash, hang or swell."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.compliance.documents import bundle
from services.compliance.verifier.ophor_verify import Options, read_zip, verify
from tests.fuzz.__main__ import flipped, small
from tests.fuzz.bench import Judge
from tests.fuzz.mutations import Source
from tests.unit.evidence_world import Certificate

SEED, CASES, EACH = 20261121, 100, 97
STRUCTURE = ("manifest.dsse.json", "keys.json")


@pytest.fixture(scope="module")
def true(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return small(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def judge() -> Iterator[Judge]:
    made = Judge()
    yield made
    made.close()


def test_bytes_of_the_zip_s_own_structure_count(true: Certificate) -> None:
    """Every byte of the first headers, of the directory's last records and of the end; each n-th of all."""
    data, dice = true.bundle, random.Random(SEED)
    directory = data.index(b"PK\x01\x02")
    edges = [*range(160), *range(directory, directory + 120), *range(len(data) - 250, len(data))]
    for at in [*edges, *range(dice.randrange(EACH), len(data), EACH)]:
        assert verify(flipped(data, at, dice), Options(rehearsal=True)).code == 2, f"byte {at}"


def test_a_byte_of_every_member_counts_when_zipped_again(true: Certificate) -> None:
    """The right checksum and a canonical zip do not help."""
    members, dice, options = read_zip(true.bundle), random.Random(SEED), Options(rehearsal=True)
    head = next(name for name in members if name.startswith("checkpoints/") and name.endswith(".txt"))
    cases = [(head, at) for at in range(0, len(members[head]), 4)]
    for name, data in members.items():
        cases += [(name, dice.randrange(len(data))) for _ in range(10 if name in STRUCTURE else 1)]
    for name, at in cases:
        again = bundle.write_zip(members | {name: flipped(members[name], at, dice)})
        assert verify(again, options).code in (1, 2), f"byte {at} of {name}"


def test_no_mutation_crashes_hangs_or_floods_the_verifier(true: Certificate, judge: Judge) -> None:
    source = Source(true)
    assert judge.ask("the true one", true.bundle, source.options())["code"] == 0
    for number in range(CASES):
        name, data, options = source.case(random.Random(f"{SEED}-{number}"))
        judge.ask(f"{name} ({SEED}-{number})", data, options)
    assert judge.wrong == []
    assert len(judge.reached) >= 10, "the mutations no longer reach the checks"


def test_the_judge_sees_a_crash_a_hang_and_a_flood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A judge that cannot find anything proves nothing."""
    for body, found in (
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("import os; os._exit(9)", "process died"),
        ("global kept; kept = bytearray(260 << 20); raise SystemExit", "SystemExit"),
        ("return Report('\\x1b[2J')", "control characters"),
    ):
        file = tmp_path / "bad.py"
        file.write_text(
            "class Options: pass\nclass Report:\n code, level, checks, malformed = 0, '', [], ''\n"
            " def __init__(self, said=''): self.said = said\n"
            "def as_text(report, *_): return report.said\ndef as_dict(_): return {}\n"
            f"def verify(data, options):\n {body}\n"
        )
        monkeypatch.setattr("tests.fuzz.bench.VERIFIER", file)
        judge = Judge()
        judge.ask("bad", b"", {})
        judge.close()
        assert found in judge.wrong[0], judge.wrong
