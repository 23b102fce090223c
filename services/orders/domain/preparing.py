"""Preparation and window: contacts (B1), dates (B2), options (B3), pairs (B6), transfer, the last billing run (C1).

Rules kept:
1. The contact persons of customer and supplier know the solution (S1 §2, §5), each named by its own party.
2. Dates move without consent 90 Dage before the milestone (S2 15.4; T7); later only by an accord that both signed,
   which moves T by itself where the capacity has a window or S2 28.1 owes it (T8).
3. Only options that the profiles offer, in time (storage at silence too), and a service after the end with what S2
   28.2 needs for the same systems (T2). What an accepted notice chose, or silence took, stays chosen.
4. Every error of the last billing run is corrected, or accepted by the customer (S1 §6).
"""

from __future__ import annotations

import re
from datetime import date, timedelta

from services.orders.domain import capacity as windows
from services.orders.domain.case import Case
from services.orders.domain.dates import Switch, fixed_dates, switch, usual_end
from services.orders.domain.matters import STORAGE_OPTION, storage
from services.orders.domain.moving import reserve_again
from services.orders.domain.notices import calendar_of
from services.orders.domain.records import BillingRun, Body, Contact, Cover, Pair, Transfer
from services.orders.domain.refusals import each_once, in_order, not_ahead, refuse, wrong_party
from shared.rules.cvr import is_cvr
from shared.rules.plan import check_options
from shared.rules.scopes import check_covers

PAIRS = ("DAGTILBUD-ADMIN", "KLUB-ADMIN", "SFO-ADMIN", "DAGPLEJE-ADMIN")
NOTICE_DAYS = timedelta(days=90)
OPERATIONS_END = "C6"
_NAMED_BY = {"customer": "customer", "successor": "customer", "supplier": "supplier"}
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def name_contact(case: Case, data: Body) -> Case:
    """Name a party's contact person (B1; S1 §2), in the place of an earlier one."""
    case, party = case.step("name_contact"), data["party"]
    if _NAMED_BY[party] != case.caller.party:
        raise wrong_party(
            "party", f"the {_NAMED_BY[party]} names this contact person (S1 §2)",
            "Den anden part udpeger denne kontaktperson (S1 §2).",
        )  # fmt: skip
    if not _EMAIL.fullmatch(data["email"]):
        raise refuse(
            "EMAIL_INVALID", "email", "this is not an e-mail address", "correct the address",
            "Det er ikke en e-mailadresse. Ret den.",
        )  # fmt: skip
    if party != "successor" and not data["knows_solution"]:
        raise refuse(
            "CONTACT_UNFIT", "knows_solution", "the contact person knows the solution (S1 §5)", "name another person",
            "Kontaktpersonen skal kende løsningen (S1 §5). Udpeg en anden.",
        )  # fmt: skip
    contact = Contact.of(data, contact_id=case.new_id("contact"))
    told = {"party": party, "contact_id": contact.contact_id, "on": case.today}
    return case.put(contacts={**case.exit.contacts, party: contact}).tell("contact_named", told)


def confirm_dates(case: Case, data: Body) -> Case:
    """Confirm or move the dates (B2); raise Rejected CONSENT_NEEDED, CAPACITY_FULL or DATES_OUT_OF_ORDER."""
    case, before = case.step("confirm_dates"), Switch(case.exit.go_live, case.exit.operations_end)
    wanted = data | {"operations_end": data["operations_end"] or _same_end(case, data["go_live"])}
    takeover = case.agreement.takeover_day or case.agreement.in_force_on
    after = switch(wanted, case.profiles, takeover, case.end, case.today)
    _check_consent(case, before, after)
    days = fixed_dates(data, case.today) or case.exit.fixed_dates
    case = case.put(**after._asdict(), fixed_dates=days)
    if after.go_live != before.go_live:
        case = reserve_again(case, by_right=True)
    return case.tell("dates_confirmed", {**after._asdict(), "adjusted": after != before, "on": case.today})


