"""Notices: weighed by the profiles' data, answered, kept with their verdict, and applied where they are accepted.

Rules kept: a notice is not dated ahead; a refused one, and one that needs both parties, is kept and changes nothing; an
accepted one moves its anchors (K is the end of the services where the exit is partial) and chooses its options. D
moves with T, and never lies after K.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from services.orders.domain.case import Case
from services.orders.domain.moving import check_placed, move, moved_with
from services.orders.domain.records import ACCEPTED, Body, Moved, Notice
from services.orders.domain.refusals import not_ahead
from shared.rules.notices import Asked, NoticeDay, Situation, Weighed, calendar, weigh
from shared.rules.plan import make_plan

_EXTENSION, _POSTPONEMENT = "extension", "postponement"


def check_notice(case: Case, data: Body) -> Body:
    """Weigh a notice without keeping it; give its verdict."""
    return _verdict(case, data, None, _of_this_exit(case, data, _weighed(case, data)))


def give_notice(case: Case, data: Body) -> tuple[Case, Body]:
    """Weigh and keep a notice, apply it where it is accepted, and give its verdict."""
    case = case.step("give_notice")
    said = _weighed(case, data)
    weighed = _of_this_exit(case, data, said)
    moved = tuple(Moved(anchor, on) for anchor, on in weighed.moved)
    notice = Notice.of(
        {**data, **_essence(weighed)}, notice_id=case.new_id("notice"), by=case.caller.party, moved=moved
    )
    case = case.put(notices=(*case.exit.notices, notice))
    if notice.counts:
        case = _applied(case, notice)
        case = case.agree(agreement_end=dict(said.moved)["K"]) if _of_all(case, data) else case
    return case.tell("notice_given", _told(notice)), _verdict(case, data, notice.notice_id, weighed)


def calendar_of(case: Case) -> tuple[NoticeDay, ...]:
    """Give the last day of every notice."""
    return tuple(calendar(case.profiles, _situation(case)))


def read_calendar(case: Case) -> Body:
    """Give the answer of `read_calendar`."""
    names = ("kind", "variant", "title_da", "title_en", "clause", "latest_on", "clear_on")
    days = [{name: getattr(day, name) for name in names} for day in calendar_of(case)]
    return {"exit_id": case.exit.exit_id, "days": days}


def _applied(case: Case, notice: Notice) -> Case:
    case = move(case, {each.anchor: each.on for each in notice.moved}, by_right=True)
    options = tuple(sorted({*case.exit.options, *notice.options}))
    more = 1 if notice.kind == _EXTENSION else 0
    return case.put(options=options).agree(extensions=case.agreement.extensions + more)


def _weighed(case: Case, data: Body) -> Weighed:
    not_ahead("given_on", data["given_on"], case.today)
    if data["kind"] == _POSTPONEMENT:
        check_placed(case, "kind")
    names = ("kind", "variant", "given_on", "effect_on", "basis_on", "months", "milestone")
    asked = Asked(**{name: data[name] for name in names}, services=tuple(data["services"]))
    return weigh(case.profiles, asked, _situation(case, whole=_of_all(case, data)))


def _of_all(case: Case, data: Body) -> bool:
    """Tell whether a partial exit's notice is about the end of the whole agreement."""
    moving = {kind.kind for profile in case.profiles for kind in profile.notices if kind.moves == "K"}
    return case.exit.scope == "partial" and not data["services"] and data["kind"] in moving


def _of_this_exit(case: Case, data: Body, weighed: Weighed) -> Weighed:
    """Say what moves in this exit: D with T and K; a partial one has a K of its own, which its services' end moves."""
    if weighed.outcome not in ACCEPTED:
        return replace(weighed, moved=(), options=())
    moves = dict(weighed.moved)
    if _of_all(case, data) and moves["K"] >= case.end:
        del moves["K"]
    if weighed.effect_on and data["services"] and set(data["services"]) == set(case.exit.services):
        moves.setdefault("K", weighed.effect_on)
    return replace(weighed, moved=tuple(moved_with(case, moves).items()))


def _situation(case: Case, *, whole: bool = False) -> Situation:
    facts = case.facts
    if whole and case.agreement.agreement_end:
        facts = replace(facts, anchors={**facts.anchors, "K": case.agreement.agreement_end})
    gone = {name for placed in case.agreement.placed if placed.exit_id != case.exit.exit_id for name in placed.services}
    services = {each.service: each.kind for each in case.agreement.services if each.service not in gone}
    return Situation(facts, make_plan(case.profiles, facts), services, case.agreement.extensions, case.caller.party)


def _essence(weighed: Weighed) -> dict[str, Any]:
    names = ("variant", "outcome", "code", "effect_on", "latest_on", "clause", "options")
    return {name: getattr(weighed, name) for name in names}


def _told(notice: Notice) -> Body:
    return {**notice.body(), "services": list(notice.services), "options": list(notice.options)}


def _verdict(case: Case, data: Body, notice_id: str | None, weighed: Weighed) -> Body:
    moved = [{"anchor": anchor, "on": on} for anchor, on in weighed.moved]
    texts = {"message_da": weighed.message_da, "message_en": weighed.message_en}
    same = {"exit_id": case.exit.exit_id, "notice_id": notice_id, "kind": data["kind"], "moved": moved}
    return {**_essence(weighed), **texts, **same, "options": list(weighed.options)}
