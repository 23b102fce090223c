"""What each fact of another service means for an exit, as a table.

A fact completes the activities whose profile names it (`completes`), changes what the plan rests on, opens or shuts a
gate, or puts an activity back to waiting with a code. Whatever is told twice gives the same again. The bus keeps no
order and dead letters are replayed: what a later decision took the place of changes nothing when it is heard after it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from services.scheduling.domain.answers import already_begun, begun, cancelled, preview
from services.scheduling.domain.exits import Body, Exit
from services.scheduling.domain.facts import (
    completed_by,
    with_accord,
    with_answered,
    with_archive,
    with_cancellation,
    with_dates,
    with_deletion,
    with_dispatch,
    with_fact,
    with_hold,
    with_instruction,
    with_lifted,
    with_notice,
    with_options,
    with_order,
    with_reappearance,
    with_rejection,
    with_transfer,
    with_trigger,
    with_trouble,
)
from shared.rules.profiles import Profile


@dataclass(frozen=True, slots=True)
class Told:
    """A fact: its wire name, data and `seq` among its emitter's, with the profiles of the exit and the day."""

    wire: str
    data: Body
    profiles: Sequence[Profile]
    today: date
    seq: int = 0


Means = Callable[[Exit, Told], Exit]


def heard(exit_: Exit, told: Told) -> Exit:
    """Take a fact into an exit."""
    return HEARD[told.wire](exit_, told)


def _nothing(exit_: Exit, told: Told) -> Exit:
    return exit_


def _completes(exit_: Exit, told: Told) -> Exit:
    return with_fact(exit_, told.wire, told.data, told.today)


def _and_completes(means: Means) -> Means:
    return lambda exit_, told: _completes(means(exit_, told), told)


def _newest(decides: Callable[[Body], str], means: Means) -> Means:
    """Take a decision unless a later one on the same was heard before; `decides` names on what (empty: on nothing)."""

    def meant(exit_: Exit, told: Told) -> Exit:
        name = decides(told.data)
        if not name:
            return means(exit_, told)
        if told.seq < exit_.newest.get(name, 0):
            return exit_
        return means(replace(exit_, newest={**exit_.newest, name: told.seq}), told)

    return meant


def _notice(exit_: Exit, told: Told) -> Exit:
    """Take a notice with what it moves that no later decision has moved."""
    moved = [each for each in told.data["moved"] if told.seq >= exit_.newest.get(each["anchor"], 0)]
    exit_ = replace(exit_, newest=exit_.newest | {each["anchor"]: told.seq for each in moved})
    return with_notice(exit_, {**told.data, "moved": moved}, told.profiles, told.today)


def _milestone(data: Body) -> str:
    """Name the date that an accord moves."""
    return str(data["subject"]) if data["kind"] == "milestone" else ""


def _or_waits(trouble: Callable[[Body], str], means: Means = _nothing) -> Means:
    """Complete what the fact completes, or, where there is a trouble, put it back to waiting with its code."""

    def meant(exit_: Exit, told: Told) -> Exit:
        code, data = trouble(told.data), told.data
        if not code:
            return _completes(means(exit_, told), told)
        for activity in [data["activity"]] if "activity" in data else completed_by(told.profiles, told.wire):
            exit_ = with_trouble(exit_, activity, code, told.today)
        return exit_

    return meant


def _still(means: Means) -> Means:
    """Take nothing of a job whose rows have returned since: the bus keeps no order."""
    return lambda exit_, told: exit_ if told.data["job_id"] in exit_.undone else means(exit_, told)


def _frozen(data: Body) -> str:
    closed = all(system["state"] in ("frozen", "closed") for system in data["systems"])
    return "" if closed else "ACCESS_NOT_FROZEN"


def _contact(exit_: Exit, told: Told) -> Exit:
    """Complete B1 with the customer's contact person."""
    return _completes(exit_, told) if told.data["party"] == "customer" else exit_


