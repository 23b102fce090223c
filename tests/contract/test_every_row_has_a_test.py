"""Every activity, obligation and tension has a test, and the page that says so is current."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import coverage_page


@pytest.fixture(scope="module", autouse=True)
def known(request: pytest.FixtureRequest) -> Iterator[None]:
    """Take the tests from this run where it has collected them all, else have them collected."""
    config = request.config
    whole = [Path(each).name for each in config.args] == ["tests"] and not config.option.keyword
    nodes = [item.nodeid.removeprefix("tests/") for item in request.session.items]
    nodes = [node for node in nodes if node.startswith(("unit/", "component/", "integration/"))]
    with pytest.MonkeyPatch.context() as patch:
        if whole:
            patch.setattr(coverage_page, "collected", lambda: tuple(nodes))
        yield


@pytest.mark.parametrize("name", coverage_page.rows())
def test_the_row_has_a_test(name: str) -> None:
    assert coverage_page.tests_of(name), f"no test shows {name}"


def test_the_page_is_current() -> None:
    assert coverage_page.PAGE.read_text(encoding="utf-8") == coverage_page.page(), "run `make coverage`"
