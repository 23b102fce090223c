"""What other services tell, taken into an exit: every `with_…` gives the same again when the fact was known.

Facts may come in any order: what a later decision moved stays moved when the order comes after it, a package that was
rejected never counts as delivered, a hold that was lifted does not stand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from services.scheduling.domain.changes import change, reopened, with_go_live
from services.scheduling.domain.exits import (
    DAY,
    Answered,
    Body,
    Done,
    Exit,
    Heavy,
    Inputs,
    Stop,
    Trouble,
    with_jobs,
)
from shared.rules.clocks import told_in_time
from shared.rules.profiles import Profile

TERMINATIONS = ("termination", "annulment", "immediate_end", "supplier_end")
EXTENSIONS = ("extension", "emergency_extension")
TAKES_EFFECT = ("accepted", "accepted_later")
FORCE_MAJEURE, FORCE_MAJEURE_END = "force_majeure", "force_majeure_end"
_ANCHORS = {
    "go_live": "T", "operations_end": "D", "agreement_end": "K", "takeover_day": "takeover", "in_force_on": "in_force",
}  # fmt: skip


def with_order(exit_: Exit, order: Body, *, placed: bool) -> Exit:
    """Take the window as ordered, or as finally ordered, which wins whichever comes first."""
    if exit_.placed and not placed:
        return exit_
    inputs = replace(
        exit_.inputs,
        profiles=tuple(order["profiles"]),
        pins={pin["name"]: pin["digest"] for pin in order.get("pinned", ())} or exit_.inputs.pins,
        anchors={anchor: order[name] for name, anchor in _ANCHORS.items() if order.get(name)},
        amendments=_united(exit_.inputs.amendments, [each["kind"] for each in order["amendments"]]),
        numbers=dict(order["numbers"]),
        customer_type=order["customer_type"],
        lawyer_confirmed=tuple(sorted(order["lawyer_confirmed"])),
        systems={each["system"]: each["deletion"] for each in order["systems"]},
        scope=order["scope"],
    )
    return replace(exit_, inputs=inputs, customer_cvr=order["customer_cvr"], placed=placed)


def with_fact(exit_: Exit, wire: str, data: Body, today: date) -> Exit:
    """Take a fact that completes an activity; the first one counts."""
    key = f"{wire}#{data['activity']}" if "activity" in data else wire
    ref = data.get("package_id", "")
    if key in exit_.facts or ref in exit_.rejected:
        return exit_
    digest = data.get("digest") or data.get("package_digest") or data.get("timetable_digest")
    on = data.get("on") or data.get("signed_on") or data.get("given_on") or today
    done = Done(on, "done", digest, data.get("role") or wire.split(".")[0], ref)
    return replace(exit_, facts={**exit_.facts, key: done})


def with_dates(exit_: Exit, data: Body) -> Exit:
    """Take the customer's dates (B2)."""
    return change(exit_, "dates_confirmed", lambda inputs: _moved_to(inputs, data["go_live"], data["operations_end"]))


def with_options(exit_: Exit, data: Body) -> Exit:
    """Take the options (B3), what they cover, and what the customer's silence shall mean (T10)."""
    covers = {each["option"]: tuple(sorted(each["systems"])) for each in data["covers"]}

    def chosen(inputs: Inputs) -> Inputs:
        return replace(inputs, options=tuple(sorted(set(data["options"]))), covers=covers)

    return replace(change(exit_, "options_confirmed", chosen), silence=data["silence"])


def with_instruction(exit_: Exit, data: Body) -> Exit:
    """Take the controller's instruction: the last to delete, unless a later one says to return; deleting takes its own
    word. `erase_early` also changes the plan."""
    known, given = exit_.instructed_on, data["given_on"]
    if data["kind"] == "return":
        return replace(exit_, instructed_on=known if known and known > given else None)
    exit_ = replace(exit_, instructed_on=max(given, known or given))
    if not data["erase_early"]:
        return exit_
    return change(exit_, "erase_early", lambda it: replace(it, instructions=_united(it.instructions, ["erase_early"])))


def with_archive(exit_: Exit, system: str) -> Exit:
    """Take the archive decision of one system (T3)."""
    return replace(exit_, archive=exit_.archive | {system})


def with_accord(exit_: Exit, data: Body, profiles: Sequence[Profile], today: date) -> Exit:
    """Take what both parties signed."""
    kind, subject, on, until = data["kind"], data["subject"], data["on"], data["until"]
    if kind == "heavy_job" and subject:
        return replace(exit_, heavy=(*(each for each in exit_.heavy if each.activity != subject), Heavy(subject, on)))
    if kind == "addendum":
        exit_ = with_fact(exit_, "orders.accord_signed", data, today)
    if kind == "amendment" and subject:
        return change(exit_, kind, lambda it: replace(it, amendments=_united(it.amendments, [subject])), both=True)
    if kind == "milestone" and subject and on:
        return change(exit_, kind, lambda inputs: with_milestone(inputs, subject, on, profiles), both=True)
    if kind in ("addendum", "option_end") and until:
        return change(exit_, kind, lambda it: replace(it, moved={**it.moved, "O": until}), both=True)
    return exit_


