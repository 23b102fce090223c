"""Every code that a deletion can stop with has its words, in both languages, on the pages, at the terminal, in docs."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.words.stops import LANGUAGES, STOPS, WHO, stop_words

ROOT = Path(__file__).parents[2]
CODE = re.compile(r"^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$")
MADE_BY = re.compile(r"(?i)reject|refus|error|stop")
NOT_BY_A_STOP = {
    # answers to a command or a question: the caller is told, and no job stops
    "BACKUP_ALREADY_REGISTERED", "DATES_REVERSED", "SET_ID_INVALID", "HOLD_ALREADY_LIFTED", "HOLD_UNKNOWN",
    "JOB_NOT_DELETING", "JOB_NOT_KNOWN", "JOB_NOT_PAUSED", "WRONG_PARTY", "DROP_UNKNOWN",
    "ALREADY_ATTESTED", "CHAIN_OPEN", "DONE_IN_FUTURE", "LINE_UNKNOWN", "MEDIA_CLASS_WRONG", "RESTORE_UNKNOWN",
    "NO_KEYS", "SHREDDING_BEGUN", "SHREDDING_NOT_DUE", "SHREDDING_UNKNOWN",
    # `contracts.errors` makes it of a body that is not of its schema
    "MESSAGE_INVALID",
    # names of settings, read beside the refusal
    "OPHOR_BATCH", "OPHOR_LOOK_DAYS", "OPHOR_MAPS",
}  # fmt: skip


def sources() -> Iterator[Path]:
    """Give every module that a job's work goes through."""
    for room in ("services/deletion", "shared/connectors", "contracts/system_map"):
        yield from sorted((ROOT / room).rglob("*.py"))


def codes_of(path: Path) -> set[str]:
    """Give the codes that a module refuses with: handed to what makes a refusal, or returned with a field."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        values: list[ast.expr] = []
        if (
            isinstance(node, ast.Call)
            and MADE_BY.search(ast.unparse(node.func))
            and "Unavailable" not in ast.unparse(node.func)
        ):
            values = [*node.args, *(keyword.value for keyword in node.keywords)]
        elif isinstance(node, ast.Call):
            values = [keyword.value for keyword in node.keywords if keyword.arg == "stopped_code"]
        elif isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
            values = node.value.elts[:1]
        found |= {str(each.value) for each in values if isinstance(each, ast.Constant) and CODE.match(str(each.value))}
    return found


def raised() -> dict[str, set[str]]:
    """Give every code with the modules that refuse with it."""
    found: dict[str, set[str]] = {}
    for path in sources():
        for code in codes_of(path):
            found.setdefault(code, set()).add(str(path.relative_to(ROOT)))
    return found


def test_no_code_that_a_job_can_stop_with_is_without_words() -> None:
    codes = raised()
    assert {"SCHEMA_CHANGED", "OUTSIDE_SCOPE", "VERIFICATION_ERROR", "ACCESS_NOT_CLOSED"} <= codes.keys()
    missing = codes.keys() - NOT_BY_A_STOP - STOPS.keys()
    assert not missing, {code: sorted(codes[code]) for code in missing}


def test_no_words_are_left_over_of_a_code_that_nothing_refuses_with() -> None:
    assert set(STOPS) <= set(raised())


@pytest.mark.parametrize("code", STOPS)
def test_each_stop_says_what_happened_what_to_do_and_who_begins_in_both_languages(code: str) -> None:
    assert STOPS[code].who in WHO
    danish, english = (stop_words(code, language) for language in LANGUAGES)
    assert all(each.endswith(".") for each in (*danish[:2], *english[:2]))
    assert all(da != en for da, en in zip(danish, english, strict=True))


def test_a_code_without_words_is_told_as_it_is() -> None:
    assert "NEW_CODE" in stop_words("NEW_CODE", "da")[0]


def test_the_operators_page_has_every_stop_word_for_word() -> None:
    page = (ROOT / "docs/deletion.md").read_text("utf-8")
    for code in STOPS:
        what, todo, who = stop_words(code, "en")
        assert f"| `{code}` | {what} | {todo} | {who} |" in page
