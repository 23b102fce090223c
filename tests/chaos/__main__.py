"""Run the chaos suite: `python -m tests.chaos [--short | --cluster] [--seed N] [--kills N] [--faults N] …`.

A steady load runs while faults are injected from a seeded sequence; then the system settles and the promises of the
bus are checked from the stores. Writes `tests/chaos/results/latest.json`; ends with 1 where a promise was broken.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table

from contracts.errors import OphorError
from tests.chaos import faults, fuzz, invariants
from tests.chaos.bed import Bed, bed
from tests.chaos.cluster import Cluster
from tests.chaos.inject import Injection
from tests.chaos.invariants import settled
from tests.chaos.load import Load

RESULTS = Path(__file__).parent / "results"
SETTLE_S = 300.0
GROWTH_MB = 100.0
BUG = "ended by a bug"
# kills, faults of parts, malformed messages, replicas of every process
LENGTHS = {"short": (20, 16, 500, 1), "long": (320, 64, 10_000, 2), "cluster": (60, 28, 1_000, 1)}


@dataclass
class Report:
    """What a run was and found."""

    seed: int
    seconds: float
    kills: int
    faults: int
    commands: int
    refused: dict[str, int]
    queries: int
    malformed: int
    messages: int
    lost: int
    doubled: int
    late_calls: int
    wrong: int
    processes_died: int
    restarts: int
    longest_recovery_s: float
    memory_growth_mb: float
    memory_growth_of: dict[str, float]
    ordered: int
    broker: str
    brokers: int
    injected: dict[str, int]
    cases: list[str]

    @property
    def kept(self) -> bool:
        """Tell whether every promise was kept."""
        return not (self.lost or self.doubled or self.late_calls or self.wrong or self.processes_died)


def main(arguments: list[str]) -> int:
    """Run and report; give 0 where every promise was kept."""
    asked = _asked(arguments)
    began = time.monotonic()
    with bed(asked.replicas) as made:
        if asked.cluster:
            _make_cluster(made)
        report = run(made, asked, began)
        _keep_logs(made, report)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "latest.json").write_text(json.dumps(asdict(report), indent=2) + "\n", encoding="utf-8")
    show(report)
    return 0 if report.kept else 1


def run(made: Bed, asked: argparse.Namespace, began: float) -> Report:
    """Inject what was asked for under load, let everything settle, and look."""
    load = Load(made, asked.seed, asked.callers)
    load.start()
    injection = Injection(made, asked, began)
    injection.run()
    load.stop()
    left = settled(made, SETTLE_S)
    load.finish()
    for queue in sorted(made.mended):
        made.replay(queue, made.began)
    made.jump(timedelta(days=1))
    left = settled(made, SETTLE_S) or left
    if missing := asked.malformed - sum(map(len, made.spoiled.values())):
        fuzz.spoil(made, random.Random(asked.seed), missing)
        left = settled(made, SETTLE_S)
    return _report(made, asked, load, injection, left)


def _report(made: Bed, asked: argparse.Namespace, load: Load, injection: Injection, left: list[str]) -> Report:
    found = invariants.look(made, load.given)
    died, growth = _died(made), made.watch.memory.growth()
    grown = [f"{name} grew by {mb} MB after its warm-up" for name, mb in growth.items() if mb > GROWTH_MB]
    recoveries = [seconds for each in made.watch.processes.values() for seconds in each.recoveries]
    injected = injection.injected
    return Report(
        seed=asked.seed, seconds=round(time.monotonic() - injection.began, 1), kills=injection.kills,
        faults=sum(injected.values()) - injection.kills, commands=len(load.given), queries=load.queries,
        refused=dict(Counter(each.refused for each in load.given if each.refused)),
        malformed=sum(map(len, made.spoiled.values())), messages=found.messages, lost=len(found.lost),
        doubled=len(found.doubled),
        late_calls=len(found.late), wrong=len(found.wrong) + len(left) + len(grown), processes_died=len(died),
        restarts=made.watch.restarts, longest_recovery_s=round(max(recoveries, default=0.0), 1),
        memory_growth_mb=max(growth.values(), default=0.0), memory_growth_of=growth, ordered=found.ordered,
        broker=made.broker(), brokers=3 if made.cluster else 1, injected=dict(sorted(injected.items())),
        cases=[
            *found.lost, *found.doubled, *found.late, *found.wrong, *(f"still: {each}" for each in left), *died, *grown,
        ],
    )  # fmt: skip


def show(report: Report) -> None:
    """Print the report as tables."""
    title = f"chaos, seed {report.seed}, {report.seconds:.0f} s, RabbitMQ {report.broker}"
    table = Table(title=title, title_justify="left", show_header=False)
    for name, value in asdict(report).items():
        if isinstance(value, int | float) and name not in ("seed", "seconds"):
            table.add_row(name.replace("_", " "), f"{value:,}")
    kinds = Table(title="injected, and what was refused", title_justify="left", show_header=False)
    for name, count in [*report.injected.items(), *report.refused.items()]:
        kinds.add_row(name.replace("_", " "), str(count))
    for name, grown in list(report.memory_growth_of.items())[:5]:
        kinds.add_row(f"MB that {name} grew after its warm-up", str(grown))
    console = Console()
    console.print(table, kinds)
    for case in report.cases:
        console.print(f"  {case}")


def _asked(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__.splitlines()[0])
    parser.add_argument("--short", action="store_true", help="a run of a few minutes")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int)
    parser.add_argument("--faults", type=int)
    parser.add_argument("--malformed", type=int)
    parser.add_argument("--replicas", type=int)
    parser.add_argument("--cluster", action="store_true", help="three brokers, whose leader is lost (a long run only)")
    parser.add_argument("--callers", type=int, default=6)
    parser.add_argument("--pause", type=float, default=2.0, help="seconds between two faults of one kind, at most")
    asked = parser.parse_args(arguments)
    if asked.short and asked.cluster:
        parser.error("three brokers take too long for a short run")
    usual = LENGTHS["short" if asked.short else "cluster" if asked.cluster else "long"]
    for name, value in zip(("kills", "faults", "malformed", "replicas"), usual, strict=True):
        if getattr(asked, name) is None:
            setattr(asked, name, value)
    return asked


def _make_cluster(made: Bed) -> None:
    """Make the broker a cluster of three nodes; where that cannot be had, say so and go on with the one."""
    cluster = Cluster(made.stack.parts, str(made.home))
    try:
        cluster.join()
    except (*faults.BROKEN, OphorError, AssertionError) as error:
        _tell(f"no cluster of three brokers can be had here, no leader will be lost: {type(error).__name__} {error}")
    else:
        made.cluster = cluster


def _keep_logs(made: Bed, report: Report) -> None:
    """Keep the logs of a run that broke a promise, for whoever looks for the cause."""
    shutil.rmtree(RESULTS / "logs", ignore_errors=True)
    if not report.kept:
        shutil.copytree(made.home / "logs", RESULTS / "logs")


def _died(made: Bed) -> list[str]:
    """Name the processes that ended of themselves, but for those that met a missing queue (they end by design)."""
    by_signal = [
        f"{each.name} ended by signal {-code}"
        for each in made.watch.processes.values()
        for code in each.own_ends
        if code < 0
    ]
    bugs = [f"{name}: {text.count(BUG)} ended by a bug" for name, text in made.logs() if BUG in text]
    return by_signal + bugs


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
