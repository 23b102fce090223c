"""Each duty is proved by entries that exist, opened by what is missing, breached by what is wrong, and honest else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from services.compliance import domain
from services.compliance.domain import duties, requests
from services.compliance.facts import Facts
from tests.unit import attested_world as attested
from tests.unit import evidence_world as given
from tests.unit.evidence_world import EXIT, Event, World, sha

LATER, EARLY = date(2027, 3, 3), date(2026, 9, 1)
DPO = {"actor": "usr-dpo", "role": "kommune_dpo"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys")


def asked(subject: str | None = "OTHER", basis: str = "S2-13-a", due: str = "2026-09-18") -> Event:
    what = "DOCUMENTATION" if subject else "STATUS"
    return "compliance.request_made", {
        "exit_id": EXIT, "request_id": "req-1", "what": what, "basis": basis, "stage": None, "subject": subject,
        "on": "2026-09-04", "due": due, "owner": "ist_projektleder", **DPO,
    }  # fmt: skip


def answered(on: str = "2026-09-18", state: str = "answered") -> Event:
    return "compliance.request_answered", {
        "exit_id": EXIT, "request_id": "req-1", "state": state, "form": "DOCUMENT", "stage": None, "permanent": False,
        "certificates": [], "document_digest": sha("document"), "evidence": [], "reason": None, "unmet": [],
        "owed": None, "on": on, "late": False, **DPO,
    }  # fmt: skip


def declared(
    answer: str, breach_id: str = "brc-1", notified_at: str | None = None, about: tuple[int, ...] = ()
) -> Event:
    told: dict[str, Any] = {
        "aware_at": None, "notified_at": notified_at, "natures": [], "subjects": None, "records": None,
    }  # fmt: skip
    if answer == "BREACH":
        told |= {"aware_at": "2026-10-05T09:00:00Z", "natures": ["INTEGRITY"]}
        told |= {"subjects": "UP_TO_10", "records": "UNKNOWN"}
    by = {"on": "2026-10-06", "actor": "usr-ist", "role": "ist_projektleder"}
    return "compliance.breach_declared", {
        "exit_id": EXIT, "answer": answer, "breach_id": breach_id, "about": list(about), **told, **by,
    }  # fmt: skip


NOTIFIED = "2026-10-05T21:30:00Z"


def bypass(state: str, kind: str = "erasure") -> Event:
    told = {"bypass_id": "byp-1", "system": "pladsanvisning", "kind": kind, "state": state, "digest": sha(state)}
    return "scheduling.bypass_changed", {"exit_id": EXIT, **told, "on": "2026-09-10"}


def listed(without: int) -> Event:
    told = {"digest": sha("list"), "sub_suppliers": 2, "holding_data": 2, "without_dpa": without, "on": "2026-08-01"}
    return "orders.sub_suppliers_listed", {"exit_id": EXIT, **told}


def ordered(*lines: str, answer: str = "mapped") -> list[Event]:
    events = given.deleted_exit()
    order = dict(events[0][1])
    order["places"] = [*order["places"], *({"line": line, "answer": answer} for line in lines)]
    return [(events[0][0], order), *events[1:]]


def without(*names: str, events: list[Event] | None = None) -> list[Event]:
    return [one for one in (events or whole()) if one[0].split(".")[1] not in names]


def whole(*, amended: bool = True) -> list[Event]:
    return [*given.deleted_exit(amended=amended), *given.backups_gone()]


def late_instruction() -> list[Event]:
    told = next(one for one in whole() if one[0] == "orders.instruction_given")
    return [*without("instruction_given"), told]


def outside() -> list[Event]:
    events = whole()
    at = next(n for n, one in enumerate(events) if one[0] == "deletion.deletion_executed")
    return [*events[:at], (events[at][0], events[at][1] | {"outside": 2}), *events[at + 1 :]]


def certified(stages: tuple[str, ...]) -> Callable[[World], World]:
    def log(made: World) -> World:
        for stage in stages:
            entry = {
                "certificate_id": f"crt-{stage}",
                "stage": stage,
                "number": f"ØV-{stage}",
                "statement_digest": sha(stage),
            }
            made.log.add("CERTIFICATE_ISSUED", entry | {"activities": ["C7", "D2", "D7a"]})
        return made

    return log


def same(made: World) -> World:
    return made


OUTSIDE = 2 * next(
    n for n, one in enumerate(outside()) if one[0] == "deletion.deletion_executed"
)  # one of another exit after each
Row = tuple[str, list[Event], Callable[[World], World], date, str, str, set[str]]
BOTH = certified(("ACTIVE-DELETED", "BACKUP-EXPIRED"))
SUB = attested.line(None, attested.CONFIRMED, system="pladsanvisning", subprocessor="driftscenter")
ROWS: list[Row] = [
    ("GDPR-5.2", whole(), BOTH, LATER, "met", "EVIDENCE", {"CERTIFICATE_ISSUED"}),
    ("GDPR-5.2", whole(), certified(("ACTIVE-DELETED",)), LATER, "pending", "WAITING", {"CERTIFICATE_ISSUED"}),
    ("GDPR-17", whole(), same, LATER, "met", "EVIDENCE", {"DELETION_VERIFIED", "BACKUP_OBSERVED"}),
    ("GDPR-17", given.deleted_exit(), same, LATER, "pending", "WAITING", {"DELETION_VERIFIED"}),
    ("GDPR-19", whole(), same, LATER, "pending", "NOT_TRIGGERED", set()),
    ("GDPR-19", [*whole(), bypass("agreed")], same, LATER, "pending", "WAITING", {"BYPASS_CHANGED"}),
    ("GDPR-19", [*whole(), bypass("agreed"), bypass("delta_delivered")], same, LATER, "met", "EVIDENCE",
     {"BYPASS_CHANGED"}),
    ("GDPR-19", [*whole(), bypass("refused")], same, LATER, "pending", "NOT_TRIGGERED", set()),
    ("GDPR-28.3.a", whole(), same, LATER, "met", "EVIDENCE",
     {"INSTRUCTION_GIVEN", "DISPATCH_SET", "PACKAGE_DELIVERED"}),
    ("GDPR-28.3.a", late_instruction(), same, LATER, "breached", "OVERDUE",
     {"INSTRUCTION_GIVEN", "DELETION_BEGUN", "DISPATCH_SET", "PACKAGE_DELIVERED"}),
    ("GDPR-28.3.a", [given.order(), given.plan()], same, EARLY, "pending", "WAITING", set()),
    ("GDPR-28.3.e", whole(), same, LATER, "pending", "NOT_TRIGGERED", set()),
    ("GDPR-28.3.e", [*whole(), bypass("requested")], same, LATER, "pending", "WAITING", {"BYPASS_CHANGED"}),
    ("GDPR-28.3.e", [*whole(), bypass("refused")], same, LATER, "met", "EVIDENCE", {"BYPASS_CHANGED"}),
    ("GDPR-28.3.e", [*whole(), *given.hold()], same, LATER, "met", "EVIDENCE", {"HOLD_PLACED"}),
    ("GDPR-28.3.g", whole(), same, LATER, "met", "EVIDENCE",
     {"PACKAGE_DELIVERED", "DELETION_VERIFIED", "BACKUP_OBSERVED"}),
    ("GDPR-28.3.g", without("deletion_verified"), same, date(2026, 10, 16), "breached", "OVERDUE",
     {"PACKAGE_DELIVERED", "BACKUP_OBSERVED"}),
    ("GDPR-28.3.h", whole(), same, LATER, "pending", "NOT_TRIGGERED", set()),
    ("GDPR-28.3.h", [*whole(), asked(None, "GDPR-28.3.h"), answered()], same, LATER, "met", "EVIDENCE",
     {"REQUEST_MADE", "REQUEST_ANSWERED"}),
    ("GDPR-28.3.h", [*whole(), asked(None, "GDPR-28.3.h")], same, date(2026, 9, 19), "breached", "OVERDUE",
     {"REQUEST_MADE"}),
    ("GDPR-28.4", whole(), same, LATER, "pending", "NOT_TRIGGERED", set()),
    ("GDPR-28.4", [*whole(), attested.asked([SUB]), attested.attested(SUB)], same, LATER, "met", "EVIDENCE",
     {"ATTESTATION_GIVEN"}),
    ("GDPR-28.4", [*whole(), attested.asked([SUB])], same, date(2026, 10, 16), "breached", "OVERDUE", set()),
    ("GDPR-30.2", ordered("ARTICLE-30-RECORD"), same, LATER, "met", "EVIDENCE", {"ORDER_PLACED"}),
    ("GDPR-30.2", ordered("ARTICLE-30-RECORD", answer="not_used"), same, LATER, "pending", "WAITING", set()),
    ("GDPR-30.2", whole(), same, LATER, "pending", "WAITING", set()),
    ("GDPR-32", whole(), same, LATER, "met", "EVIDENCE", {"ACCESS_CLOSED"}),
    ("GDPR-32", without("access_closed"), same, LATER, "pending", "WAITING", set()),
    ("GDPR-32", outside(), same, LATER, "breached", "OVERDUE", {"ACCESS_CLOSED", "DELETION_EXECUTED"}),
    ("GDPR-33.2", whole(), same, LATER, "pending", "NOT_TRIGGERED", set()),
    ("GDPR-33.2", outside(), same, LATER, "pending", "WAITING", {"DELETION_EXECUTED"}),
    ("GDPR-33.2", [*outside(), declared("NONE_KNOWN")], same, LATER, "pending", "WAITING", {"DELETION_EXECUTED"}),
    ("GDPR-33.2", [*outside(), declared("NO_BREACH", about=(OUTSIDE,))], same, LATER, "met", "EVIDENCE",
     {"DELETION_EXECUTED", "BREACH_DECLARED"}),
    ("GDPR-33.2", [*outside(), declared("BREACH", about=(OUTSIDE,))], same, LATER, "pending", "WAITING",
     {"DELETION_EXECUTED", "BREACH_DECLARED"}),
    ("GDPR-33.2", [*outside(), declared("BREACH", about=(OUTSIDE,)), declared("BREACH", notified_at=NOTIFIED)], same,
     LATER, "met", "EVIDENCE", {"DELETION_EXECUTED", "BREACH_DECLARED"}),
    ("GDPR-33.2", [*outside(), declared("NO_BREACH", "brc-2", about=(OUTSIDE,)), declared("BREACH", about=(OUTSIDE,))],
     same, LATER, "pending", "WAITING", {"DELETION_EXECUTED", "BREACH_DECLARED"}),
    ("GDPR-33.2", [*whole(), declared("BREACH", notified_at=NOTIFIED), declared("BREACH", "brc-2")], same, LATER,
     "pending", "WAITING", {"BREACH_DECLARED"}),
    ("GDPR-33.2", [*whole(), declared("NONE_KNOWN")], same, LATER, "met", "EVIDENCE", {"BREACH_DECLARED"}),
    ("GDPR-33.2", [given.order(), given.plan(), declared("NONE_KNOWN"), *whole()[2:]], same, LATER, "pending",
     "WAITING", {"BREACH_DECLARED"}),
    ("S2-13-a", whole(), same, LATER, "pending", "NOT_TRIGGERED", set()),
    ("S2-13-a", [*whole(), asked()], same, date(2026, 9, 10), "pending", "WAITING", {"REQUEST_MADE"}),
    ("S2-13-a", [*whole(), asked()], same, date(2026, 9, 11), "at_risk", "DUE_SOON", {"REQUEST_MADE"}),
    ("S2-13-a", [*whole(), asked()], same, date(2026, 9, 19), "breached", "OVERDUE", {"REQUEST_MADE"}),
    ("S2-13-a", [*whole(), asked(), answered()], same, LATER, "met", "EVIDENCE", {"REQUEST_MADE", "REQUEST_ANSWERED"}),
    ("S2-13-a", [*whole(), asked(), answered("2026-09-21")], same, LATER, "breached", "MET_LATE",
     {"REQUEST_MADE", "REQUEST_ANSWERED"}),
    ("S2-7.1-a", [*whole(), asked("SECURITY"), answered()], same, LATER, "met", "EVIDENCE",
     {"REQUEST_MADE", "REQUEST_ANSWERED"}),
    ("S2-7.3-a", [*whole(), listed(0)], same, LATER, "met", "EVIDENCE", {"SUB_SUPPLIERS_LISTED"}),
    ("S2-7.3-a", [*whole(), listed(1)], same, LATER, "pending", "WAITING", {"SUB_SUPPLIERS_LISTED"}),
    ("S2-3.2-a", ordered(*sorted(duties.data_kinds())), same, LATER, "met", "EVIDENCE", {"ORDER_PLACED"}),
    ("S2-3.2-a", ordered(*sorted(duties.data_kinds())[1:]), same, LATER, "pending", "WAITING", set()),
    ("S2-3.2-f", whole(), same, LATER, "met", "EVIDENCE", {"ARCHIVE_DECIDED", "DELETION_VERIFIED", "BACKUP_OBSERVED"}),
    ("S2-3.2-f", without("archive_decided"), same, LATER, "pending", "WAITING",
     {"DELETION_VERIFIED", "BACKUP_OBSERVED"}),
    ("S2-3.2-g", [*whole(), asked("DELETION_PERIODS"), answered()], same, LATER, "met", "EVIDENCE",
     {"INSTRUCTION_GIVEN", "REQUEST_MADE", "REQUEST_ANSWERED"}),
    ("S2-3.2-g", without("instruction_given"), same, LATER, "pending", "WAITING", set()),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=[f"{row[0]}-{row[4]}-{number}" for number, row in enumerate(ROWS)])
def test_a_duty_stands_as_the_log_shows(row: Row, folder: Path) -> None:
    name, events, further, on, state, reason, shown = row
    facts = further(World(folder).told(events)).log.facts()
    stands = domain.standing(name, facts, on)
    assert (stands.state, stands.reason) == (state, reason)
    assert kinds(facts, stands.evidence) == shown


def test_a_notice_counts_from_its_own_day_in_copenhagen(folder: Path) -> None:
    facts = World(folder).told([*whole(), declared("BREACH", notified_at="2026-10-05T22:30:00Z")]).log.facts()
    assert domain.standing("GDPR-33.2", facts, LATER).met_on == date(2026, 10, 6)


def kinds(facts: Facts, indexes: tuple[int, ...]) -> set[str]:
    return {one.kind for one in facts.entries if one.index in indexes}


def test_every_obligation_of_the_law_has_a_rule_an_owner_and_is_shown_for_every_exit(folder: Path) -> None:
    assert set(duties.of_the_law()) <= duties.RULES.keys()
    assert {row[0] for row in ROWS} >= set(duties.of_the_law())
    assert all(each.who and each.clause.startswith("GDPR art. ") for each in duties.law().values())
    shown = [one.id for one in domain.standings(World(folder).told([given.order()]).log.facts(), EARLY)]
    assert shown == list(duties.of_the_law()), "also before there is a plan"


def test_the_controls_for_deletion_are_mapped_to_what_proves_it() -> None:
    assert {"ISO 27001 A.8.10", "ISO 27701 8.4.2"} <= set(duties.controls("GDPR-28.3.g"))
    assert duties.controls("S2-28.1-d") == duties.controls("GDPR-28.3.g")
    assert duties.controls("S2-14-a") == ()


def test_what_scheduling_told_before_anybody_asked_does_not_hide_the_answer(folder: Path) -> None:
    told: dict[str, Any] = {"due": None}
    late = given.obligation("S2-13-a", "pending", "NOT_TRIGGERED", "2026-09-20", **told)
    facts = World(folder).told([*whole(), asked(), answered(), late]).log.facts()
    assert domain.standing("S2-13-a", facts, LATER).state == "met"


def test_backups_are_not_shown_to_be_gone_while_a_system_without_a_set_is_not_told_of(folder: Path) -> None:
    """28.1 and its backups are met by deletion's word of the whole catalogue, and not by the sets that are known."""
    made, on = World(folder).told(given.deleted_exit(amended=False)), date(2026, 10, 14)
    seen, told = given.backups_gone("2026-10-14")
    found = "deletion.backup_found", {
        "exit_id": given.EXIT, "system": "morgenvagt", "set_id": "mo-1", "taken_on": "2026-09-01",
        "finding": "UNCATALOGUED", "kind": "FILE", "on": "2026-10-14",
    }  # fmt: skip
    for event, state in ((seen, "pending"), (told, "met"), (found, "pending")):
        made.told([event])
        for name in ("S2-28.1-d", "S2-28.1-d-backups"):
            assert domain.standing(name, made.log.facts(), on).state == state, (event[0], name)
        answer = requests.answer({"what": "DOCUMENTATION", "subject": "BACKUPS"}, made.log.facts(), [])
        assert (answer is not None) is (state == "met")


def test_the_first_package_that_was_not_rejected_is_the_hand_over_and_the_first_instruction_the_instruction(
    folder: Path,
) -> None:
    """A second one after the last day is no breach, and a rejected one is no hand-over."""
    events = [one for one in given.deleted_exit() if one[0] != "delivery.delivery_accepted"]
    sent = next(data for wire, data in events if wire == "delivery.package_delivered")
    again = "delivery.package_delivered", sent | {"package_id": "pkg-2", "on": "2026-10-02"}
    told = next(data for wire, data in events if wire == "orders.instruction_given")
    twice = World(folder).told([*events, again, ("orders.instruction_given", told | {"given_on": "2026-10-03"})])
    assert stands(twice, "S2-28.1-b") == "met"
    assert duties.RULES["S2-DPA-a"](twice.log.facts(), date(2026, 8, 31), LATER)[0].late(LATER) is False
    assert stands(World(folder).told([*events, given.rejection()]), "S2-28.1-b") == "breached"
    late = World(folder).told([*events, given.rejection(), again])
    assert stands(late, "S2-28.1-b") == "breached"


def stands(world: World, obligation: str) -> str:
    return domain.standing(obligation, world.log.facts(), date(2026, 10, 6)).state
