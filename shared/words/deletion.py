"""A deletion job for people: what it does, keeps and waits for, in words and figures. Pure, from the wire's answers.

Rules kept here: an instant is told in Copenhagen's time; an estimate goes by the preview's seconds, never by hope; what
is kept is told with its reason; whose word is missing is told by role.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import ceil
from typing import Any
from zoneinfo import ZoneInfo

from contracts.deletion import APPROVAL_DAYS
from shared.words.stops import LANGUAGES

COPENHAGEN = ZoneInfo("Europe/Copenhagen")
NEEDED = 2
_GOING = ("deleted", "absent_verified")
ENDED = ("verified", "stopped", "cancelled")
Row = Mapping[str, Any]

PAUSES = {
    "OPERATION": ("Driften kræver det", "Operations need it"),
    "INCIDENT": ("En hændelse undersøges", "An incident is being looked into"),
    "NEIGHBOURS": ("Hensyn til andre kunder", "Out of regard for other customers"),
    "CUSTOMER_REQUEST": ("Kunden har bedt om det", "The customer asked for it"),
}
BASES = {
    "INSTRUCTION": ("Kundens instruks (GDPR art. 28, stk. 3, litra a)", "The customer's instruction (GDPR 28(3)(a))"),
    "LAW": ("Lov eller retskendelse (GDPR art. 17, stk. 3, litra b)", "A law or court order (GDPR 17(3)(b))"),
    "DATA_SUBJECT_REQUEST": ("En registrerets anmodning (GDPR art. 18)", "A data subject's request (GDPR 18)"),
}
OVERRIDES = {
    "INSTRUCTION_WITHDRAWN": ("Instruksen er trukket tilbage", "The instruction was withdrawn"),
    "PLACED_IN_ERROR": ("Slettestoppet blev sat ved en fejl", "The hold was placed in error"),
    "LAW_LAPSED": ("Lovens krav gælder ikke længere", "The law does not ask for it any more"),
    "COURT_DECISION": ("Retten har afgjort det", "The court has decided"),
    "REQUEST_WITHDRAWN": ("Anmodningen er trukket tilbage", "The request was withdrawn"),
    "REQUEST_DECIDED": ("Anmodningen er afgjort", "The request was decided"),
}
OVERRIDES_OF = {
    "INSTRUCTION": ("INSTRUCTION_WITHDRAWN", "PLACED_IN_ERROR"),
    "LAW": ("LAW_LAPSED", "COURT_DECISION", "PLACED_IN_ERROR"),
    "DATA_SUBJECT_REQUEST": ("REQUEST_WITHDRAWN", "REQUEST_DECIDED", "PLACED_IN_ERROR"),
}
OVERRIDE_REFUSALS = {
    "SAME_PERSON": (
        "Du har selv bedt om det. En anden person fra den anden part skal være enig.",
        "You asked for it yourself. Another person of the other party has to agree.",
    ),
    "SAME_PARTY": (
        "Din egen part har bedt om det. En person fra den anden part skal være enig.",
        "Your own party asked for it. A person of the other party has to agree.",
    ),
    "OVERRIDE_DIFFERS": (
        "Grund eller dokument er ikke de samme som i anmodningen.",
        "The reason or the document is not the one of the request.",
    ),
    "REASON_NOT_FOR_BASIS": (
        "Den grund kan ikke tilsidesætte et slettestop med det grundlag.",
        "That reason cannot set aside a hold with that basis.",
    ),
    "HOLD_UNKNOWN": ("Forløbet har ikke et sådant slettestop.", "The exit has no such hold."),
    "HOLD_ALREADY_LIFTED": ("Slettestoppet er allerede ophævet.", "The hold is lifted already."),
}
KEPT = {
    "NOT_CUSTOMER_DATA": ("Ikke kundens data", "Not the customer's data"),
    "SHARED_CODE": ("Fælles koder, som alle kunder bruger", "Shared codes that all customers use"),
    "CUSTOMER_POSSESSION": ("Er hos kunden selv", "In the customer's own possession"),
    "CONTINUING_AGREEMENT": ("Omfattet af en aftale, der fortsætter", "Under an agreement that goes on"),
    "OPTION": ("Udskudt af tilvalget {detail}", "Suspended by the option {detail}"),
    "INSTRUCTION": ("Kundens instruks {detail}", "The customer's instruction {detail}"),
    "LAW": ("Lovkrav: {detail}", "Required by law: {detail}"),
    "NOT_IN_REHEARSAL": ("Er ikke med i øvelsen", "Not part of the rehearsal"),
}
METHODS = {
    "SOFTWARE_REMOVED": ("Programmet er fjernet", "The software was removed"),
    "LICENCE_WITHDRAWN": ("Licensen er trukket tilbage", "The licence was withdrawn"),
    "MEDIA_SANITISED": ("Mediet er renset", "The medium was sanitised"),
    "SUBPROCESSOR_CONFIRMED": ("Underdatabehandleren har bekræftet", "The sub-processor has confirmed"),
    "DATA_LEFT_WITH_CUSTOMER": ("Data er blevet hos kunden", "The data stayed with the customer"),
    "NOT_USED": ("Underdatabehandleren har intet af det", "The sub-processor has nothing of it"),
}
PARTIES = {"customer": ("Kunden", "The customer"), "supplier": ("Leverandøren", "The supplier")}


_LATER: Row = {
    "work": (), "estimated_seconds": 0, "estimated_end": None, "waits_until": None, "paused_by": None,
    "paused_on": None, "physical": (),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """One place that is deleted: its turn (0 where the order does not name it), the preview's rows and seconds."""

    turn: int
    row: Row
    rows: int
    seconds: int
    method: str | None


