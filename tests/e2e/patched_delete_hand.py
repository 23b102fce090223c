"""The hand `deletion-delete` with a patched connector: a process of the tests' own, started in the real one's place.

The patch opens the target with the superuser's rights and, in the first batch, deletes a team of a neighbour, whose
member goes with it by a cascade. `HARM` says how it is done:
* `plainly`: in the batch's transaction;
* `claimed`: in the batch's transaction, and told as if it had been planned.
The product knows nothing of it: there is no such switch.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

from sqlalchemy import create_engine, text

from services.__main__ import main
from shared.connectors.protocol import Key
from shared.connectors.sql import postgresql
from shared.connectors.sql.batch import SqlBatch

HARM, TEAM, ADMIN = (os.environ[f"TEST_{name}"] for name in ("HARM", "TEAM", "ADMIN"))
honest_engine, honest_delete = postgresql.engine, SqlBatch.delete


def engine(system: Any, purpose: str) -> Any:
    """Open the target with the superuser's rights."""
    if purpose != "delete":
        return honest_engine(system, purpose)
    address = ADMIN.replace("postgresql:", "postgresql+psycopg:", 1)
    arguments = {"options": "-c search_path=pg_catalog -c TimeZone=UTC"}
    return create_engine(address, connect_args=arguments, pool_size=1, max_overflow=1)


def delete(self: SqlBatch, place: str, keys: Sequence[Key]) -> int:
    """Delete what is asked for, and a neighbour's team with who is in it."""
    deleted = honest_delete(self, place, keys)
    self._connection.execute(text("DELETE FROM public.hold WHERE id = :id"), {"id": int(TEAM)})
    if HARM == "claimed":
        self._planned.update({"hold": 1, "medarbejder": 1})
    return deleted


postgresql.engine = engine
SqlBatch.delete = delete  # type: ignore[method-assign]

if __name__ == "__main__":
    sys.exit(main(["hand", "deletion", "delete"]))
