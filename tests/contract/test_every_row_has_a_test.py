"""Every activity, obligation and tension has a test, and the page that says so is current."""

from __future__ import annotations

import pytest

from tests import coverage_page


@pytest.mark.parametrize("name", coverage_page.rows())
def test_the_row_has_a_test(name: str) -> None:
    assert coverage_page.tests_of(name), f"no test shows {name}"


def test_the_page_is_current() -> None:
    assert coverage_page.PAGE.read_text(encoding="utf-8") == coverage_page.page(), "run `make coverage`"
