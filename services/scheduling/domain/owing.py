"""What is owed and by when people are reminded: obligations, reminders, the status letter, silence (T10).

Rules kept: a change of how an obligation stands is told once, and what is to come at first sight is not news; a
reminder is told once for its date while anything that it names is open; the status letter names every unmet gate.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from services.scheduling.domain.changes import apply_at_once
from services.scheduling.domain.exits import ACCEPTED, DAY, DELIVERED, Exit, Inputs, telling
from services.scheduling.domain.gates import SILENCE_DAYS, open_gates, waits_for
from services.scheduling.domain.outlook import Outlook
from shared.rules.obligations import Record, flips, standings
from shared.rules.plan import reference_date
from shared.rules.profile_schema import GATES
from shared.rules.profiles import option_ids
from shared.rules.reminders import due_reminders

RETENTION = "S2-28.2-retention"


def record_of(exit_: Exit) -> Record:
    """Give what obligations are judged by: what was done, answered, failed, and suspended."""
    done = {name: done.on for name, done in exit_.done.items() if done.outcome == "done"}
    told = {wire: done.on for wire, done in exit_.facts.items() if "#" not in wire}
    met = {name: each.on for name, each in exit_.answered.items() if each.answer == "met"}
    failed = {name: each.on for name, each in exit_.answered.items() if each.answer == "failed"}
    return Record({**told, **done, **met}, failed, tuple((stop.since, stop.until) for stop in exit_.stops))


def tell_standings(exit_: Exit, outlook: Outlook) -> Exit:
    """Tell every obligation that stands otherwise than it was told."""
    told = dict(exit_.standings)
    for each in standings(outlook.profiles, outlook.plan, outlook.facts, record_of(exit_), outlook.today):
        signature = f"{each.state} {each.reason} {each.met_on or ''}"
        expected = each.state == "pending" and each.reason != "LAPSED"
        if told.get(each.id, signature if expected else "") != signature:
            exit_ = telling(
                exit_, "obligation_changed", obligation=each.id, clause=each.clause, state=each.state,
                reason=each.reason, due=each.due, met_on=each.met_on,
            )  # fmt: skip
        told[each.id] = signature
    return replace(exit_, standings=told)


def next_flip(exit_: Exit, outlook: Outlook) -> date | None:
    """Give the next day on which an obligation changes by itself."""
    return flips(outlook.profiles, outlook.plan, outlook.facts, record_of(exit_), outlook.today)


def remind(exit_: Exit, outlook: Outlook) -> Exit:
    """Tell the reminders whose day has come, and the status letter with every unmet gate."""
    if all(on > outlook.today or _key(name, on) in exit_.reminded for name, on in _reminders(outlook)):
        return exit_
    for reminder in due_reminders(outlook.profiles, outlook.facts, date.min, outlook.today):
        key, unmet = _key(reminder.id, reminder.on), _unmet(exit_, outlook, reminder.unmet)
        if key in exit_.reminded or (reminder.unmet and not unmet):
            continue
        exit_ = replace(exit_, reminded=exit_.reminded | {key})
        exit_ = telling(
            exit_, "reminder_due", reminder=reminder.id, notice=reminder.notice, latest_on=reminder.latest_on,
            unmet=unmet, to=list(reminder.to),
        )  # fmt: skip
        if reminder.letter:
            exit_ = telling(exit_, "status_letter_due", unmet=open_gates(exit_, outlook))
    return exit_


def reminder_days(exit_: Exit, outlook: Outlook) -> Iterator[date]:
    """Give the days of the reminders that are still to come."""
    return (on for _, on in _reminders(outlook) if on > outlook.today)


def keep_silence(exit_: Exit, outlook: Outlook) -> Exit:
    """Apply the customer's instruction for silence on its day: the storage option on K−1, deletion on K+15 (T10).

    While a change of K waits for its answer (an extension was given), nobody knows that day."""
    end, proposal = outlook.anchor("K"), exit_.proposal
    if not exit_.silence or exit_.silence_applied or exit_.cancelled or end is None or ACCEPTED in exit_.done:
        return exit_
    if proposal is not None and proposal.inputs.dates.get("K") != exit_.inputs.dates.get("K"):
        return exit_
    if exit_.silence == "storage_option" and outlook.today >= end - DAY and RETENTION in option_ids(outlook.profiles):
        exit_ = _told_silence(exit_)
        return exit_ if RETENTION in outlook.facts.options else apply_at_once(exit_, _with_retention)
    if exit_.silence == "delete_at_k15" and outlook.today >= end + SILENCE_DAYS and DELIVERED in exit_.done:
        return _told_silence(exit_)
    return exit_


def silence_days(exit_: Exit, outlook: Outlook) -> Iterator[date]:
    """Give the day on which the instruction for silence applies."""
    end = outlook.anchor("K")
    if end and exit_.silence and not exit_.silence_applied:
        yield end - DAY if exit_.silence == "storage_option" else end + SILENCE_DAYS


def _told_silence(exit_: Exit) -> Exit:
    exit_ = replace(exit_, silence_applied=exit_.silence)
    return telling(exit_, "silence_applied", silence=exit_.silence)


def _with_retention(inputs: Inputs) -> Inputs:
    covers = {option: systems for option, systems in inputs.covers.items() if option != RETENTION}
    return replace(inputs, options=tuple(sorted({*(inputs.options or ()), RETENTION})), covers=covers)


def _reminders(outlook: Outlook) -> Iterator[tuple[str, date]]:
    for reminder in (each for profile in outlook.profiles for each in profile.reminders):
        on = reference_date(outlook.profiles, outlook.facts, reminder.at)
        if on:
            yield reminder.id, on


def _key(reminder: str, on: date) -> str:
    return f"{reminder}@{on.isoformat()}"


def _unmet(exit_: Exit, outlook: Outlook, names: tuple[str, ...]) -> list[str]:
    """Give the codes of what is open of these activities and gates, each once."""
    found: dict[str, None] = {}
    for planned in outlook.plan.activities:
        if not planned.chosen or planned.id in exit_.done:
            continue
        if planned.id in names:
            found[planned.id] = None
        gates = tuple(gate.upper().rstrip("S") for gate in names if gate in GATES and gate in planned.activity.gates)
        for code in waits_for(exit_, outlook, planned) if gates else ():
            if code.startswith(gates):
                found[code] = None
    return list(found)
