"""The rehearsal marker: without one of at most seven days of real time, a rehearsal deletes nothing (design §6).

No flag switches this off. The marker is written beforehand with other credentials than the deleter's.
"""

from __future__ import annotations

import secrets

from contracts.errors import Rejected
from shared.connectors.protocol import Connector, Marker

FRESH_S = 7 * 24 * 3600.0
SKEW_S = 3600.0


def prepare(connector: Connector, now: float) -> Marker:
    """Write a new marker with a random id on a target opened for `prepare`; `now` is real time in Unix seconds."""
    marker = Marker(id=secrets.token_hex(16), written_at=now)
    connector.write_marker(marker)
    return marker


def require_fresh(connector: Connector, now: float) -> Marker:
    """Give the target's marker, or raise Rejected TARGET_NOT_MARKED; `now` is real time in Unix seconds."""
    return require_marked(connector.system, connector.marker(), now)


def require_marked(name: str, marker: Marker | None, now: float) -> Marker:
    """Give this marker of the target `name`, or raise Rejected TARGET_NOT_MARKED."""
    if marker is None or not -SKEW_S <= now - marker.written_at <= FRESH_S:
        what = "carries no rehearsal marker" if marker is None else "carries a rehearsal marker older than seven days"
        raise Rejected(
            "TARGET_NOT_MARKED",
            f"{name} {what}",
            field=f"systems.{name}",
            remedy="make sure that it is a copy, then run `ophor rehearsal prepare` with the map's prepare credentials",
            da=f"{name} er ikke mærket som en kopi til øvelse.",
        )
    return marker
