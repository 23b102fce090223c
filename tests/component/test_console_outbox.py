"""`ophor outbox` as a person runs it: what can be said before any broker is asked."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from services.console import outbox


@pytest.mark.parametrize("since", ["9999999d", "²d", "-1h", "i går"])
def test_a_time_that_is_none_is_refused_with_its_remedy(since: str) -> None:
    result = CliRunner().invoke(outbox.app, ["replay", "--to", "evt-compliance", f"--since={since}"])
    assert result.exit_code == 2 and "DATE_INVALID" in result.stderr and "YYYY-MM-DD" in result.stderr
