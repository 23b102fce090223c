"""The small exit of `evidence_events`, logged in memory, and the certificates drawn from it. No bus, no store.

Tests take all three rooms from here.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from contracts.catalogue import EVENTS
from contracts.registry import check
from services.compliance import domain
from services.compliance.documents import bundle, document
from services.compliance.documents.statement import Draft, Head, Record, statement
from services.compliance.evidence import GENESIS, entry_of, leaf, read_leaf
from services.compliance.facts import Facts
from services.compliance.facts.gathering import collect
from services.compliance.log import checkpoint, tree
from services.compliance.signing.envelope import STATEMENT_TYPE, canonical, envelope, pae
from services.compliance.signing.keys import (
    LOG,
    SEAL,
    SIGN,
    PublicKeys,
    load_note,
    load_public,
    load_seal,
    make_demo_keys,
)
from tests.unit.evidence_events import *  # noqa: F403 - tests name them as this world's
from tests.unit.evidence_events import EXIT, Event, sha
from tests.unit.evidence_matters import *  # noqa: F403 - so too


def party(name: str, cvr: str) -> dict[str, str]:
    return {"cvr": cvr, "name": name, "address": "Torvet 1, 9999 Korsbæk", "dpo_name": "Databeskyttelsesrådgiveren",
            "dpo_email": "dpo@example.org"}  # fmt: skip


RECORD = Record(
    controller=party("Korsbæk Kommune", "11111111"),
    processor=party("Leverandøren A/S", "22222222"),
    agreement_reference="02.19-4711",
    dpa_reference="dba-4711",
    officials={"usr-a": {"name": "Godkender Et", "function": "IT-chef"}},
    titles={"pladsanvisning": "IST Pladsanvisning", "morgenvagt": "Morgenvagt", "sagsindeks": "Sagsindekset"},
    rules={"S2-28.1-d": {"clause": "S2 28.1", "rule": "K + 15 Dage"}},
)


@dataclass
class Log:
    """An evidence log in memory, written as the store writes it."""

    origin: str
    nodes: dict[tuple[int, int], bytes] = field(default_factory=dict)
    leaves: list[bytes] = field(default_factory=list)
    heads: dict[int, str] = field(default_factory=dict)
    mine: list[int] = field(default_factory=list)

    @property
    def size(self) -> int:
        return len(self.leaves)

    def add(self, kind: str, entry: dict[str, Any], exit_id: str = EXIT) -> int:
        """Append an entry; one of another exit does not count among ours."""
        before = [index for index in self.mine] if exit_id == EXIT else []
        event = {
            "version": 1, "origin": self.origin, "exit": exit_id, "n": len(before),
            "prev": tree.leaf_hash(self.leaves[before[-1]]).hex() if before else GENESIS,
            "kind": kind, "ref": f"ref-{self.size}", "at": "2026-10-01T00:00:00Z", "entry": entry,
        }  # fmt: skip
        data = leaf(event, sha(f"salt-{self.size}"))
        self.nodes |= tree.appended(self.nodes, self.size, tree.leaf_hash(data))
        if exit_id == EXIT:
            self.mine.append(self.size)
        self.leaves.append(data)
        return self.size - 1

    def facts(self) -> Facts:
        return collect(EXIT, [read_leaf(index, self.leaves[index]) for index in self.mine])

    def head(self) -> Head:
        last = tree.leaf_hash(self.leaves[self.mine[-1]]).hex()
        return Head(self.size, tree.root(self.nodes, self.size), (len(self.mine), last))


@dataclass
class World:
    """Keys in a folder, a log, and what is drawn from it."""

    folder: Path
    log: Log = field(init=False)
    public: PublicKeys = field(init=False)

    def __post_init__(self) -> None:
        self.public = make_demo_keys(self.folder)
        self.log = Log(self.public.origin)

    def told(self, events: list[Event]) -> World:
        """Log what compliance is told, each after the contract has loaded it."""
        for wire, data in events:
            loaded = check(EVENTS[wire].schema, data, wire)
            self.log.add(*entry_of(wire, loaded))
            self.log.add("NEEDS_SUBMITTED", {"digest": sha(str(self.log.size))}, "exit-other")
            if wire == "scheduling.approval_completed":
                self.mark()
        return self

    def mark(self) -> str:
        key = load_note(self.folder / "ledger", LOG)
        note = checkpoint.sign(self.public.origin, self.log.size, tree.root(self.log.nodes, self.log.size), key)
        self.log.heads[self.log.size] = note
        return note

    def refusals(
        self, stage: str = domain.ACTIVE, on: str = "2026-10-06", activities: tuple[str, ...] = (), **more: Any
    ) -> list[str]:
        known = domain.Known("rehearsal", named=True, log_checks=True, held=0)
        asked = domain.Asked(stage, date.fromisoformat(on), activities)
        return [one.code for one in domain.refusals(self.log.facts(), asked, replace(known, **more))]

    def issued(self, activities: tuple[str, ...] = ("C7", "D2", "D7a")) -> World:
        """Log that an ACTIVE-DELETED certificate of these scopes was issued."""
        entry = {"certificate_id": "crt-0", "stage": domain.ACTIVE, "number": "ØV-000001"}
        self.log.add("CERTIFICATE_ISSUED", entry | {"activities": list(activities), "statement_digest": sha("first")})
        return self

    def draft(
        self, stage: str = domain.ACTIVE, issued_on: str = "2026-10-06", activities: tuple[str, ...] = ()
    ) -> Draft:
        follows = {"number": "ØV-000001", "statement_digest": sha("first")} if stage == domain.EXPIRED else None
        serial = 2 if follows else 1
        return Draft(
            "crt-1", stage, domain.number("rehearsal", serial), 1, date.fromisoformat(issued_on), self.log.facts(),
            RECORD, self.log.head(), self.public, follows, activities,
        )  # fmt: skip

    def certify(
        self, stage: str = domain.ACTIVE, issued_on: str = "2026-10-06", activities: tuple[str, ...] = ()
    ) -> Certificate:
        """Draw up, sign, render and bundle."""
        self.mark()
        made = statement(self.draft(stage, issued_on, activities))
        dsse = sign(self, canonical(made))
        plain = document.render(made["predicate"], dsse, document.digest_of(canonical(made)))
        return issue(self, made, plain=plain)


@dataclass
class Certificate:
    world: World
    statement: dict[str, Any]
    payload: bytes
    dsse: bytes
    pdf: bytes
    members: dict[str, bytes]
    bundle: bytes


def sign(
    world: World, payload: bytes, holders: tuple[tuple[str, str], ...] = (("seal", SEAL), ("sign", SIGN))
) -> bytes:
    signatures = []
    for holder, name in holders:
        key = load_note(world.folder / holder, name)
        signatures.append((key.short, key.sign(pae(STATEMENT_TYPE, payload))))
    return envelope(STATEMENT_TYPE, payload, signatures)


def issue(world: World, made: dict[str, Any], **changes: Any) -> Certificate:
    """Make the documents of a statement, true or forged, on a blank page unless `plain` is given.

    `members` and `without` in `changes` replace and remove members of the bundle, before its manifest is signed.
    """
    payload = canonical(made)
    dsse = changes.get("dsse") or sign(world, payload)
    seal_key = load_seal(world.folder / "render")
    blank = "<html lang='da'><title>Slettebevis</title>"
    plain = changes.get("plain") or document.print_page(blank, dsse, document.digest_of(payload), "2026-10-06")
    pdf = document.seal(plain, seal_key, made["predicate"]["number"])
    log = world.log
    proven = bundle.Proven(log.size, log.nodes, {index: log.leaves[index] for index in log.mine}, log.heads)
    members = bundle.members({"certificate.pdf": pdf, "certificate.dsse.json": dsse}, proven, world.public)
    members |= changes.get("members", {})
    for name in changes.get("without", ()):
        del members[name]
    return Certificate(
        world, made, payload, dsse, pdf, members, bundle.build(members, made["predicate"]["number"], seal_key)
    )


def keys(world: World) -> list[str]:
    return load_public(world.folder / "face").lines()


__all__ = [name for name in dir() if not name.startswith("_")]
