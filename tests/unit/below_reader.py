"""What may be said below the rows, written a second time for the tests: nothing of the product's code is used.

The rules are read from ADR 0011 and evidence.md §3 as a table of shapes: which fields an answer of each kind may have.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

Row = Mapping[str, Any]
FIELDS = ["system", "place", "asked", "answer", "reason", "unit", "before", "after", "remains"]
PLACES_OF_BYTES = ["FREE_SPACE", "INDEX_KEYS", "STATISTICS", "LOG", "REPLICAS", "DISK"]
SHAPES = {  # answer: (asked for, a reason, the engine's figures, where bytes may remain); None: either way
    "CLEANED": (True, False, True, True),
    "HELD": (True, True, True, True),
    "ERROR": (True, True, None, None),
    "NOT_OFFERED": (True, None, False, None),
    "NOT_ASKED": (False, None, False, None),
}


def may_be_said(row: Row, kind: str) -> bool:
    """Tell whether one answer has a shape of the table; an engine that never tells when bytes go is never CLEANED."""
    if sorted(row) != sorted(FIELDS) or row["answer"] not in SHAPES or row["asked"] not in ("none", "clean", "rewrite"):
        return False
    asked, reason, figures, remains = SHAPES[row["answer"]]
    if row["unit"] not in (None, "rows", "bytes", "transactions") or any(
        one not in PLACES_OF_BYTES for one in row["remains"]
    ):
        return False
    counts = [row["before"], row["after"]]
    if any(one is not None and (isinstance(one, bool) or not isinstance(one, int) or one < 0) for one in counts):
        return False
    shown = row["unit"] is not None and None not in counts
    if figures and not shown:
        return False
    return (
        asked == (row["asked"] != "none")
        and (reason is None or reason == bool(row["reason"]))
        and not (figures is False and row["after"] is not None)
        and (remains is None or remains == bool(row["remains"]))
        and not (row["answer"] == "CLEANED" and kind in ("mongodb", "manual"))
    )


def agrees(stated: Iterable[Row], logged: Iterable[Row], lost: Iterable[str]) -> bool:
    """Tell whether a system's statement says what the log says, once a place, and of each place that lost rows."""
    told, known = [dict(one) for one in stated], [dict(one) for one in logged]
    once = all(count == 1 for count in Counter(one["place"] for one in known).values())
    return once and told == known and set(lost) <= {one["place"] for one in known}
