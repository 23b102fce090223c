"""The signed statement of a certificate: an in-toto Statement v1, derived from the log and from nothing else it claims.

Counts, dates, digests and dispositions come from the exit's entries in the log up to a fixed size; names of parties and
officials, titles of systems and the wording of rules come from the exit's record and never enter the log. The same
input gives the same bytes, so that each signer can draw it up again and compare. Whatever is not done is printed as
NOT DONE, whatever is not covered as not covered; "permanent" stands in a BACKUP-EXPIRED statement only, and not where a
rehearsal has no backups.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from dateutil.relativedelta import relativedelta

from contracts.attesting import NOT_USED
from services.compliance import attestations, texts
from services.compliance.domain import ACTIVE, EXPIRED, Asked, silence_deleted, standing
from services.compliance.facts import Facts, day
from services.compliance.keys import PublicKeys
from services.compliance.sections import (
    access,
    archive_line,
    attempts,
    backups,
    earlier_job,
    holds,
    jobs_of,
    physical_of,
    places_of,
    retained,
    scope_lines,
    software,
    subjects,
    suspended,
    unowned,
    verification_of,
)

TYPE = "https://in-toto.io/Statement/v1"
PREDICATES = {
    "production": "urn:ophor:deletion-certificate:v1",
    "rehearsal": "urn:ophor:rehearsal-certificate:v1",
}
THRESHOLD = 2
_OBLIGATIONS = ("S2-28.1-b", "S2-28.1-c", "S2-28.1-d", "S2-28.1-d-backups")
MANUAL = "manual (attested), not verified by us"
UNCOUNTED = "attested by people; nothing was counted or looked for by us"


@dataclass(frozen=True, slots=True)
class Head:
    """The log at a size: `root` 32 bytes; `chain` the number of the exit's entries and the last one's leaf hash."""

    size: int
    root: bytes
    chain: tuple[int, str]


@dataclass(frozen=True, slots=True)
class Record:
    """What the certificate names and the log may not: parties, officials, titles, the wording of rules."""

    controller: dict[str, str]
    processor: dict[str, str]
    agreement_reference: str
    dpa_reference: str
    officials: dict[str, dict[str, str]] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)
    rules: dict[str, dict[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Draft:
    """Everything a statement is made from."""

    certificate_id: str
    stage: str
    number: str
    version: int
    issued_on: date
    facts: Facts
    record: Record
    head: Head
    keys: PublicKeys
    follows: dict[str, str] | None = None
    activities: tuple[str, ...] = ()

    @property
    def scopes(self) -> dict[str, list[str]]:
        """Give the systems of each scope that the certificate covers."""
        return Asked(self.stage, self.issued_on, self.activities).scopes(self.facts)

    @property
    def covered(self) -> list[dict[str, Any]]:
        """Give the order's lines of the systems that the certificate covers."""
        mine = {system for systems in self.scopes.values() for system in systems}
        return [line for line in self.facts.systems if line["system"] in mine]


def statement(draft: Draft) -> dict[str, Any]:
    """Write the statement; the facts must have passed `domain.refusals`."""
    return {
        "_type": TYPE,
        "subject": subjects(draft.facts, draft.scopes),
        "predicateType": PREDICATES[draft.keys.kind],
        "predicate": {
            **_heading(draft),
            **_parties(draft),
            "instruction": _instruction(draft.facts),
            "dates": _dates(draft),
            "scope": _scope(draft),
            "systems": [_system(draft, line) for line in draft.covered],
            "retained": retained(draft.facts, draft.scopes),
            "unowned": unowned(draft.facts, draft.scopes),
            "attestations": _attestations(draft),
            "backups": backups(draft.facts),
            "holds": holds(draft.facts),
            "access": access(draft.facts),
            "delivery": _delivery(draft),
            "approvals": _approvals(draft),
            "archive": [archive_line(one.index, one.entry) for one in draft.facts.archive.values()],
            "outside": _outside(draft),
            "obligations": _obligations(draft),
            "not_covered": _not_covered(draft),
            "not_done": _not_done(draft),
            "limits": texts.LIMITS,
            "log": _log(draft),
            "signers": _signers(draft.keys),
            "keeping": _keeping(draft),
            "wording": _wording(draft),
        },
    }


