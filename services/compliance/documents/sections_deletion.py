"""The sections of a deletion: scope, systems, what people attested, what was outside, delivery, approvals."""

from __future__ import annotations

from typing import Any

from services.compliance.documents import attestations
from services.compliance.documents.draft import Draft
from services.compliance.documents.sections import (
    attempts,
    earlier_job,
    jobs_of,
    physical_of,
    places_of,
    scope_lines,
    software,
    suspended,
    verification_of,
)
from services.compliance.documents.sections_common import person
from services.compliance.facts import handing

MANUAL = "manual (attested), not verified by us"
UNCOUNTED = "attested by people; nothing was counted or looked for by us"


def scope(draft: Draft) -> dict[str, Any]:
    """Say which systems are covered, which are suspended, and which are left to other certificates."""
    facts, scopes = draft.facts, draft.scopes
    assert facts.order
    kept = suspended(facts, scopes, draft.issued_on)
    there = facts.open_scopes(draft.issued_on)
    elsewhere = [{"activity": name, "system": system} for name in there if name not in scopes for system in there[name]]
    return {
        "exit": facts.order.entry["scope"],
        "scopes": scope_lines(facts, scopes),
        "systems": [line["system"] for line in draft.covered],
        "whole": not kept and not elsewhere and facts.order.entry["scope"] == "whole",
        "suspended": kept,
        "elsewhere": elsewhere,
        "map_digest": facts.order.entry["map_digest"],
        "answers": facts.order.entry["places"],
    }


def system(draft: Draft, line: dict[str, Any]) -> dict[str, Any]:
    """Tell what happened to one system: how, when, how many, and who looked."""
    facts, name = draft.facts, line["system"]
    job = next(one for one in jobs_of(facts, draft.scopes) if name in draft.scopes[one.activity])
    places = [one for one in places_of(job) if one["system"] == name]
    earlier = [earlier_job(one, name) for one in facts.earlier(job.activity)]
    names = ("before", "arrived", "deleted", "retained", "residual", "delivered")
    return {
        "system": name,
        "title": draft.record.titles.get(name, name),
        "kind": line["kind"],
        "activity": job.activity,
        "job_id": job.job_id,
        "method": MANUAL if line["kind"] == "manual" else _methods(places),
        "nist_800_88": _media_class(draft, line),
        "tool": software(),
        "begun_on": job.begun.entry["on"] if job.begun else None,
        "executed_on": job.executed.entry["on"] if job.executed else None,
        "counts": {count: sum(one[count] for one in places) for count in names},
        "deleted_in_all": sum(one["deleted"] for one in places) + sum(one["deleted"] for one in earlier),
        "places": places,
        **physical_of(job, name),
        "verification": verification_of(job) | ({"method": UNCOUNTED} if line["kind"] == "manual" else {}),
        "earlier_jobs": earlier,
        "evidence": [one.index for one in job.entries()],
    }


def _methods(places: list[dict[str, Any]]) -> str:
    """Name how the places' rows went: as deletion told it of whole places (ADR 0010), else row by row."""
    told = {one.get("method", "delete") for one in places if one["deleted"]}
    return ", ".join(sorted(told)) or "delete"


def attested(draft: Draft) -> list[dict[str, Any]]:
    """List what people attested of the covered systems, without names."""
    return attestations.rows(draft.facts, [line["system"] for line in draft.covered])


def attested_rows(draft: Draft) -> list[dict[str, Any]]:
    """List what people attested of the covered systems: by whom, when, by which document."""
    return [{**one, "by": person(draft, one), "verified_by_us": False} for one in attested(draft)]


def _media_class(draft: Draft, line: dict[str, Any]) -> str:
    classes = {one["media_class"] for one in attested(draft) if one["system"] == line["system"] and one["media_class"]}
    if classes:
        return f"{', '.join(sorted(classes))} (attested)"
    return "none (attested)" if line["kind"] == "manual" else "none (logical deletion)"


def outside(draft: Draft) -> dict[str, Any]:
    """Say that nothing beyond the scope was changed, and name every attempt that was rolled back."""
    made = attempts(draft.facts, draft.scopes)
    return {
        "changes": 0,
        "method": "effect accounting inside each deleting transaction, or proof under a lock (whole places)",
        "rolled_back": len(made),
        "attempts": made,
    }


def delivery(draft: Draft) -> dict[str, Any]:
    """Tell what was handed over, and who gave a receipt for it."""
    delivered, accepted = draft.facts.delivered, handing.receipt(draft.facts)
    assert delivered
    names = ("package_id", "package_digest", "package_bytes", "files", "rows", "on")
    answer = None
    if accepted:
        answer = {"on": accepted.entry["on"], "by": person(draft, accepted.entry), "evidence": accepted.index}
    recipient = draft.facts.dispatch.entry["recipient_digest"] if draft.facts.dispatch else None
    return {
        **{name: delivered.entry[name] for name in names},
        "recipient_digest": recipient,
        "accepted": answer,
        "evidence": delivered.index,
    }


def approvals(draft: Draft) -> list[dict[str, Any]]:
    """Name who approved which plan of each deletion."""
    return [
        {
            "activity": job.activity,
            "job_id": job.job_id,
            "plan_digest": job.intent.entry["plan_digest"],
            "by": [{**person(draft, one), "at": one["at"]} for one in job.intent.entry["approvals"]],
            "evidence": job.intent.index,
        }
        for job in jobs_of(draft.facts, draft.scopes)
        if job.intent
    ]
