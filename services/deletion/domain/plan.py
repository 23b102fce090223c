"""The plan that people approve, its digest, and what a permit and the live system must still agree with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from contracts.deletion import APPROVAL_DAYS
from contracts.errors import Rejected
from services.deletion.domain.batch import check_started
from services.deletion.domain.job import Exit, Job, Place, Row, Survey

PROBES_PER_PLACE = 5
ABSENT = "absent"
"""The fingerprint of a place that goes as a whole where the live schema was read and it is not there."""
_LEAST_SLACK, _SLACK_SHARE = 10, 50


def canonical_digest(body: Any) -> str:
    """Give the SHA-256 of a body's canonical JSON (sorted keys, no blanks, UTF-8)."""
    text = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def most(count: int) -> int:
    """Give the upper end of a count's band: 2 % above it, at least 10 rows."""
    return count + max(_LEAST_SLACK, count // _SLACK_SHARE)


def least(count: int) -> int:
    """Give the lower end of a count's band: as far below it; where the preview saw rows, one is left at least."""
    return max(min(count, 1), count - max(_LEAST_SLACK, count // _SLACK_SHARE))


def previewed(job: Job, exit_: Exit, surveys: Sequence[Survey], seed: bytes) -> Job:
    """Draw the plan up from what the verifier saw (rule 2); raise SCOPE_EMPTY or PROBES_NOT_FOUND."""
    if not surveys:
        raise Rejected("SCOPE_EMPTY", "no system of the map belongs to this deletion", field="activity")
    drawn = {(s.system, place): probes for s in surveys for place, probes in s.probes.items() if probes}
    total, found = sum(len(probes) for probes in drawn.values()), sum(survey.found for survey in surveys)
    if total != found:
        raise Rejected("PROBES_NOT_FOUND", f"{found} of {total} probes were found: the search does not work")
    plan = _plan(job, exit_, surveys, seed)
    queue = tuple((survey.system, place) for survey in surveys for place in survey.order)
    places = tuple(place for survey in surveys for place in survey.places)
    return job.after(
        "preview", plan=plan, plan_digest=canonical_digest(plan), places=places, queue=queue, seed=seed, probes=drawn,
        probes_drawn=total, probes_found=found,
    )  # fmt: skip


def _plan(job: Job, exit_: Exit, surveys: Sequence[Survey], seed: bytes) -> Row:
    return {
        "version": 1,
        "exit_id": exit_.exit_id,
        "activity": job.activity,
        "job_id": job.job_id,
        "map_digest": exit_.map_digest,
        "probes_commitment": hashlib.sha256(seed).hexdigest(),
        "systems": [
            {
                "system": survey.system, "kind": survey.kind, "fingerprint": survey.fingerprint,
                "order": list(survey.order), "places": [_planned(place) for place in survey.places],
            }
            for survey in surveys
        ],
    }  # fmt: skip


def _planned(place: Place) -> Row:
    return {
        "place": place.place, "disposition": place.disposition, "reason": place.reason, "most": place.most,
        "least": place.least, "predicate": place.predicate, "fingerprint": place.fingerprint,
    } | ({"whole": place.whole} if place.whole else {})  # fmt: skip


def inventory_digest(plan: Row) -> str:
    """Give the digest over the places and fingerprints of a plan's systems alone."""
    names = [
        {
            "system": each["system"],
            "fingerprint": each["fingerprint"],
            "places": [row["place"] for row in each["places"]],
        }
        for each in plan["systems"]
    ]
    return canonical_digest(names)


class Permitted(Protocol):
    """What is destroyed under a permit: a job, or a plan of keys."""

    @property
    def permit(self) -> Row | None: ...

    @property
    def plan(self) -> Row: ...

    @property
    def plan_digest(self) -> str: ...


def check_permit(job: Permitted, now: datetime) -> None:
    """Refuse a permit that is not for exactly this plan, has run out (`now`: real time) or lacks two people."""
    permit = job.permit or {}
    if permit.get("plan_digest") != job.plan_digest or canonical_digest(job.plan) != job.plan_digest:
        raise Rejected("PERMIT_WRONG", "the permit is not for this plan", field="plan_digest")
    if now >= _instant(permit["valid_until"]):
        raise Rejected("PERMIT_EXPIRED", "the permit has run out", field="valid_until", remedy="approve a new preview")
    approvals = permit["approvals"]
    if min(len({one["actor"] for one in approvals}), len({one["role"] for one in approvals})) < 2:
        raise Rejected("APPROVALS_MISSING", "two people in two roles must have approved", field="approvals")


def _instant(text: str, field: str = "valid_until") -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = datetime.min
    if instant.tzinfo is None:
        raise Rejected("PERMIT_WRONG", f"{field}: no instant with a time zone", field=field)
    return instant


def check_approvals(job: Permitted, now: datetime) -> None:
    """Refuse approvals of which one is older than `APPROVAL_DAYS` (`now`: the rules' time, as they were given in)."""
    given = [_instant(one["at"], "approvals") for one in (job.permit or {})["approvals"]]
    if now - min(given) >= timedelta(days=APPROVAL_DAYS):
        raise approval_expired()


def approval_expired() -> Rejected:
    """Make the refusal of what people said too long ago."""
    return Rejected(
        "APPROVAL_EXPIRED", f"what was approved is {APPROVAL_DAYS} days old", field="approvals",
        remedy="the activity is due again: look at the new preview and approve it",
        da=f"Godkendelsen er mere end {APPROVAL_DAYS} dage gammel.",
    )  # fmt: skip


def check_plan(job: Job, exit_: Exit, surveys: Sequence[Survey]) -> None:
    """Draw the plan up again from what is there now, with the approved bands; any difference is refused (rule 7)."""
    for each in surveys:
        check_schema(
            job, each.system, each.fingerprint, {row.place: row.fingerprint for row in each.places}, each.order
        )
    again = _plan(job, exit_, [_in_bands(job, each) for each in surveys], job.seed)
    if canonical_digest(again) != job.plan_digest:
        raise Rejected(
            "PLAN_CHANGED", "the plan would not be the same any more", field="plan_digest",
            remedy="preview and approve anew", da="Planen ville ikke være den samme i dag.",
        )  # fmt: skip
    for each in surveys:
        for row in each.places:
            if row.disposition == "deleted":
                check_started(job.place(row.system, row.place), row.count)


def _in_bands(job: Job, survey: Survey) -> Survey:
    """Give a survey with the bands that were approved, its places in the plan's order."""
    bands = {row.place: (row.least, row.most) for row in job.places if row.system == survey.system}
    inside = {row.place: replace(row, least=bands[row.place][0], most=bands[row.place][1]) for row in survey.places}
    return replace(survey, places=tuple(inside[place] for place in bands))


def check_schema(job: Job, system: str, fingerprint: str, places: Mapping[str, str], order: Sequence[str]) -> None:
    """Refuse where the live schema (`places`: place → fingerprint) is not the plan's; name the first that differs."""
    planned = next(each for each in job.plan["systems"] if each["system"] == system)
    if (fingerprint, list(order)) == (planned["fingerprint"], planned["order"]):
        return
    before, places = _there(planned["places"], job, system), {name: at for name, at in places.items() if at != ABSENT}
    if before == places and list(order) == [each for each in planned["order"] if each in before]:
        return  # the plan's schema, but for what we dropped ourselves
    changed = sorted(place for place in before.keys() | places.keys() if before.get(place) != places.get(place))
    raise Rejected(
        "SCHEMA_CHANGED", f"{system}: the schema is not the one that was approved",
        field=f"systems.{system}.places.{changed[0]}" if changed else f"systems.{system}",
        remedy="preview and approve anew", da=f"{system}: skemaet er ændret siden godkendelsen.",
    )  # fmt: skip


def _there(planned: Sequence[Row], job: Job, system: str) -> dict[str, str]:
    """Give place → fingerprint of what must be there now: what the plan saw without what this job has dropped."""
    gone = {each.place for each in job.places if each.system == system and each.gone}
    before = {row["place"]: row["fingerprint"] for row in planned}
    return {place: at for place, at in before.items() if at != ABSENT and place not in gone}
