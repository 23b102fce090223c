"""What happens to a request: it is kept with its clock, answered from the log where that can, brought up, answered.

The rules are in `domain/requests.py`. Every step is told as an event and becomes evidence in the same transaction; the
documents themselves travel outside the log, which keeps their digests and the indexes of what shows them.
"""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Any

from contracts.errors import Rejected
from contracts.requests import AUTOMATIC
from services.compliance import domain, store
from services.compliance.documents import request_texts
from services.compliance.domain import clocks
from services.compliance.domain import requests as rules
from services.compliance.facts import Facts
from services.compliance.store import requests as kept

Row = dict[str, Any]
_ASKED = ("what", "basis", "stage", "subject")


def make(unit: Any, call: Any, kind: str) -> Row:
    """Keep a request and tell it; answer it at once where the log can."""
    data, exit_id = call.data, call.data["exit_id"]
    facts = store.facts(unit, exit_id)
    rules.check_asked(data, facts, unit.today)
    made_on = data["received_on"] or unit.today
    owner = rules.owner_of(data["what"])
    row = {
        "_id": "req-" + hashlib.sha256(call.id.encode()).hexdigest()[:24],
        "exit_id": exit_id,
        **{name: data[name] for name in _ASKED},
        "state": "open",
        "made_on": made_on.isoformat(),
        "owner": owner,
        "by": call.actor.role_for("compliance.make_request"),
        "late": False,
        "looked_on": made_on.isoformat(),
        "reminded_on": [],
        "answers": [],
    }
    row = clocked(row, facts, unit.today)
    told = {name: row[name] for name in ("exit_id", *_ASKED, "owner")} | {"request_id": row["_id"]}
    told |= {"on": made_on, "due": date.fromisoformat(row["due"]), "actor": call.actor.id, "role": row["by"]}
    unit.emit("compliance.request_made", exit_id, told)
    return _from_the_log(unit, row, facts, kind)


def answer(unit: Any, call: Any) -> Row:
    """Take the supplier's answer, or its refusal for a listed reason."""
    data, row = call.data, find(unit, call.data["exit_id"], call.data["request_id"])
    facts = store.facts(unit, row["exit_id"])
    rules.check_answer(data, facts.entries)
    row = clocked(row, facts, unit.today)
    refused = data["outcome"] == "refused"
    form = "REFUSAL" if refused else "DOCUMENT" if data["document_digest"] else "EVIDENCE"
    said = _answer(unit.today, form, reason=data["reason"], document_digest=data["document_digest"])
    said |= {"evidence": [] if refused else sorted(set(data["evidence"]))}
    by = (call.actor.id, call.actor.role_for("compliance.answer_request"))
    return _close(unit, row, "refuse" if refused else "answer", said, by)


def withdraw(unit: Any, call: Any) -> Row:
    """Take back a request as the customer."""
    row = find(unit, call.data["exit_id"], call.data["request_id"])
    by = (call.actor.id, call.actor.role_for("compliance.withdraw_request"))
    return _close(unit, row, "withdraw", _answer(unit.today, "WITHDRAWAL"), by)


def look(unit: Any, told: Any, kind: str) -> None:
    """Look at a request whose day has come: answer it from the log, else remind, else let it be overdue."""
    row = kept.request(unit, told.data["exit_id"], told.data["request_id"])
    if row is None or row["state"] not in ("open", "overdue"):
        return
    facts = store.facts(unit, row["exit_id"])
    row = _from_the_log(unit, clocked(row, facts, unit.today), facts, kind)
    if row["state"] not in ("open", "overdue"):
        return
    due, looked_on = date.fromisoformat(row["due"]), date.fromisoformat(row["looked_on"])
    step = None if row["suspended"] else rules.brought_up(due, looked_on, unit.today)
    if step:
        row["state"] = rules.following(row["state"], "pass_due" if step == "overdue" else "remind")
        row["late"] = step == "overdue"
        row["reminded_on"].append(unit.today.isoformat())
        said = {"exit_id": row["exit_id"], "request_id": row["_id"], "step": step, "due": due, "on": unit.today}
        unit.emit("compliance.request_reminded", row["exit_id"], said | {"to": rules.told_to(row["owner"], step)})
    row["looked_on"] = unit.today.isoformat()
    _keep(unit, row)


def certificate_issued(unit: Any, certificate: Row, kind: str) -> None:
    """Answer the requests that waited for a certificate; `certificate` is its row as it is saved.

    A RE-DELETION says what an ACTIVE-DELETED had said (ADR 0015), and ends what waited for that."""
    facts = store.facts(unit, certificate["exit_id"])
    says = {certificate["stage"]} | ({domain.ACTIVE} if certificate["stage"] == domain.REDELETION else set())
    for row in kept.requests(unit, certificate["exit_id"]):
        waits = row["what"] == "CERTIFICATE" and row["state"] in ("open", "overdue", "status_given")
        if waits and row["stage"] in says:
            issued = store.certificates(unit, row["exit_id"])
            found = rules.certificate(row["stage"], facts, issued)
            if found:
                row = clocked(row, facts, unit.today)
                _close(unit, row, "answer", _found(unit, facts, found, kind), ("ophor", AUTOMATIC))


