"""What the log proves of security during an exit, and of breaches (GDPR Art. 32, 33(2))."""

from __future__ import annotations

from datetime import date, timedelta

from contracts.breaches import BREACH, NONE_KNOWN
from services.compliance.domain.breaches import answers_to, declared, instant, outside
from services.compliance.domain.clocks import COPENHAGEN, logged_on
from services.compliance.domain.parts import Part
from services.compliance.evidence import Logged
from services.compliance.facts import INDEX, Facts, date_of, day


def before(on: date) -> date:
    """Give a last day that `on` has missed: for what had to come first and did not."""
    return on - timedelta(days=1)


def secured(facts: Facts, _due: date | None, _today: date) -> list[Part]:
    """Art. 32: the ways in of every system are closed and seen closed; a change outside the scope breaches it."""
    parts = []
    for line in facts.systems:
        if facts.scope_of(line["system"]) not in (None, INDEX):
            told, seen = facts.access.get(line["system"], (None, None))
            closed = told is not None and seen is not None and seen["state"] == "closed" and seen["verified"]
            on = date_of(str(seen["on"])) if closed and seen else None
            parts.append(Part(None, on, (told.index,) if told else ()))
    wrong = [Part(before(logged_on(one)), None, (one.index,)) for one in outside(facts)]
    return parts + wrong if parts else wrong


def breach_notified(facts: Facts, _due: date | None, _today: date) -> list[Part]:
    """Art. 33(2): each breach was notified, and what the log shows of one was answered; else "none known" is the word.

    Nothing here is breached by a date: "without undue delay" is no number (`breaches.py`, rule 4).
    """
    told = [one for one in declared(facts).values() if one[-1].entry["answer"] == BREACH]
    parts = [Part(None, _notified_on(one[-1]), tuple(each.index for each in one)) for one in told]
    parts += [_answered(facts, one) for one in outside(facts)]
    return parts or _none_known(facts)


def _answered(facts: Facts, seen: Logged) -> Part:
    """Give what became of a change outside the scope: notified as a breach, assessed to be none, or open."""
    by = answers_to(facts, seen.index)
    if not by:
        return Part(None, None, (seen.index,))
    met_on = _notified_on(by[0]) if by[0].entry["answer"] == BREACH else day(by[0], "on")
    return Part(None, met_on, (seen.index, by[0].index))


def _none_known(facts: Facts) -> list[Part]:
    """Take "none known" for the deletions that were verified before it was said; before that it stays open."""
    said = [one[-1] for one in declared(facts).values() if one[-1].entry["answer"] == NONE_KNOWN]
    if not said:
        return []
    last = max(said, key=lambda one: one.index)
    jobs = [facts.job(activity) for activity in facts.scopes()]
    ended = bool(jobs) and all(job and job.verified and job.verified.index < last.index for job in jobs)
    return [Part(None, day(last, "on") if ended else None, (last.index,))]


def _notified_on(told: Logged) -> date | None:
    at = told.entry["notified_at"]
    return instant(at).astimezone(COPENHAGEN).date() if at else None
