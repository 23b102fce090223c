"""The part of compliance's face that answers people: their requests, and when those are looked at again."""

from __future__ import annotations

from typing import Any

from contracts.errors import Rejected
from services.compliance import papers, requests, store
from services.compliance.store import requests as kept
from services.compliance.store.papers import exits_of
from shared.bus.faces import command, on, query


class Asking:
    """What a DPO asks for (S2 13, 28.1; GDPR Art. 28(3)(h))."""

    house: Any

    @property
    def kind(self) -> str:
        """Give the kind of certificates that this process may ask for: what is not production is a rehearsal."""
        return "production" if self.house.config.mode == "production" else "rehearsal"

    @command
    def make_request(self, unit: Any, call: Any) -> dict[str, Any]:
        """Keep a request with its clock and owner, and answer it at once where the log can."""
        allow(unit, call, call.data["exit_id"])
        return requests.shown(requests.make(unit, call, self.kind), unit.today)

    @command
    def answer_request(self, unit: Any, call: Any) -> dict[str, Any]:
        """Take the supplier's answer, or its refusal for a listed reason."""
        allow(unit, call, call.data["exit_id"])
        return requests.shown(requests.answer(unit, call), unit.today)

    @command
    def withdraw_request(self, unit: Any, call: Any) -> dict[str, Any]:
        """Take a request back as the customer."""
        allow(unit, call, call.data["exit_id"])
        return requests.shown(requests.withdraw(unit, call), unit.today)

    @query
    def read_request(self, unit: Any, call: Any) -> dict[str, Any]:
        """Read a request with its answers."""
        allow(unit, call, call.data["exit_id"])
        row = requests.find(unit, call.data["exit_id"], call.data["request_id"])
        facts = store.facts(unit, call.data["exit_id"])
        return requests.shown(requests.clocked(row, facts, unit.today), unit.today)

    @query
    def list_requests(self, unit: Any, call: Any) -> dict[str, Any]:
        """List an exit's requests, the oldest first."""
        exit_id = call.data["exit_id"]
        allow(unit, call, exit_id)
        found, facts = kept.requests(unit, exit_id), store.facts(unit, exit_id)
        rows = [requests.shown(requests.clocked(row, facts, unit.today), unit.today) for row in found]
        return {"exit_id": exit_id, "requests": rows}

    @command
    def draw_report(self, unit: Any, call: Any) -> dict[str, Any]:
        """Have the report to the DPO drawn."""
        exit_id, language = call.data["exit_id"], call.data["language"]
        allow(unit, call, exit_id)
        _known(unit, [exit_id])
        name = f"dpo-{exit_id}-{unit.today.isoformat()}-{language}.pdf".replace(":", "-")
        return papers.ask(unit, call, "report", [exit_id], name=name, language=language)

    @command
    def draw_export(self, unit: Any, call: Any) -> dict[str, Any]:
        """Have the audit export of a period drawn: of one exit, or of all that the caller may see."""
        since, until = call.data["since"], call.data["until"]
        if since > until or until > unit.today:
            raise Rejected(
                "PERIOD_WRONG", "the period must end after it begins, and not after today", field="until",
                remedy="give days that have been", da="Perioden skal slutte, efter den begynder, og senest i dag.",
            )  # fmt: skip
        exits = [call.data["exit_id"]] if call.data["exit_id"] else exits_of(unit, call.actor.customers)
        for exit_id in exits:
            allow(unit, call, exit_id)
        _known(unit, exits)
        span = {"since": since.isoformat(), "until": until.isoformat()}
        name = f"audit-{span['since']}-{span['until']}.zip"
        return papers.ask(unit, call, "export", exits, name=name, **span)

    @query
    def read_paper(self, unit: Any, call: Any) -> dict[str, Any]:
        """Read how far a paper is."""
        return papers.shown(_allowed(unit, call))

    @query
    def read_paper_part(self, unit: Any, call: Any) -> dict[str, Any]:
        """Read a part of a paper, base64, at most 128 KiB."""
        return papers.part(unit, _allowed(unit, call), call.data["offset"])

    @on("compliance.request_look_due")
    def on_compliance_request_look_due(self, unit: Any, told: Any) -> None:
        """Answer a request that waits, where the log can by now; else bring it up when its day has come."""
        requests.look(unit, told, self.kind)


def allow(unit: Any, call: Any, exit_id: str) -> None:
    """Raise Rejected unless the caller may act for the exit's customer, as far as it is known."""
    row = store.exit_row(unit, exit_id)
    cvr = row.get("customer_cvr") or row.get("parties", {}).get("controller", {}).get("cvr")
    if cvr:
        call.actor.require_customer(cvr)


def _allowed(unit: Any, call: Any) -> dict[str, Any]:
    """Give a paper whose every exit the caller may see."""
    row = papers.find(unit, call.data["paper_id"])
    for exit_id in row["exits"]:
        allow(unit, call, exit_id)
    return row


def _known(unit: Any, exits: list[str]) -> None:
    """Refuse exits that no order made known here: whose they are is not known either."""
    if not exits or any("customer_cvr" not in store.exit_row(unit, one) for one in exits):
        raise Rejected(
            "EXIT_UNKNOWN", "no order of it is known here", field="exit_id", remedy="name an exit that was ordered",
            da="Forløbet er ikke bestilt, eller der er ingen.",
        )  # fmt: skip
