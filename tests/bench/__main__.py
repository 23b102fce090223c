"""Run the benchmarks: `python -m tests.bench [NAME …]`, each in a process of its own, and show what was measured."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

from rich.console import Console
from rich.table import Table

from tests.bench import figures

NAMES = {name: name for name in ("plan", "tick", "replan", "rpc", "relay", "inbox", "idle", "certificate")}
NAMES |= {
    name: name.replace("-", "_")
    for name in ("ledger-append", "ledger-proof", "bundle-verify", "delete-postgres", "delete-mongo")
}
ONE = "--one"


def main(arguments: list[str]) -> int:
    """Measure the named benchmarks (all without a name); give 0, or 2 for an unknown name, 1 where one failed."""
    if arguments[:1] == [ONE]:
        print(import_module(f"tests.bench.{NAMES[arguments[1]]}").measure().keep())
        return 0
    unknown = sorted(set(arguments) - NAMES.keys())
    if unknown:
        print(f"no benchmark {', '.join(unknown)}; there are {', '.join(NAMES)}", file=sys.stderr)
        return 2
    names = arguments or list(NAMES)
    failed = [name for name in names if subprocess.run([sys.executable, "-m", "tests.bench", ONE, name]).returncode]
    show([name for name in names if name not in failed])
    return 1 if failed else 0


def show(names: list[str]) -> None:
    """Print the kept figures as a table."""
    table = Table(title="make bench", title_justify="left")
    for column in ("name", "what", "value", "reference", "ratio", "peak MB"):
        table.add_column(column, overflow="fold")
    for figure in map(figures.read, names):
        value, reference = f"{figure.value:,} {figure.unit}", f"{figure.reference:,} {figure.unit}: {figure.against}"
        table.add_row(figure.name, figure.what, value, reference, str(figure.ratio), str(figure.peak_mb))
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
