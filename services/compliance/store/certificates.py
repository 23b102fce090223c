"""The record of an exit, its certificates and their documents."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Any

from pymongo import ReturnDocument

from services.compliance import domain
from services.compliance.documents.draft import Record
from services.compliance.store.log import held
from shared.store.unit import Unit

Row = dict[str, Any]
PART = 96 * 1024  # 128 KiB in base64


# ------------------------------------------------------------------------------------------------ the exit's record


def remember(unit: Unit, exit_id: str, row: Row) -> None:
    """Add to an exit's record."""
    unit.db.exits.update_one({"_id": exit_id}, {"$set": row}, upsert=True, session=unit.session)


def exit_row(unit: Unit, exit_id: str) -> Row:
    """Read an exit's record; empty where nothing is known."""
    return unit.db.exits.find_one({"_id": exit_id}, session=unit.session) or {}


def record(unit: Unit, exit_id: str) -> Record | None:
    """Give what a certificate names; None until the parties are named."""
    row = exit_row(unit, exit_id)
    parties = row.get("parties")
    if parties is None:
        return None
    return Record(
        controller=parties["controller"],
        processor=parties["processor"],
        agreement_reference=parties["agreement_reference"],
        dpa_reference=parties["dpa_reference"],
        officials={one["actor"]: one for one in parties["officials"]},
        titles={one["system"]: one["title"] for one in row.get("titles", [])},
        rules={one["id"]: one for one in row.get("rules", [])},
    )


# ------------------------------------------------------------------------------------------------ certificates


def known(unit: Unit, exit_id: str, kind: str, *, log_checks: bool) -> domain.Known:
    """Give what is known beside the log."""
    named = record(unit, exit_id) is not None
    return domain.Known(kind=kind, named=named, log_checks=log_checks, held=len(held(unit, [exit_id])[exit_id]))


def asked(row: Row) -> domain.Asked:
    """Give what a certificate's row asks for."""
    former = domain.Former(**row["former"]) if row.get("former") else None
    stage = row.get("of_stage") or row["stage"]
    return domain.Asked(stage, date.fromisoformat(row["issued_on"]), tuple(row["activities"]), former)


def certificate(unit: Unit, certificate_id: str) -> Row | None:
    """Read a certificate."""
    return unit.db.certificates.find_one({"_id": certificate_id}, session=unit.session)


def certificates(unit: Unit, exit_id: str) -> list[Row]:
    """List an exit's certificates and refusals, the oldest first."""
    found = unit.db.certificates.find({"exit_id": exit_id}, session=unit.session)
    return list(found.sort([("order", 1), ("_id", 1)]))


def issued(unit: Unit, exit_id: str, stages: tuple[str, ...], activities: list[str]) -> Row | None:
    """Give the latest issued certificate of these stages (or its correction) that covers a scope and counts."""
    named = {"$in": list(stages)}
    of_stage: Row = {"$or": [{"stage": named}, {"of_stage": named}], "revoked": None}
    wanted = {"exit_id": exit_id, "state": "issued", "activities": {"$in": activities}} | of_stage
    return unit.db.certificates.find_one(wanted, sort=[("order", -1)], session=unit.session)


def save_certificate(unit: Unit, row: Row) -> None:
    """Write a certificate."""
    unit.db.certificates.replace_one({"_id": row["_id"]}, row, upsert=True, session=unit.session)


def save_refusal(unit: Unit, row: Row) -> None:
    """Write a refused request outside the transaction, which the refusal ends; repeating it changes nothing."""
    unit.db.certificates.replace_one({"_id": row["_id"]}, row, upsert=True)


def next_number(unit: Unit, series: str) -> int:
    """Take the next number of a series; it is given back when the transaction fails, so there are no gaps."""
    row = unit.db.numbers.find_one_and_update(
        {"_id": series}, {"$inc": {"last": 1}}, upsert=True, return_document=ReturnDocument.AFTER, session=unit.session
    )
    return int(row["last"])


def new_certificate(exit_id: str, asked: domain.Asked, kind: str, command_id: str) -> Row:
    """Make the row of a request; its id follows from the command's, so that a repeated run makes the same."""
    return {
        "_id": "crt-" + hashlib.sha256(command_id.encode()).hexdigest()[:24],
        "exit_id": exit_id,
        "stage": asked.stage,
        "activities": list(asked.activities),
        "number": None,
        "version": 1,
        "state": "requested",
        "kind": kind,
        "statement": None,
        "statement_digest": None,
        "signatures": [],
        "size": 0,
        "pdf_bytes": 0,
        "bundle_bytes": 0,
        "issued_on": None,
        "follows": None,
        "refusals": [],
        "order": 0,
        "of_stage": None,
        "former": None,
        "replaces": None,
        "about": None,
        "revoked": None,
    }


def certificate_row(row: Row) -> Row:
    """Give a certificate as the contract's CertificateRow."""
    names = (
        "exit_id",
        "stage",
        "number",
        "version",
        "state",
        "kind",
        "statement_digest",
        "pdf_bytes",
        "bundle_bytes",
        "refusals",
        "activities",
    )
    issued_on = date.fromisoformat(row["issued_on"]) if row["issued_on"] else None
    former = (row.get("former") or {}).get("number")
    beside = {"revoked": row.get("revoked"), "replaces": former, "seal": row.get("seal")}
    beside["seal_holds"] = _seal_holds(row.get("seal_holds"))
    return {"certificate_id": row["_id"], **{name: row[name] for name in names}, "issued_on": issued_on, **beside}


def _seal_holds(kept: Row | None) -> Row | None:
    return kept and {name: date.fromisoformat(said) if said and name != "stamped_by" else said
                     for name, said in kept.items()}  # fmt: skip


# ------------------------------------------------------------------------------------------------ documents


def save_document(unit: Unit, certificate_id: str, document: str, data: bytes) -> None:
    """Keep a document in parts."""
    rows = [
        {"_id": f"{certificate_id}/{document}/{at}", "data": data[at : at + PART], "size": len(data)}
        for at in range(0, len(data), PART)
    ]
    unit.db.documents.insert_many(rows, session=unit.session)


def whole_document(unit: Unit, certificate_id: str, document: str) -> bytes | None:
    """Read a whole document; None where there is none."""
    data, size = b"", 1
    while len(data) < size:
        part = document_part(unit, certificate_id, document, len(data))
        if part is None:
            return None
        data, size = data + part[0], part[1]
    return data


def drop_document(unit: Unit, certificate_id: str, document: str) -> None:
    """Remove a document, all parts of it."""
    prefix = f"{certificate_id}/{document}/"
    unit.db.documents.delete_many({"_id": {"$gte": prefix, "$lt": prefix[:-1] + "0"}}, session=unit.session)


def stamped_until(unit: Unit, last: date) -> list[Row]:
    """List the issued certificates whose seal's time stamp holds until `last` at most, the first to end first."""
    due = {"state": "issued", "seal_holds.stamped_by": {"$ne": None}, "seal_holds.until": {"$lte": last.isoformat()}}
    return list(unit.db.certificates.find(due, session=unit.session).sort([("seal_holds.until", 1), ("_id", 1)]))


def document_part(unit: Unit, certificate_id: str, document: str, offset: int) -> tuple[bytes, int] | None:
    """Read the part that begins at `offset`, and the whole's size; None where no part begins."""
    row = unit.db.documents.find_one({"_id": f"{certificate_id}/{document}/{offset}"}, session=unit.session)
    return (bytes(row["data"]), int(row["size"])) if row else None
