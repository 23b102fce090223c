"""Delivery's own collections: `deliveries` (one an exit), `specifications` (one an exit), `packages` (one a package).

Dates are stored as ISO strings and read back here. A package's places carry the checkpoint of the extract.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import date, timedelta
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from services.delivery.domain import TASKS, Delivery, Dispatch, Order, next_package_state, ready
from services.delivery.tables import file_name
from shared.store.unit import Unit

Row = dict[str, Any]
_SETS = ("due", "sent", "instructions")


def load(unit: Unit, exit_id: str) -> Delivery:
    """Read an exit's delivery; one without any fact where nothing is stored yet."""
    row = unit.db.deliveries.find_one({"_id": exit_id}, session=unit.session)
    return _delivery(row) if row else Delivery(exit_id)


def save(unit: Unit, delivery: Delivery) -> None:
    """Write an exit's delivery."""
    sets = {name: sorted(getattr(delivery, name)) for name in _SETS}
    row = asdict(delivery) | {"_id": delivery.exit_id, **sets}
    unit.db.deliveries.replace_one({"_id": delivery.exit_id}, row, upsert=True, session=unit.session)


def advance(unit: Unit, delivery: Delivery) -> None:
    """Save a changed delivery with the tasks that can be sent now (domain rule 1)."""
    for activity in ready(delivery):
        delivery = replace(delivery, sent=delivery.sent | {activity})
        body: dict[str, Any] = {"exit_id": delivery.exit_id}
        if activity == "B9" and delivery.dispatch:
            body |= {"drop": delivery.dispatch.drop, "recipient": delivery.dispatch.recipient}
        if activity == "C3":
            delivery = _with_package(unit, delivery)
            body |= {"package_id": delivery.package_id, "position": 0}
        unit.send(f"delivery.extract.{TASKS[activity]}", body)
    save(unit, delivery)


def _with_package(unit: Unit, delivery: Delivery) -> Delivery:
    """Begin the next package, the one before superseded, with an id that follows from exit and number."""
    if before := load_package(unit, delivery.package_id):
        save_package(unit, before | {"state": next_package_state(before["state"], "supersede")})
    number = delivery.packages + 1
    package_id = str(uuid5(NAMESPACE_OID, f"{delivery.exit_id}/package/{number}"))
    name = file_name(f"{delivery.require_order().customer_cvr}-{delivery.exit_id}-{number}.bag.tar.age")
    begin_package(unit, package_id, delivery.exit_id, name)
    return replace(delivery, packages=number, package_id=package_id)


def _delivery(row: Row) -> Delivery:
    order, dispatch, accepted = row["order"], row["dispatch"], row["accepted_on"]
    return Delivery(
        exit_id=row["exit_id"],
        order=Order(**(order | {"systems": tuple(order["systems"])})) if order else None,
        needs=tuple(row["needs"]) if row["needs"] is not None else None,
        dispatch=Dispatch(**dispatch) if dispatch else None,
        specification=row["specification"],
        connection=row["connection"],
        **{name: frozenset(row[name]) for name in _SETS},
        packages=row["packages"],
        package_id=row["package_id"],
        accepted_on=date.fromisoformat(accepted) if accepted else None,
        cancelled=row["cancelled"],
        cleared_on=date.fromisoformat(row["cleared_on"]) if row.get("cleared_on") else None,
    )


def save_specification(unit: Unit, exit_id: str, text: str) -> None:
    """Keep the specification as the text that was digested."""
    row = {"_id": exit_id, "text": text}
    unit.db.specifications.replace_one({"_id": exit_id}, row, upsert=True, session=unit.session)


def load_specification(unit: Unit, exit_id: str) -> str:
    """Read the specification's text; KeyError when there is none."""
    row = unit.db.specifications.find_one({"_id": exit_id}, session=unit.session)
    if row is None:
        raise KeyError(exit_id)
    return str(row["text"])


def begin_package(unit: Unit, package_id: str, exit_id: str, name: str) -> None:
    """Begin a package: nothing planned, nothing read; `name` is its file's name in the drop."""
    row: Row = {"_id": package_id, "exit_id": exit_id, "name": name, "state": "ordered", "places": [], "sealed": None}
    unit.db.packages.insert_one(row, session=unit.session)


def load_package(unit: Unit, package_id: str | None) -> Row | None:
    """Read a package with its places, or None."""
    found: Row | None = unit.db.packages.find_one({"_id": package_id}, session=unit.session) if package_id else None
    return found


def save_package(unit: Unit, package: Row) -> None:
    """Write a package."""
    unit.db.packages.replace_one({"_id": package["_id"]}, package, session=unit.session)


def handed_over_of(unit: Unit, exit_id: str) -> list[Row]:
    """List an exit's packages that were handed over, whatever became of them."""
    wanted = {"exit_id": exit_id, "state": {"$in": ["delivered", "accepted", "rejected", "superseded"]}}
    return list(unit.db.packages.find(wanted, session=unit.session).sort("_id", 1))


def clear_positions(unit: Unit, exit_id: str) -> None:
    """Forget at which keys and names the extracts of an exit stood, and note when that was first done."""
    for bag in handed_over_of(unit, exit_id):
        places = [place | {"after": None, "document": ""} for place in bag["places"]]
        save_package(unit, bag | {"places": places})
    delivery = load(unit, exit_id)
    if delivery.cleared_on is None:
        save(unit, replace(delivery, cleared_on=unit.today))


def look_again(unit: Unit, exit_id: str) -> None:
    """Look for our own copies again tomorrow."""
    on = unit.today + timedelta(days=1)
    unit.at(on, "delivery.copies_look_due", exit_id, {"exit_id": exit_id, "on": on}, f"copies/{exit_id}")
