"""What the report to the DPO says, under the headings that the authority asks for (evidence.md §6): pure.

Rules kept: every line follows from the log, the obligations or the requests, and names the entries that show it; what
nothing shows is said not to be shown; a report is no certificate and says so; what is left stands with its last day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from services.compliance.documents import attestations
from services.compliance.documents.draft import Record
from services.compliance.documents.report_days import milestones
from services.compliance.domain import ACTIVE, EXPIRED
from services.compliance.domain.refusals import Refusal
from services.compliance.facts import INDEX, Facts, verified_gone

Row = dict[str, Any]
COLUMNS = ("inventoried", "delivered", "closed", "deleted", "certified", "backups")
OPEN = ("breached", "at_risk", "pending", "suspended")
RENEW_WITHIN = timedelta(days=180)


@dataclass(frozen=True, slots=True)
class View:
    """What a report is drawn from: the log's facts and what was computed from them on the day `on`."""

    exit_id: str
    on: date
    kind: str
    facts: Facts
    record: Record | None
    obligations: Sequence[Row]
    requests: Sequence[Row]
    certificates: Sequence[Row]
    unmet: Sequence[Refusal]
    head: Mapping[str, Any]


def report(view: View) -> Row:
    """Give everything that the report shows, as values that JSON has."""
    facts = view.facts
    left = _left(view)
    return {
        "type": "urn:ophor:report:v1",
        "exit_id": view.exit_id,
        "on": view.on.isoformat(),
        "kind": view.kind,
        "parties": _parties(view),
        "verdict": _verdict(view, left),
        "periods": _periods(view),
        "systems": _systems(view),
        "coverage": _coverage(view),
        "obligations": [_plain(one) for one in view.obligations if _matters(one)],
        "quiet": sum(not _matters(one) for one in view.obligations),
        "overdue": [{**one.entry, "evidence": one.index} for one in facts.overdue],
        "reminders": _count(facts, "REMINDER_DUE") + _count(facts, "REQUEST_REMINDED"),
        "requests": [_plain(one) for one in view.requests],
        "jobs": _jobs(facts),
        "backups": _backups(facts),
        "restores": sum(one.kind.startswith("RESTORE") for one in facts.entries),
        "certificates": [_plain(one) for one in view.certificates if one["state"] in ("issued", "sent")],
        "log": _log(view),
        "milestones": milestones(facts, view.on),
        "left": left,
    }


def _plain(row: Mapping[str, Any]) -> Row:
    """Write dates as text, nested too."""
    return {name: _text(value) for name, value in row.items()}


