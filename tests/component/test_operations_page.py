"""The operator's page names only commands and options that there are, and lines that the bus really logs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from services.console.main import COMMANDS, load

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operations.md").read_text("utf-8")
BUS = " ".join(path.read_text("utf-8") for path in (ROOT / "shared" / "bus").rglob("*.py"))
BLOCKS = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
SPANS = re.findall(r"`(ophor [^`]+)`", re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL))
LINES = [line for block in BLOCKS for line in block.splitlines() if line.startswith("ophor ")] + SPANS
SAID = ("relay works", "relay stands by", "row parked", "binding missing", "NoConfirm",
        "rows found no queue or were refused", "the broker does not hold these contracts")  # fmt: skip


@pytest.mark.parametrize("line", sorted(set(LINES)))
def test_a_command_of_the_page_exists_with_its_options(line: str) -> None:
    first, *words = line.partition("#")[0].replace("…", "").split()[1:]
    command = load(first, COMMANDS[first][0])
    while words and hasattr(command, "commands"):
        assert words[0] in command.commands, line
        command = command.commands[words.pop(0)]
    known = {option for each in command.params for option in each.opts}
    assert {word.strip("[]") for word in words if word.strip("[").startswith("--")} <= known, line


@pytest.mark.parametrize("line", SAID)
def test_a_line_that_the_page_quotes_is_one_of_the_bus(line: str) -> None:
    assert line.replace("relay ", "") in BUS and line in PAGE
