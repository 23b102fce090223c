"""The hand `control`: freezes or closes systems, looks afterwards whether it holds, and tells it only when it does.

Every step may run again: freezing what is frozen and closing what is closed change nothing. What does not hold is
kept as `error` for people to see, and the task is tried again by the ladder; in the end it is a dead letter, never a
fact that is not true. After the exit was cancelled nothing is begun.
"""

from __future__ import annotations

from typing import Any

from contracts.errors import Unavailable
from contracts.system_map import SystemMap, load_registered
from services.access import domain, store
from services.access.domain import Order
from shared.bus.hands import Hand, task
from shared.connectors import open_connector


class Control(Hand):
    """Freezes and closes the tenant's ways in."""

    service, name = "access", "control"

    @task
    def control(self, work: Any) -> None:
        """Freeze or close the named systems and tell it when every one of them holds."""
        action, activity = work.data["action"], work.data["activity"]
        exit_ = work.read(lambda unit: store.load(unit, work.exit_id))
        if exit_.cancelled:
            return
        order: Order = exit_.require_order()
        before = {row["system"]: row["state"] for row in work.read(lambda unit: store.seen(unit, work.exit_id))}
        systems = load_registered(work.settings.maps, order.map_digest)
        rows = []
        for name in work.data["systems"]:
            rows.append(_act(systems, order, name, domain.step(action, before.get(name, "open")), work))
        failed = [row["system"] for row in rows if row["state"] == "error"]
        if failed:
            raise Unavailable(
                "ACCESS_NOT_HELD", f"{action}: the tenant's users still have ways in",
                field=f"systems.{failed[0]}", remedy="look at the system's grants and roles in the map",
            )  # fmt: skip
        work.commit(lambda unit: _tell(unit, work.exit_id, activity, action, rows))


def _act(systems: SystemMap, order: Order, name: str, action: str, work: Any) -> store.Row:
    """Act on one system, look at it with fresh eyes, and keep what was seen."""
    system = systems.system(name)
    purpose = "access" if system.roles or "access" in system.credentials or system.kind == "files" else "verify"
    connector = open_connector(systems, name, purpose, tenant=order.tenant, cvr=order.customer_cvr)
    try:
        if purpose == "access":  # else the map names no log-ins, so there is nothing to take away
            (connector.freeze if action == domain.FREEZE else connector.close_access)()
        seen = connector.access()
    finally:
        connector.close()
    state = domain.state_after(action, grants=seen.grants, writable=seen.writable, is_open=seen.open)
    row = {"system": name, "state": state, "grants": seen.grants, "verified": state != "error", "on": work.today}
    work.transaction(lambda unit: store.see(unit, work.exit_id, row))
    return row


def _tell(unit: Any, exit_id: str, activity: str, action: str, rows: list[store.Row]) -> None:
    told = {"exit_id": exit_id, "activity": activity, "systems": rows, "on": unit.today}
    unit.emit("access.access_frozen" if action == domain.FREEZE else "access.access_closed", exit_id, told)


HANDS = {"control": Control}
