"""`ophor evidence …` and `ophor witness …` start compliance's programs: each is there, and takes what it is given."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.compliance.log import fsck
from services.compliance.verifier.ophor_verify import note_key
from services.console import evidence

KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"  # c2sp.org/signed-note's example
PROGRAMS = sorted(set(re.findall(r'_run\(\s*"([a-z_.]+)"', Path(evidence.__file__).read_text())))


def test_every_program_that_a_command_starts_is_there() -> None:
    assert len(PROGRAMS) == 7
    assert [one for one in PROGRAMS if find_spec(f"services.compliance.{one}") is None] == []


@pytest.mark.parametrize("program", [one for one in PROGRAMS if one != "log.witnessing"])
def test_every_program_says_under_which_command_it_is_called(program: str) -> None:
    argv = [sys.executable, "-m", f"services.compliance.{program}", "--help"]
    told = subprocess.run(argv, cwd=evidence.ROOT, check=False, capture_output=True, text=True)
    assert (told.returncode, told.stdout.split("\n")[0].startswith("usage: ophor evidence ")) == (0, True)


def test_a_witness_is_made_and_gives_its_key(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    done = CliRunner().invoke(evidence.witness, ["init", str(tmp_path / "w"), "witness.example"])
    assert (done.exit_code, note_key(capfd.readouterr().out.strip(), 4).name) == (0, "witness.example")


def test_a_log_that_cannot_be_reached_is_not_called_unsound(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # taken, and not listened at
        monkeypatch.setenv("OPHOR_MONGO_URI", f"mongodb://127.0.0.1:{nobody.getsockname()[1]}")
        monkeypatch.setenv("OPHOR_CLOCK_URI", "")
        monkeypatch.setenv("OPHOR_MODE", "production")
        assert fsck.main(["--key", KEY]) == 2
    told = capsys.readouterr()
    assert (told.out, "ikke gennemgået / not looked at" in told.err) == ("", True)