def _heading(draft: Draft) -> dict[str, Any]:
    return {
        "kind": draft.keys.kind,
        "certificate_id": draft.certificate_id,
        "number": draft.number,
        "stage": draft.stage,
        "version": draft.version,
        "status": "issued",
        "follows": draft.follows,
        "revokes": None,
        "issued_on": draft.issued_on.isoformat(),
        "simulated_dates": draft.keys.kind == "rehearsal",
        "software": software(),
        "exit": draft.facts.exit_id,
    }


def _parties(draft: Draft) -> dict[str, Any]:
    order = draft.facts.order
    assert order
    return {
        "controller": draft.record.controller,
        "processor": draft.record.processor,
        "agreement": {
            "agreement_id": order.entry["agreement_id"],
            "reference": draft.record.agreement_reference,
            "dpa_reference": draft.record.dpa_reference,
            "profiles": order.entry["pinned"],
            "clauses": ["S2 28.1", "S2 3.2", "S1 D2, D7, D9", "GDPR art. 28(3)(g)"],
            "amendment": draft.facts.amendment,
            "evidence": order.index,
        },
    }


def _instruction(facts: Facts) -> dict[str, Any]:
    assert facts.instruction
    return {**facts.instruction.entry, "evidence": facts.instruction.index}


def _dates(draft: Draft) -> list[dict[str, Any]]:
    facts = draft.facts
    assert facts.order
    found: list[tuple[str, date | None, texts.Both]] = [
        ("operations_end", facts.operations_end(), texts.RULES["order"]),
        ("agreement_end", facts.agreement_end(), texts.RULES["in_force"]),
        ("delivery_accepted", day(facts.accepted, "on") if facts.accepted else None, texts.RULES["accepted"]),
        ("deletion_due", facts.due("S2-28.1-d"), _rule(draft, "S2-28.1-d")),
        ("deletion_done", facts.deleted_on(draft.scopes), texts.RULES["verified"]),
        ("backups_due", facts.backups_due(draft.scopes), texts.RULES["six_months"]),
        ("backups_gone", _gone_on(draft), texts.RULES["observed"]),
    ]
    return [{"name": name, "date": on.isoformat(), "rule": rule} for name, on, rule in found if on]


def _gone_on(draft: Draft) -> date | None:
    return draft.facts.backups_gone_on(draft.scopes) if draft.stage == EXPIRED else None


def _rule(draft: Draft, obligation: str) -> texts.Both:
    told = draft.record.rules.get(obligation, {})
    text = " · ".join(part for part in (told.get("clause", ""), told.get("rule", "")) if part) or obligation
    return {"da": text, "en": text}


def _scope(draft: Draft) -> dict[str, Any]:
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


def _system(draft: Draft, line: dict[str, Any]) -> dict[str, Any]:
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
        "method": MANUAL if line["kind"] == "manual" else "delete",
        "nist_800_88": _media_class(draft, line),
        "tool": software(),
        "begun_on": job.begun.entry["on"] if job.begun else None,
        "executed_on": job.executed.entry["on"] if job.executed else None,
        "counts": {count: sum(one[count] for one in places) for count in names},
        "deleted_in_all": sum(one["deleted"] for one in places) + sum(one["deleted"] for one in earlier),
        "places": places,
        "physical": physical_of(job, name),
        "verification": verification_of(job) | ({"method": UNCOUNTED} if line["kind"] == "manual" else {}),
        "earlier_jobs": earlier,
        "evidence": [one.index for one in job.entries()],
    }


def _attested(draft: Draft) -> list[dict[str, Any]]:
    return attestations.rows(draft.facts, [line["system"] for line in draft.covered])


def _attestations(draft: Draft) -> list[dict[str, Any]]:
    """List what people attested of the covered systems: by whom, when, by which document."""
    return [{**one, "by": _person(draft, one), "verified_by_us": False} for one in _attested(draft)]


