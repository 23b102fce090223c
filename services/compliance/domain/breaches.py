"""Personal data breaches as the supplier declares them (GDPR Art. 33(2)): what fits together, and what is answered.

Rules kept:
1. A breach is known from a time and notified at a later one, and neither is yet to come; the last word on it counts,
   but no later word makes it known later, or its notice undone.
2. What the log shows of a possible breach (a change outside the scope that stayed) is answered by a declaration that
   names its entry: by a notified breach, or by the assessment that it is none (Art. 4(12)). "None known" answers none.
3. "None known" holds for the work that was finished before it was said, and no longer.
4. "Without undue delay" is no number of hours: none is laid on it here, and both times are shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from contracts.breaches import BREACH, NO_BREACH, NONE_KNOWN
from contracts.errors import Rejected
from services.compliance.domain.parts import of_kind
from services.compliance.evidence import Logged
from services.compliance.facts import Facts

KIND = "BREACH_DECLARED"
_OF_BREACH = ("aware_at", "notified_at", "natures", "subjects", "records")


def outside(facts: Facts) -> list[Logged]:
    """List the entries that show a change outside the scope which stayed."""
    ends = [one for job in facts.jobs.values() for one in (*job.batches, job.executed, job.verified) if one]
    return [one for one in ends if one.entry["outside"]]


def declared(facts: Facts) -> dict[str, list[Logged]]:
    """Give what was declared, by id, each in the log's order."""
    found: dict[str, list[Logged]] = {}
    for one in of_kind(facts, KIND):
        found.setdefault(one.entry["breach_id"], []).append(one)
    return found


def answers_to(facts: Facts, index: int) -> list[Logged]:
    """List the declarations, as they stand, that name an entry; a breach first."""
    named = [told[-1] for told in declared(facts).values() if any(index in one.entry["about"] for one in told)]
    return sorted(named, key=lambda one: (one.entry["answer"] != BREACH, one.index))


def check(asked: Mapping[str, Any], facts: Facts, now: datetime) -> None:
    """Refuse a declaration that says too little, too much, or what cannot be."""
    if facts.order is None:
        raise Rejected("EXIT_UNKNOWN", "the log has no order of this exit", field="exit_id", remedy="order it first")
    strange = set(asked["about"]) - {one.index for one in facts.entries}
    if strange:
        raise _invalid("about", f"{min(strange)} is not an entry of this exit")
    if asked["answer"] == BREACH:
        _check_breach(asked, facts, now)
        return
    given = [name for name in ("breach_id", *_OF_BREACH) if asked[name]]
    if given:
        raise _invalid(given[0], f"{asked['answer']} has none")
    seen = {one.index for one in outside(facts)}
    if asked["answer"] == NONE_KNOWN and asked["about"]:
        raise _invalid("about", "NONE_KNOWN answers no entry")
    if asked["answer"] == NO_BREACH and not (asked["about"] and set(asked["about"]) <= seen):
        raise _invalid("about", "name the entries that were assessed: changes outside the scope")


def _check_breach(asked: Mapping[str, Any], facts: Facts, now: datetime) -> None:
    missing = [name for name in ("aware_at", "natures", "subjects", "records") if not asked[name]]
    if missing:
        raise _invalid(missing[0], "a breach says when it became known, its natures, and both bands")
    if len(set(asked["natures"])) != len(asked["natures"]):
        raise _invalid("natures", "one of them twice")
    times = [
        ("aware_at", instant(asked["aware_at"])),
        ("notified_at", instant(asked["notified_at"] or asked["aware_at"])),
    ]
    for name, at in times:
        if at > now:
            raise _invalid(name, "it cannot be later than now")
    if times[1][1] < times[0][1]:
        raise _invalid("notified_at", "nobody is notified of what is not known yet")
    if asked["breach_id"] is not None:
        _check_again(asked, declared(facts).get(asked["breach_id"], []))


def _check_again(asked: Mapping[str, Any], told: list[Logged]) -> None:
    if not told or told[-1].entry["answer"] != BREACH:
        raise Rejected(
            "BREACH_UNKNOWN", "the log has no such breach of this exit", field="breach_id",
            remedy="list the exit's breaches; what was declared a moment ago is logged soon",
            da="Bruddet findes ikke i loggen.",
        )  # fmt: skip
    before = told[-1].entry
    if instant(asked["aware_at"]) > instant(before["aware_at"]):
        raise _invalid("aware_at", "a breach does not become known later than was said before")
    if before["notified_at"] and not asked["notified_at"]:
        raise _invalid("notified_at", "a notice that was given is not undone")


def instant(text: str) -> datetime:
    """Read an instant with its zone."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise _invalid("aware_at", f"{text} is no instant") from None


def hours(entry: Mapping[str, Any]) -> int | None:
    """Give the whole hours from awareness to notice, None before it."""
    if not entry["notified_at"]:
        return None
    return int((instant(entry["notified_at"]) - instant(entry["aware_at"])).total_seconds()) // 3600


def _invalid(field: str, why: str) -> Rejected:
    return Rejected(
        "BREACH_INVALID", f"{field}: {why}", field=field, remedy="correct the field and declare again",
        da=f"Feltet {field} passer ikke til erklæringen.",
    )  # fmt: skip
