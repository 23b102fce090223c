"""Wire messages of GDPR Art. 33(2): what the supplier declares of personal data breaches, and when it was notified.

Closed, so that it can be evidence: no name, no text, no exact number of data subjects; what happened is told outside.
"""

from __future__ import annotations

from contracts.fields import Choice, Count, Day, Id, Instant, Many, Text
from contracts.registry import Command, Event, Message
from contracts.roles import DELETION_OFFICER, MONITOR, READERS, SUPPLIER_LEAD

NONE_KNOWN, BREACH, NO_BREACH = ANSWERS = ("NONE_KNOWN", "BREACH", "NO_BREACH")
NATURES = ("CONFIDENTIALITY", "INTEGRITY", "AVAILABILITY")
BANDS = ("NONE", "UP_TO_10", "UP_TO_100", "UP_TO_1000", "UP_TO_10000", "MORE", "UNKNOWN")


class DeclareBreach(Message):
    """Declare as the supplier: NONE_KNOWN (until now), a BREACH, or NO_BREACH (what the log shows was assessed, and is
    none, Art. 4(12)).

    A BREACH says when it became known (`aware_at`), when the controller was notified (`notified_at`, once it was), its
    natures, and how many data subjects and records as bands. `breach_id` names one declared before, which is told
    again with more; `about` are the indexes of the entries that showed it.
    """

    exit_id = Id()
    answer = Choice(*ANSWERS)
    breach_id = Id(required=False, allow_none=True, load_default=None)
    aware_at = Instant(required=False, allow_none=True, load_default=None)
    notified_at = Instant(required=False, allow_none=True, load_default=None)
    natures = Many(Choice(*NATURES), required=False, load_default=list)
    subjects = Choice(*BANDS, required=False, allow_none=True, load_default=None)
    records = Choice(*BANDS, required=False, allow_none=True, load_default=None)
    about = Many(Count(), required=False, load_default=list)


class BreachDeclared(DeclareBreach):
    """What was declared, by whom in what role and on which day; `breach_id` is the declaration's own where none was."""

    breach_id = Id()
    on = Day()
    actor = Id()
    role = Text(60)


class ListBreaches(Message):
    exit_id = Id()


class BreachRow(Message):
    """A declaration as it stands: the last word of each; `hours` from awareness to notice, as the log has them."""

    breach_id = Id()
    answer = Choice(*ANSWERS)
    aware_at = Instant(allow_none=True)
    notified_at = Instant(allow_none=True)
    hours = Count(allow_none=True)
    natures = Many(Choice(*NATURES))
    subjects = Choice(*BANDS, allow_none=True)
    records = Choice(*BANDS, allow_none=True)
    about = Many(Count())
    on = Day()
    evidence = Many(Count())


class Breaches(Message):
    """What was declared of an exit, and the entries that nobody has declared anything about (`unanswered`)."""

    exit_id = Id()
    breaches = Many(BreachRow)
    unanswered = Many(Count())


class BreachTaken(Message):
    exit_id = Id()
    breach_id = Id()


COMMANDS = (
    Command("compliance", "declare_breach", DeclareBreach, BreachTaken, frozenset({SUPPLIER_LEAD, DELETION_OFFICER})),
    Command("compliance", "list_breaches", ListBreaches, Breaches, READERS | {MONITOR}, query=True),
)

EVENTS = (Event("compliance", "breach_declared", BreachDeclared, ("compliance",)),)

TASKS = ()
