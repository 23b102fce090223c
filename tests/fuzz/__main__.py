"""Attack the verifier: `python -m tests.fuzz [--seconds N] [--seed N] [--stride N] [--only bytes|grammar]`.

First every byte of a small bundle, of its PDF and of its DSSE file is changed, one at a time, and every member's bytes
(each STRIDE-th; 1 takes an hour) once more in a bundle zipped again with the right checksum: all must be rejected. Then
mutations that know the grammar run for SECONDS: no crash, no hang, less than 200 MB. Ends with 1 where one was found.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, TaskID

from services.compliance.documents import bundle
from services.compliance.documents.statement import statement
from tests.fuzz.bench import Judge
from tests.fuzz.mutations import Source
from tests.unit import evidence_world as given
from tests.unit.evidence_world import Certificate, World, issue

REJECTED = (1, 2)


def small(folder: Path) -> Certificate:
    """Make a small true certificate on an empty page."""
    world = World(folder).told(given.deleted_exit())
    world.mark()
    return issue(world, statement(world.draft()))


def flipped(data: bytes, at: int, dice: random.Random) -> bytes:
    """Change one byte: its case bit, so that another spelling comes out, or any bits."""
    mask = 0x20 if dice.random() < 0.5 else dice.randrange(1, 256)
    return data[:at] + bytes([data[at] ^ mask]) + data[at + 1 :]


def every_byte(judge: Judge, source: Source, progress: Progress, dice: random.Random) -> None:
    """Change every byte of the three files, one at a time."""
    for form in ("bundle", "pdf", "dsse"):
        data = getattr(source.true, form)
        task = progress.add_task(f"every byte of the {form}", total=len(data))
        for at in range(len(data)):
            _reject(judge, f"byte {at} of the {form}", flipped(data, at, dice), source)
            progress.advance(task)


def every_member(judge: Judge, source: Source, progress: Progress, dice: random.Random, stride: int) -> None:
    """Change every STRIDE-th byte of every member and zip again with the right checksum."""
    members = source.true.members | {"manifest.dsse.json": _manifest(source.true)}
    total = sum(-(-len(data) // stride) for data in members.values())
    task: TaskID = progress.add_task("members zipped again", total=total)
    for name, data in sorted(members.items()):
        for at in range(dice.randrange(min(stride, len(data))), len(data), stride):
            again = bundle.write_zip(members | {name: flipped(data, at, dice)})
            _reject(judge, f"byte {at} of {name}", again, source)
            progress.advance(task)


def _manifest(certificate: Certificate) -> bytes:
    from services.compliance.verifier.ophor_verify import read_zip

    return read_zip(certificate.bundle)["manifest.dsse.json"]


def _reject(judge: Judge, name: str, data: bytes, source: Source) -> None:
    said = judge.ask(name, data, source.options())
    if said.get("code") not in REJECTED:
        judge.wrong.append(f"{name}: accepted with {said.get('code')}")


def grammar(judge: Judge, source: Source, progress: Progress, seed: int, seconds: float) -> None:
    """Run mutations for a time."""
    task, began, number = progress.add_task("mutations", total=seconds), time.monotonic(), 0
    while (spent := time.monotonic() - began) < seconds:
        name, data, options = source.case(random.Random(f"{seed}-{number}"))
        judge.ask(f"{name} (seed {seed}-{number})", data, options)
        number += 1
        progress.update(task, completed=spent)


def main() -> int:
    """Run and tell; give the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--seed", type=int, default=1471)
    parser.add_argument("--stride", type=int, default=25)
    parser.add_argument("--only", choices=("bytes", "grammar"))
    asked = parser.parse_args()
    judge, console = Judge(), Console()
    with tempfile.TemporaryDirectory() as folder, Progress(console=console) as progress:
        source, dice = Source(small(Path(folder))), random.Random(asked.seed)
        if asked.only != "grammar":
            every_byte(judge, source, progress, dice)
            every_member(judge, source, progress, dice, asked.stride)
        if asked.only != "bytes":
            grammar(judge, source, progress, asked.seed, asked.seconds)
    judge.close()
    _tell(judge, console)
    return 1 if judge.wrong else 0


def _tell(judge: Judge, console: Console) -> None:
    codes = ", ".join(f"{code}: {count:,}" for code, count in sorted(judge.codes.items(), key=str))
    console.print(f"{judge.cases:,} cases; exit codes {codes}")
    console.print("failed checks " + ", ".join(f"{n}: {count:,}" for n, count in sorted(judge.reached.items())))
    console.print(f"slowest {judge.slowest:.2f} s; most memory {judge.peak_mb} MB")
    for one in judge.wrong[:50]:
        console.print(f"[red]WRONG[/red] {one}", markup=True, highlight=False)
    console.print("nothing wrong" if not judge.wrong else f"{len(judge.wrong)} wrong")


if __name__ == "__main__":
    sys.exit(main())
