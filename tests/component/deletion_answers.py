"""Recorded answers about deletion jobs and holds, in every state that the faces show."""

from __future__ import annotations

from typing import Any

from tests.component.gateway_answers import DIGEST, PLAN, Recorded

OTHER = "3" * 64
FIRST = {"actor": "p-93fa", "role": "kommune_godkender", "at": "2026-07-01T08:00:00Z"}


def place(name: str, rows: int, **more: Any) -> dict[str, Any]:
    """Make a place of a job."""
    row = {
        "system": "booking", "place": name, "disposition": "deleted", "reason": None, "before": rows, "deleted": 0,
        "arrived": 0, "retained": 0, "residual": 0, "delivered": rows, "row_class": None, "most": rows + 10,
        "least": max(rows - 10, 1), "unowned": 0, "unowned_reason": None,
    }  # fmt: skip
    return {**row, **more}


PLACES = (
    place("barn", 20_000),
    place("foraeldre", 31_000),
    place("kode_pasningstype", 5, disposition="excluded", reason="SHARED_CODE", most=0),
    place("regnskab", 12, disposition="excluded", reason="LAW(bogforingsloven,2031-12-31)", most=0),
    place("opbevaring", 40, disposition="suspended", reason="OPTION(S1-8.3)", most=0),
)


def job(state: str = "previewed", places: Any = PLACES, **more: Any) -> dict[str, Any]:
    """Make a job: of its places the last is deleted first, as children are before their parents."""
    going = [each for each in reversed(places) if each["disposition"] == "deleted"]
    work = [
        {"system": each["system"], "place": each["place"], "rows": each["before"], "seconds": each["before"] // 100}
        for each in going
    ]
    row = {
        "exit_id": "x-korsbaek", "activity": "D2", "job_id": "x-korsbaek.D2.1", "state": state, "plan_digest": DIGEST,
        "places": list(places), "batches": 0, "outside": 0, "stopped_code": None, "stopped_field": None, "work": work,
        "estimated_seconds": sum(each["seconds"] for each in work), "estimated_end": "2026-07-01T20:08:30+00:00",
        "waits_until": None, "paused_by": None, "paused_on": None, "physical": [],
    }  # fmt: skip
    return {**row, **more}


def under_way(state: str = "executing", **more: Any) -> dict[str, Any]:
    """Make a job that has deleted 31,000 of 51,000 rows."""
    places = [{**each, "deleted": each["before"] if each["place"] == "foraeldre" else 0} for each in PLACES]
    return job(state, places, batches=6, **more)


def physical(name: str, answer: str, reason: str | None = None, **more: Any) -> dict[str, Any]:
    """Make the row of a place that was cleaned below its rows."""
    row = {
        "system": "booking", "place": name, "asked": "clean", "answer": answer, "reason": reason, "unit": None,
        "before": None, "after": None, "remains": [],
    }  # fmt: skip
    return {**row, **more}


def request(*approvals: dict[str, Any], state: str = "waiting", digest: str = DIGEST) -> dict[str, Any]:
    """Make the plan's request for approval of the job."""
    return {
        "activity": "D2", "job_id": "x-korsbaek.D2.1", "plan_digest": digest, "state": state,
        "approvals": list(approvals),
    }  # fmt: skip


def hold(number: int = 1, **more: Any) -> dict[str, Any]:
    """Make a hold that the customer placed on one system."""
    row = {
        "hold_id": f"x-korsbaek.H{number}", "system": "booking", "basis": "LAW", "digest": DIGEST, "party": "customer",
        "state": "placed", "lifted_by": None, "override": None,
    }  # fmt: skip
    return {**row, **more}


ASKED = {"actor": "p-1f6d", "party": "supplier", "reason": "LAW_LAPSED", "digest": OTHER}


def recorded(jobs: Any = (), requests: Any = (), holds: Any = (), **answers: Any) -> Recorded:
    """Make a backend that answers with these."""
    backend = Recorded()
    backend.answers |= {
        "deletion.list_jobs": {"exit_id": "x-korsbaek", "jobs": list(jobs)},
        "deletion.list_holds": {"exit_id": "x-korsbaek", "holds": list(holds)},
        "scheduling.read_plan": {**PLAN, "approvals": list(requests)},
        "scheduling.approve": {"exit_id": "x-korsbaek", "activity": "D2", "given": 2, "needed": 2},
        "deletion.pause_job": {"exit_id": "x-korsbaek", "job_id": "x-korsbaek.D2.1", "state": "paused"},
        "deletion.resume_job": {"exit_id": "x-korsbaek", "job_id": "x-korsbaek.D2.1", "state": "executing"},
        "deletion.place_hold": {"exit_id": "x-korsbaek", "hold_id": "x-korsbaek.H1", "state": "placed"},
        "deletion.lift_hold": {"exit_id": "x-korsbaek", "hold_id": "x-korsbaek.H1", "state": "lifted"},
        **{name.replace("__", "."): answer for name, answer in answers.items()},
    }
    return backend
