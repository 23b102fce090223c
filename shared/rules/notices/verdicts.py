"""What is said of a notice: in time, or late as its kind says, or refused; in Danish and English."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date

from shared.rules.notices.model import Case, Finding, Weighed, clear_day
from shared.rules.time import Period

BOTH_DA = "kræver et ændringstillæg underskrevet af begge (15.1)"
BOTH_EN = "it takes an amendment signed by both (15.1)"


def concluded(case: Case, found: Finding) -> Weighed:
    """Accept what is in time; else answer as the kind says."""
    if not found.in_time:
        return _LATE[case.kind.late](case, found)
    da, en = f"Rettidigt; virkning {found.effect}.", f"In time; effect on {found.effect}."
    clear = clear_day(found.latest, case.variant.period)
    if clear and case.asked.given_on == found.latest:
        da += f" Regnes der med hele dage, var {clear} sidste dag."
        en += f" Where only clear days count, {clear} was the last day."
    return _said(case, "accepted", None, found, da, en)


def _later(case: Case, found: Finding) -> Weighed:
    wait_da, wait_en = _period(case.variant.period)
    last_da = f"sidste rettidige dag var {found.latest}" if found.latest else "den ønskede dag kan ikke nås"
    last_en = f"the last day in time was {found.latest}" if found.latest else "the wished day cannot be had"
    da = f"Virkning først {found.effect} (varsel {wait_da}; {last_da})."
    en = f"Effect only on {found.effect} (notice {wait_en}; {last_en})."
    return _said(case, "accepted_later", "NOTICE_LATE" if found.latest else "NOTICE_NOT_BEFORE", found, da, en)


def _agreement(case: Case, found: Finding) -> Weighed:
    wait_da, wait_en = _period(case.variant.period)
    da = f"For sent ({wait_da}, senest {found.latest}): kræver begge parters aftale."
    en = f"Too late ({wait_en}, at the latest {found.latest}): it takes both parties' agreement."
    return _said(case, "agreement_needed", "NOTICE_LATE", found._replace(effect=None, moved=()), da, en)


def _too_late(case: Case, found: Finding) -> Weighed:
    wait_da, wait_en = _period(case.variant.period)
    da = f"for sent ({wait_da}, senest {found.latest}); {BOTH_DA}"
    en = f"too late ({wait_en}, at the latest {found.latest}); {BOTH_EN}"
    return refuse(case, "NOTICE_LATE", da, en, latest=found.latest)


def _elsewhere(case: Case, found: Finding) -> Weighed:
    clause = case.kind.late_clause
    da = f"Uden for {case.variant.clause} ({case.variant.title_da}); opfyldes efter {clause}."
    en = f"Outside {case.variant.clause} ({case.variant.title_en}); served under {clause}."
    return replace(_said(case, "accepted", "NOTICE_OTHER_CLAUSE", found, da, en), clause=clause)


_LATE: Mapping[str, Callable[[Case, Finding], Weighed]] = {
    "later": _later, "agreement": _agreement, "refused": _too_late, "other_clause": _elsewhere,
}  # fmt: skip


def refuse(case: Case, code: str, da: str, en: str, *, latest: date | None = None) -> Weighed:
    """Refuse, with the reason in both languages."""
    return _said(case, "refused", code, Finding(False, None, latest), f"Afvist: {da}.", f"Refused: {en}.")


def _said(case: Case, outcome: str, code: str | None, found: Finding, da: str, en: str) -> Weighed:
    options = case.kind.chooses if outcome in ("accepted", "accepted_later") else ()
    where = case.clause
    return Weighed(
        outcome, code, found.effect, found.latest, where, found.moved, options, f"{where}: {da}", f"{where}: {en}",
        case.variant.id,
    )  # fmt: skip


def _period(period: Period) -> tuple[str, str]:
    if period.unit == "wd":
        return f"{period.count} Arbejdsdage", f"{period.count} working days"
    return ("1 Dag", "1 day") if period.count == 1 else (f"{period.count} Dage", f"{period.count} days")
