"""`ophor evidence renew`: have the seals' time stamps renewed whose authority's certificate ends soon; for each night.

Which those are is told by the certificates' rows (`seal_holds`, by real time, as certificates end by it); the renderer,
which alone has the sealing key and asks the authority, does it (`worker/renewing.py`). Asking twice is safe.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from services.compliance import store as evidence
from services.compliance.log import program
from shared.store.unit import Store

WITHIN = 180
RENEW = "compliance.render.renew_seal"


def ask(store: Store, last: date, *, send: bool = True) -> list[dict[str, Any]]:
    """Give the certificates whose seal's time stamp holds until `last` at most, and send each to the renderer."""
    rows = store.read(lambda unit: evidence.stamped_until(unit, last))
    for row in rows if send else ():
        task = {"certificate_id": row["_id"], "exit_id": row["exit_id"]}
        store.run(lambda unit, task=task: unit.send(RENEW, task))  # type: ignore[misc]
    return rows


def main(argv: list[str] | None = None, say: Callable[[str], Any] = print) -> int:
    """Renew what is due in the store that the environment names: 0 asked, 1 the world is wrong, 2 refused."""
    parser = argparse.ArgumentParser(prog="ophor evidence renew")
    parser.add_argument("--within", type=int, default=WITHIN, help=f"days before the end (default {WITHIN})")
    parser.add_argument("--list", action="store_true", help="tell only, renew nothing")
    asked = parser.parse_args(argv)

    def work(store: Store) -> None:
        last = datetime.now(UTC).date() + timedelta(days=asked.within)
        for row in ask(store, last, send=not asked.list):
            say(f"{row['number']} {row['seal_holds']['until']} {row['seal_holds']['stamped_by']}")

    return program.run(work)


if __name__ == "__main__":
    sys.exit(main())
