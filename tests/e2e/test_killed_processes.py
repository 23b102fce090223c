"""Every process is killed once (`kill -9`) while the exit runs, and started again: the same rows come out.

The order is drawn with a fixed seed. Hands are killed when a task of theirs is under way (told, not yet handled),
targets and the backup tool when a deletion or an expiry is, all others at moments spread over the run, as the
demo's own lines tell how far it is, one after the other. Then `ophor up NAME`, or the demo once more where it was the
console. While one comes up the others are watched on: a hand's moment is not missed for it.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pymongo
import pytest
from pymongo.errors import PyMongoError

from contracts.catalogue import SERVICES, hands
from deploy.stack import spawn
from deploy.stack.processes import TABLE
from tests.e2e.exits import LONGEST_S, Ended, Exit, Reference, Running, totals
from tests.waiting import until

pytestmark = pytest.mark.long
SEED = 28
CONSOLE = "console"
FIRST_LINE, LAST_LINE = 6, 34
TASKS_BEFORE = {"compliance-ledger": 60, "deletion-delete": 25, "deletion-verify": 5, "delivery-extract": 4}

Moment = Callable[[], bool]
Databases = pymongo.MongoClient[dict[str, Any]]


@dataclass
class Play:
    """A demo that runs while its processes are killed."""

    exit_: Exit
    demo: Running
    said: set[str] = field(default_factory=set)
    killed: list[str] = field(default_factory=list)
    coming_up: dict[str, Running] = field(default_factory=dict)

    @property
    def calm(self) -> bool:
        """Tell whether nothing is on its way up; fail where something did not come up."""
        for name, command in list(self.coming_up.items()):
            if command.ended:
                assert command.wait().code == 0, f"{name}: {command.text}"
                del self.coming_up[name]
        return not self.coming_up

    @property
    def lines(self) -> int:
        """Count the different things that happened, over all runs of the demo."""
        told = {line[12:] for line in self.demo.text.splitlines() if line[:2] == "20" and "venter: " not in line}
        self.said |= told
        return len(self.said)

    def kill(self, name: str) -> None:
        """Kill a process (with its children, where it is a server's) and begin to start it again."""
        self.killed.append(name)
        if name == CONSOLE:
            self.demo.process.kill()
            self.demo.process.wait()
            self.demo = self.exit_.start("demo", "--keep-running")
            return
        victims = spawn.marked(str(self.exit_.home), name)
        for victim in victims:
            with suppress(ProcessLookupError):
                os.kill(victim.pid, signal.SIGKILL)
        until(lambda: not any(victim.alive for victim in victims), f"{name} is dead")
        self.coming_up[name] = self.exit_.start("up", name, said=f"up-{name}.txt")


def moments(play: Play, databases: Databases) -> dict[str, Moment]:
    """Say of each process when it is to be killed, in the order in which that is looked at."""
    draw, found = Random(SEED), dict[str, Moment]()
    for service, hand in hands():
        before = draw.randint(0, TASKS_BEFORE.get(f"{service}-{hand}", 0))
        found[f"{service}-{hand}"] = task_under_way(databases[f"ophor_{service}"], f"{service}.{hand}", before)
    deletion = databases["ophor_deletion"]
    batches = draw.randint(2, 20)
    found["postgres"] = there(deletion.jobs, {"activity": "D7a", "state": "executing", "batches": {"$gte": batches}})
    found["case-index"] = there(deletion.jobs, {"activity": "C7", "state": {"$ne": "requested"}})
    found["retention"] = there(deletion.backups, {"answer": "GONE"})
    anywhere = [name for name in (*TABLE, CONSOLE) if name not in found]
    draw.shuffle(anywhere)
    step = (LAST_LINE - FIRST_LINE) / len(anywhere)
    return found | {name: said(play, FIRST_LINE + round(at * step)) for at, name in enumerate(anywhere)}


def said(play: Play, lines: int) -> Moment:
    """Tell whether so many things have happened, and nothing else is on its way up."""
    return lambda: play.calm and play.lines >= lines


def task_under_way(database: Any, consumer: str, before: int) -> Moment:
    """Tell whether a hand that has done `before` tasks has one that it did not handle yet."""

    def look() -> bool:
        told = {row["_id"] for row in database.outbox.find({"wire": {"$regex": f"^{consumer}[.]"}}, {"_id": 1})}
        done = {row["_id"].partition("/")[0] for row in database.inbox.find({"consumer": consumer}, {"_id": 1})}
        return len(told & done) >= before and bool(told - done)

    return look


def there(collection: Any, query: dict[str, Any]) -> Moment:
    """Tell whether a collection has such a document."""
    return lambda: collection.find_one(query, {"_id": 1}) is not None


def kill_everything_once(exit_: Exit) -> tuple[Play, Ended]:
    """Run the demo, kill each process at its moment, and wait for the end."""
    play = Play(exit_, exit_.start("demo", "--keep-running"))
    until(lambda: play.demo.ended or play.lines >= 1, "the exit begins", LONGEST_S)
    assert not play.demo.ended, play.demo.text
    with exit_.documents() as databases:
        waiting = moments(play, databases)
        while due := until(lambda: next_due(play, waiting), "something happens", LONGEST_S, at_most_s=0.02):
            if due == "ended":
                break
            del waiting[due]
            play.kill(due)
    ended = play.demo.wait()
    until(lambda: play.calm, "what was killed last is up", LONGEST_S)
    return play, ended


def next_due(play: Play, waiting: dict[str, Moment]) -> str:
    """Name the process whose moment has come; `ended` when the demo has."""
    with suppress(PyMongoError):  # the database may be the one that was killed
        for name, moment in waiting.items():
            if moment():
                return name
    return "ended" if play.demo.ended else ""


def test_killing_any_process_in_the_middle_leads_to_the_same_rows_and_gives_no_message_up(
    exit_: Exit, reference: Reference
) -> None:
    play, ended = kill_everything_once(exit_)

    assert ended.code == 0, f"killed: {play.killed}\n{ended.text[-6000:]}"
    assert sorted(play.killed) == sorted([*TABLE, CONSOLE]), ended.text
    killed, undisturbed = exit_.summary(), reference.exit.summary()
    assert totals(killed) == totals(undisturbed)
    assert killed["changes_outside_scope"] == undisturbed["changes_outside_scope"] == 0
    with exit_.documents() as databases:
        dead = {service: list(databases[f"ophor_{service}"].dead.find()) for service in SERVICES}
    assert {service: rows for service, rows in dead.items() if rows} == {}
    for certificate in killed["certificates"]:
        verified = exit_.run("verify", "--rehearsal", certificate["bundle"], *exit_.keys)
        assert verified.code == 0, verified.text
