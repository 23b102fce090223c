"""Accords: what binds only when both parties signed exactly the same document.

Rules kept:
1. Proposing is this party's signature; the other party signs, by another person, the same digest.
2. Each kind has its own content (`FIELDS`), all of it and nothing else, checked when proposed and again when signed.
3. A service after the end needs its addendum before it is agreed on (S1 §5, B14), and no option runs for more than
   5 years after the end (S2 28.2).
4. A signed amendment changes the agreement (S2 15.1), a signed milestone T moves the window where the capacity has one
   (T7, T8), a signed end of an option fixes O.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from contracts.orders_agreement import AMENDMENTS
from services.orders.domain.case import Case
from services.orders.domain.moving import check_placed, move, moved_with
from services.orders.domain.records import Accord, Amendment, Body
from services.orders.domain.refusals import all_among, among, each_once, in_order, refuse, wrong_party
from shared.rules.plan import reference_date
from shared.rules.references import Reference

FIELDS: Mapping[str, tuple[str, ...]] = {
    "addendum": ("options", "until"),
    "amendment": ("subject",),
    "cooperation": (),
    "heavy_job": ("subject", "on", "reason"),
    "milestone": ("subject", "on", "reason"),
    "option_end": ("options", "until"),
}
LONGEST = Reference("K", "+5y")
SWITCH = "T"
_ALL = ("subject", "options", "on", "until", "reason")


def propose(case: Case, data: Body) -> tuple[Case, str]:
    """Propose an accord and sign it as one party; give its id too."""
    case = case.step("propose_accord")
    accord = Accord.of(data, proposed_by=case.caller.party, proposer=case.caller.actor)
    _check(case, accord)
    accord_id = case.new_id("accord")
    return case.put(accords={**case.exit.accords, accord_id: accord}), accord_id


def sign(case: Case, data: Body) -> Case:
    """Sign an accord as the other party; raise Rejected ACCORD_*, WRONG_PARTY or what its content meets by now."""
    case = case.step("sign_accord")
    among("ACCORD_UNKNOWN", "accord_id", data["accord_id"], case.exit.accords)
    accord = case.exit.accords[data["accord_id"]]
    _check_signer(case, accord, data["digest"])
    _check(case, accord)
    signed = replace(accord, state="signed", signed_on=case.today)
    case = _applied(case.put(accords={**case.exit.accords, data["accord_id"]: signed}), signed)
    names = ("kind", "subject", "on", "until", "reason", "digest", "signed_on")
    told = {name: getattr(signed, name) for name in names} | {"options": list(signed.options)}
    return case.tell("accord_signed", {**told, "accord_id": data["accord_id"], "signed_by": ["customer", "supplier"]})


def _applied(case: Case, accord: Accord) -> Case:
    if accord.kind == "amendment" and accord.subject:
        amendment = Amendment(accord.subject, accord.digest, case.today, ("customer", "supplier"))
        return case.agree(amendments=(*case.agreement.amendments, amendment))
    if accord.subject == SWITCH and accord.on:
        return move(case, moved_with(case, {SWITCH: accord.on}), by_right=False)
    suspends = any(case.offered[option].suspends for option in accord.options)
    return case.put(option_ends=accord.until) if accord.until and suspends else case


def _check_signer(case: Case, accord: Accord, digest: str) -> None:
    if accord.state == "signed":
        raise refuse(
            "ACCORD_SIGNED", "accord_id", "both parties have signed it (S2 15.1)", "propose a new one",
            "Begge parter har underskrevet (S2 15.1). Foreslå eventuelt en ny.",
        )  # fmt: skip
    if case.caller.party == accord.proposed_by:
        raise wrong_party(
            "accord_id", "the other party signs what this one proposed (S2 15.1)",
            "Den anden part skal underskrive (S2 15.1).",
        )  # fmt: skip
    if case.caller.actor == accord.proposer:
        raise refuse(
            "SAME_PERSON", "accord_id", "nobody signs for both parties (S2 15.1)", "let another person sign",
            "Samme person kan ikke underskrive for begge parter (S2 15.1).",
        )  # fmt: skip
    if digest != accord.digest:
        raise refuse(
            "ACCORD_DIFFERS", "digest", "this is not the document that was proposed (S2 15.1)",
            "sign exactly the proposed document, or propose the other one",
            "Det er ikke det foreslåede dokument (S2 15.1). Underskriv præcis det foreslåede.",
        )  # fmt: skip


def _check(case: Case, accord: Accord) -> None:
    for name in _ALL:
        if bool(getattr(accord, name)) != (name in FIELDS[accord.kind]):
            wrong = "missing" if name in FIELDS[accord.kind] else "not part of it"
            raise refuse(
                "ACCORD_INCOMPLETE", name, f"{name} is {wrong} in an accord of kind {accord.kind} (S2 15.1)",
                f"give exactly: {', '.join(FIELDS[accord.kind]) or 'the digest alone'}",
                f"Feltet {name} passer ikke til en aftale af typen {accord.kind} (S2 15.1).",
            )  # fmt: skip
    if accord.kind == "amendment":
        _check_amendment(case, accord.subject or "")
    if accord.on and accord.subject:
        _check_subject(case, accord, accord.subject, accord.on)
    if accord.until:
        _check_options(case, accord, accord.until)


def _check_amendment(case: Case, kind: str) -> None:
    among("AMENDMENT_UNKNOWN", "subject", kind, AMENDMENTS)
    if kind in case.agreement.amended:
        raise refuse(
            "AMENDMENT_EXISTS", "subject", "the agreement has this amendment (S2 15.1)", "use the one that is there",
            "Aftalen har allerede dette ændringstillæg (S2 15.1).",
        )  # fmt: skip


def _check_subject(case: Case, accord: Accord, subject: str, on: date) -> None:
    activities = {each.id: each for profile in case.profiles for each in profile.activities}
    in_order("today", case.today, "on", on)
    if accord.kind == "milestone":
        check_placed(case, "kind")
        among("ACTIVITY_UNKNOWN", "subject", subject, {SWITCH, *activities})
        return
    among("ACTIVITY_UNKNOWN", "subject", subject, {name for name, each in activities.items() if each.heavy})
    covered = {option for each in case.exit.accords.values() for option in each.options if _is_addendum(each)}
    if on > case.end and not covered & set(activities[subject].options):
        raise refuse(
            "ADDENDUM_MISSING", "subject", f"{subject} after the agreement's end needs a signed addendum (S1 §5, B14)",
            "sign an accord of kind addendum first",
            f"{subject} efter kontraktophør kræver en underskrevet allonge (S1 §5, B14).",
        )  # fmt: skip


def _check_options(case: Case, accord: Accord, until: date) -> None:
    each_once("OPTION_TWICE", "options", "", accord.options)
    able = [name for name in case.exit.options if name in case.offered]
    fit = {name for name in able if case.offered[name].after_end or case.offered[name].suspends}
    all_among("OPTION_NOT_CHOSEN", "options", accord.options, fit)
    if accord.kind == "addendum":
        in_order("agreement_end", case.end, "until", until, strict=True)
    in_order("today", case.today, "until", until)
    longest = reference_date(case.profiles, case.facts, LONGEST)
    if longest:
        in_order("until", until, "K +5y", longest, field="until")


def _is_addendum(accord: Accord) -> bool:
    return accord.kind == "addendum" and accord.state == "signed"