def with_notice(exit_: Exit, data: Body, profiles: Sequence[Profile], today: date) -> Exit:
    """Take a notice that takes effect: dates and options that it moves; a termination completes A5."""
    if data["outcome"] not in TAKES_EFFECT:
        return exit_
    kind = data["kind"]
    exit_ = with_fact(exit_, f"notice.{kind}", data, today)
    ends_a_part = kind == "reduction" and exit_.inputs.scope == "partial"
    if kind in TERMINATIONS or ends_a_part:
        exit_ = with_fact(exit_, "orders.notice_given", data, today)

    def effect(inputs: Inputs) -> Inputs:
        for each in data["moved"]:
            inputs = with_milestone(inputs, each["anchor"], each["on"], profiles)
        if data["options"]:
            inputs = replace(inputs, options=_united(inputs.options or (), data["options"]))
        return inputs

    return change(exit_, kind, effect, stops_all=kind in EXTENSIONS)


def with_milestone(inputs: Inputs, name: str, on: date, profiles: Sequence[Profile]) -> Inputs:
    """Give a milestone another day: T with what hangs on it, an activity of the timetable, or another anchor."""
    if name == "T":
        return with_go_live(inputs, on)
    if any(each.id == name for profile in profiles for each in profile.activities):
        return replace(inputs, days={**inputs.days, name: on})
    return replace(inputs, moved={**inputs.moved, name: on})


def with_trigger(exit_: Exit, anchor: str, on: date, today: date) -> Exit:
    """Take a day that starts a period; a force majeure told in time suspends the clocks until it ends, in any order
    (S2 23)."""
    if anchor == FORCE_MAJEURE and told_in_time(on, today) and all(stop.since != on for stop in exit_.stops):
        last = exit_.triggers.get(FORCE_MAJEURE_END)
        exit_ = replace(exit_, stops=(*exit_.stops, Stop(on, last if last and last >= on else None)))
    if anchor == FORCE_MAJEURE_END:
        stops = tuple(Stop(each.since, on) if each.until is None else each for each in exit_.stops)
        exit_ = replace(exit_, stops=stops)
    latest = max(on, exit_.triggers.get(anchor, on))
    return replace(exit_, triggers={**exit_.triggers, anchor: latest})


def with_answered(exit_: Exit, data: Body) -> Exit:
    """Take how an obligation was answered."""
    return replace(exit_, answered={**exit_.answered, data["obligation"]: Answered(data["answer"], data["on"])})


def with_transfer(exit_: Exit) -> Exit:
    """Take the controller's transfer instruction (S1 §9)."""
    return replace(exit_, transfer=True)


def with_cancellation(exit_: Exit) -> Exit:
    """Take that the exit was cancelled: nothing more becomes due."""
    return replace(exit_, cancelled=True)


def with_dispatch(exit_: Exit, to: str) -> Exit:
    """Take who receives the data (B5)."""
    return replace(exit_, dispatch_to=to)


def with_rejection(exit_: Exit, wire: str, package_id: str, profiles: Sequence[Profile]) -> Exit:
    """Open again what delivered a package that was rejected (C4: no; loop to C2/C3)."""
    exit_ = replace(exit_, rejected=exit_.rejected | {package_id})
    again = [each for profile in profiles for each in profile.activities if each.reopened_by == wire]
    return reopened(exit_, [each for each in again if _delivered(exit_, each.completed_by) == package_id])


def _delivered(exit_: Exit, wire: str) -> str:
    return exit_.facts[wire].ref if wire in exit_.facts else ""


def with_hold(exit_: Exit, hold_id: str, system: str | None) -> Exit:
    """Take a hold on a system, or on all."""
    return replace(exit_, holds={**exit_.holds, hold_id: system or ""})


def with_lifted(exit_: Exit, hold_id: str) -> Exit:
    """Take the end of a hold."""
    return replace(exit_, lifted=exit_.lifted | {hold_id})


def with_trouble(exit_: Exit, activity: str, code: str, today: date) -> Exit:
    """Put an activity back to waiting and void its approvals; it is told as due again from the next day on."""
    exit_ = with_jobs(exit_, activity, "stopped")
    return replace(exit_, troubles={**exit_.troubles, activity: Trouble(code, today + DAY)})


def with_deletion(exit_: Exit, activity: str, on: date) -> Exit:
    """Take the first actual deletion of an activity's scope; a later one never moves it (T16)."""
    first = min(on, exit_.first_deleted.get(activity, on))
    return replace(exit_, first_deleted={**exit_.first_deleted, activity: first})


def with_reappearance(exit_: Exit, activity: str, after_job: str, profiles: Sequence[Profile]) -> Exit:
    """Open a deletion again whose rows have returned; its dates stay, and the first deletion stays the first (T16)."""
    if after_job in exit_.undone:
        return exit_
    exit_ = with_jobs(replace(exit_, undone=exit_.undone | {after_job}), activity, "stopped")
    return reopened(exit_, [each for profile in profiles for each in profile.activities if each.id == activity])


def completed_by(profiles: Sequence[Profile], wire: str) -> list[str]:
    """List the activities that the event `wire` completes."""
    return [each.id for profile in profiles for each in profile.activities if each.completed_by == wire]


def _moved_to(inputs: Inputs, go_live: date, operations_end: date) -> Inputs:
    if (inputs.dates.get("T"), inputs.dates.get("D")) == (go_live, operations_end):
        return inputs
    return with_go_live(inputs, go_live, operations_end)


def _united(before: Sequence[str], more: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted({*before, *more}))
