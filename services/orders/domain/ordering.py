"""Ordering (A1–A4): from the wished window to the final order.

Rules kept:
1. The window is reserved by the final order alone (S1 §4); it needs an answer to every line of the profiles, both
   registers, the meeting and the confirmation. What is missing is named at once (ORDER_INCOMPLETE).
2. Capacity may refuse a window under the standard model alone, never what S2 28.1 owes: that order is placed and shown
   as over capacity (T8).
3. At most one exit from the whole agreement has the final order, and no system is in two (S2 15.6.1).
4. The final order pins version and digests of every profile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from services.orders.domain import capacity as windows
from services.orders.domain.agreements import Agreement
from services.orders.domain.capacity import Capacity
from services.orders.domain.case import Caller, Case
from services.orders.domain.dates import Switch, fixed_dates, switch
from services.orders.domain.exits import LIVE, Exit, opaque_id
from services.orders.domain.facts import order_fact, window_fact
from services.orders.domain.records import Body, Counter, Meeting, Pin, Placed, System
from services.orders.domain.refusals import all_among, among, each_once, not_ahead, refuse
from services.orders.domain.scope import MUNICIPAL, check_one_left, check_scope
from shared.rules.profiles import Profile, option_ids, required_lines

REGISTERS = ("EQUIPMENT-REGISTER", "SUB-SUPPLIER-LIST")


def order_window(
    agreement: Agreement, data: Body, profiles: Sequence[Profile], caller: Caller, today: date, *, rehearsal: bool
) -> Case:
    """Order a window (A1); raise Rejected naming the field of what does not fit."""
    takeover, end = _known(agreement)
    check_scope(agreement, data)
    dates = switch(data, profiles, takeover, data["ends_on"] or end, today)
    exit_ = Exit.of(
        data,
        exit_id=opaque_id("exit", caller.command_id),
        customer_cvr=agreement.customer_cvr,
        state="ordered",
        **dates._asdict(),
        systems=tuple(map(System.of, data["systems"])),
        places=_answers(agreement, data["places"], profiles, rehearsal=rehearsal),
        fixed_dates=fixed_dates(data, today),
    )
    case = Case(agreement, exit_, tuple(profiles), Capacity(agreement.supplier_cvr), caller, today)
    return case.tell("window_ordered", window_fact(case))


def answer_places(case: Case, data: Body, *, rehearsal: bool) -> Case:
    """Answer lines of the list, again where they had an answer."""
    case = case.step("answer_places")
    given = _answers(case.agreement, data["places"], case.profiles, rehearsal=rehearsal)
    return case.put(places={**case.exit.places, **given})


def hold_meeting(case: Case, data: Body) -> Case:
    """Record the clarification meeting (A2); raise Rejected OPTION_UNKNOWN or DATES_OUT_OF_ORDER."""
    case = case.step("hold_meeting")
    not_ahead("held_on", data["held_on"], case.today)
    all_among("OPTION_UNKNOWN", "expected_options", data["expected_options"], option_ids(case.profiles))
    told = {"on": data["held_on"], "archive_asked": data["archive_asked"], "digest": data["digest"]}
    return case.put(meeting=Meeting.of(data)).tell("meeting_held", told)


def confirm_window(case: Case, data: Body) -> Case:
    """Confirm the window as wished, or propose other dates (A3)."""
    if data["answer"] == "countered":
        return _counter(case, data)
    case = case.step("confirm_window")
    for field in ("go_live", "operations_end"):
        if data[field] not in (None, getattr(case.exit, field)):
            raise refuse(
                "DATES_DIFFER", field, "a confirmation keeps the dates of the order (S1 §4)",
                "leave the date out, or answer countered",
                "En bekræftelse følger bestillingens datoer (S1 §4). Brug ellers et modforslag.",
            )  # fmt: skip
    return case.tell("window_confirmed", {})


def answer_counter(case: Case, data: Body) -> Case:
    """Accept or decline the supplier's dates (A3)."""
    answer, counter = data["answer"], case.exit.counter
    case = case.step(f"answer_counter({answer})").put(counter=None)
    if answer == "accepted" and counter:
        dates = switch(counter.body(), case.profiles, *_known_of(case), case.today)
        case = case.put(**dates._asdict()).tell("window_confirmed", {})
    return case.tell("window_ordered", window_fact(case))


def place_final_order(case: Case) -> Case:
    """Place the final order (A4); raise Rejected ORDER_INCOMPLETE, CAPACITY_FULL or EXIT_ALREADY_PLACED."""
    if case.exit.state not in LIVE[:3]:
        case.step("place_final_order")
    wanted = windows.window_of(case.profiles, case.exit.exit_id, case.exit.go_live)
    full = windows.full_day(case.capacity, wanted, case.today)
    refused = full if not windows.owes_assistance(case.profiles) else None
    _check_complete(case, refused)
    _check_alone(case)
    case = case.step("place_final_order").put(
        pinned=tuple(Pin(each.name, each.version, each.digest, each.source_digest) for each in case.profiles),
        over_capacity=full is not None,
    )
    ends = Placed(case.exit.exit_id, case.exit.scope, case.exit.services, case.exit.system_names)
    case = replace(case, capacity=windows.reserve(case.capacity, wanted, case.today))
    return case.agree(placed=(*case.agreement.placed, ends)).tell("order_placed", order_fact(case))


