"""Who else works with our credentials: effect accounting sees one transaction, this sees the sessions beside it.

Every session that our own engines open announces itself with a lock of the engine's, which ends with the session. One
connector has one; a second one beside it, or one that anybody else opened with the same user, has none and is a
stranger. A batch is kept only when the engine shows no stranger at that moment. What this proves, and what not, is in
docs/adr/0012.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Engine, event

from shared.connectors import failures
from shared.connectors.sql.dialect import Dialect

PATIENCE_S = 5.0
_PAUSE_S = 0.05


def announce(engine: Engine, statement: str, is_open: Callable[[Any], bool]) -> Engine:
    """Have an engine's first session run `statement`, and a later one only where the first has ended."""
    first: list[Any] = []

    def connected(connection: Any, _: Any) -> None:
        if any(is_open(each) for each in first):
            return
        with connection.cursor() as cursor:
            cursor.execute(statement)
        connection.commit()
        first[:] = [connection]

    event.listen(engine, "connect", connected)
    return engine


def require_alone(dialect: Dialect, connection: Connection, system: str) -> None:
    """Raise Rejected SECOND_SESSION while a stranger uses our credentials; one that is just ending may end."""
    until = time.monotonic() + PATIENCE_S
    while count := dialect.strangers(connection):
        if time.monotonic() > until:
            raise failures.second_session(system, count)
        time.sleep(_PAUSE_S)
