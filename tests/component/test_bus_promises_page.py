"""docs/promises.md names every test of a promise, and each of the nine promises has one."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAME = re.compile(r"\btest_promise_(\d)_\w+")


def test_every_promise_has_a_test_named_after_it_and_the_page_names_them_all() -> None:
    tests = (ROOT / "tests/integration/test_bus_promises.py").read_text("utf-8")
    page = (ROOT / "docs/promises.md").read_text("utf-8")
    there = {
        found.group(): int(found.group(1)) for found in re.finditer(r"(?<=^def )" + NAME.pattern, tests, re.MULTILINE)
    }
    assert set(there.values()) == set(range(1, 10))
    assert {found.group() for found in NAME.finditer(page)} == there.keys()
    for row in re.findall(r"^\| (\d) .*$", page, re.MULTILINE):
        assert f"`test_promise_{row}_" in page