def clocked(row: Row, facts: Facts, today: date) -> Row:
    """Give a request with its clock as it is today; one that waits is not overdue while its clock has time left."""
    seen = clocks.clock(date.fromisoformat(row["made_on"]), row["basis"], clocks.stops(facts), today)
    if row["state"] not in ("open", "overdue"):
        return row
    row = row | {"due": seen.due.isoformat(), "suspended": seen.suspended, "stood": seen.stood}
    if row["state"] == "overdue" and today <= seen.due:
        row |= {"state": rules.following("overdue", "suspend"), "late": False}
    return row


def find(unit: Any, exit_id: str, request_id: str) -> Row:
    """Read a request; Rejected REQUEST_UNKNOWN."""
    row = kept.request(unit, exit_id, request_id)
    if row is None:
        raise Rejected(
            "REQUEST_UNKNOWN",
            "there is no such request",
            field="request_id",
            remedy="list the exit's requests",
            da="Anmodningen findes ikke.",
        )
    return row


def shown(row: Row, today: date) -> Row:
    """Give a request as the contract's RequestRow."""
    made_on, due = date.fromisoformat(row["made_on"]), date.fromisoformat(row["due"])
    rule_da, rule_en = rules.rule_of(made_on, row["basis"], row.get("stood", 0))
    names = ("exit_id", *_ASKED, "state", "owner", "by")
    return {
        "request_id": row["_id"],
        **{name: row[name] for name in names},
        "clause": rules.CLAUSES[row["basis"]],
        "made_on": made_on,
        "due": due,
        "rule_da": rule_da,
        "rule_en": rule_en,
        "late": row["late"] or (row["state"] == "open" and today > due),
        "suspended": row.get("suspended", False) and row["state"] == "open",
        "reminded_on": [date.fromisoformat(on) for on in row["reminded_on"]],
        "answers": [_answer_row(one) for one in row["answers"]],
    }


def _answer_row(one: Row) -> Row:
    said = request_texts.said(one)
    return one | {"on": date.fromisoformat(one["on"]), "said_da": said["da"], "said_en": said["en"]}


def _from_the_log(unit: Any, row: Row, facts: Facts, kind: str) -> Row:
    """Answer what the log can answer; keep the rest with its next day."""
    found = rules.answer(row, facts, store.certificates(unit, row["exit_id"]))
    if found is None:
        return _keep(unit, row)
    waits = row["what"] == "CERTIFICATE" and found.form == "STATUS"
    return _close(unit, row, "status" if waits else "answer", _found(unit, facts, found, kind), ("ophor", AUTOMATIC))


def _found(unit: Any, facts: Facts, found: rules.Found, kind: str) -> Row:
    """Write what the log answers, a status with every unmet gate of the next stage."""
    unmet: list[str] = []
    if found.form == "STATUS" and not found.permanent:
        asked = domain.Asked(domain.EXPIRED if found.stage == domain.ACTIVE else domain.ACTIVE, unit.today, ())
        asked = domain.Asked(asked.stage, unit.today, tuple(sorted(facts.open_scopes(unit.today))))
        reasons = domain.refusals(facts, asked, store.known(unit, facts.exit_id, kind, log_checks=True))
        unmet = list(dict.fromkeys(one.code for one in reasons))
    said = _answer(unit.today, found.form, stage=found.stage, permanent=found.permanent)
    said |= {"evidence": list(found.evidence), "certificates": list(found.certificates), "unmet": unmet}
    said |= {"owed": rules.owed(facts, unit.today) if found.form in ("CERTIFICATE", "STATUS") else None}
    return said | {"automatic": True}


def _answer(on: date, form: str, **more: Any) -> Row:
    base: Row = {"form": form, "on": on.isoformat(), "automatic": False, "stage": None, "permanent": False}
    return (
        base
        | {"certificates": [], "document_digest": None, "evidence": [], "reason": None, "unmet": [], "owed": None}
        | more
    )


def _close(unit: Any, row: Row, act: str, said: Row, by: tuple[str, str]) -> Row:
    row["state"] = rules.following(row["state"], act)
    row["late"] = row["late"] or (act in ("answer", "status", "refuse") and _is_late(row, unit.today))
    row["answers"].append(said)
    names = ("form", "stage", "permanent", "certificates", "document_digest", "evidence", "reason", "unmet", "owed")
    told = {name: said[name] for name in names} | {"state": row["state"], "late": row["late"], "on": unit.today}
    told |= {"exit_id": row["exit_id"], "request_id": row["_id"], "actor": by[0], "role": by[1]}
    unit.emit("compliance.request_answered", row["exit_id"], told)
    return _keep(unit, row)


def _is_late(row: Row, today: date) -> bool:
    return not row["answers"] and today > date.fromisoformat(row["due"])


def _keep(unit: Any, row: Row) -> Row:
    """Write the request with its next day, while it waits for an answer."""
    waits, due = row["state"] in ("open", "overdue"), date.fromisoformat(row["due"])
    kept.save_request(unit, row)
    kept.look_again(unit, row, rules.next_look(due, unit.today) if waits else None)
    return row
