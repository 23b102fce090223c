"""What a document says nothing about, and what is not done: derived from dispositions, answers and evidence.

No line stands because it always does: each has its cause in the log (an answer of the order, a place's disposition, a
suspended system, a set that is not gone, a package that others now hold), and goes with it.
"""

from __future__ import annotations

from collections.abc import Iterator

from contracts.attesting import NOT_USED
from services.compliance.documents import attestations, texts, texts_stages
from services.compliance.documents.draft import Draft
from services.compliance.documents.sections import jobs_of, places_of, suspended, unowned
from services.compliance.documents.sections_deletion import attested
from services.compliance.domain import ACCESS, ACTIVE, DELIVERY, EXPIRED, REDELETION, REVOCATION, STATUS
from services.compliance.facts import INDEX
from services.compliance.signing import os_users

Row = dict[str, str]
DELETING = (ACTIVE, EXPIRED, REDELETION)
_OF_DELETION = ("ARTICLE_30_CATEGORIES", "SUB_PROCESSORS")


def not_done(draft: Draft) -> list[texts.Both]:
    """List what is not done; where every sub-processor has confirmed, only their regions are missing."""
    named = any(one["subprocessor"] for one in attested(draft))
    rows = [one for one in texts.NOT_DONE if draft.stage in DELETING or one["code"] not in _OF_DELETION]
    instead = {"SUB_PROCESSORS": texts.REGIONS} if named else {}
    instead |= {"TIMESTAMP_RFC3161": texts.SEAL_NOT_STATED} if draft.head.stamped_at else {}
    apart = {"SEPARATE_OS_USERS"} if os_users.stated(draft.facts, draft.keys) else set()
    return [instead.get(one["code"], one) for one in rows if one["code"] not in apart]


def not_covered(draft: Draft) -> list[Row]:
    """List what the certificate says nothing about; it is never empty (evidence.md §1.4)."""
    found = [*_answers(draft)] if draft.stage != REVOCATION else []
    if draft.stage in DELETING:
        found += [*_backups(draft), *_bare(draft), *_dispositions(draft), *_people_s(draft), *_media(draft)]
    else:
        found.append(_row("DELETION"))
    found += [*_delivered(draft), *_access(draft), *_left(draft), *_elsewhere(draft)]
    found.append(_row("EVIDENCE_KEPT", draft.keys.origin))
    return [one for number, one in enumerate(found) if one not in found[:number]]


def _row(code: str, subject: str = "", said: texts.Both | None = None) -> Row:
    both = said or texts_stages.NOT_COVERED[code]
    return {"code": code, "subject": subject, "da": both["da"], "en": both["en"]}


def _answers(draft: Draft) -> Iterator[Row]:
    """List what the order answered of the places that are forgotten (evidence.md §5)."""
    order = draft.facts.order
    for one in order.entry["places"] if order else []:
        if one["answer"] != "mapped":
            yield _row(one["answer"], one["line"], texts.ANSWERS[one["answer"]])


def _backups(draft: Draft) -> Iterator[Row]:
    if draft.stage in (ACTIVE, REDELETION):
        yield _row("BACKUPS", said=texts.BACKUPS_NOT_COVERED)
    elif draft.facts.backups_left_out:
        yield _row("BACKUPS", said=texts.BACKUPS_LEFT_OUT)


def _bare(draft: Draft) -> Iterator[Row]:
    known = {system for system, _ in draft.facts.backups}
    for line in draft.covered:
        if line["system"] not in known:
            yield _row("NO_BACKUP_REGISTERED", line["system"], texts.NO_BACKUP)


def _dispositions(draft: Draft) -> Iterator[Row]:
    """List every place that stays, by the reason of its disposition, and rows without a tenant."""
    for job in jobs_of(draft.facts, draft.scopes):
        for one in places_of(job):
            reason = (one["reason"] or "").split("(")[0]
            if one["disposition"] == "excluded" and reason in {**texts.ANSWERS, **texts_stages.NOT_COVERED}:
                yield _row(reason, f"{one['system']}/{one['place']}", texts.ANSWERS.get(reason))
    for one in unowned(draft.facts, draft.scopes):
        yield _row("UNOWNED", f"{one['system']}/{one['place']}: {one['rows']} ({one['reason']})")


def _people_s(draft: Draft) -> Iterator[Row]:
    """List what people attested and nobody here has seen, and what of it stays with the customer (T12)."""
    for one in attested(draft):
        subject = f"{one['system']}/{one['place'] or one['subprocessor']}"
        if one["answer"] == attestations.STAYS:
            yield _row("CUSTOMER_POSSESSION", subject, texts.ANSWERS["CUSTOMER_POSSESSION"])
        elif one["answer"] == NOT_USED:
            yield _row("SUBPROCESSOR_NOT_USED", subject, texts.SUBPROCESSOR_NOT_USED)
        else:
            yield _row("ATTESTED", subject, texts.ATTESTED_NOT_VERIFIED)


def _media(draft: Draft) -> Iterator[Row]:
    """Say that rows were deleted logically, unless nothing was."""
    sanitised = any(one["answer"] == attestations.MEDIA for one in attested(draft))
    logical = any(one["deleted"] for job in jobs_of(draft.facts, draft.scopes) for one in places_of(job))
    if sanitised or logical:
        yield _row("MEDIA", said=texts.MEDIA_ATTESTED if sanitised else texts.MEDIA)


def _delivered(draft: Draft) -> Iterator[Row]:
    """Say what a package that was handed over leaves with others."""
    delivered = draft.facts.delivered
    if delivered is None or draft.stage in (ACCESS, REVOCATION):
        return
    yield _row("SUCCESSOR_COPY", said=texts.SUCCESSOR_COPY)
    if draft.stage != DELIVERY:
        return
    yield _row("CONTENT")
    there = {one["system"] for one in delivered.entry["places"]}
    for line in draft.facts.systems:
        if line["system"] not in there:
            yield _row("NOT_DELIVERED", line["system"])
    for one in delivered.entry["places"]:
        if one["disposition"] == "shared":
            yield _row("SHARED_DELIVERED", f"{one['system']}/{one['place']}")


def _access(draft: Draft) -> Iterator[Row]:
    """Say what of the covered systems was attested by people, or has no access of its own."""
    if draft.stage != ACCESS:
        return
    manual = {line["system"] for line in draft.covered if line["kind"] == "manual"}
    for activity, systems in draft.scopes.items():
        for system in systems:
            if activity == INDEX:
                yield _row("NO_ACCESS_OF_ITS_OWN", system)
            elif system in manual:
                yield _row("ATTESTED", system)


def _left(draft: Draft) -> Iterator[Row]:
    """List what an option suspends, and systems of deletions that are not covered."""
    if draft.stage in (DELIVERY, REVOCATION):
        return
    for one in suspended(draft.facts, draft.scopes, draft.issued_on):
        where = one["system"] + (f"/{one['place']}" if one["place"] else "")
        yield _row("SUSPENDED", where + (f" ({one['until']})" if one["until"] else ""))


def _elsewhere(draft: Draft) -> Iterator[Row]:
    if draft.stage in (DELIVERY, REVOCATION, STATUS):
        return
    there = draft.facts.open_scopes(draft.issued_on)
    for activity in there:
        for system in there[activity] if activity not in draft.scopes else ():
            yield _row("ELSEWHERE", system)
