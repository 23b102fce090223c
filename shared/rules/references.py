"""References to dates in a profile: `K +15d`, `T`, `due(D2)`, `in_force expires+{takeover_days}d`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from contracts.errors import Rejected
from shared.rules.time import Period, parse_period

_REFERENCE = re.compile(r"(?P<anchor>[A-Za-z_][A-Za-z0-9_]*|due\([A-Za-z0-9.\-]+\))(?: (?P<period>\S+))?")
_PARAMETER = re.compile(r"\{(\w+)\}")


class Reference(NamedTuple):
    """A date relative to an anchor: `K +15d`, `T`, `due(D2)`; a period may take its number from a `{parameter}`."""

    anchor: str
    period: str = ""

    def __str__(self) -> str:
        return f"{self.anchor} {self.period}".strip()

    @property
    def parameter(self) -> str:
        """Give the name of the parameter in the period, or an empty text."""
        found = _PARAMETER.search(self.period)
        return found[1] if found else ""

    @property
    def activity(self) -> str:
        """Give the activity whose due date this refers to, or an empty text."""
        return self.anchor[4:-1] if self.anchor.startswith("due(") else ""

    def period_with(self, numbers: Mapping[str, int]) -> Period | None:
        """Give the period with its parameter filled in; None where there is none or the parameter is not known."""
        if not self.period:
            return None
        if "{" not in self.period:
            return _period(self.period)
        if self.parameter not in numbers:
            return None
        return _period(_PARAMETER.sub(lambda found: str(numbers[found[1]]), self.period))


def parse_reference(text: str) -> Reference:
    """Read `K +15d`, `T` or `due(D2)`; raise Rejected REFERENCE_INVALID or PERIOD_INVALID."""
    found = _REFERENCE.fullmatch(text)
    if not found:
        raise Rejected(
            "REFERENCE_INVALID",
            f"'{text}' is not ANCHOR or ANCHOR PERIOD",
            field="reference",
            remedy="write e.g. 'K +15d'",
            da=f"'{text}' er ikke ANKER eller ANKER PERIODE. Skriv f.eks. 'K +15d'.",
        )
    if found["period"]:
        parse_period(_PARAMETER.sub("1", found["period"]))
    return Reference(found["anchor"], found["period"] or "")


@cache
def _period(text: str) -> Period:
    return parse_period(text)
