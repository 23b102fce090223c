"""What an independent look at the log found (`fsck.py`), by number of the check, as text and as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from services.compliance.verifier.ophor_verify import NoteKey

Row = dict[str, Any]
SHOWN = 20
CHECKS = {
    1: ("Hver plads har én post", "Every index has one entry"),
    2: ("Blade og poster siger det samme", "Leaves and rows agree"),
    3: ("Hvert exits kæde er ubrudt", "Every exit's chain is unbroken"),
    4: ("Referencer", "References"),
    5: ("Lagrede knuder", "Stored nodes"),
    6: ("Loggens hoved", "The log's head"),
    7: ("Tidligere hoveder", "Earlier checkpoints"),
    8: ("Hoveder givet udefra", "Heads given from outside"),
    9: ("Hvad der er slettet, og hvad loggen siger om det", "What was forgotten, and what the log says of it"),
}


@dataclass(slots=True)
class Found:
    """What was looked at, and what is wrong with it, by number of the check."""

    size: int = 0
    counts: dict[int, int] = field(default_factory=lambda: dict.fromkeys(CHECKS, 0))
    wrong: dict[int, list[str]] = field(default_factory=lambda: {n: [] for n in CHECKS})
    older: tuple[NoteKey, ...] = ()

    def need(self, n: int, true: Any, what: str) -> None:
        """Note that one thing was looked at in check `n`, and `what` is wrong unless `true`."""
        self.counts[n] += 1
        if not true:
            self.wrong[n].append(what)

    def count(self, n: int, looked: int) -> None:
        """Note that so many things were looked at in check `n`."""
        self.counts[n] += looked

    @property
    def sound(self) -> bool:
        return not any(self.wrong.values())


def as_text(found: Found, *, english: bool) -> str:
    """Write what was found, Danish unless `english`."""
    side = 1 if english else 0
    lines = []
    for n, names in CHECKS.items():
        wrong = found.wrong[n]
        word = ("FEJL", "WRONG")[side] if wrong else "OK" if found.counts[n] else ("IKKE UDFØRT", "NOT DONE")[side]
        lines.append(f"{n} {word:<11} {names[side]} – {found.counts[n]}")
        lines += [f"    {one}" for one in wrong[:SHOWN]]
        lines += [f"    … {len(wrong) - SHOWN}"] if len(wrong) > SHOWN else []
    answer = ("Loggen stemmer", "The log is sound") if found.sound else ("LOGGEN STEMMER IKKE", "THE LOG IS NOT SOUND")
    return "\n".join([*lines, "", f"{answer[side]} · {found.size}"])


def as_dict(found: Found) -> Row:
    """Give what was found as JSON primitives."""
    checks = [
        {"n": n, "name": CHECKS[n][1], "looked_at": found.counts[n], "wrong": found.wrong[n][:SHOWN]} for n in CHECKS
    ]
    return {"sound": found.sound, "size": found.size, "checks": checks}
