"""A deletion while it runs: rows done and planned, rate, estimated end, what it waits for.

At a terminal the picture is redrawn in place; elsewhere each change is one line. The rate is what was measured in the
last half minute; before anything was measured the preview's estimate is told.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.text import Text

from services.console import deletion_show as show
from services.console.deletion_words import number, say, state
from shared.words import deletion as told
from shared.words.deletion import Sight

WINDOW_S = 30.0


@dataclass
class Pace:
    """How fast rows went, from what was seen when (seconds of a clock that only goes forward)."""

    seen: deque[tuple[float, int]] = field(default_factory=deque)

    def see(self, at: float, deleted: int) -> None:
        """Note how many rows were deleted at an instant; what is older than the window is forgotten."""
        self.seen.append((at, deleted))
        while len(self.seen) > 2 and at - self.seen[1][0] > WINDOW_S:
            self.seen.popleft()

    @property
    def rate(self) -> float:
        """Give rows a second; 0 where nothing went or too little was seen."""
        if len(self.seen) < 2:
            return 0.0
        (first, before), (last, after) = self.seen[0], self.seen[-1]
        return (after - before) / (last - first) if last > first else 0.0


class Follow:
    """Follows one job to its end. `ask` gives its present state."""

    def __init__(self, console: Console, language: str, ask: Callable[[], Sight]) -> None:
        self.console, self.language, self.ask = console, language, ask
        self.pace, self._told = Pace(), ""
        self.wait: Callable[[float], Any] = time.sleep

    def run(self, every: float) -> Sight:
        """Look every so many seconds until the job has ended; give it as it is then."""
        if not self.console.is_terminal:
            return self._until_ended(every, self._line)
        with Live(console=self.console, auto_refresh=False, transient=True) as live:
            ended = self._until_ended(every, lambda sight: live.update(self.picture(sight), refresh=True))
        self.console.print(self.picture(ended))
        return ended

    def _until_ended(self, every: float, tell: Callable[[Sight], None]) -> Sight:
        while True:
            sight = self.ask()
            self.pace.see(time.monotonic(), sight.deleted)
            tell(sight)
            if sight.job["state"] in told.ENDED:
                return sight
            self.wait(every)

    def _line(self, sight: Sight) -> None:
        parts = [sight.job["activity"], state(sight.job["state"], self.language), *self.figures(sight)[:1]]
        line = "  ".join(parts)
        if line == self._told:
            return
        self._told = line
        self.console.print("  ".join([*parts, *self.figures(sight)[1:]]), markup=False, soft_wrap=True)
        for note in show.notes(sight, (), self.language):
            self.console.print(note, soft_wrap=True)

    def picture(self, sight: Sight) -> Panel:
        """Draw the job as it is now."""
        figures = self.figures(sight)
        words = Text(state(sight.job["state"], self.language), style="bold")
        title = say("title", self.language, activity=sight.job["activity"], exit=sight.job["exit_id"])
        body = [
            words,
            show.bar(sight, figures[0]),
            *(Text(" · ".join(part)) for part in (figures[1:3], figures[3:]) if part),
            *show.notes(sight, (), self.language),
        ]
        hint = None if sight.job["state"] in told.ENDED else say("followed", self.language)
        return Panel(Group(*body), title=Text(title), subtitle=hint, padding=(1, 2))

    def figures(self, sight: Sight) -> list[str]:
        """Say rows done and planned, batches, and while it deletes rate and end."""
        job, language = sight.job, self.language
        done, planned = number(sight.deleted, language), number(sight.planned, language)
        found = [say("rows", language, done=done, planned=planned, percent=sight.percent)]
        found.append(say("batches", language, count=number(job["batches"], language)))
        if job["state"] != "executing":
            return found
        if self.pace.rate > 0:
            found.append(say("rate", language, rate=number(round(self.pace.rate), language)))
        seconds = (sight.planned - sight.deleted) / self.pace.rate if self.pace.rate > 0 else sight.seconds_left
        if not job["waits_until"]:
            ends = datetime.now(told.COPENHAGEN) + timedelta(seconds=seconds)
            found.append(say("left", language, time=told.duration(round(seconds), language)))
            found.append(say("end", language, at=told.instant(ends.isoformat(), language)))
        return found