def _media_class(draft: Draft, line: dict[str, Any]) -> str:
    classes = {one["media_class"] for one in _attested(draft) if one["system"] == line["system"] and one["media_class"]}
    if classes:
        return f"{', '.join(sorted(classes))} (attested)"
    return "none (attested)" if line["kind"] == "manual" else "none (logical deletion)"


def _outside(draft: Draft) -> dict[str, Any]:
    """Say that nothing beyond the scope was changed, and name every attempt that was rolled back."""
    made = attempts(draft.facts, draft.scopes)
    return {
        "changes": 0,
        "method": "effect accounting inside each deleting transaction",
        "rolled_back": len(made),
        "attempts": made,
    }


def _not_done(draft: Draft) -> list[texts.Both]:
    """List what is not done; where every sub-processor has confirmed, only their regions are missing."""
    named = any(one["subprocessor"] for one in _attested(draft))
    return [texts.REGIONS if named and one["code"] == "SUB_PROCESSORS" else one for one in texts.NOT_DONE]


def _delivery(draft: Draft) -> dict[str, Any]:
    delivered, accepted = draft.facts.delivered, draft.facts.accepted
    assert delivered
    names = ("package_id", "package_digest", "package_bytes", "files", "rows", "on")
    answer = None
    if accepted:
        answer = {"on": accepted.entry["on"], "by": _person(draft, accepted.entry), "evidence": accepted.index}
    recipient = draft.facts.dispatch.entry["recipient_digest"] if draft.facts.dispatch else None
    return {
        **{name: delivered.entry[name] for name in names},
        "recipient_digest": recipient,
        "accepted": answer,
        "evidence": delivered.index,
    }


def _approvals(draft: Draft) -> list[dict[str, Any]]:
    return [
        {
            "activity": job.activity,
            "job_id": job.job_id,
            "plan_digest": job.intent.entry["plan_digest"],
            "by": [{**_person(draft, one), "at": one["at"]} for one in job.intent.entry["approvals"]],
            "evidence": job.intent.index,
        }
        for job in jobs_of(draft.facts, draft.scopes)
        if job.intent
    ]


def _person(draft: Draft, entry: dict[str, Any]) -> dict[str, Any]:
    """Name an official in their function; the log itself knows the opaque actor and the role only."""
    official = draft.record.officials.get(entry["actor"], {})
    return {
        "actor": entry["actor"],
        "role": entry["role"],
        "name": official.get("name"),
        "function": official.get("function"),
    }


def _obligations(draft: Draft) -> list[dict[str, Any]]:
    rows = []
    for name in _OBLIGATIONS:
        stands = standing(name, draft.facts, draft.issued_on)
        rows.append(
            {
                "id": name,
                "clause": "S2 28.1",
                "due": stands.due.isoformat() if stands.due else None,
                "state": stands.state,
                "reason": stands.reason,
                "evidence": list(stands.evidence),
            }
        )
    return rows


def _not_covered(draft: Draft) -> list[dict[str, str]]:
    """List what the certificate says nothing about; it is never empty (evidence.md §1.4)."""
    order = draft.facts.order
    answers = order.entry["places"] if order else []
    rows = [
        {"code": one["answer"], "subject": one["line"], **texts.ANSWERS[one["answer"]]}
        for one in answers
        if one["answer"] != "mapped"
    ]
    if draft.stage == ACTIVE:
        rows.append({"code": "BACKUPS", "subject": "", **texts.BACKUPS_NOT_COVERED})
    elif draft.facts.backups_left_out:
        rows.append({"code": "BACKUPS", "subject": "", **texts.BACKUPS_LEFT_OUT})
    with_backups = {system for system, _ in draft.facts.backups}
    for line in draft.covered:
        if line["system"] not in with_backups:
            rows.append({"code": "NO_BACKUP_REGISTERED", "subject": line["system"], **texts.NO_BACKUP})
    media = [one["answer"] == attestations.MEDIA for one in _attested(draft)]
    never = [texts.MEDIA_ATTESTED if one["code"] == "MEDIA" and any(media) else one for one in texts.NEVER_COVERED]
    return rows + _people_s(draft) + never


