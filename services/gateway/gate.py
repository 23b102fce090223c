"""`/gate/SYSTEM`: whether a system may serve after a restore, for a load balancer or start script; no login, no names.

200 means released, and nothing else does: not released and not to be asked are 503, a name that no order has is 404.
The answer tells neither exits nor customers.
"""

from __future__ import annotations

from flask import Blueprint, Response, current_app, jsonify

from contracts.errors import OphorError, Rejected
from contracts.roles import MONITOR
from shared.runtime.logins import User

LONGEST = 200
_ASKER = User("", "", "gateway-gate", (MONITOR,), ("*",))

gate = Blueprint("gate", __name__)


@gate.get("/gate/<path:system>")
def released(system: str) -> tuple[Response, int]:
    """Say whether the system is released."""
    if len(system) > LONGEST:
        return _said(system[:LONGEST], "SYSTEM_UNKNOWN", 404)
    try:
        told = current_app.extensions["backend"].ask(_ASKER, "deletion.restore_check", {"system": system})
    except Rejected as error:
        return _said(system, error.code, 404)
    except OphorError as error:
        return _said(system, error.code, 503)
    return _said(system, "RELEASED", 200) if told["released"] is True else _said(system, "NOT_RELEASED", 503)


def _said(system: str, answer: str, status: int) -> tuple[Response, int]:
    return jsonify(system=system, released=status == 200, answer=answer), status
