"""What a rehearsal's summary counts."""

from __future__ import annotations

from typing import Any

from services.console.rehearsing import results


def job(state: str, deleted: int, delivered: int = 2500, row_class: str = "both") -> dict[str, Any]:
    place = {
        "system": "px", "place": "brev", "delivered": delivered, "deleted": deleted, "residual": 0,
        "row_class": row_class, "disposition": "deleted",
    }  # fmt: skip
    return {"activity": "D7a", "state": state, "places": [place]}


def test_rows_that_a_stopped_job_had_deleted_are_counted_with_the_job_that_followed_it() -> None:
    (row,) = results.rows([job("stopped", 1000), job("verified", 1500)])
    assert (row["delivered"], row["deleted"], row["remaining"]) == (2500, 2500, 0)
    assert row["classes"] == {
        "both": 2500, "deleted_not_delivered": 0, "delivered_not_deleted": 0, "changed_after_extract": 0,
    }  # fmt: skip


def test_rows_that_are_deleted_but_never_delivered_are_counted_over_all_jobs_too() -> None:
    (row,) = results.rows([job("stopped", 7, 0), job("verified", 3, 0, "deleted_not_delivered")])
    assert (row["deleted"], row["classes"]["deleted_not_delivered"]) == (10, 10)


def test_what_people_attest_is_no_row_that_anybody_counted() -> None:
    done = job("verified", 3)
    done["places"].append({**done["places"][0], "place": "skole-pc", "disposition": "attested", "deleted": 0})
    assert [row["place"] for row in results.rows([done])] == ["brev"]
