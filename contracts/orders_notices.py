"""Wire messages of `orders` that change or end it: notices and their verdicts, triggers, obligations."""

from contracts.fields import Choice, Code, Count, Day, Digest, Id, Many, Text
from contracts.registry import Message

NOTICES = (
    "termination", "annulment", "immediate_end", "supplier_end", "reduction", "extension", "emergency_extension",
    "emergency_end", "postponement", "exit_process", "retention", "retention_end", "standard_copy",
)  # fmt: skip
OUTCOMES = ("accepted", "accepted_later", "agreement_needed", "refused")


class CheckNotice(Message):
    """A notice to be weighed. `effect_on`: the wished day; `months`: of an extension; `milestone`: an activity id or T;
    `services`: of a reduction or partial end; `basis_on`: an order's day, a demand's day, the framework's end."""

    exit_id = Id()
    kind = Choice(*NOTICES)
    variant = Code(required=False, allow_none=True, load_default=None)
    given_on = Day()
    effect_on = Day(required=False, allow_none=True, load_default=None)
    basis_on = Day(required=False, allow_none=True, load_default=None)
    months = Count(required=False, allow_none=True, load_default=None)
    milestone = Code(required=False, allow_none=True, load_default=None)
    services = Many(Code(), required=False, load_default=list)


class Notice(CheckNotice):
    """A written notice, with the digest of the document that the other party has."""

    digest = Digest()


class Moved(Message):
    """An anchor of the plan that gets another date."""

    anchor = Code()
    on = Day()


class Verdict(Message):
    """What a notice brings: the outcome, the day it takes effect, the clause, and the last day in time."""

    exit_id = Id()
    notice_id = Id(allow_none=True)
    kind = Choice(*NOTICES)
    variant = Code(allow_none=True)
    outcome = Choice(*OUTCOMES)
    code = Code(allow_none=True)
    effect_on = Day(allow_none=True)
    latest_on = Day(allow_none=True)
    clause = Text(80)
    moved = Many(Moved)
    options = Many(Code())
    message_da = Text(500)
    message_en = Text(500)


class NoticeDay(Message):
    """The last day of one kind of notice in time, for the customer's calendar (`clear_on`: read with clear days)."""

    kind = Choice(*NOTICES)
    variant = Code(allow_none=True)
    title_da = Text(200)
    title_en = Text(200)
    clause = Text(80)
    latest_on = Day(allow_none=True)
    clear_on = Day(allow_none=True)


class Calendar(Message):
    exit_id = Id()
    days = Many(NoticeDay)


class RecordTrigger(Message):
    """Something happened that starts a period of the agreement: `anchor` is one of the profiles' (`demand`, …)."""

    exit_id = Id()
    anchor = Code()
    on = Day()
    digest = Digest()


class AnswerObligation(Message):
    """Show that an obligation was met, or that it was not (`failed`), with the digest of what shows it."""

    exit_id = Id()
    obligation = Code()
    answer = Choice("met", "failed")
    on = Day()
    digest = Digest()


class CancelExit(Message):
    exit_id = Id()
    reason = Choice("withdrawn", "replaced", "agreement_continues")
    digest = Digest()
