"""From a deletion job to what its page shows: pure, values in and values out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contracts.attesting import NOT_USED
from contracts.roles import PARTY
from services.gateway.texts import text
from services.gateway.views import number, role_title, short_date
from shared.drawing.coverage import picture
from shared.drawing.lines import Coverage
from shared.runtime.logins import User
from shared.words import deletion as told
from shared.words.deletion import Consent, Sight
from shared.words.stops import stop_words

_DRAWN = {"excluded": "excluded", "suspended": "suspended", "attested": "attested"}


def picture_of(sight: Sight, language: str) -> str:
    """Draw what becomes of a job's places; empty where there is no preview."""
    lines = [_line(row) for row in sight.job["places"]]
    if not lines:
        return ""
    counts = {"planned": number(sight.planned, language), "kept": number(sight.kept_rows, language)}
    heading = f"{text('job', language, activity=sight.job['activity'])}: {sight.job['job_id']}"
    return picture(lines, heading, language, said=text("picture_said", language, **counts))


def _line(row: Mapping[str, Any]) -> Coverage:
    goes = row["disposition"] in ("deleted", "absent_verified")
    shared = row["reason"] == "SHARED_CODE"
    disposition = "deleted" if goes else "shared" if shared else _DRAWN.get(row["disposition"], "undecided")
    counts = {"rows": row["before"]} if goes else {"total": row["before"]}
    why = "" if goes else row["reason"] or ""
    return Coverage(row["system"], row["place"], disposition, why, **counts)


def stop(code: str, language: str) -> tuple[str, str, str]:
    """Say what stopped a job, what to do and who begins."""
    return stop_words(code, language)


def why_kept(row: Mapping[str, Any], language: str) -> str:
    """Say in words why a place is kept."""
    return told.word(told.KEPT, row["reason"], language) if row["reason"] else "–"


def why_unowned(row: Mapping[str, Any], language: str) -> str:
    """Say in words what the map says that a place's rows without a tenant are."""
    return told.word(told.KEPT, row["unowned_reason"], language) if row.get("unowned_reason") else "–"


def cannot_approve(consent: Consent, user: User, language: str) -> str:
    """Say why this user's word would not be taken; empty where it would."""
    given = consent.request["approvals"]
    if any(each["actor"] == user.actor for each in given):
        return text("consent_you", language)
    if any(each["role"] in user.roles for each in given):
        return text("consent_your_role", language)
    return ""


def given_by(approval: Mapping[str, Any], language: str) -> tuple[str, str]:
    """Say who approved (the role; names are not told on the wire) and when."""
    at = told.instant(approval["at"], language)
    return role_title(approval["role"], language), text("consent_given", language, at=at)


def may_resume(job: Mapping[str, Any], user: User) -> bool:
    """Tell whether this user's party may resume: what the customer paused only the customer does."""
    return job["paused_by"] != "customer" or any(PARTY.get(role) == "customer" for role in user.roles)


def may_lift(hold: Mapping[str, Any], user: User) -> bool:
    """Tell whether this user's party may lift a hold: what the customer placed only the customer does."""
    return hold["party"] != "customer" or any(PARTY.get(role) == "customer" for role in user.roles)


def on_day(value: Any, language: str) -> str:
    """Write a day, or an instant's day; a dash for None."""
    return short_date(str(value)[:10], language) if value else "–"


def may_attest(line: Mapping[str, Any], user: User) -> bool:
    """Tell whether this user's party attests a line."""
    return any(PARTY.get(role) == line["by"] for role in user.roles)


def attestable(line: Mapping[str, Any]) -> list[str]:
    """List the methods that a line may be attested with; a sub-processor's also as not used."""
    return [line["method"], *([NOT_USED] if line["subprocessor"] else [])]
