"""Papers asked for, drawn and read: the report to the DPO, and the audit export of a period.

Rules kept: a paper says what the log said when it was drawn, and never changes; who reads it must be allowed every exit
in it; nothing is sealed that the verifier does not accept (the export), and no report is called a certificate.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from contracts.errors import Rejected
from services.compliance import domain, requests, store
from services.compliance.documents import bundle, document, export, report, report_page
from services.compliance.signing.keys import PublicKeys, SealKey
from services.compliance.standings import obligation_rows
from services.compliance.store import papers as kept
from services.compliance.store import requests as asked
from services.compliance.verifier import ophor_verify

Row = dict[str, Any]
Drawn = tuple[bytes | None, list[str]]
"""A paper's bytes, or the reasons why there are none."""


def ask(unit: Any, call: Any, what: str, exits: list[str], **more: Any) -> Row:
    """Keep that a paper is wanted, and have the renderer draw it."""
    paper_id = "pap-" + hashlib.sha256(call.id.encode()).hexdigest()[:24]
    row = {"_id": paper_id, "what": what, "state": "requested", "exits": exits, "size": 0, "digest": None,
           "reasons": [], **more}  # fmt: skip
    kept.save_paper(unit, row)
    unit.send("compliance.render.draw_paper", {"paper_id": paper_id})
    return shown(row)


def find(unit: Any, paper_id: str) -> Row:
    """Read a paper's row; Rejected PAPER_UNKNOWN."""
    row = kept.paper(unit, paper_id)
    if row is None:
        raise Rejected(
            "PAPER_UNKNOWN", "there is no such paper", field="paper_id", remedy="have it drawn first",
            da="Dokumentet findes ikke.",
        )  # fmt: skip
    return row


def shown(row: Row) -> Row:
    """Give a paper as the contract's PaperRow."""
    names = ("what", "state", "name", "size", "digest", "exits", "reasons")
    return {"paper_id": row["_id"], **{name: row[name] for name in names}}


def part(unit: Any, row: Row, offset: int) -> Row:
    """Give the part that begins at `offset`; Rejected DOCUMENT_PART_UNKNOWN."""
    data = kept.paper_part(unit, row["_id"], offset)
    if data is None:
        raise Rejected(
            "DOCUMENT_PART_UNKNOWN", "there is no such part of this paper", field="offset",
            remedy="wait for state made, begin at 0 and follow next_offset",
            da="Dokumentet findes ikke endnu, eller delen begynder ikke her.",
        )  # fmt: skip
    following = offset + len(data)
    return {
        "paper_id": row["_id"], "name": row["name"], "size": row["size"], "part": base64.b64encode(data).decode(),
        "next_offset": following if following < row["size"] else None,
    }  # fmt: skip


# ------------------------------------------------------------------------------------------------ drawing


def gather(unit: Any, paper_id: str, public: PublicKeys) -> Callable[[SealKey], Drawn]:
    """Read all that a paper is drawn from, and give what draws it: nothing is rendered while the store is read."""
    row = find(unit, paper_id)
    if row["what"] == "report":
        said = report.report(view_of(unit, row["exits"][0], public.kind))
        return lambda key: _report(row, said, key)
    head = store.head(unit)
    if head is None:
        return lambda _: (None, ["LOG_EMPTY"])
    since, until = date.fromisoformat(row["since"]), date.fromisoformat(row["until"])
    parts = [export.part_of(one, store.leaves(unit, one, head["size"]), since, until) for one in row["exits"]]
    leaves = {index: leaf for one in parts for index, leaf in one.leaves.items()}
    if 2 * len(leaves) > export.MOST_MEMBERS:
        return lambda _: (None, ["EXPORT_TOO_LARGE"])
    proven = bundle.Proven(head["size"], store.nodes(unit), leaves, store.notes(unit, {head["size"]}))
    about = export.Period(row["_id"], since, until, public, head["root"])
    return lambda key: _export(about, parts, proven, key)


def _report(row: Row, said: Row, key: SealKey) -> Drawn:
    plain = report_page.render(said, english=row["language"] == "en")
    return document.seal(plain, key, row["name"].removesuffix(".pdf")), []


def _export(about: export.Period, parts: Sequence[export.Part], proven: bundle.Proven, key: SealKey) -> Drawn:
    """Build the export, and have the verifier look at it as a stranger would."""
    made = export.build(about, parts, proven, key)
    options = ophor_verify.Options(about.public.lines(), rehearsal=about.public.kind == "rehearsal")
    answer = ophor_verify.verify(made, options)
    return (None, ["VERIFIER_REJECTS"]) if answer.code else (made, [])


def keep(unit: Any, paper_id: str, data: bytes | None, reasons: list[str]) -> None:
    """Keep what was drawn, once."""
    row = find(unit, paper_id)
    if row["state"] != "requested":
        return
    if data is None:
        kept.save_paper(unit, row | {"state": "failed", "reasons": reasons})
        return
    made = {"state": "made", "size": len(data), "digest": hashlib.sha256(data).hexdigest()}
    kept.save_paper(unit, row | made, data)


def view_of(unit: Any, exit_id: str, kind: str) -> report.View:
    """Gather what a report is drawn from."""
    facts = store.facts(unit, exit_id)
    stages = [domain.EXPIRED] if facts.certified(domain.ACTIVE) >= facts.scopes().keys() else [domain.ACTIVE]
    wanted = domain.Asked(stages[0], unit.today, tuple(sorted(facts.open_scopes(unit.today))))
    known = store.known(unit, exit_id, kind, log_checks=store.checks(unit, exit_id))
    return report.View(
        exit_id=exit_id, on=unit.today, kind=kind, facts=facts, record=store.record(unit, exit_id),
        obligations=obligation_rows(unit, exit_id, facts),
        requests=[
            requests.shown(requests.clocked(row, facts, unit.today), unit.today)
            for row in asked.requests(unit, exit_id)
        ],
        certificates=[store.certificate_row(row) for row in store.certificates(unit, exit_id)],
        unmet=domain.refusals(facts, wanted, known),
        head=store.head(unit) or {"origin": "-", "size": 0, "root": "-", "checkpoint": "", "keys": []},
    )  # fmt: skip
