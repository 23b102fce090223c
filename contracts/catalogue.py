"""The whole wire in one place: services, commands, events, tasks, and the look-ups that the bus needs."""

from __future__ import annotations

from marshmallow import fields

from contracts import access, breaches, compliance, deletion, delivery, orders, papers, records, requests, scheduling
from contracts.fields import Code, Count, Many
from contracts.registry import Command, Event, Message, Task
from contracts.roles import EVERYONE

SERVICES = ("orders", "scheduling", "delivery", "access", "deletion", "compliance")
MODULES = (orders, scheduling, delivery, access, deletion, compliance, requests, records, papers, breaches)
CALLERS = ("console", "gateway")


class ReadStatus(Message):
    pass


class Flow(Message):
    """How many messages of one type (`wire`) went: published by, or handled at, this consumer."""

    wire = Code()
    consumer = Code()
    count = Count()


class Status(Message):
    """A face's account of itself, enough to tell whether the whole is quiet (design §4)."""

    service = Code()
    outbox_pending = Count()
    outbox_parked = Count()
    outbox_age_s = fields.Float(required=True)
    published = Many(Flow)
    handled = Many(Flow)
    dead = Count()
    timers_due = Count()
    next_timer = fields.String(required=True, allow_none=True)
    in_flight = Count()


COMMANDS: dict[str, Command] = {
    command.wire: command
    for command in (
        *(Command(service, "status", ReadStatus, Status, EVERYONE, query=True) for service in SERVICES),
        *(command for module in MODULES for command in module.COMMANDS),
    )
}
EVENTS: dict[str, Event] = {event.wire: event for module in MODULES for event in module.EVENTS}
TASKS: dict[str, Task] = {task.wire: task for module in MODULES for task in module.TASKS}


def hands() -> list[tuple[str, str]]:
    """List every (service, hand) that tasks are declared for."""
    return sorted({(task.service, task.hand) for task in TASKS.values()})


def subscribed(service: str) -> list[Event]:
    """List the events that `service` is told."""
    return [event for event in EVENTS.values() if service in event.subscribers]
