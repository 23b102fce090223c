"""What is shown of an exit: its row, and what is allowed but needs attention.

Rules kept: names stand in the row alone, for those who may read the exit; a caution names its clause in both languages.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from services.orders.domain.case import Case
from services.orders.domain.facts import window_fact
from services.orders.domain.ordering import open_lines
from services.orders.domain.records import Body

BACKUPS, AMENDMENT = "S2-28.1-d-backups", "backups_six_months"
_EVENT_ONLY = ("customer_type", "in_force_on", "amendments", "numbers", "lawyer_confirmed")


def exit_row(case: Case) -> Body:
    """Give the answer of `read_exit`."""
    agreement, exit_ = case.agreement, case.exit
    row = {name: value for name, value in window_fact(case).items() if name not in _EVENT_ONLY}
    names = ("reference", "dpa_reference", "customer_name", "supplier_name", "supplier_cvr")
    return {
        **row,
        **{name: getattr(agreement, name) for name in names},
        "state": exit_.state,
        "options": list(exit_.options),
        "services": list(exit_.services),
        "unanswered": open_lines(agreement, exit_, case.profiles),
        "contacts": [contact.body() for _, contact in sorted(exit_.contacts.items())],
        "fixed_dates": [each.body() for each in exit_.fixed_dates],
        "counter": exit_.counter.body() if exit_.counter else None,
        "accords": [{"accord_id": name, **accord.body()} for name, accord in sorted(exit_.accords.items())],
        "warnings": cautions(case),
    }


def cautions(case: Case) -> list[Body]:
    """List what is allowed but needs attention (T1, T3, T5, T8, B6)."""
    checks: tuple[Callable[[Case], Body | None], ...] = (_late_switch, _backups, _archive, _over_capacity, _feeds)
    return [caution for caution in (check(case) for check in checks) if caution] if case.exit.live else []


def _late_switch(case: Case) -> Body | None:
    if case.exit.go_live <= case.end + timedelta(days=1):
        return None
    return _caution(
        "GO_LIVE_AFTER_END", "S2 27.1",
        f"Skiftet {case.exit.go_live} ligger efter kontraktophør {case.end}: der er ingen aftale i mellemtiden.",
        f"The switch on {case.exit.go_live} comes after the agreement's end {case.end}: nothing is agreed in between.",
    )  # fmt: skip


def _backups(case: Case) -> Body | None:
    """Say before the order that 15 days hold for the backups too (T1)."""
    owed = any(each.id == BACKUPS for profile in case.profiles for each in profile.obligations)
    if not owed or AMENDMENT in case.agreement.amended:
        return None
    return _caution(
        "BACKUPS_FIFTEEN_DAYS", "S2 28.1, 15.1",
        f"Også backups skal være slettet senest {case.end + timedelta(days=15)}. Et backupsæt, der gemmes længere, "
        "kræver et ændringstillæg underskrevet af begge parter.",
        f"Backups too have to be gone by {case.end + timedelta(days=15)}. A backup set that is kept longer needs an "
        "amendment signed by both parties.",
    )  # fmt: skip


def _archive(case: Case) -> Body | None:
    if case.exit.meeting is None or case.exit.meeting.archive_asked or len(case.exit.archive) == len(case.exit.systems):
        return None
    return _caution(
        "ARCHIVE_NOT_RAISED", "S2 3.2",
        "Arkivering blev ikke drøftet på mødet: intet slettes, før hvert system har en arkivbeslutning.",
        "Archiving was not raised at the meeting: nothing is deleted before every system has its archive decision.",
    )  # fmt: skip


def _over_capacity(case: Case) -> Body | None:
    if not case.exit.over_capacity:
        return None
    return _caution(
        "OVER_CAPACITY", "S2 28.1, S1 §4",
        "Vinduet ligger ud over leverandørens kapacitet. Bistanden efter S2 28.1 og kundens ret til datoen består.",
        "The window lies beyond the supplier's capacity. The assistance of S2 28.1 and the customer's right stand.",
    )  # fmt: skip


def _feeds(case: Case) -> Body | None:
    lines = ", ".join(pair.line for pair in case.exit.pairs if pair.continues and pair.feed == "not_secured")
    if not lines:
        return None
    return _caution(
        "FEED_NOT_SECURED", "S1 §5", f"{lines} videreføres, men levering fra det nye system er ikke sikret.",
        f"{lines} continues, but its feed from the new system is not secured.",
    )  # fmt: skip


def _caution(code: str, clause: str, da: str, en: str) -> Body:
    return {"code": code, "clause": clause, "message_da": da, "message_en": en}
