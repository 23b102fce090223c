"""Orders' own collections: `agreements` and `exits`, one document each; dates are ISO strings there."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from datetime import date
from typing import Any

from services.orders import domain
from services.orders.domain import Agreement, Exit
from shared.store.unit import Unit

Row = dict[str, Any]


def add_agreement(unit: Unit, agreement: Agreement) -> None:
    """Write a new agreement; raise Rejected AGREEMENT_EXISTS."""
    if unit.db.agreements.find_one({"_id": agreement.agreement_id}, {"_id": 1}, session=unit.session):
        raise domain.already(
            "AGREEMENT_EXISTS", "reference", "the supplier has an agreement with this reference",
            "Leverandøren har allerede en aftale med den reference.",
        )  # fmt: skip
    unit.db.agreements.insert_one(asdict(agreement) | {"_id": agreement.agreement_id}, session=unit.session)


def load_agreement(unit: Unit, agreement_id: str) -> Agreement:
    """Read an agreement; raise Rejected AGREEMENT_UNKNOWN."""
    row = unit.db.agreements.find_one({"_id": agreement_id}, {"_id": 0}, session=unit.session)
    if row is None:
        raise domain.unknown("agreement")
    days = {name: date.fromisoformat(row[name]) for name in ("in_force_on", "takeover_day", "agreement_end")}
    amendments = tuple(_with_days(each, "signed_on") for each in row["amendments"])
    row.pop("placed", None)
    return Agreement(**row | days | {"profiles": tuple(row["profiles"]), "amendments": amendments})


def load_exit(unit: Unit, exit_id: str) -> Exit:
    """Read an exit; raise Rejected EXIT_UNKNOWN."""
    row = unit.db.exits.find_one({"_id": exit_id}, {"_id": 0}, session=unit.session)
    if row is None:
        raise domain.unknown("exit")
    return _exit(row)


def save_exit(unit: Unit, exit_: Exit) -> None:
    """Write an exit."""
    row = asdict(exit_) | {"_id": exit_.exit_id}
    unit.db.exits.replace_one({"_id": exit_.exit_id}, row, upsert=True, session=unit.session)


def reserve(unit: Unit, exit_: Exit) -> None:
    """Reserve the agreement for this exit's final order; raise Rejected EXIT_ALREADY_PLACED where another has it."""
    row = unit.db.agreements.find_one({"_id": exit_.agreement_id}, {"placed": 1}, session=unit.session)
    if row and row.get("placed", exit_.exit_id) != exit_.exit_id:
        raise domain.already(
            "EXIT_ALREADY_PLACED", "exit_id", "another exit of this agreement has the final order",
            "Et andet exit under aftalen er endeligt bestilt.",
        )  # fmt: skip
    unit.db.agreements.update_one(
        {"_id": exit_.agreement_id}, {"$set": {"placed": exit_.exit_id}}, session=unit.session
    )


def list_exits(unit: Unit, customers: Collection[str], limit: int) -> list[Exit]:
    """List exits of these customers (`*` = all), the newest order first."""
    mine: Row = {} if "*" in customers else {"customer_cvr": {"$in": sorted(customers)}}
    rows = unit.db.exits.find(mine, {"_id": 0}, session=unit.session).sort([("go_live", -1), ("_id", 1)])
    return [_exit(row) for row in rows.limit(limit)] if limit else []


def _exit(row: Row) -> Exit:
    days = {name: date.fromisoformat(row[name]) for name in ("go_live", "operations_end")}
    tuples = {name: tuple(row[name]) for name in ("systems", "options", "pinned")}
    return Exit(**row | days | tuples)


def _with_days(row: Row, *names: str) -> Row:
    return row | {name: date.fromisoformat(row[name]) for name in names}
