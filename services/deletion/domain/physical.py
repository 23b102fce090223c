"""What is done below the rows after a deletion, and the answer for each place (ADR 0011).

1. Every place that lost rows to this activity is asked about once; what the map says (`none`, `clean`, `rewrite`) is
   done, where the engine offers it. 2. The first reading stays, however often a slice is repeated. 3. `CLEANED` needs
   the engine's word and the verifier's own look; whatever was not done or not seen is `ERROR` with a code. 4. None of
   it changes the answer about the rows: a place whose pages could not be cleaned is deleted all the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from services.deletion.domain.job import Job, Row

WIRE = ("system", "place", "asked", "answer", "reason", "unit", "before", "after", "remains")


def with_touched(job: Job, earlier: Mapping[tuple[str, str], int], asked: Mapping[tuple[str, str], str]) -> Job:
    """Give the job with a row for each place of its queue that lost rows, in this job or earlier (rule 1)."""
    touched = [key for key in dict.fromkeys(job.queue) if job.place(*key).deleted or earlier.get(key)]
    rows: tuple[Row, ...] = tuple(
        {
            "system": key[0], "place": key[1], "asked": asked[key], "reason": None, "unit": None, "before": None,
            "after": None, "remains": [], "answer": "NOT_ASKED" if asked[key] == "none" else None, "mark": "",
        }
        for key in touched
    )  # fmt: skip
    return replace(job, physical=rows)


def uncleaned(job: Job) -> int:
    """Give the number of the first place that has no answer yet; as many as there are when all have one."""
    return next((at for at, row in enumerate(job.physical) if row["answer"] is None), len(job.physical))


def with_row(job: Job, step: int, **changes: object) -> Job:
    """Give the job with one place's row changed."""
    rows = tuple(row | changes if at == step else row for at, row in enumerate(job.physical))
    return replace(job, physical=rows)


def with_rows(job: Job, rows: Sequence[Row]) -> Job:
    """Give the job with other rows, one for each place as before."""
    assert [(row["system"], row["place"]) for row in rows] == [(row["system"], row["place"]) for row in job.physical]
    return replace(job, physical=tuple(rows))


def seen(row: Row, held: int, unit: str, mark: str, remains: tuple[str, ...]) -> Row:
    """Give the row after the verifier's look (rule 3)."""
    row = row | {"after": held, "unit": unit, "remains": list(remains)}
    if row["answer"] == "CLEANED" and row["mark"] and row["mark"] == mark:
        return row | {"answer": "ERROR", "reason": "EFFECT_NOT_SEEN"}
    return row


def not_seen(row: Row, code: str) -> Row:
    """Give the row where the verifier could not look."""
    return row | ({"answer": "ERROR", "reason": code} if row["answer"] in ("CLEANED", "HELD") else {})


def told(row: Row) -> Row:
    """Give the row as it goes over the wire."""
    return {name: row[name] for name in WIRE}
