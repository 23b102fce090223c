"""What may be agreed and ordered: pure rules of agreements and exits.

Rules kept:
1. Both parties have a valid CVR; KOMBIT's test authorities only in demo and test mode.
2. in_force ≤ takeover ≤ operations_end < go_live, takeover < agreement_end, operations_end ≤ agreement_end, and
   go_live lies ahead; an error names the field (domain.md §3.1).
3. An amendment counts only when both parties signed it (S2 15.1), and not in the future.
4. The window is reserved by the final order alone (S1 §4). It needs an answer to every line of the profiles'
   reconciled list of places (evidence.md §5), and pins version and digest of every profile.
5. Only options that the profiles offer; a service after the end needs its storage option as well (T2).
6. A command that the table does not list for the exit's state is refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from contracts.errors import Rejected
from shared.rules.cvr import is_cvr
from shared.rules.plan import PlanFacts, anchor_date
from shared.rules.profiles import Profile, missing_needs, option_ids, pins, required_lines

Body = dict[str, Any]

TRANSITIONS = {
    ("ordered", "confirm_window"): "confirmed",
    ("confirmed", "place_final_order"): "placed",
    ("placed", "choose_options"): "placed",
    ("ordered", "instruct"): "ordered",
    ("confirmed", "instruct"): "confirmed",
    ("placed", "instruct"): "placed",
    ("ordered", "decide_archive"): "ordered",
    ("confirmed", "decide_archive"): "confirmed",
    ("placed", "decide_archive"): "placed",
}
BOTH = {"customer", "supplier"}


@dataclass(frozen=True, slots=True)
class Agreement:
    """A registered agreement, as it was registered."""

    agreement_id: str
    reference: str
    customer_cvr: str
    customer_name: str
    customer_type: str
    supplier_cvr: str
    supplier_name: str
    profiles: tuple[str, ...]
    dpa_reference: str
    in_force_on: date
    takeover_day: date
    agreement_end: date
    amendments: tuple[Body, ...] = ()

    @property
    def facts(self) -> PlanFacts:
        """Give the dates that the agreement fixes, by anchor."""
        return PlanFacts({"in_force": self.in_force_on, "takeover": self.takeover_day, "K": self.agreement_end})


@dataclass(frozen=True, slots=True)
class Exit:
    """One ordered exit and what the customer has decided about it."""

    exit_id: str
    agreement_id: str
    customer_cvr: str
    state: str
    go_live: date
    operations_end: date
    tenant: str
    map_digest: str
    systems: tuple[Body, ...]
    places: dict[str, str]
    options: tuple[str, ...] = ()
    silence: str = ""
    instruction: Body = field(default_factory=dict)
    archive: dict[str, Body] = field(default_factory=dict)
    pinned: tuple[Body, ...] = ()


def agreement_id(supplier_cvr: str, reference: str) -> str:
    """Give an agreement's opaque id: one agreement for one supplier's reference."""
    return "agreement-" + hashlib.sha256(f"{supplier_cvr}/{reference}".encode()).hexdigest()[:24]


def exit_id(command_id: str) -> str:
    """Give an exit's opaque id, from the command that orders it."""
    return "exit-" + hashlib.sha256(command_id.encode()).hexdigest()[:24]


def register(data: Body, profiles: Sequence[Profile], today: date, *, allow_test: bool) -> Agreement:
    """Make an agreement of its command; raise Rejected PROFILE_*, CVR_*, DATES_OUT_OF_ORDER or AMENDMENT_*."""
    if not any(profile.activities for profile in profiles):
        raise _refuse(
            "PROFILE_WITHOUT_ACTIVITIES", "profiles", "no profile of the agreement gives activities",
            "add the profile of the standard exit model", "Ingen af aftalens profiler har aktiviteter.",
        )  # fmt: skip
    for party in ("customer", "supplier"):
        if not is_cvr(data[party]["cvr"], allow_test=allow_test):
            raise _refuse(
                "CVR_INVALID", f"{party}.cvr", "the CVR number is not valid", "check the eight digits", _CVR_DA
            )
    _in_order("in_force_on", data["in_force_on"], "takeover_day", data["takeover_day"])
    _in_order("takeover_day", data["takeover_day"], "agreement_end", data["agreement_end"], strict=True)
    for number, amendment in enumerate(data["amendments"]):
        _check_amendment(f"amendments.{number}", amendment, today)
    customer, supplier = data["customer"], data["supplier"]
    same = ("reference", "customer_type", "dpa_reference", "in_force_on", "takeover_day", "agreement_end")
    return Agreement(
        agreement_id=agreement_id(supplier["cvr"], data["reference"]),
        customer_cvr=customer["cvr"],
        customer_name=customer["name"],
        supplier_cvr=supplier["cvr"],
        supplier_name=supplier["name"],
        profiles=tuple(data["profiles"]),
        amendments=_only(data["amendments"], "kind", "digest", "signed_on", "signed_by"),
        **{name: data[name] for name in same},
    )


