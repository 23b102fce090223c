"""A place that goes as a whole (`whole` in the map): one batch, one statement, the same steps as `delete` has.

1. The intent is the place as a whole with its count; no keys. 2. Under the target's lock it is proved that the place is
the tenant's alone; where it is not, or has other rows than the intent says, nothing is changed. 3. What the engine
counts elsewhere is outside the scope. 4. Decided as every batch, then the target's commit. 5. Closed by looking again:
a dropped place is gone only where the live schema was read and it is not there; what is left of an emptied one counts
as not deleted, so that a crash understates. An intent that was never decided has done nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from contracts.errors import Rejected
from contracts.system_map import System, SystemMap
from services.deletion import domain, store
from services.deletion.domain import Exit, Job
from services.deletion.worker import ground, transaction
from services.deletion.worker.transaction import Intent
from services.deletion.worker.whole_place import offered
from shared.connectors.protocol import Connector, DropsWhole


def carry_out(work: Any, job: Job, connector: Connector, target: System, number: int) -> bool:
    """Let the place at the job's position go, or tell that nothing is left to do there."""
    system, place = job.queue[job.position]
    before, way = job.place(system, place), target.rules[place].whole
    rows = 0 if before.gone else connector.count(place)
    if before.gone or not (rows or target.rules[place].goes):
        return False
    domain.check_band(before, rows)
    intent = Intent(number, system, place, [], whole=way, rows=rows)
    fenced: Job = work.transaction(lambda unit: transaction.open_(unit, job, target, [intent]))
    stopped, outside, decided = None, 0, list[Intent]()
    try:
        outside = _act(work, fenced, offered(connector), intent, decided)
    except Rejected as error:
        stopped = error
    seen = _looked(connector, intent) if decided else (intent, rows)
    work.commit(lambda unit: transaction.close(unit, fenced, [seen], outside, stopped or _outside(intent, outside)))
    return True


def resume(work: Any, job: Job, exit_: Exit, systems: SystemMap, left: Sequence[Mapping[str, Any]]) -> None:
    """Close what a dead worker left open: the fence first, then look; only what was decided to be kept can be gone."""
    (row,) = left
    intent = Intent(row["number"], row["system"], row["place"], [], whole=row["whole"], rows=row["planned"])
    fenced: Job = work.transaction(lambda unit: store.raise_fence(unit, transaction.going(unit, job)))
    seen = (intent, intent.rows)
    if row["state"] == "keeping":
        with ground.opened(systems, intent.system, "delete", exit_) as connector:
            ground.discovered(connector)
            seen = _looked(connector, intent)
    work.commit(lambda unit: transaction.close(unit, fenced, [seen], 0, None))


def _looked(connector: Connector, intent: Intent) -> tuple[Intent, int]:
    """Look what is left of a place, once nobody holds it any more."""
    left = offered(connector).left_whole(intent.place)
    return replace(intent, gone=left is None and intent.whole == "drop"), 0 if left is None else min(left, intent.rows)


def _act(work: Any, job: Job, connector: DropsWhole, intent: Intent, decided: list[Intent]) -> int:
    """Give how many changes were beyond ours (then nothing is kept); `decided` takes what may have gone."""
    with connector.whole(intent.place) as whole:
        beyond = domain.outside({}, whole.effects(), {})
        if beyond or whole.rows != intent.rows:
            return sum(beyond.values())
        work.transaction(lambda unit: transaction.keep(unit, job, [intent]))
        decided.append(intent)
        whole.commit()
    return 0


def _outside(intent: Intent, outside: int) -> Rejected | None:
    if not outside:
        return None
    return Rejected("OUTSIDE_SCOPE", "more would have changed than was planned", field=transaction.where(intent))
