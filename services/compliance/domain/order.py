"""The log's order is the order of causes: what must be in the log before an entry may be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contracts.deletion_keys import ACTIVITY as KEYS


def before(kind: str) -> tuple[str, str] | None:
    """Give (kind, field): the kind of entry with the same value in `field` that must be in the log before this one."""
    return _BEFORE.get(kind)


def named(entry: Mapping[str, Any], field: str) -> Any:
    """Give the value by which an entry is told from others in `field`; a set's name is its system's own."""
    value = entry.get(field)
    return f"{entry['system']}/{value}" if field == "set_id" and value is not None else value


def waits_for(kind: str, entry: Mapping[str, Any], seen: Mapping[str, int]) -> str | None:
    """Name the kind of entry that must be in the log first, or None. The bus keeps no order; the log has to.

    `seen` counts the kinds already logged with the same value in the field that `before` names.
    """
    rule = _BEFORE.get(kind)
    if rule is None or (kind == "DELETION_VERIFIED" and entry["result"] != "DELETED"):
        return None
    if entry.get(rule[1]) is None:
        return None  # it says itself that nothing came before it: a deletion that no restore undid
    first = "SHREDDING_PLANNED" if kind == "DELETION_INTENT" and entry.get("activity") == KEYS else rule[0]
    if not seen.get(first):
        return first
    batches = "DELETION_BATCH_CLOSED"
    return batches if kind == "DELETION_EXECUTED" and seen.get(batches, 0) < entry["batches"] else None


_BEFORE: dict[str, tuple[str, str]] = {
    "DELETION_PREVIEWED": ("REAPPEARANCE_FOUND", "restore_id"),
    "DELETION_INTENT": ("DELETION_PREVIEWED", "job_id"),
    "PERMIT_ISSUED": ("DELETION_INTENT", "job_id"),
    "DELETION_BEGUN": ("PERMIT_ISSUED", "job_id"),
    "DELETION_BATCH_CLOSED": ("DELETION_BEGUN", "job_id"),
    "DELETION_EXECUTED": ("DELETION_BEGUN", "job_id"),
    "DELETION_VERIFIED": ("DELETION_EXECUTED", "job_id"),
    "DELIVERY_ACCEPTED": ("PACKAGE_DELIVERED", "package_id"),
    "DELIVERY_REJECTED": ("PACKAGE_DELIVERED", "package_id"),
    "RESTORE_REPLAYED": ("DELETION_VERIFIED", "job_id"),
    "RECORDS_SEALED": ("DELETION_EXECUTED", "job_id"),
    "RECORDS_DESTROYED": ("RECORDS_SEALED", "job_id"),
    "BACKUP_OBSERVED": ("BACKUP_REGISTERED", "set_id"),
    "SHREDDING_BEGUN": ("PERMIT_ISSUED", "job_id"),
    "KEY_DESTRUCTION_ASKED": ("SHREDDING_BEGUN", "job_id"),
    "KEY_OBSERVED": ("KEY_DESTRUCTION_ASKED", "job_id"),
    "REQUEST_REMINDED": ("REQUEST_MADE", "request_id"),
    "REQUEST_ANSWERED": ("REQUEST_MADE", "request_id"),
}