def order_window(agreement: Agreement, data: Body, command_id: str, profiles: Sequence[Profile], today: date) -> Exit:
    """Make an exit of an `order_window`; raise Rejected DATES_OUT_OF_ORDER, SYSTEMS_* or PLACE_*."""
    go_live = data["go_live"]
    anchors = {**agreement.facts.anchors, "T": go_live}
    operations_end = data["operations_end"] or anchor_date(profiles, PlanFacts(anchors), "D")
    if operations_end is None:
        raise _refuse("DATE_MISSING", "operations_end", "the profiles do not fix the last day of operations", "give it")
    _in_order("takeover_day", agreement.takeover_day, "operations_end", operations_end)
    _in_order("operations_end", operations_end, "go_live", go_live, strict=True)
    _in_order("operations_end", operations_end, "agreement_end", agreement.agreement_end)
    _in_order("today", today, "go_live", go_live, strict=True)
    _check_systems(data["systems"])
    return Exit(
        exit_id=exit_id(command_id),
        agreement_id=agreement.agreement_id,
        customer_cvr=agreement.customer_cvr,
        state="ordered",
        go_live=go_live,
        operations_end=operations_end,
        tenant=data["tenant"],
        map_digest=data["map_digest"],
        systems=_only(data["systems"], "system", "title", "kind", "deletion"),
        places=_answers(data["places"], profiles),
    )


def check_answers(answers: dict[str, str], *, rehearsal: bool) -> None:
    """Refuse the answer that only a rehearsal may give (evidence.md §1.2)."""
    for line, answer in answers.items():
        if answer == "NOT_IN_REHEARSAL" and not rehearsal:
            raise _refuse(
                "PLACE_ANSWER_NOT_ALLOWED", "places", f"{line}: NOT_IN_REHEARSAL is for rehearsals", "answer the line"
            )


def confirm(exit_: Exit) -> Exit:
    """Confirm the window (A3)."""
    return replace(exit_, state=step(exit_.state, "confirm_window"))


def place_final_order(exit_: Exit, profiles: Sequence[Profile]) -> Exit:
    """Reserve the window (A4) and pin the profiles; raise Rejected PLACES_UNANSWERED naming every open line."""
    state = step(exit_.state, "place_final_order")
    open_lines = [line.line for line in required_lines(profiles) if line.line not in exit_.places]
    if open_lines:
        raise _refuse(
            "PLACES_UNANSWERED", "places", f"not answered: {', '.join(open_lines)}",
            "order the window with an answer to every line", f"Ubesvarede steder: {', '.join(open_lines)}.",
        )  # fmt: skip
    return replace(exit_, state=state, pinned=tuple(pins(profiles)))


def choose_options(exit_: Exit, data: Body, profiles: Sequence[Profile]) -> Exit:
    """Confirm the options (B3); raise Rejected OPTION_UNKNOWN or OPTION_NEEDS naming the clause."""
    state = step(exit_.state, "choose_options")
    known = option_ids(profiles)
    for number, option in enumerate(data["options"]):
        if option not in known:
            raise _refuse(
                "OPTION_UNKNOWN", f"options.{number}", f"the agreement has no option '{option}'",
                f"use one of: {', '.join(sorted(known))}", f"Aftalen har ingen option '{option}'.",
            )  # fmt: skip
    for need in missing_needs(profiles, data["options"]):
        chosen = ", ".join(sorted(set(need.options) & set(data["options"])))
        raise _refuse(
            "OPTION_NEEDS", "options", f"{chosen} needs one of {', '.join(need.one_of)} as well ({need.clause})",
            f"choose {need.one_of[0]} too, or leave {chosen} out",
            f"{chosen} kræver også {', '.join(need.one_of)} ({need.clause}).",
        )  # fmt: skip
    return replace(exit_, state=state, options=tuple(sorted(set(data["options"]))), silence=data["silence"])


def instruct(exit_: Exit, data: Body, today: date) -> Exit:
    """Take the controller's instruction (GDPR Art. 28(3)(g)); raise Rejected DATES_OUT_OF_ORDER."""
    _in_order("given_on", data["given_on"], "today", today, field="given_on")
    kept = {name: data[name] for name in ("kind", "basis", "digest", "given_on")}
    return replace(exit_, state=step(exit_.state, "instruct"), instruction=kept)


def decide_archive(exit_: Exit, data: Body, today: date) -> Exit:
    """Take the archive decision of one system (T3); raise Rejected SYSTEM_UNKNOWN or DATES_OUT_OF_ORDER."""
    state = step(exit_.state, "decide_archive")
    known = [system["system"] for system in exit_.systems]
    if data["system"] not in known:
        raise _refuse(
            "SYSTEM_UNKNOWN", "system", "the order has no such system", f"use one of: {', '.join(known)}",
            "Bestillingen har ikke det system.",
        )  # fmt: skip
    _in_order("decided_on", data["decided_on"], "today", today, field="decided_on")
    kept = {name: data[name] for name in ("decision", "digest", "decided_on")}
    return replace(exit_, state=state, archive={**exit_.archive, data["system"]: kept})


