"""One notice weighed, and the last day for each."""

from __future__ import annotations

from collections.abc import Sequence

from shared.rules.notices.bars import barred
from shared.rules.notices.calls import kind_of, variant_of
from shared.rules.notices.measures import MEASURES
from shared.rules.notices.model import Asked, Case, NoticeDay, Situation, Weighed, clear_day, last_in_time
from shared.rules.plan import anchor_date, reference_date
from shared.rules.profiles import NoticeKind, Profile, Variant


def weigh(profiles: Sequence[Profile], asked: Asked, situation: Situation) -> Weighed:
    """Weigh one notice; raise Rejected for a call that names what is not there or leaves out what it needs."""
    kind = kind_of(profiles, asked.kind)
    case = Case(tuple(profiles), kind, variant_of(kind, asked.variant), asked, situation)
    return barred(case) or MEASURES[kind.measure](case)


def calendar(profiles: Sequence[Profile], situation: Situation) -> tuple[NoticeDay, ...]:
    """List the last day for each notice that this party can give, as far as its date is known."""
    days: list[NoticeDay] = []
    for kind in (kind for profile in profiles for kind in profile.notices):
        if not situation.facts.options.issuperset(kind.requires):
            continue
        mine = [each for each in kind.variants if situation.customer_party in (each.by or kind.by)]
        days += [_day(tuple(profiles), kind, variant, situation) for variant in mine]
    return tuple(days)


def _day(profiles: tuple[Profile, ...], kind: NoticeKind, variant: Variant, situation: Situation) -> NoticeDay:
    anchor = anchor_date(profiles, situation.facts, kind.against)
    if anchor and variant.not_before and kind.measure == "end":
        bar = reference_date(profiles, situation.facts, variant.not_before)
        anchor = anchor if bar and bar <= anchor else None
    latest = last_in_time(anchor, variant.period) if anchor else None
    title_da, title_en = f"{kind.title_da}: {variant.title_da}", f"{kind.title_en}: {variant.title_en}"
    return NoticeDay(
        kind.kind, variant.id, title_da, title_en, variant.clause, latest, clear_day(latest, variant.period)
    )
