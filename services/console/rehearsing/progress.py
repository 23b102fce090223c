"""The live picture of a running exit: the four phases, what happens now, rows delivered and deleted, the clock.

At a terminal it is redrawn in place; elsewhere (CI, a file) each thing that happened is one line, and nothing is said
twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from services.console.deletion_show import drawn
from services.console.deletion_words import state

PHASES = {"order": "Bestilling", "preparation": "Forberedelse", "window": "Exit-vindue", "after": "Efter exit"}
_BAR, _LABEL = 24, 16
DONE = frozenset({"completed", "waived", "not_chosen"})


class Progress:
    """What is known of the exit, drawn on `console`. Use as a context manager."""

    def __init__(self, console: Console, title: str) -> None:
        self.console, self.title = console, title
        self.activities: list[dict[str, Any]] = []
        self.jobs: list[dict[str, Any]] = []
        self.delivery: dict[str, Any] = {}
        self.clock = self.step = self.waiting = ""
        self.certificates: list[str] = []
        self._said: set[str] = set()
        self._waited = ""
        self._live: Live | None = None

    def __enter__(self) -> Progress:
        if self.console.is_terminal:
            self._live = Live(get_renderable=self._draw, console=self.console, refresh_per_second=4, transient=True)
            self._live.__enter__()
        return self

    def __exit__(self, *ended: Any) -> None:
        if self._live:
            self._live.__exit__(*ended)
            self.console.print(self._draw())

    def say(self, text: str) -> None:
        """Tell one thing that happened (once) and make it the current step."""
        self.step, self.waiting, self._waited = text, "", ""
        if self._live is None and text not in self._said:
            self._said.add(text)
            self.console.print(f"{self.clock:10}  {text}", highlight=False, markup=False)

    def wait(self, text: str) -> None:
        """Tell what is waited for, outside the line of things that happened."""
        if text and text != self._waited and self._live is None:
            self._waited = text
            self.console.print(f"{self.clock:10}  venter: {text}", highlight=False, markup=False)
        self.waiting = text

    def plan(self, activities: Iterable[dict[str, Any]]) -> None:
        """Take a new state of the plan; tell each activity that was completed since."""
        before = {row["id"] for row in self.activities if row["state"] == "completed"}
        self.activities = list(activities)
        for row in self.activities:
            if row["state"] == "completed" and row["id"] not in before:
                self.say(f"{row['id']:4} {row['title_da']}")

    def _draw(self) -> Panel:
        return Panel(
            Group(self._phases(), Text(), self._rows(), Text(), self._now()),
            title=f"Ophør – {self.title}",
            subtitle=f"simuleret dato {self.clock}",
            padding=(1, 2),
        )

    def _phases(self) -> Table:
        table = _grid()
        for phase, title in PHASES.items():
            rows = [row for row in self.activities if row["phase"] == phase and row["state"] != "not_chosen"]
            done = sum(row["state"] in DONE for row in rows)
            bar = drawn(len(rows), done, width=_BAR)
            table.add_row(title, bar, f"{done}/{len(rows)}" if rows else "–")
        return table

    def _rows(self) -> Table:
        table = _grid()
        places = self.delivery.get("places_total") or 0
        bar = drawn(places, self.delivery.get("places_done") or 0, width=_BAR)
        table.add_row("Udleveret", bar, f"{self.delivery.get('rows') or 0:,} rækker".replace(",", "."))
        for job in self.jobs:
            before = sum(place["before"] for place in job["places"] if place["disposition"] == "deleted")
            deleted = sum(place["deleted"] for place in job["places"])
            bar = drawn(before, deleted, stopped=job["state"] == "stopped", width=_BAR)
            text = f"{deleted:,} af {before:,} rækker\n".replace(",", ".") + state(job["state"], "da")
            table.add_row(f"Sletning {job['activity']}", bar, text)
        return table

    def _now(self) -> Group:
        lines = [Text(f"Nu: {self.step}")]
        if self.waiting:
            lines.append(Text(f"Venter: {self.waiting}", style="yellow"))
        lines += [Text(f"Slettebevis {text}", style="green") for text in self.certificates]
        return Group(*lines)


def _grid() -> Table:
    """Make a grid whose bars stand below those of the other grids."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(width=_LABEL, no_wrap=True)
    grid.add_column(width=_BAR)
    grid.add_column(overflow="fold")
    return grid
