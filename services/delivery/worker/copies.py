"""Our own copies of what was delivered go when the first deletion was verified, at K+15 at the latest (S2 3.2, 28.1).

Rules kept here:
1. A file is ours where it has the name and the very bytes of a package that we handed over; anything else under that
   name is left alone and is an error.
2. A package that is not in its drop was fetched, if the drop is the folder that it was: the folder's own number says
   so, since an empty mount point looks like a drop from which everything is gone.
3. A drop that the customer or the receiver owns is theirs (`owner` in the drops' file): nothing is touched there.
4. Ophør's own backups from before their databases were cleared are looked for until they are gone. A dump whose day
   does not stand in it (`mongodump --oplog`) counts as one of them; nobody having said where they are is an error,
   and `none` an answer.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from contracts.delivery_copies import LEFT
from contracts.errors import OphorError
from services.delivery import package, store
from services.delivery.tables import file_name
from shared.backups.disk import Folder
from shared.backups.dumps import MongoDumps
from shared.runtime.drops import digest_of, drop_folders, drops_of_others, sync_folder

Row = dict[str, Any]
OWN_BACKUPS = "OPHOR_OWN_BACKUPS"
NONE = "none"


def dispose(work: Any) -> list[Row]:
    """Dispose of every copy of this exit's packages; give a row for each."""
    packages = work.read(lambda unit: store.handed_over_of(unit, work.exit_id))
    rows = [row for bag in packages for row in _of_package(work, bag)]
    if not packages:
        return rows
    cleared = work.read(lambda unit: store.load(unit, work.exit_id)).cleared_on or work.today
    return rows + list(_own_backups(work.settings.mode, cleared))


def _of_package(work: Any, bag: Row) -> Iterator[Row]:
    yield {"kind": "PACKAGE", "name": bag["_id"], "answer": _file(work, bag)}
    yield {"kind": "WORK_FILES", "name": bag["_id"], "answer": _work_files(work, bag)}
    held = any(place.get("after") or place.get("document") for place in bag["places"])
    yield {"kind": "POSITIONS", "name": bag["_id"], "answer": "DELETED" if held else "ABSENT_VERIFIED"}


def _file(work: Any, bag: Row) -> str:
    """Take the package out of our drop (rules 1–3)."""
    try:
        folder = drop_folders(work.settings.drops).get(bag.get("drop", ""))
        if folder is None:
            return "ERROR"
        if bag["drop"] in drops_of_others(work.settings.drops):
            return "CUSTOMER_POSSESSION"
        target = folder / bag["name"]
        names = os.listdir(folder)
        if bag["name"] not in names:
            return "ABSENT_VERIFIED" if folder.stat().st_ino == bag.get("drop_number") else "ERROR"
        if digest_of(target) != bag["sealed"]["digest"]:
            return "ERROR"
        target.unlink()
        sync_folder(folder)
        return "ERROR" if target.exists() else "DELETED"
    except (OSError, OphorError):
        return "ERROR"


def _work_files(work: Any, bag: Row) -> str:
    folder = Path(work.settings.work.resolve() / file_name(bag["_id"]))
    if not folder.parent.is_dir():
        return "ERROR"
    if not folder.exists():
        return "ABSENT_VERIFIED"
    try:
        package.destroy(folder)
    except (OSError, OphorError):
        return "ERROR"
    return "DELETED"


def _own_backups(mode: str, cleared: date) -> Iterator[Row]:
    """Look for backups of our own databases that hold what they held before they were cleared (rule 4)."""
    told = os.environ.get(OWN_BACKUPS, "" if mode == "production" else NONE)
    if told == NONE:
        yield {"kind": "OWN_BACKUP", "name": NONE, "answer": "ABSENT_VERIFIED"}
        return
    try:
        sets = MongoDumps(Folder(Path(told))).sets() if told else None
    except OphorError:
        sets = None
    if sets is None:
        yield {"kind": "OWN_BACKUP", "name": OWN_BACKUPS, "answer": "ERROR"}
        return
    old = [each for each in sets if not each.certain or each.taken_on is None or each.taken_on <= cleared]
    for each in old:
        yield {"kind": "OWN_BACKUP", "name": each.set_id, "answer": "PRESENT"}
    if not old:
        yield {"kind": "OWN_BACKUP", "name": OWN_BACKUPS, "answer": "ABSENT_VERIFIED"}


def left(rows: list[Row]) -> int:
    """Count the copies that are not gone."""
    return sum(row["answer"] in LEFT for row in rows)


def tell(unit: Any, exit_id: str, rows: list[Row]) -> None:
    """Clear the positions, tell every copy, and look again tomorrow where one is left."""
    store.clear_positions(unit, exit_id)
    told = {"exit_id": exit_id, "rows": rows, "left": left(rows), "on": unit.today}
    unit.emit("delivery.own_copies_looked", exit_id, told)
    if left(rows):
        store.look_again(unit, exit_id)
