"""The sections of the stages beside the deletion: what was handed over, what was closed, how everything stands."""

from __future__ import annotations

from typing import Any

from services.compliance.documents.draft import Draft
from services.compliance.documents.sections import access
from services.compliance.documents.sections_deletion import delivery, scope
from services.compliance.domain import gates
from services.compliance.facts import INDEX, reissues, restores
from shared.words.gates import gate


def handed_over(draft: Draft) -> dict[str, Any]:
    """Write a DELIVERY's own sections: the package by place, its way, and the receiver's receipt."""
    facts = draft.facts
    assert facts.delivered and facts.order
    places = facts.delivered.entry["places"]
    way = facts.dispatch.entry if facts.dispatch else {}
    return {
        "delivery": {
            **delivery(draft),
            "to": way.get("to"),
            "transfer_instruction_digest": way.get("transfer_instruction_digest"),
            "places": places,
        },
        "scope": {
            "exit": facts.order.entry["scope"],
            "systems": sorted({one["system"] for one in places}),
            "map_digest": facts.order.entry["map_digest"],
            "answers": facts.order.entry["places"],
        },
    }


def closed(draft: Draft) -> dict[str, Any]:
    """Write an ACCESS-CLOSED's own sections: each covered system's access, what was attested, and the counts."""
    mine = {one for activity, systems in draft.scopes.items() if activity != INDEX for one in systems}
    told = access(draft.facts)
    rows = [row for row in told["systems"] if row["system"] in mine]
    by_people = sum(1 for row in rows if row["attested"])
    counts = {"systems": len(rows), "seen": len(rows) - by_people, "attested": by_people}
    counts["grants_left"] = sum(row["grants"] for row in rows)
    titles = [{**row, "title": draft.record.titles.get(row["system"], row["system"])} for row in rows]
    return {"scope": scope(draft), "access": {**told, "systems": titles, "counts": counts}}


def restored(draft: Draft) -> dict[str, Any]:
    """Write what returned after its deletion, what became of it, and which certificates it withdrew; else nothing."""
    facts, scopes = draft.facts, draft.scopes
    if not restores.found_in(facts, scopes):
        return {}
    looks, gone = restores.looks(facts, scopes), restores.withdrawn(facts, scopes)
    return {"restores": {"returned": restores.rows(facts, scopes), "looks": looks, "withdrawn": gone}}


def state(draft: Draft) -> dict[str, Any]:
    """Write a status letter's own sections: what is certified, every unmet gate, and the log's current head."""
    facts = draft.facts
    unmet = gates(facts, draft.asked, draft.known)
    return {
        "scope": scope(draft),
        "certificates": reissues.history(facts.certificates, facts.revoked),
        "gates": [gate(one.code, one.detail) for one in unmet],
        "checkpoint": draft.head.note,
    }