def choose_options(case: Case, data: Body) -> Case:
    """Confirm the options, what they cover and what silence means (B3, T10); raise Rejected OPTION_* or COVER_*."""
    case = case.step("choose_options")
    each_once("OPTION_TWICE", "options", "", data["options"])
    check_options(case.profiles, data["options"])
    each_once("COVER_TWICE", "covers", "option", [each["option"] for each in data["covers"]])
    covers = tuple(map(Cover.of, data["covers"]))
    chosen = tuple(sorted({*data["options"], *taken(case)}))
    named = {cover.option: cover.systems for cover in covers}
    meant = storage(case.profiles) if data["silence"] == STORAGE_OPTION != case.exit.silence else ()
    _check_in_time(case, {*chosen, *meant} - set(case.exit.options))
    check_covers(case.profiles, case.deletions, chosen, named, case.agreement.amended)
    told = {"options": list(chosen), "covers": [each.body() for each in covers], "silence": data["silence"]}
    return case.put(options=chosen, covers=covers, silence=data["silence"]).tell("options_confirmed", told)


def taken(case: Case) -> frozenset[str]:
    """Give the options that accepted notices chose, and those that silence took."""
    noticed = (option for notice in case.exit.notices if notice.counts for option in notice.options)
    return frozenset({*noticed, *case.exit.by_silence})


def decide_pairs(case: Case, data: Body) -> Case:
    """Decide what becomes of the four Børn/Admin pairs (B6); raise Rejected PAIR_* or DATES_OUT_OF_ORDER."""
    case = case.step("decide_pairs")
    pairs = tuple(map(Pair.of, data["pairs"]))
    named = [pair.line for pair in pairs]
    each_once("PAIR_TWICE", "pairs", "line", named)
    if set(named) != set(PAIRS):
        listed = ", ".join(sorted(set(named) ^ set(PAIRS)))
        raise refuse(
            "PAIRS_INCOMPLETE", "pairs", f"exactly four pairs are decided; missing or unknown: {listed} (S1 §5)",
            f"decide {', '.join(PAIRS)}", f"De fire systempar besvares; mangler eller er ukendt: {listed} (S1 §5).",
        )  # fmt: skip
    for number, pair in enumerate(pairs):
        _check_pair(f"pairs.{number}", pair)
    told = {"pairs": [pair.body() for pair in pairs], "on": case.today}
    return case.put(pairs=pairs).tell("pairs_decided", told)


def instruct_transfer(case: Case, data: Body, *, allow_test: bool) -> Case:
    """Take the transfer instruction (S1 §9); raise Rejected CVR_INVALID, RECIPIENT_NOT_OTHER or DATES_OUT_OF_ORDER."""
    case, recipient = case.step("instruct_transfer"), data["recipient_cvr"]
    if not is_cvr(recipient, allow_test=allow_test):
        raise refuse(
            "CVR_INVALID", "recipient_cvr", "the CVR number is not valid (S1 §9)", "check the eight digits",
            "CVR-nummeret er ikke gyldigt (S1 §9).",
        )  # fmt: skip
    if recipient == case.agreement.supplier_cvr:
        raise refuse(
            "RECIPIENT_NOT_OTHER", "recipient_cvr", "the data are transferred to another than the supplier (S1 §9)",
            "give the successor's CVR number", "Modtageren er leverandøren selv (S1 §9). Angiv ny leverandørs CVR.",
        )  # fmt: skip
    not_ahead("approved_on", data["approved_on"], case.today)
    transfer = Transfer.of(data)
    return case.put(transfer=transfer).tell("transfer_instructed", transfer.body())


