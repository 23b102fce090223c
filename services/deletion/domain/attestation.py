"""Attestations: what people must attest, whose word counts, and when they are reminded (S1 D7b, D8; S2 7.3, 12.2).

Rules kept here:
1. The lines come from the pinned map: each method of each attested place, and each sub-processor of each system.
   Nobody's silence is an answer.
2. The supplier's deletion officer attests for the supplier's machines, for licences and for sub-processors; the
   customer's project lead for the customer's machine and for data left on it.
3. An attestation names the signed document's SHA-256 and the day it was done, which is not to come. It is never
   changed: the same again changes nothing, another document is refused.
4. Sanitised media have a class of NIST SP 800-88 (CLEAR, PURGE, DESTROY), nothing else has one.
5. A sub-processor confirms for its whole chain: its own sub-processors' lines come first.
6. Open lines are reminded of 14, 7, 3 and 1 Dage before their day, and escalated from the day after it, each week.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from contracts.attesting import NOT_USED
from contracts.errors import Rejected
from contracts.roles import CUSTOMER_DPO, CUSTOMER_LEAD, DELETION_OFFICER, SUPPLIER_LEAD
from contracts.system_map import System

CONFIRMED = "SUBPROCESSOR_CONFIRMED"
STAYS = "DATA_LEFT_WITH_CUSTOMER"
REMIND_BEFORE = (14, 7, 3, 1)
ESCALATE_EVERY = timedelta(days=7)
_ATTESTS = {"supplier": DELETION_OFFICER, "customer": CUSTOMER_LEAD}
_ESCALATED = (SUPPLIER_LEAD, CUSTOMER_DPO, CUSTOMER_LEAD)


@dataclass(frozen=True, slots=True)
class Word:
    """What somebody attests: `answer` is the line's method, or NOT_USED of a sub-processor."""

    answer: str
    media_class: str | None
    digest: str
    done_on: date
    actor: str
    role: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line: a method at a place, or a sub-processor (`through`: the one that it confirms to)."""

    system: str
    place: str | None
    subprocessor: str | None
    through: str | None
    method: str
    by: str
    owner: str | None
    due_on: date | None = None
    word: Word | None = None

    @property
    def key(self) -> tuple[str, str | None, str | None, str]:
        """Give what names the line in an exit."""
        return self.system, self.place, self.subprocessor, self.method

    @property
    def named(self) -> str:
        """Write the line for people, with no name in it but those of the map."""
        return f"{self.system}/{self.place or self.subprocessor}: {self.method}"


def lines_of(system: System) -> tuple[Line, ...]:
    """List what must be attested of one system, by its map (rules 1, 2)."""
    places = [
        Line(system.name, name, None, None, method, _by(method, rule.attested), rule.owner)
        for name, rule in sorted(system.rules.items())
        for method in rule.methods
    ]
    chain = [
        Line(system.name, None, name, through or None, CONFIRMED, "supplier", None)
        for name, through in sorted(system.subprocessors.items())
    ]
    return tuple(places + chain)


def _by(method: str, party: str) -> str:
    if method in (STAYS, "LICENCE_WITHDRAWN"):
        return "customer" if method == STAYS else "supplier"
    return "customer" if party == "customer" else "supplier"


def asked(known: Sequence[Line], wanted: Iterable[Line], due_on: date) -> tuple[tuple[Line, ...], tuple[Line, ...]]:
    """Give all lines, those wanted due on this day, and the new ones among them; what was attested stays as it is."""
    before, mine = {line.key for line in known}, {line.key: line for line in wanted}
    kept = [replace(line, due_on=due_on) if line.key in mine and line.word is None else line for line in known]
    new = tuple(replace(line, due_on=due_on) for key, line in mine.items() if key not in before)
    return (*kept, *new), new


def attest(lines: Sequence[Line], key: tuple[str, str | None, str | None, str], word: Word, today: date) -> Line:
    """Give the line as attested (rules 2–5); raise Rejected LINE_UNKNOWN, WRONG_PARTY, MEDIA_CLASS_WRONG, …"""
    line = next((each for each in lines if each.key == key), None)
    if line is None:
        raise _refused(
            "LINE_UNKNOWN", "method", "nothing of this kind has to be attested there",
            "read the lines (read_attestations); before they were asked for, ask for them",
            "Der mangler ikke en sådan erklæring.",
        )  # fmt: skip
    if line.word is not None and replace(word, actor=line.word.actor) == line.word:
        return line
    if word.role != _ATTESTS[line.by]:
        raise _refused(
            "WRONG_PARTY", "method", f"{line.named} is attested by the {line.by}",
            f"let somebody in the role {_ATTESTS[line.by]} attest it", "Det skal den ansvarlige part erklære.",
        )  # fmt: skip
    if line.word is not None:
        raise _refused(
            "ALREADY_ATTESTED", "digest", f"{line.named} was attested by another document or in another way",
            "keep the first attestation; correct it in a document of its own", "Det er allerede erklæret.",
        )  # fmt: skip
    _check(line, word, today)
    if open_ := [each for each in lines if each.through == line.subprocessor and _open(each, line)]:
        names = ", ".join(str(each.subprocessor) for each in open_)
        raise _refused(
            "CHAIN_OPEN", "subprocessor", f"{line.subprocessor} confirms for its chain, and open are: {names}",
            "attest these first", f"Underdatabehandlerens egne underdatabehandlere mangler: {names}.",
        )  # fmt: skip
    return replace(line, word=word)


def _open(each: Line, parent: Line) -> bool:
    return bool(parent.subprocessor) and each.system == parent.system and each.word is None


def _check(line: Line, word: Word, today: date) -> None:
    if (word.media_class is None) == (word.answer == "MEDIA_SANITISED"):
        raise _refused(
            "MEDIA_CLASS_WRONG", "media_class", "sanitised media have a class of NIST SP 800-88, nothing else has",
            "give CLEAR, PURGE or DESTROY with MEDIA_SANITISED, and none otherwise",
            "Kun sanerede medier har en klasse efter NIST SP 800-88.",
        )  # fmt: skip
    if word.done_on > today:
        raise _refused(
            "DONE_IN_FUTURE", "done_on", f"{word.done_on} is still to come", "attest it when it is done",
            "Dagen ligger i fremtiden.",
        )  # fmt: skip


def left(lines: Iterable[Line]) -> tuple[Line, ...]:
    """List the lines that nobody has attested."""
    return tuple(line for line in lines if line.word is None)


def attested(lines: Iterable[Line], system: str, place: str) -> bool:
    """Tell whether a place was asked for, and nothing of it is open: only then the verifier answers for it."""
    mine = [line for line in lines if (line.system, line.place) == (system, place)]
    return bool(mine) and not left(mine)


def check_document(lines: Iterable[Line], system: str, place: str, digest: str) -> None:
    """Refuse where the document that lies with the place is not one that was attested (rule 3)."""
    said = {line.word.digest for line in lines if (line.system, line.place) == (system, place) and line.word}
    if digest not in said:
        raise Rejected(
            "ATTESTATION_DIFFERS", f"{system}: the document with {place} is not the attested one",
            field=f"systems.{system}.places.{place}.attested",
            remedy="lay the attested document into the tenant's folder; the activity is due again then",
            da=f"Bilaget ved {place} i {system} er ikke det, der er erklæret.",
        )  # fmt: skip


def stays(lines: Iterable[Line], system: str, place: str) -> bool:
    """Tell whether a place's data were attested to stay with the customer: what is there is then theirs."""
    found = [line for line in lines if (line.system, line.place, line.method) == (system, place, STAYS)]
    return any(line.word is not None for line in found)


