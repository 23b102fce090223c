"""What is to be rehearsed, and the record (`rehearsal.json`) by which a rehearsal goes on where it stopped.

A record belongs to one wish: the same tenant, customer and map, letter by letter. A finished one is never gone on with.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from contracts import system_map
from contracts.errors import Rejected
from services.console.rehearsing import results


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user wants rehearsed, and where its results go."""

    map_path: Path
    tenant: str
    customer: str
    cvr: str
    out: Path
    yes_delete: tuple[str, ...] = ()
    began_on: date | None = None
    processes: tuple[str, ...] = ()
    absent: bool = False


def unfinished(wish: Wish) -> dict[str, Any] | None:
    """Read the record of an unfinished rehearsal of the same wish in `out`; raise Rejected OUT_UNREADABLE."""
    path = wish.out / "rehearsal.json"
    try:
        record: dict[str, Any] = json.loads(path.read_text("utf-8"))
        same = {key: record.get(key) for key in _MINE} == _mine(wish)
        return record if same and not record["finished"] else None
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise Rejected(
            "OUT_UNREADABLE", f"{path}: {type(error).__name__}", field="--out",
            remedy="give another folder, or remove that file to begin anew",
            da="Mappen har en øvelse, der ikke kan læses.",
        ) from None  # fmt: skip


_MINE = ("tenant", "customer", "cvr", "map", "map_digest")


def _mine(wish: Wish) -> dict[str, str]:
    said = (wish.tenant, wish.customer, wish.cvr, str(wish.map_path), system_map.load(wish.map_path).digest)
    return dict(zip(_MINE, said, strict=True))


def begin(wish: Wish) -> dict[str, Any]:
    """Give this rehearsal's own record in `out`: read again where there is an unfinished one of the same wish."""
    if (found := unfinished(wish)) is not None:
        return found
    began = wish.began_on or date.today()
    record = {
        **_mine(wish), "id": uuid.uuid4().hex[:12], "began_on": began.isoformat(), "clocked": False,
        "finished": False, "worked_s": 0.0,
    }  # fmt: skip
    keep(wish.out, record)
    return record


def keep(out: Path, record: dict[str, Any]) -> None:
    """Write the rehearsal's record."""
    results.save(out / "rehearsal.json", (json.dumps(record, indent=2) + "\n").encode())
