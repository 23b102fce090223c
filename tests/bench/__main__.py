"""Run the benchmarks: `python -m tests.bench [NAME …] [--rows N …]`, each in a process of its own, and show the result.

`--rows` says how many rows the deletions take, one run for each size.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench import figures

NAMES = {
    name: name for name in ("plan", "tick", "replan", "rpc", "relay", "inbox", "idle", "certificate", "certificates")
}
NAMES |= {
    name: name.replace("-", "_")
    for name in (
        "ledger-append",
        "ledger-proof",
        "ledger-audit",
        "bundle-verify",
        "delete-postgres",
        "delete-mongo",
        "catalogue",
        "record-proof",
    )
}
ONE, ROWS = "--one", "--rows"
LONG = {"certificates"}  # minutes: only when named


def main(arguments: list[str]) -> int:
    """Measure the named benchmarks (without a name, all but the long); 0, 2 for an unknown one, 1 for a failure."""
    if arguments[:1] == [ONE]:
        print(import_module(f"tests.bench.{NAMES[arguments[1]]}").measure().keep())
        return 0
    at = arguments.index(ROWS) if ROWS in arguments else len(arguments)
    named, sizes = arguments[:at], arguments[at + 1 :]
    unknown = sorted(set(named) - NAMES.keys()) + [size for size in sizes if not size.isdecimal()]
    if unknown:
        print(f"no benchmark {', '.join(unknown)}; there are {', '.join(NAMES)}", file=sys.stderr)
        return 2
    named = named or [name for name in NAMES if name not in LONG]
    kept = [_measured(name, size) for size in sizes or [""] for name in named]
    show([path for path in kept if path])
    return 0 if all(kept) else 1


def _measured(name: str, rows: str) -> str:
    """Measure in a process of its own; give the figure's name, or nothing where it failed."""
    environment = os.environ | ({"OPHOR_BENCH_ROWS": rows} if rows else {})
    command = [sys.executable, "-m", "tests.bench", ONE, name]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True)
    print(done.stdout, end="", flush=True)
    return "" if done.returncode else Path(done.stdout.split()[-1]).stem


def show(names: list[str]) -> None:
    """Print the kept figures as a table."""
    table = Table(title="make bench", title_justify="left")
    for column in ("name", "what", "value", "reference", "ratio", "peak MB"):
        table.add_column(column, overflow="fold")
    for figure in map(figures.read, names):
        value, reference = f"{figure.value:,} {figure.unit}", f"{figure.reference:,} {figure.unit}: {figure.against}"
        table.add_row(figure.name, figure.what, value, reference, str(figure.ratio), str(figure.peak_mb))
        for name, shown in figure.beside.items():
            table.add_row("", f"beside it: {name}", shown, "", "", "")
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