@dataclass(frozen=True, slots=True)
class Sight:
    """What a job looks like: places in the order of work, places that are kept, rows planned and deleted so far."""

    job: Row
    steps: tuple[Step, ...]
    kept: tuple[Row, ...]
    planned: int
    deleted: int
    seconds_left: int

    @property
    def percent(self) -> int:
        """Give how much is deleted, 100 only when all is."""
        return 100 if self.deleted >= self.planned else self.deleted * 100 // self.planned

    @property
    def looked_again(self) -> bool:
        """Tell whether the verifier has counted what is left: before, nobody knows."""
        return bool(self.job["state"] == "verified" or self.job["stopped_code"] == "VERIFICATION_ERROR")

    @property
    def by_people(self) -> tuple[Row, ...]:
        """List the places that people delete and attest."""
        return tuple(row for row in self.job["places"] if row["disposition"] == "attested")

    @property
    def unowned(self) -> tuple[Row, ...]:
        """List the places with rows that no tenant is found for; they stay."""
        return tuple(row for row in self.job["places"] if row.get("unowned"))

    @property
    def kept_rows(self) -> int:
        """Give how many rows stay."""
        return sum(int(row["before"]) for row in self.kept)


@dataclass(frozen=True, slots=True)
class Consent:
    """Who has approved a job's plan: the request, how many words are missing and the last day of those given."""

    request: Row
    missing: int
    expires_on: date | None


def sight(job: Row) -> Sight:
    """Give what a job looks like; fields that an older answer lacks are empty."""
    job = {**_LATER, **job}
    work = {(step["system"], step["place"]): (at, step) for at, step in enumerate(job["work"], 1)}
    none: Row = {"rows": 0, "seconds": 0}
    steps = []
    for row in job["places"]:
        if row["disposition"] not in _GOING:
            continue
        turn, step = work.get((row["system"], row["place"]), (0, none))
        method = row.get("method") or step.get("method")
        steps.append(Step(turn, row, step["rows"] or row["before"], step["seconds"], method))
    steps.sort(key=lambda each: each.turn or len(work) + 1)
    kept = tuple(row for row in job["places"] if row["disposition"] not in (*_GOING, "attested"))
    planned, deleted = sum(int(each.row["before"]) for each in steps), sum(int(each.row["deleted"]) for each in steps)
    return Sight(job, tuple(steps), kept, planned, deleted, sum(map(_left, steps)))


def _left(step: Step) -> int:
    rows = max(0, step.rows - int(step.row["deleted"]))
    return ceil(step.seconds * rows / step.rows) if step.rows else 0


def latest(jobs: Sequence[Row], activity: str) -> Row | None:
    """Give an activity's latest job, None where it has none."""
    return next((job for job in reversed(jobs) if job["activity"] == activity), None)


def consent(job: Row, requests: Iterable[Row]) -> Consent | None:
    """Give who has approved exactly this job's plan, None where nobody is asked."""
    plan = (job["job_id"], job["plan_digest"])
    request = next((each for each in requests if (each["job_id"], each["plan_digest"]) == plan), None)
    if request is None:
        return None
    given = request["approvals"]
    stands = bool(given) and request["state"] in ("waiting", "approved")
    last = min(_day(each["at"]) for each in given) + timedelta(days=APPROVAL_DAYS) if stands else None
    return Consent(request, max(0, NEEDED - len(given)), last)


def _day(at: str) -> date:
    return datetime.fromisoformat(at).date()


def pause_ends(job: Row) -> date | None:
    """Give the day on which a pause ends the job, None where none stands."""
    return _day(job["paused_on"]) + timedelta(days=APPROVAL_DAYS) if job.get("paused_on") else None


def holds_on(holds: Iterable[Row], systems: Iterable[str]) -> list[Row]:
    """List the holds that stand on any of these systems."""
    named = set(systems)
    return [each for each in holds if each["state"] == "placed" and (each["system"] is None or each["system"] in named)]


def systems_of(job: Row) -> list[str]:
    """List the systems of a job, each once."""
    return list(dict.fromkeys(row["system"] for row in job["places"]))


def word(table: Mapping[str, tuple[str, str]], code: str, language: str) -> str:
    """Give a code's words; `NAME(detail)` by its name; one that has none stands as it is."""
    name, _, detail = code.partition("(")
    both, detail = table.get(name), detail.removesuffix(")").replace(",", ", ")
    return code if both is None else both[LANGUAGES.index(language)].format(detail=detail)


def instant(text: str | None, language: str) -> str:
    """Write an instant of the wire in Copenhagen's time (`01.07.2026 kl. 22.05`); empty for None."""
    if not text:
        return ""
    at = datetime.fromisoformat(text)
    local = at.astimezone(COPENHAGEN) if at.tzinfo else at
    return f"{local:%d.%m.%Y} kl. {local:%H.%M}" if language == "da" else f"{local:%d %b %Y %H:%M}"


def duration(seconds: int, language: str) -> str:
    """Write a time span in its two largest units, rounded up to whole minutes."""
    minutes = ceil(seconds / 60)
    if minutes <= 1:
        return "højst 1 min." if language == "da" else "1 min at most"
    hours, days = minutes // 60, minutes // 1440
    hour, day = ("t", "d") if language == "da" else ("h", "d")
    minute = "min." if language == "da" else "min"
    if days:
        return f"{days} {day} {hours % 24} {hour}"
    return f"{hours} {hour} {minutes % 60} {minute}" if hours else f"{minutes} {minute}"
