"""The small exit with a system in which people act: its lines, their answers, and an attempt that was rolled back."""

from __future__ import annotations

import copy
from typing import Any

from tests.unit import evidence_world as given
from tests.unit.evidence_world import EXIT, Event, sha

MANUAL = "extens"
OFFICER, LEAD = "ist_sletteansvarlig", "kommune_projektleder"
SYSTEMS = (("pladsanvisning", "postgresql", "2"), (MANUAL, "manual", "2"), ("morgenvagt", "mongodb", "1"),
           ("sagsindeks", "case_index", "index"))  # fmt: skip
Row = dict[str, Any]


def line(place: str | None, method: str, by: str = "supplier", **more: Any) -> Row:
    row = {"system": MANUAL, "place": place, "subprocessor": None, "through": None, "method": method, "by": by}
    return row | {"owner": "customer" if place else None} | more


CONFIRMED = "SUBPROCESSOR_CONFIRMED"
LINES = [
    line("kundens-maskine", "SOFTWARE_REMOVED", "customer"),
    line("kundens-maskine", "LICENCE_WITHDRAWN"),
    line("kundens-maskine", "DATA_LEFT_WITH_CUSTOMER", "customer"),
    line("reservemaskine", "MEDIA_SANITISED", owner="supplier"),
    line(None, CONFIRMED, system="pladsanvisning", subprocessor="driftscenter"),
    line(None, CONFIRMED, system="pladsanvisning", subprocessor="backup-hotel", through="driftscenter"),
    line(None, CONFIRMED, system="pladsanvisning", subprocessor="sms-gateway"),
]


def asked(lines: list[Row] | None = None, state: str = "asked") -> Event:
    told = {"state": state, "due_on": "2026-10-15", "lines": LINES if lines is None else lines, "to": [OFFICER, LEAD]}
    return "deletion.attestations_asked", {"exit_id": EXIT, **told, "on": "2026-10-01"}


def attested(each: Row, **more: Any) -> Event:
    """One line's attestation, as true as `more` leaves it."""
    customer = each["by"] == "customer"
    word = {
        "answer": "NOT_USED" if each["subprocessor"] == "sms-gateway" else each["method"],
        "media_class": "DESTROY" if each["method"] == "MEDIA_SANITISED" else None,
        "digest": sha(f"{each['place']}{each['subprocessor']}{each['method']}"), "done_on": "2026-10-03",
        "actor": "usr-lead" if customer else "usr-b", "role": LEAD if customer else OFFICER, "on": "2026-10-04",
    }  # fmt: skip
    return "deletion.attestation_given", {"exit_id": EXIT, **each, **word, **more}


def attested_exit(*, without: tuple[str, ...] = (), said: dict[str, Row] | None = None) -> list[Event]:
    """Everything deleted and attested but the lines named by `without`; `said` changes a line's attestation."""
    scopes = given.SCOPES | {"D7a": ("pladsanvisning", MANUAL)}
    places = [
        given.place(MANUAL, name, 0, disposition="attested", row_class=None)
        for name in ("kundens-maskine", "reservemaskine")
    ]
    answers = [attested(each, **(said or {}).get(name(each), {})) for each in LINES if name(each) not in without]
    archived = {"system": MANUAL, "decision": "handed_to_customer", "digest": sha("archive")}
    return [
        given.order(systems=SYSTEMS),
        given.plan(scopes=scopes),
        *given.preparation()[1:],
        ("orders.archive_decided", {"exit_id": EXIT, **archived, "decided_on": "2026-08-02"}),
        *given.hand_over(),
        *given.destruction("C7"),
        given.closing("morgenvagt", "D2"), *given.destruction("D2"),
        given.closing("pladsanvisning", "D7a"), given.closing(MANUAL, "D7a"),
        asked(), *answers,
        *given.destruction("D7a", [*given.PLACES["D7a"], *places]),
    ]  # fmt: skip


def name(each: Row) -> str:
    """Name a line in a test."""
    return each["subprocessor"] or f"{each['place']} {each['method']}"


def attempt(events: list[Event], activity: str = "D7a", **more: Any) -> list[Event]:
    """Put a stopped job before a deletion, whose one batch would have changed three rows more and was rolled back."""
    job = f"job-{activity}-1"
    first = [one for one in copy.deepcopy(given.destruction(activity)) if not one[0].endswith(("executed", "verified"))]
    batch = next(one for one in first if one[0].endswith("batch_closed"))
    kept = [one for one in first if not one[0].endswith("batch_closed")]
    batch[1].update({"deleted": 0, "undone": 3, "outside": 0} | more)
    stop = {"code": "OUTSIDE_SCOPE", "field": "systems.x.places.barn", "on": given.DAYS[activity]}
    kept += [batch, ("deletion.deletion_stopped", {"exit_id": EXIT, "activity": activity, "job_id": job, **stop})]
    for _, data in kept:
        data["job_id"] = job
    at = next(n for n, one in enumerate(events) if one[1].get("job_id") == f"job-{activity}")
    return [*events[:at], *kept, *events[at:]]