def _text(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [_text(one) for one in value]
    return _plain(value) if isinstance(value, Mapping) else value


def _matters(row: Mapping[str, Any]) -> bool:
    """Tell whether something happened to an obligation, or its last day is known."""
    return bool(row["evidence"] or row["due"] or row["state"] not in ("pending",))


def _count(facts: Facts, kind: str) -> int:
    return sum(one.kind == kind for one in facts.entries)


def _parties(view: View) -> Row | None:
    record = view.record
    if record is None or not record.controller:
        return None
    return {
        "controller": dict(record.controller),
        "processor": dict(record.processor),
        "agreement": record.agreement_reference,
        "dpa": record.dpa_reference,
    }


def _title(view: View, system: str) -> str:
    return view.record.titles.get(system, system) if view.record else system


def _verdict(view: View, left: Sequence[Row]) -> Row:
    """Say first what a DPO asks first: is everything deleted, is it permanent, is anything breached, what is left."""
    facts = view.facts
    scopes = facts.scopes()
    gone = bool(scopes) and all(_gone(facts, activity) for activity in scopes)
    sets = facts.sets_of(scopes)
    permanent = bool(scopes) and scopes.keys() <= facts.certified(EXPIRED) and not facts.backups_left_out
    return {
        "systems": len(facts.systems),
        "gone": gone,
        "certified": bool(scopes) and scopes.keys() <= facts.certified(ACTIVE),
        "permanent": permanent,
        "sets": len(sets),
        "sets_left": sum(not one.gone for one in sets.values()),
        "breached": [one["id"] for one in view.obligations if one["state"] == "breached"],
        "left": len(left),
    }


def _gone(facts: Facts, activity: str) -> bool:
    job = facts.job(activity)
    settled = attestations.settled_on(facts, facts.scopes()[activity]) is not None
    return job is not None and verified_gone(job) and settled and not facts.returned(activity)


def _periods(view: View) -> list[Row]:
    """List the periods of deletion, each with its rule and who set it."""
    facts = view.facts
    wanted = ("S2-28.1-d", "S2-28.1-d-backups", "S2-DPA-a", "S2-28.2-b")
    rows = [
        {"what": one["id"], "on": _text(one["due"]), "rule": one["rule"] or "", "by": "agreement",
         "evidence": [facts.plan.index] if facts.plan else []}
        for one in view.obligations if one["id"] in wanted and one["due"]
    ]  # fmt: skip
    if facts.instruction:
        told = facts.instruction
        rows.append({"what": "instruction", "on": told.entry["given_on"], "rule": told.entry["kind"],
                     "by": "customer", "evidence": [told.index]})  # fmt: skip
    if facts.options:
        codes = [*facts.options.entry["options"], facts.options.entry["silence"]]
        rows.append({"what": "options", "on": None, "rule": "; ".join(codes),
                     "by": "customer", "evidence": [facts.options.index]})  # fmt: skip
    if facts.amendment:
        rows.append({"what": "amendment", "on": facts.amendment["signed_on"], "rule": facts.amendment["kind"],
                     "by": "both", "evidence": []})  # fmt: skip
    for one in facts.notices:
        rows.append({"what": "notice", "on": one.entry["effect_on"], "rule": one.entry["kind"],
                     "by": one.entry["by"], "evidence": [one.index]})  # fmt: skip
    return rows


def _systems(view: View) -> list[Row]:
    """List how each system is handled: by the tool, or by people whose word it takes."""
    facts = view.facts
    rows = []
    for line in facts.systems:
        name = line["system"]
        lines, answers = attestations.lines_of(facts, [name]), attestations.answers_of(facts, [name])
        rows.append({
            "system": name, "title": _title(view, name), "kind": line["kind"], "manual": line["kind"] == "manual",
            "asked": len(lines), "attested": len(lines.keys() & answers.keys()),
            "evidence": sorted(answers[key].index for key in lines.keys() & answers.keys()),
        })  # fmt: skip
    return rows


def _coverage(view: View) -> list[Row]:
    """Draw the coverage: each system against each step; `yes`, `no`, `kept` (an option), `none` (not asked for)
    or `unknown`: no backup set is registered, and nothing shows that there is none."""
    facts = view.facts
    rows = []
    for line in facts.systems:
        name = line["system"]
        activity = facts.scope_of(name)
        kept = facts.suspensions(view.on).get(name)
        cells = dict(zip(COLUMNS, _cells(facts, name, activity), strict=True))
        if kept:
            cells |= {step: "kept" for step in ("deleted", "certified", "backups") if cells[step] == "no"}
        rows.append({"system": name, "title": _title(view, name), "scope": activity or "–", "cells": cells,
                     "until": kept.until.isoformat() if kept else None})  # fmt: skip
    return rows


def _cells(facts: Facts, system: str, activity: str | None) -> list[str]:
    job = facts.job(activity) if activity else None
    seen = job.systems() if job else set()
    places = facts.delivered.entry["places"] if facts.delivered else []
    _, access = facts.access.get(system, (None, None))
    closed = access is not None and access["state"] == "closed" and access["verified"]
    sets = [one for key, one in facts.backups.items() if key[0] == system]
    index = activity == INDEX
    settled = attestations.settled_on(facts, [system]) is not None
    back = any(one.entry["system"] == system for one in facts.returned(activity)) if activity else False
    return [
        _yes(system in seen),
        "none" if index else _yes(any(place["system"] == system for place in places)),
        "none" if index else _yes(closed),
        _yes(job is not None and system in seen and verified_gone(job) and settled and not back),
        _yes(activity in facts.certified(ACTIVE)),
        _yes(all(one.gone for one in sets)) if sets else "none" if index else "unknown",
    ]


def _yes(there: bool) -> str:
    return "yes" if there else "no"


def _jobs(facts: Facts) -> list[Row]:
    """Give the log of deletion: every job from the first look to the verifier's answer, stopped ones too."""
    rows = []
    for job in sorted(facts.jobs.values(), key=lambda one: one.entries()[0].index):
        answer, begun = job.verified, job.begun
        rows.append({
            "job_id": job.job_id, "activity": job.activity, "systems": sorted(job.systems()),
            "approvals": len(job.intent.entry["approvals"]) if job.intent else 0,
            "begun_on": begun.entry["on"] if begun else None,
            "batches": len(job.batches), "deleted": sum(int(one.entry["deleted"]) for one in job.batches),
            "verified_on": answer.entry["on"] if answer else None,
            "result": answer.entry["result"] if answer else _ended(job.stopped, job.cancelled),
            "residual": sum(one["residual"] for one in answer.entry["places"]) if answer else None,
            "outside": sum(int(one.entry["outside"]) for one in (*job.batches, job.executed, answer) if one),
            "first": job.entries()[0].index, "last": job.entries()[-1].index,
        })  # fmt: skip
    return rows


def _ended(stopped: Any, cancelled: Any) -> str:
    return "STOPPED" if stopped else "CANCELLED" if cancelled else "OPEN"


def _backups(facts: Facts) -> list[Row]:
    rows = []
    for (system, set_id), one in sorted(facts.backups.items()):
        seen = one.latest
        rows.append({
            "system": system, "set_id": set_id, "taken_on": one.registered.entry["taken_on"],
            "expires_on": one.registered.entry["expires_on"], "answer": seen.entry["answer"] if seen else "NOT_LOOKED",
            "observed_on": seen.entry["on"] if seen else None, "looks": len(one.observations),
            "evidence": [one.registered.index, *([seen.index] if seen else [])],
        })  # fmt: skip
    return rows


def _log(view: View) -> Row:
    names = ("origin", "size", "root", "checkpoint", "keys")
    signatures = [line for line in view.head["checkpoint"].splitlines() if line.startswith("— ")]
    return {name: view.head[name] for name in names} | {
        "entries": len(view.facts.entries),
        "signatures": len(signatures),
    }


def _left(view: View) -> list[Row]:
    """List what is left and until when: unmet gates, sets, kept systems, holds, requests, open obligations, seals whose
    time stamp is to be renewed."""
    facts = view.facts
    rows = [_what("gate", one.code, None, one.detail) for one in view.unmet]
    for (system, set_id), one in facts.backups.items():
        if not one.gone:
            rows.append(_what("backup", f"{system}/{set_id}", one.registered.entry["expires_on"]))
    for kept in facts.suspensions(view.on).values():
        rows.append(_what("kept", kept.system, kept.until.isoformat(), kept.reason))
    for hold in facts.open_holds():
        rows.append(_what("hold", hold.entry["system"] or "*", None, hold.entry["basis"]))
    for request in view.requests:
        if request["state"] in ("open", "overdue", "status_given"):
            rows.append(_what("request", request["request_id"], _text(request["due"]), request["state"]))
    for owed in view.obligations:
        if owed["state"] in OPEN and owed["due"]:
            rows.append(_what("obligation", owed["id"], _text(owed["due"]), owed["state"]))
    rows += _ending_seals(view)
    return sorted(rows, key=lambda one: (one["until"] or "9999", one["what"]))


def _ending_seals(view: View) -> list[Row]:
    """List the certificates that count whose seal's time stamp is to be renewed (ADR 0014)."""
    issued = [one for one in view.certificates if one["state"] == "issued" and not one["revoked"]]
    stamped = [(one["number"], one["seal_holds"]) for one in issued if (one.get("seal_holds") or {}).get("stamped_by")]
    ending = [(name, holds) for name, holds in stamped if holds["until"] - view.on <= RENEW_WITHIN]
    return [_what("seal", name, _text(holds["until"]), holds["stamped_by"]) for name, holds in ending]


def _what(what: str, subject: str, until: str | None, detail: str = "") -> Row:
    return {"what": what, "subject": subject, "until": until, "detail": detail}