HEARD: Mapping[str, Means] = {
    "orders.window_ordered": _and_completes(lambda exit_, told: with_order(exit_, told.data, placed=False)),
    "orders.window_countered": _nothing,  # the plan follows the dates that both want, which the order tells
    "orders.meeting_held": _completes,
    "orders.window_confirmed": _completes,
    "orders.order_placed": _and_completes(lambda exit_, told: with_order(exit_, told.data, placed=True)),
    "orders.exit_cancelled": lambda exit_, told: with_cancellation(exit_),
    "orders.contact_named": _contact,
    "orders.dates_confirmed": _and_completes(
        _newest(lambda data: "T", lambda exit_, told: with_dates(exit_, told.data))
    ),
    "orders.options_confirmed": _and_completes(
        _newest(lambda data: "options", lambda exit_, told: with_options(exit_, told.data))
    ),
    "orders.pairs_decided": _completes,
    "orders.transfer_instructed": lambda exit_, told: with_transfer(exit_),
    "orders.equipment_listed": _completes,
    "orders.sub_suppliers_listed": _completes,
    "orders.billing_run_recorded": _completes,
    "orders.instruction_given": _and_completes(
        _newest(lambda data: "instruction", lambda exit_, told: with_instruction(exit_, told.data))
    ),
    "orders.archive_decided": lambda exit_, told: with_archive(exit_, told.data["system"]),
    "orders.accord_signed": _newest(
        _milestone, lambda exit_, told: with_accord(exit_, told.data, told.profiles, told.today)
    ),
    "orders.notice_given": _notice,
    "orders.trigger_recorded": lambda exit_, told: with_trigger(
        exit_, told.data["anchor"], told.data["on"], told.today
    ),
    "orders.obligation_answered": _newest(
        lambda data: str(data["obligation"]), lambda exit_, told: with_answered(exit_, told.data)
    ),
    "delivery.needs_submitted": _completes,
    "delivery.dispatch_set": _and_completes(
        _newest(lambda data: "dispatch", lambda exit_, told: with_dispatch(exit_, told.data["to"]))
    ),
    "delivery.connection_tested": _or_waits(lambda data: "" if data["ok"] else str(data["code"])),
    "delivery.specification_made": _completes,
    "delivery.package_delivered": _completes,
    "delivery.delivery_accepted": _completes,
    "delivery.delivery_rejected": lambda exit_, told: with_rejection(
        exit_, told.wire, told.data["package_id"], told.profiles
    ),
    "access.access_frozen": _or_waits(_frozen),
    "access.access_closed": _nothing,  # deletion waits for it, the plan does not
    "access.access_attested": _completes,
    "deletion.deletion_previewed": lambda exit_, told: preview(exit_, told.data),
    "deletion.deletion_begun": lambda exit_, told: begun(exit_, told.data["job_id"]),
    "deletion.deletion_verified": _still(
        _or_waits(
            lambda data: "VERIFICATION_ERROR" if data["result"] == "ERROR" else "",
            lambda exit_, told: with_deletion(exit_, told.data["activity"], told.data["on"]),
        )
    ),
    "deletion.reappearance_found": lambda exit_, told: with_reappearance(
        exit_, told.data["activity"], told.data["after_job"], told.profiles
    ),
    "deletion.shredding_planned": lambda exit_, told: preview(exit_, told.data),
    "deletion.shredding_begun": lambda exit_, told: begun(exit_, told.data["job_id"]),
    "deletion.shredding_stopped": _or_waits(lambda data: str(data["code"])),
    "deletion.deletion_stopped": _or_waits(lambda data: str(data["code"])),
    "deletion.deletion_cancelled": lambda exit_, told: cancelled(exit_, told.data["job_id"]),
    "deletion.deletion_already_begun": lambda exit_, told: already_begun(
        exit_, told.data["activity"], told.data["job_id"]
    ),
    "deletion.hold_placed": lambda exit_, told: with_hold(exit_, told.data["hold_id"], told.data["system"]),
    "deletion.hold_lifted": lambda exit_, told: with_lifted(exit_, told.data["hold_id"]),
    "deletion.backups_expired": _completes,
    "compliance.certificate_issued": _nothing,  # no activity waits for a certificate
    "compliance.certificate_revoked": _nothing,
    "compliance.status_letter_sent": _nothing,
    "scheduling.timer_due": _nothing,  # the plan is looked at anew after every fact
}