def open_lines(agreement: Agreement, exit_: Exit, profiles: Sequence[Profile]) -> list[str]:
    """List the lines without an answer; the two registers are answered by their lists."""
    lines = _lines(agreement, profiles)
    return [line for line in lines if line not in exit_.places and line not in REGISTERS]


def _counter(case: Case, data: Body) -> Case:
    case = case.step("confirm_window(countered)")
    dates: Switch = switch(data, case.profiles, *_known_of(case), case.today)
    if dates == (case.exit.go_live, case.exit.operations_end):
        raise refuse(
            "DATES_SAME", "go_live", "these are the dates of the order (S1 §4)", "confirm the window",
            "Det er bestillingens egne datoer (S1 §4). Bekræft vinduet.",
        )  # fmt: skip
    return case.put(counter=Counter(*dates)).tell("window_countered", dates._asdict())


def _known(agreement: Agreement) -> tuple[date, date]:
    if agreement.takeover_day is None or agreement.agreement_end is None:
        raise refuse(
            "TAKEOVER_UNKNOWN", "agreement_id", "the takeover is not approved, so that the agreement's end is not "
            "known (S2 1, 27.1)", "let the customer approve it with approve_takeover",
            "Overtagelsen er ikke godkendt, så kontraktophør kendes ikke (S2 1, 27.1). Godkend den først.",
        )  # fmt: skip
    return agreement.takeover_day, agreement.agreement_end


def _known_of(case: Case) -> tuple[date, date]:
    return _known(case.agreement)[0], case.end


def _lines(agreement: Agreement, profiles: Sequence[Profile]) -> list[str]:
    """List the lines of the profiles that apply to this kind of customer (T19)."""
    left_out = () if agreement.customer_type == "municipality" else MUNICIPAL
    return [line.line for line in required_lines(profiles) if line.line not in left_out]


def _answers(
    agreement: Agreement, places: Sequence[Mapping[str, str]], profiles: Sequence[Profile], *, rehearsal: bool
) -> dict[str, str]:
    known = _lines(agreement, profiles)
    each_once("PLACE_TWICE", "places", "line", [place["line"] for place in places])
    for number, place in enumerate(places):
        among("PLACE_UNKNOWN", f"places.{number}.line", place["line"], known)
        if place["answer"] == "NOT_IN_REHEARSAL" and not rehearsal:
            raise refuse(
                "PLACE_ANSWER_NOT_ALLOWED", f"places.{number}.answer", "NOT_IN_REHEARSAL is for rehearsals only",
                "answer the line", "NOT_IN_REHEARSAL er kun for øvelser. Besvar linjen.",
            )  # fmt: skip
    return {place["line"]: place["answer"] for place in places}


def _check_complete(case: Case, full: date | None) -> None:
    """Refuse ORDER_INCOMPLETE naming all that is missing, or CAPACITY_FULL where only the window is."""
    exit_ = case.exit
    lines = open_lines(case.agreement, exit_, case.profiles)
    missing = {
        "places": (f"lines ({', '.join(lines)})", f"linjer ({', '.join(lines)})") if lines else None,
        "equipment": ("the equipment register", "udstyrsregisteret") if exit_.equipment is None else None,
        "sub_suppliers": ("the sub-suppliers", "underleverandørerne") if exit_.sub_suppliers is None else None,
        "meeting": ("the meeting (A2)", "afklaringsmødet (A2)") if exit_.meeting is None else None,
        "confirmation": ("the confirmation (A3)", "bekræftelsen (A3)") if exit_.state != "confirmed" else None,
        "window": (f"a free window on {full}", f"et ledigt vindue den {full}") if full else None,
    }
    named = {field: texts for field, texts in missing.items() if texts}
    if full and list(named) == ["window"]:
        raise windows.no_window(full)
    if named:
        raise refuse(
            "ORDER_INCOMPLETE", next(iter(named)), f"missing (S1 §4): {'; '.join(en for en, _ in named.values())}",
            f"give {', '.join(named)}, then order again",
            f"Bestillingen mangler (S1 §4): {'; '.join(da for _, da in named.values())}.",
        )  # fmt: skip


def _check_alone(case: Case) -> None:
    """Refuse EXIT_ALREADY_PLACED where another exit ends the same, and the end of the last Kerneydelse."""
    exit_ = case.exit
    for other in case.agreement.placed:
        whole_twice = other.scope == "whole" and other.exit_id != exit_.exit_id
        if whole_twice or set(other.systems) & set(exit_.system_names):
            raise refuse(
                "EXIT_ALREADY_PLACED", "exit_id", "another exit that ends the same has the final order (S1 §4)",
                "use the one that is there, or cancel it first",
                "Et andet exit med samme indhold er endeligt bestilt (S1 §4). Brug det, eller annuller det først.",
            )  # fmt: skip
    if exit_.scope == "partial":
        check_one_left(case.agreement, exit_.services)