def record_billing_run(case: Case, data: Body) -> Case:
    """Record the last billing run (C1); raise Rejected BILLING_ERRORS_OPEN, WRONG_PARTY or DATES_OUT_OF_ORDER."""
    case, run = case.step("record_billing_run"), BillingRun.of(data)
    not_ahead("run_on", run.run_on, case.today)
    first = windows.window_of(case.profiles, case.exit.exit_id, case.exit.go_live).first
    in_order("window", first, "run_on", run.run_on)
    if run.corrected + run.accepted != run.errors:
        raise refuse(
            "BILLING_ERRORS_OPEN", "errors", f"{run.errors} errors, {run.corrected} corrected, {run.accepted} accepted "
            "– every one is handled before the extract (S1 §6)", "handle the rest, then record the run",
            f"{run.errors} fejl, {run.corrected} rettet, {run.accepted} accepteret: alle skal håndteres før udtrækket "
            "(S1 §6).",
        )  # fmt: skip
    if run.accepted and case.caller.party != "customer":
        raise wrong_party(
            "accepted", "only the customer accepts an error of the log (S1 §6)",
            "Kun kunden kan acceptere en fejl i loggen (S1 §6).",
        )  # fmt: skip
    told = {name: value for name, value in run.body().items() if name != "run_on"}
    return case.put(billing=run).tell("billing_run_recorded", told | {"on": run.run_on})


def _same_end(case: Case, go_live: date) -> date | None:
    """Give D where nobody names it: as it was when T stays, else the profiles' for the new T."""
    stays = go_live == case.exit.go_live
    return case.exit.operations_end if stays else usual_end(case.profiles, go_live, case.end)


def _check_consent(case: Case, before: Switch, after: Switch) -> None:
    """Refuse CONSENT_NEEDED for T, and for D where it does not hang on a T that moves (S2 15.4; T7)."""
    usual = usual_end(case.profiles, after.go_live, case.end)
    hangs = after.go_live != before.go_live and after.operations_end == usual
    for field, subject in (("go_live", "T"), ("operations_end", OPERATIONS_END)):
        old, new = getattr(before, field), getattr(after, field)
        latest = min(old, new) - NOTICE_DAYS
        free = subject == OPERATIONS_END and (hangs or _agreed(case, subject, new))
        if old == new or case.today <= latest or free:
            continue
        raise refuse(
            "CONSENT_NEEDED", field, f"after {latest} the date moves only with the supplier's consent (S2 15.4)",
            f"propose and sign an accord of kind milestone, subject {subject}, on {new}; then confirm the dates",
            f"Efter {latest} kræver en ny dato leverandørens samtykke (S2 15.4): en milepælsaftale om {subject}.",
        )  # fmt: skip


def _agreed(case: Case, subject: str, on: date) -> bool:
    accords = [each for each in case.exit.accords.values() if each.kind == "milestone" and each.state == "signed"]
    return any((each.subject, each.on) == (subject, on) for each in accords)


def _check_in_time(case: Case, fresh: set[str]) -> None:
    """Refuse OPTION_LATE for an option whose notice had to come earlier (S2 28.2)."""
    kinds = {each.kind: each for profile in case.profiles for each in profile.notices if each.late == "refused"}
    asked = {kind: sorted(fresh & set(each.chooses)) for kind, each in kinds.items()}
    for day in calendar_of(case) if any(asked.values()) else ():
        if asked.get(day.kind) and day.latest_on and case.today > day.latest_on:
            option = asked[day.kind][0]
            raise refuse(
                "OPTION_LATE", "options", f"{option} could be chosen until {day.latest_on} ({day.clause})",
                f"leave {option} out, or agree on an amendment (S2 15.1)",
                f"{option} kunne vælges til og med {day.latest_on} ({day.clause}). Udelad den, eller aftal et tillæg.",
            )  # fmt: skip


def _check_pair(where: str, pair: Pair) -> None:
    if pair.continues and pair.agreement_digest is None:
        raise refuse(
            "PAIR_AGREEMENT_MISSING", f"{where}.agreement_digest", "a pair that continues does so under an agreement "
            "(S1 §5)", "give its digest", "Et systempar, der videreføres, skal have en aftale (S1 §5).",
        )  # fmt: skip
    if pair.delete_on is not None:
        if pair.ends_on is None:
            raise refuse(
                "PAIR_END_MISSING", f"{where}.ends_on", "a pair that is deleted has an end before (S1 §7)",
                "give ends_on", "Angiv, hvornår systemparret ophører, før det slettes (S1 §7).",
            )  # fmt: skip
        in_order("ends_on", pair.ends_on, "delete_on", pair.delete_on, strict=True, field=f"{where}.delete_on")