def look_on(lines: Iterable[Line], today: date) -> date | None:
    """Give the next day on which an open line is reminded of or escalated."""
    return min((_look_on(line.due_on, today) for line in left(lines) if line.due_on), default=None)


def _look_on(due_on: date, today: date) -> date:
    """Give the next day for one line (rule 6)."""
    before = [due_on - timedelta(days=days) for days in REMIND_BEFORE]
    first = due_on + timedelta(days=1)
    coming = [day for day in (*before, first) if day > today]
    if coming:
        return min(coming)
    weeks = (today - first) // ESCALATE_EVERY + 1
    return first + weeks * ESCALATE_EVERY


def open_on(lines: Iterable[Line], today: date) -> dict[tuple[date, str], list[Line]]:
    """Group the open lines that are near their day or past it by day, and by what is said of them."""
    found: dict[tuple[date, str], list[Line]] = {}
    for line in left(lines):
        if line.due_on and line.due_on - timedelta(days=REMIND_BEFORE[0]) <= today:
            state = "escalated" if today > line.due_on else "reminded"
            found.setdefault((line.due_on, state), []).append(line)
    return found


def told_to(lines: Iterable[Line], state: str) -> list[str]:
    """Name the roles that hear of open lines: those that attest, and from the day after also those above them."""
    roles = {_ATTESTS[line.by] for line in lines}
    return sorted(roles | set(_ESCALATED)) if state == "escalated" else sorted(roles)


def answered_by(method: str, known: Sequence[Line], key: tuple[str, str | None, str | None]) -> str:
    """Name the line's own method for what somebody attests: NOT_USED answers a sub-processor's confirmation."""
    if method == NOT_USED and any(line.key == (*key, CONFIRMED) and line.subprocessor for line in known):
        return CONFIRMED
    return method


def _refused(code: str, field: str, text: str, remedy: str, da: str) -> Rejected:
    return Rejected(code, text, field=field, remedy=remedy, da=da)