def step(state: str, command: str) -> str:
    """Give the next state; raise Rejected STATE_FORBIDS for what the table does not list."""
    following = TRANSITIONS.get((state, command))
    if following is None:
        allowed = sorted(name for before, name in TRANSITIONS if before == state)
        raise _refuse(
            "STATE_FORBIDS", "exit_id", f"an exit that is {state} does not take {command}",
            f"it takes {', '.join(allowed)}", f"Et exit i tilstanden {state} kan ikke tage imod {command}.",
        )  # fmt: skip
    return following


def window_fact(agreement: Agreement, exit_: Exit) -> Body:
    """Give the body of `window_ordered`."""
    of_agreement = ("agreement_id", "customer_cvr", "customer_type", "in_force_on", "takeover_day", "agreement_end")
    of_exit = ("exit_id", "go_live", "operations_end", "tenant", "map_digest")
    return {
        **{name: getattr(agreement, name) for name in of_agreement},
        **{name: getattr(exit_, name) for name in of_exit},
        "profiles": list(agreement.profiles),
        "systems": list(exit_.systems),
        "amendments": list(agreement.amendments),
    }


def order_fact(agreement: Agreement, exit_: Exit) -> Body:
    """Give the body of `order_placed`."""
    places = [{"line": line, "answer": answer} for line, answer in sorted(exit_.places.items())]
    return window_fact(agreement, exit_) | {"pinned": list(exit_.pinned), "places": places}


def exit_row(agreement: Agreement, exit_: Exit) -> Body:
    """Give the answer of `read_exit`."""
    left_out = ("customer_type", "in_force_on", "amendments")
    row = {name: value for name, value in window_fact(agreement, exit_).items() if name not in left_out}
    names = ("reference", "dpa_reference", "customer_name", "supplier_name", "supplier_cvr")
    return (
        row
        | {name: getattr(agreement, name) for name in names}
        | {"state": exit_.state, "options": list(exit_.options)}
    )


def unknown(kind: str) -> Rejected:
    """Make the refusal of an agreement or exit that is not there (or not the caller's)."""
    return _refuse(
        f"{kind.upper()}_UNKNOWN", f"{kind}_id", f"there is no such {kind}", "check the id", "Id'et findes ikke."
    )


def already(code: str, field: str, message: str, da: str) -> Rejected:
    """Make the refusal of what is there already."""
    return _refuse(code, field, message, "use the one that is there", da)


_CVR_DA = "CVR-nummeret er ikke gyldigt."


def _only(bodies: list[Body], *names: str) -> tuple[Body, ...]:
    """Keep the contract's fields: what else a caller sent (a connection, say) is not for the events."""
    return tuple({name: body[name] for name in names} for body in bodies)


def _check_amendment(where: str, amendment: Body, today: date) -> None:
    if set(amendment["signed_by"]) != BOTH:
        raise _refuse(
            "AMENDMENT_NOT_SIGNED", f"{where}.signed_by", "an amendment counts when both parties signed it (S2 15.1)",
            "let both sign it", "Et ændringstillæg skal være underskrevet af begge parter (S2 15.1).",
        )  # fmt: skip
    _in_order("signed_on", amendment["signed_on"], "today", today, field=f"{where}.signed_on")


def _check_systems(systems: list[Body]) -> None:
    if not systems:
        raise _refuse("SYSTEMS_MISSING", "systems", "the order names no system", "name the systems of the map")
    names = [system["system"] for system in systems]
    for number, name in enumerate(names):
        if name in names[:number]:
            raise _refuse("SYSTEM_TWICE", f"systems.{number}.system", "the system is there twice", "name it once")


def _answers(places: list[Body], profiles: Sequence[Profile]) -> dict[str, str]:
    known = {line.line for line in required_lines(profiles)}
    answers: dict[str, str] = {}
    for number, place in enumerate(places):
        line = place["line"]
        if line not in known:
            raise _refuse(
                "PLACE_UNKNOWN", f"places.{number}.line", f"there is no line {line}", f"use one of: {sorted(known)}"
            )
        if line in answers:
            raise _refuse("PLACE_TWICE", f"places.{number}.line", f"{line} is answered twice", "answer it once")
        answers[line] = place["answer"]
    return answers


def _in_order(name: str, first: date, other: str, second: date, *, strict: bool = False, field: str = "") -> None:
    """Refuse dates in the wrong order, naming the later one's field (or `field`)."""
    if first < second or (first == second and not strict):
        return
    sign, words = ("<", "skal ligge før") if strict else ("≤", "må ikke ligge efter")
    raise _refuse(
        "DATES_OUT_OF_ORDER", field or other, f"{name} {first} {sign} {other} {second} does not hold",
        "correct the date", f"{name} ({first}) {words} {other} ({second}).",
    )  # fmt: skip


def _refuse(code: str, field: str, message: str, remedy: str, da: str = "") -> Rejected:
    return Rejected(code, message, field=field, remedy=remedy, da=da)
