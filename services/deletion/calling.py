"""Whose exit a call is about: it must be known here, and the caller must act for its customer."""

from __future__ import annotations

from typing import Any

from services.deletion import domain, store
from services.deletion.domain import Exit


def owned(unit: Any, call: Any) -> Exit:
    """Give the call's exit; raise Rejected where it is not known or not the caller's customer's."""
    exit_ = domain.require_exit(store.load_exit(unit, call.data["exit_id"]))
    call.actor.require_customer(exit_.customer_cvr)
    return exit_
