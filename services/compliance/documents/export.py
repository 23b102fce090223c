"""The audit export: what was logged in a period, exit by exit, with proofs, as one signed canonical zip.

Rules kept (they are checked by `ophor verify`, which knows an export by its `export.json`):
1. Every entry of the period is there, with its inclusion proof; the entries next to the period on both sides too, so
   that the chain shows that none between them was left out.
2. Approvals, attestations and requests are the entries themselves, listed by kind; nothing is retold.
3. Obligations are counted from the entries up to the period's last day, and say so: they are the supplier's count.
4. Nothing of an exit that was not asked for is in it but leaf hashes, which say nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from services.compliance import domain
from services.compliance.documents import bundle
from services.compliance.domain.clocks import COPENHAGEN
from services.compliance.evidence import Logged
from services.compliance.facts.gathering import collect
from services.compliance.signing.envelope import canonical
from services.compliance.signing.keys import PublicKeys, SealKey

MOST_MEMBERS = 60_000
TYPE = "urn:ophor:audit-export:v1"
SECTIONS = {
    "approvals": ("DELETION_INTENT", "APPROVAL_GIVEN", "TIMETABLE_ANSWERED", "DELIVERY_ACCEPTED"),
    "attestations": ("ACCESS_ATTESTED", "ATTESTATION_GIVEN"),
    "requests": ("REQUEST_MADE", "REQUEST_REMINDED", "REQUEST_ANSWERED"),
}
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Period:
    """What is exported, and whose log it is from; `root` is the head's (base64)."""

    number: str
    since: date
    until: date
    public: PublicKeys
    root: str


@dataclass(frozen=True, slots=True)
class Part:
    """One exit's share: its leaves by index (those of the period and their neighbours) and its obligations."""

    exit_id: str
    leaves: Mapping[int, bytes]
    inside: tuple[int, ...]
    sections: Mapping[str, list[Row]]
    obligations: list[Row]


def part_of(exit_id: str, leaves: Mapping[int, bytes], since: date, until: date) -> Part:
    """Choose what belongs to the period."""
    events = {index: json.loads(leaf)["event"] for index, leaf in sorted(leaves.items())}
    days = {index: _day(event["at"]) for index, event in events.items()}
    inside = tuple(index for index, on in days.items() if since <= on <= until)
    before = [index for index, on in days.items() if on < since][-1:]
    after = [index for index, on in days.items() if on > until][:1]
    forgotten = [index for index, event in events.items() if event["kind"] == "REDACTED" and inside]
    taken = sorted({*before, *inside, *after, *forgotten})
    known = [
        Logged(index, one["kind"], one["at"], one["entry"]) for index, one in events.items() if days[index] <= until
    ]
    standings = [_row(one) for one in domain.standings(collect(exit_id, known), until)]
    sections = {
        name: [{"index": index, "kind": events[index]["kind"], "entry": events[index]["entry"]}
               for index in inside if events[index]["kind"] in kinds]
        for name, kinds in SECTIONS.items()
    }  # fmt: skip
    return Part(exit_id, {index: leaves[index] for index in taken}, inside, sections, standings)


def build(about: Period, parts: Sequence[Part], proven: bundle.Proven, key: SealKey) -> bytes:
    """Write the export with its signed manifest."""
    public = about.public
    said = {
        "type": TYPE,
        "number": about.number,
        "kind": public.kind,
        "since": about.since.isoformat(),
        "until": about.until.isoformat(),
        "exits": [{"exit": one.exit_id, "inside": list(one.inside), "entries": sorted(one.leaves)} for one in parts],
        "log": {
            "origin": public.origin, "size": proven.size, "root": about.root, "key": public.log,
            "entries": sorted(proven.leaves),
        },
        "signers": {"pdf": public.pdf},
    }  # fmt: skip
    documents = {"export.json": canonical(said)}
    for number, one in enumerate(parts):
        for name, rows in {**one.sections, "obligations": one.obligations}.items():
            documents[f"{name}/{number:04d}.json"] = canonical({"exit": one.exit_id, "rows": rows})
    return bundle.build(bundle.members(documents, proven, public), about.number, key)


def _row(stands: Any) -> Row:
    row = {name: value.isoformat() if isinstance(value, date) else value for name, value in asdict(stands).items()}
    return row | {"evidence": list(stands.evidence)}


def _day(at: str) -> date:
    return datetime.fromisoformat(at).astimezone(COPENHAGEN).date()
