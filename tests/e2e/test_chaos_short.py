"""The short run of the chaos suite: every kind of fault once, processes killed, and nothing lost or doubled."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.chaos.__main__ import RESULTS
from tests.chaos.faults import PART_FAULTS

ROOT = Path(__file__).parents[2]


def test_every_kind_of_fault_under_load_loses_and_doubles_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos", "--short", "--kills", "12", "--callers", "3", "--pause", "1"],
        cwd=ROOT, capture_output=True, text=True, timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    report = json.loads((RESULTS / "latest.json").read_text("utf-8"))
    assert report["injected"].keys() >= {fault.__name__ for fault in PART_FAULTS}
    assert report["kills"] > 0 and report["messages"] > 0 and report["malformed"] >= 500 and report["ordered"] > 0
    assert {report[name] for name in ("lost", "doubled", "late_calls", "processes_died", "wrong")} == {0}