def _people_s(draft: Draft) -> list[dict[str, str]]:
    """List what people attested and nobody here has seen, and what of it stays with the customer (T12)."""
    found = []
    for one in _attested(draft):
        subject = f"{one['system']}/{one['place'] or one['subprocessor']}"
        if one["answer"] == attestations.STAYS:
            found.append({"code": "CUSTOMER_POSSESSION", "subject": subject, **texts.ANSWERS["CUSTOMER_POSSESSION"]})
        elif one["answer"] == NOT_USED:
            found.append({"code": "SUBPROCESSOR_NOT_USED", "subject": subject, **texts.SUBPROCESSOR_NOT_USED})
        else:
            found.append({"code": "ATTESTED", "subject": subject, **texts.ATTESTED_NOT_VERIFIED})
    return [one for number, one in enumerate(found) if one not in found[:number]]


def _log(draft: Draft) -> dict[str, Any]:
    count, head = draft.head.chain
    return {
        "origin": draft.keys.origin,
        "size": draft.head.size,
        "root": base64.b64encode(draft.head.root).decode(),
        "key": draft.keys.log,
        "entries": [one.index for one in draft.facts.entries],
        "chain": {"count": count, "head": head},
    }


def _signers(keys: PublicKeys) -> dict[str, Any]:
    return {
        "threshold": THRESHOLD,
        "statement": [{"role": "supplier-seal", "key": keys.seal}, {"role": "compliance", "key": keys.sign}],
        "pdf": keys.pdf,
        "verify_url": keys.verify_url,
    }


def _keeping(draft: Draft) -> dict[str, str]:
    until = draft.issued_on + relativedelta(years=5)
    return {"until_at_least": until.isoformat(), **texts.KEEPING}


def _wording(draft: Draft) -> dict[str, list[str]]:
    """Write the sentences that count; the page only repeats them."""
    facts, stage = draft.facts, draft.stage
    rows = sum(_system(draft, line)["deleted_in_all"] for line in draft.covered)
    stands = standing("S2-28.1-d", facts, draft.issued_on)
    seen = [line for line in draft.covered if line["kind"] != "manual"]
    numbers = {"rows": rows, "systems": len(seen), "sets": len(facts.sets_of(draft.scopes))}
    numbers |= {"attested": len(_attested(draft)), "undone": len(attempts(facts, draft.scopes))}
    gone = facts.backups_gone_on(draft.scopes)
    days = {"on": facts.deleted_on(draft.scopes), "gone": gone, "due": facts.due("S2-28.1-d")}
    parts = [texts.REHEARSAL] if draft.keys.kind == "rehearsal" else []
    final = texts.BACKUPS_LEFT_OUT if facts.backups_left_out else texts.PERMANENT
    parts += [texts.DELETED if len(seen) == len(draft.covered) else texts.DELETED_SEEN] if seen else []
    parts += [said for said, there in ((texts.ATTESTED, "attested"), (texts.UNDONE, "undone")) if numbers[there]]
    parts.append(final if stage == EXPIRED else texts.NOT_PERMANENT)
    parts += _parts_left(_scope(draft))
    if facts.accepted is None and silence_deleted(facts):
        parts.append(texts.SILENCE)
    if days["due"]:  # the plan is under S2
        parts.append(texts.STATES_28_1[stands.state])
    if facts.amendment:
        parts.append(texts.AMENDED)
    return {
        language: [one[language].format(**numbers, **_written(days, language)) for one in parts]
        for language in ("da", "en")
    }


def _parts_left(scope: dict[str, Any]) -> list[texts.Both]:
    left = [
        (scope["suspended"], texts.SUSPENDED),
        (scope["elsewhere"], texts.ELSEWHERE),
        (scope["exit"] == "partial", texts.PARTIAL),
    ]
    return [said for there, said in left if there]


def _written(days: dict[str, date | None], language: str) -> dict[str, str]:
    """Write dates as the language does: 5.10.2026, or 2026-10-05 in English."""
    if language == "en":
        return {name: on.isoformat() if on else "–" for name, on in days.items()}
    return {name: f"{on.day}.{on.month}.{on.year}" if on else "–" for name, on in days.items()}
