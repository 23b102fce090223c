"""Quiet, and the walk of the simulated clock from due time to due time (design §4, ADR 0001 Quiet).

The system is quiet when no outbox row is pending, no timer is due, and every published message was handled at every
consumer that the contract lists (conservation), in two whole looks in a row with the same counts. Until then only
those who are waited for are asked. A message that was given up (dead-lettered, parked) ends the waiting at once with
its service's name, and so does a process that does not run.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from contracts.catalogue import SERVICES
from contracts.errors import OphorError, Unavailable

PAUSE_S, LONGEST_PAUSE_S = 0.05, 0.2
STALL_S = 2.0
STATUS_S = 3.0
Flows = Counter[tuple[str, str]]


class Calls(Protocol):
    """What is needed of an RPC client."""

    def call(self, wire: str, data: dict[str, Any], *, timeout: float = ...) -> dict[str, Any]:
        """Call `wire` and give the answer's data."""


@dataclass(frozen=True, slots=True)
class Account:
    """All faces' statuses added up; `silent` are the services that did not answer."""

    statuses: dict[str, dict[str, Any]]
    silent: dict[str, str] = field(default_factory=dict)

    @property
    def pending(self) -> dict[str, int]:
        """Give per service how many outbox rows are pending and timers due, where there are any."""
        counts = {name: row["outbox_pending"] + row["timers_due"] for name, row in self.statuses.items()}
        return {name: count for name, count in counts.items() if count}

    @property
    def under_way(self) -> Flows:
        """Give the published messages that a consumer has not handled, by wire and consumer."""
        return self._flows("published") - self._flows("handled")

    @property
    def given_up(self) -> dict[str, tuple[int, int]]:
        """Give per service its dead and parked messages, where there are any."""
        counts = {name: (row["dead"], row["outbox_parked"]) for name, row in self.statuses.items()}
        return {name: both for name, both in counts.items() if any(both)}

    @property
    def next_timer(self) -> datetime | None:
        """Give when the earliest timer that is not due yet becomes due."""
        return min((due for row in self.statuses.values() if (due := _next(row))), default=None)

    @property
    def quiet(self) -> bool:
        """Tell whether nothing is pending, due or under way, as far as one look can tell."""
        return not self.waited_for()

    def waited_for(self, now: datetime | None = None) -> set[str]:
        """Name the services that keep the whole from being quiet.

        One that names a timer as coming which is due at the clock's instant `now` has not seen that instant yet.
        """
        consumers = {consumer.partition(".")[0] for _, consumer in self.under_way}
        behind = {name for name, row in self.statuses.items() if now and (due := _next(row)) and due <= now}
        return {*self.silent, *self.pending, *consumers, *behind}

    def renewed(self, later: Account) -> Account:
        """Give this account with what a `later` look found at the services that it asked."""
        asked = later.statuses.keys() | later.silent.keys()
        kept = {name: row for name, row in self.statuses.items() if name not in asked}
        silent = {name: code for name, code in self.silent.items() if name not in asked}
        return Account(kept | later.statuses, silent | later.silent)

    @property
    def counts(self) -> tuple[Flows, Flows]:
        """Give what must be the same at two looks in a row."""
        return self._flows("published"), self._flows("handled")

    def flows_of(self, service: str) -> tuple[Flows, Flows]:
        """Give what one service has published and handled."""
        return Account({service: self.statuses[service]}).counts

    def _flows(self, name: str) -> Flows:
        flows: Flows = Counter()
        for status in self.statuses.values():
            for row in status[name]:
                flows[row["wire"], row["consumer"]] += row["count"]
        return flows


def look(client: Calls, services: Iterable[str] = SERVICES) -> Account:
    """Ask every face for its status, all at once."""
    names = tuple(services)
    with ThreadPoolExecutor(len(names)) as pool:
        answers = dict(zip(names, pool.map(lambda name: _status(client, name), names), strict=True))
    found = {name: answer for name, answer in answers.items() if isinstance(answer, dict)}
    silent = {name: answer.code for name, answer in answers.items() if isinstance(answer, OphorError)}
    return Account(found, silent)


