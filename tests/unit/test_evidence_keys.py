"""A set that ended with its key: what the service certifies and the verifier believes, and what neither does."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from services.compliance import domain
from services.compliance.documents.statement import statement
from services.compliance.verifier.ophor_verify import Options, verify
from tests.unit import evidence_world as given
from tests.unit.evidence_world import EXIT, Event, World, sha

JOB, KEY = f"{EXIT}.D9.1", "set-0123456789abcdef"
ABOUT = {"exit_id": EXIT, "activity": "D9", "job_id": JOB}
SET = {"system": "pladsanvisning", "set_id": "pg-2", "key_id": KEY}
MADE, ON = "2026-09-01T02:00:00+00:00", "2026-10-10"
HELD = [{"copy": "STORE", "holder": "service-a"}, {"copy": "ESCROW", "holder": "files-b"}]
Change = Callable[[list[Event]], Any]


def keyed() -> list[Event]:
    """The events from a registered set with a key to its destruction, seen."""
    registered = {"exit_id": EXIT, **SET, "taken_on": "2026-09-01", "expires_on": "2027-03-01"}
    none = [{"copy": copy_, "holder": None} for copy_ in ("REPLICA", "TOKEN", "STORE_BACKUP")]
    row = SET | {
        "made_at": MADE, "encrypted_at": MADE, "key_made_at": MADE, "last_on": "2027-03-01", "waits_days": 7,
        "ask_on": "2027-02-21", "ends_on": "2027-02-28", "in_time": True, "copies": HELD + none,
    }  # fmt: skip
    approvals = [
        {"actor": actor, "role": role, "at": "2026-10-03T10:00:00Z"}
        for actor, role in (("usr-a", "kommune_godkender"), ("usr-b", "ist_sletteansvarlig"))
    ]
    plan = {"plan_digest": sha("keys")}
    seen = [one | {"state": "DESTROYED"} for one in HELD]
    observed = {"system": "pladsanvisning", "set_id": "pg-2", "answer": "KEY_DESTROYED", "expires_on": "2027-03-01"}
    return [
        ("deletion.backup_registered", registered | {"made_at": MADE, "encrypted_at": MADE}),
        ("deletion.shredding_planned", {**ABOUT, **plan, "sets": [row], "on": "2026-10-02"}),
        ("scheduling.approval_completed", {**ABOUT, **plan, "approvals": approvals}),
        ("scheduling.permit_issued", {
            **ABOUT, **plan, "approvals": approvals, "intent_index": 1, "valid_until": "2026-10-04T12:00:00Z",
        }),
        ("deletion.shredding_begun", {**ABOUT, **plan, "on": "2026-10-03"}),
        ("deletion.key_destruction_asked", {
            **ABOUT, **SET, "copies": [HELD[0] | {"state": "PENDING"}, seen[1]], "on": "2026-10-03",
        }),
        ("deletion.key_observed", {**ABOUT, **SET, "copies": seen, "answer": "DESTROYED", "on": ON}),
        ("deletion.backup_observed", {"exit_id": EXIT, **observed, "on": ON}),
    ]  # fmt: skip


def a_world(folder: Path, change: Change = lambda events: None) -> World:
    keys = keyed()
    change(keys)
    return World(folder).told(given.deleted_exit() + keys).issued().told(given.backups_gone())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys")


def without(wire: str) -> Change:
    return lambda events: events.__setitem__(slice(None), [one for one in events if one[0] != f"deletion.{wire}"])


def edit(wire: str, change: Callable[[dict[str, Any]], Any]) -> Change:
    return lambda events: [change(data) for name, data in events if name.endswith(wire)]


def late(events: list[Event]) -> None:
    events.append(events.pop(1))


def of_another_set(events: list[Event]) -> None:
    row = copy.deepcopy(events[0][1])
    events.insert(1, ("deletion.backup_registered", row | {"set_id": "pg-3"}))
    seen = {"system": "pladsanvisning", "set_id": "pg-3", "answer": "GONE", "expires_on": "2027-03-01", "on": ON}
    events.append(("deletion.backup_observed", {"exit_id": EXIT, **seen}))


CASES: list[tuple[str, Change, str]] = [
    ("never planned", without("shredding_planned"), "without plan"),
    ("never begun", without("shredding_begun"), "without plan"),
    ("nobody asked", without("key_destruction_asked"), "no key was seen"),
    ("nobody looked", without("key_observed"), "no key was seen"),
    ("planned afterwards", late, "out of order"),
    ("one person", edit("approval_completed", lambda told: told["approvals"][1].update(actor="usr-a")), "two people"),
    ("encrypted later", edit("planned", lambda told: told["sets"][0].update(encrypted_at=MADE[:11] + "03:00:00+00:00")),
     "not encrypted since"),
    ("a kind unanswered", edit("planned", lambda told: told["sets"][0]["copies"].pop()), "not answered for"),
    ("a copy pending", edit("observed", lambda told: "copies" in told and told["copies"][0].update(state="PENDING")),
     "not every copy"),
    ("a copy not looked for", edit("key_observed", lambda told: told["copies"].pop()), "not every copy"),
    ("another plan", edit("begun", lambda told: told.update(plan_digest=sha("another"))), "another plan"),
    ("another key", edit("key_observed", lambda told: told.update(key_id="set-other")), "another key"),
    ("the key of two sets", of_another_set, "not this set's alone"),
]  # fmt: skip


def test_a_set_whose_key_was_destroyed_is_certified_under_its_own_word(folder: Path) -> None:
    world = a_world(folder)
    assert world.refusals(domain.EXPIRED, "2027-03-03") == []
    made = statement(world.draft(domain.EXPIRED, "2027-03-03"))["predicate"]
    row = next(one for one in made["backups"] if one["set_id"] == "pg-2")
    assert (row["answer"], row["key"]["key_id"], row["key"]["key_destroyed_on"]) == ("KEY_DESTROYED", KEY, ON)
    assert any("er ikke slettet" in one for one in made["wording"]["da"])
    certificate = world.certify(domain.EXPIRED, "2027-03-03")
    report = verify(certificate.bundle, Options(keys=given.keys(world), rehearsal=True))
    assert [one for one in report.checks if one.result == "FAILED"] == []


@pytest.mark.parametrize(("change", "words"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_neither_service_nor_verifier_believes_a_destruction_with_a_gap(
    folder: Path, change: Change, words: str
) -> None:
    world = a_world(folder, change)
    assert "KEY_NOT_SHOWN_DESTROYED" in world.refusals(domain.EXPIRED, "2027-03-03")
    made = statement(world.draft(domain.EXPIRED, "2027-03-03"))
    world.mark()
    report = verify(given.issue(world, made).bundle, Options(keys=given.keys(world), rehearsal=True))
    assert words in " ".join(one.detail for one in report.checks if one.n == 15)