@dataclass(slots=True)
class Walk:
    """How the clock is walked: `down` names processes that do not run, which are waited for `patience_s` seconds.

    `timeout_s` is how long nothing at all may move: a step may take its time where the work or the machine asks for it.
    """

    client: Calls
    set_clock: Callable[[datetime], None]
    down: Callable[[], list[str]] = list
    told: Callable[[str], None] = print
    patience_s: float = 0.0
    timeout_s: float = 120.0

    def quiet(self, now: datetime | None = None, before: Account | None = None) -> Account:
        """Wait until all is quiet (at the clock's instant `now`, where given) and give the last look.

        `before` is an earlier look, after which the clock was set: who had a timer then is asked first.
        Raises Unavailable PROCESS_DOWN, MESSAGE_GIVEN_UP or NOT_QUIET.
        """
        account, whole = before or look(self.client), before is None
        began = moved = asked_all = time.monotonic()
        pause = PAUSE_S
        while True:
            last, at = account, time.monotonic()
            if waited_for := account.waited_for(now):
                if whole or account.silent:
                    self._judge(account, at - began, at - moved)
                time.sleep(pause)
                pause, whole = min(LONGEST_PAUSE_S, pause * 1.5), at - max(moved, asked_all) >= STALL_S
                account = look(self.client) if whole else last.renewed(look(self.client, waited_for))
            else:
                account, sure = look(self.client), whole
                pause, whole = PAUSE_S, True
                if sure and account.counts == last.counts and not account.waited_for(now):
                    return account
            asked_all = time.monotonic() if whole else asked_all
            moved = time.monotonic() if account.counts != last.counts else moved

    def step(self, until: datetime | None = None, here: Account | None = None) -> Account | None:
        """Go to the next timer (not past `until`) when all is quiet, and give the look there; None where none is left.

        `here` is the look at a quiet since which nothing was asked for and the clock stood.
        """
        here = here or self.quiet()
        following = here.next_timer
        if following is None or (until is not None and following > until):
            return None
        self.set_clock(following)
        return self.quiet(following, here)

    def advance(self, to: datetime, reached: Callable[[datetime], None] = lambda instant: None) -> int:
        """Walk to the instant `to` from timer to timer, telling each that was reached; give how many."""
        stops, here = 0, self.quiet()
        while (there := self.step(to, here)) is not None:
            assert here.next_timer
            reached(here.next_timer)
            stops, here = stops + 1, there
        self.set_clock(to)
        self.quiet(to)
        return stops

    def _judge(self, account: Account, waited: float, still: float) -> None:
        """Raise where waiting cannot help: `waited` seconds in all, `still` since anything moved."""
        if still < STALL_S and not account.silent:
            return
        if missing := self.down():
            self.told(f"venter på {', '.join(missing)} (ophor up {' '.join(missing)})")
            if still > self.patience_s + STALL_S:
                raise _down(missing)
        elif account.given_up:
            raise _given_up(account)
        elif still > self.timeout_s:
            raise _not_quiet(account, waited)


def _status(client: Calls, service: str) -> dict[str, Any] | OphorError:
    try:
        return client.call(f"{service}.status", {}, timeout=STATUS_S)
    except Unavailable as error:
        return error


def _next(status: dict[str, Any]) -> datetime | None:
    return datetime.fromisoformat(status["next_timer"]) if status["next_timer"] else None


def _down(missing: list[str]) -> Unavailable:
    names = ", ".join(missing)
    return Unavailable(
        "PROCESS_DOWN",
        f"not running: {names}",
        field=missing[0],
        remedy=f"ophor up {' '.join(missing)}",
        da=f"Kører ikke: {names}.",
    )


def _given_up(account: Account) -> Unavailable:
    parts = [f"{name}: {dead} dead, {parked} parked" for name, (dead, parked) in account.given_up.items()]
    first = next(iter(account.given_up))
    return Unavailable(
        "MESSAGE_GIVEN_UP",
        "; ".join(parts),
        field=first,
        remedy=f"`ophor dlq list {first}` shows why; mend the cause, then `ophor dlq replay {first}`",
        da="En besked kunne ikke behandles.",
    )


def _not_quiet(account: Account, waited: float) -> Unavailable:
    under_way = [f"{wire} → {consumer}: {count}" for (wire, consumer), count in account.under_way.items()]
    parts = [f"{name} does not answer ({code})" for name, code in account.silent.items()]
    parts += [f"{name}: {count} pending or due" for name, count in account.pending.items()] + under_way
    return Unavailable(
        "NOT_QUIET",
        f"not quiet after {waited:.0f} s: {'; '.join(parts[:8]) or 'counts keep changing'}",
        remedy="ophor status",
        da="Systemet faldt ikke til ro.",
    )
