"""When a certificate is refused, and how 28.1 stands."""

import copy
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from services.compliance import domain
from services.compliance.documents.statement import statement
from services.compliance.evidence import Logged
from services.compliance.facts.gathering import collect
from tests.unit import evidence_world as given
from tests.unit.evidence_world import Event, World

Change = Callable[[list[Event]], Any]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys")


def without(wire: str) -> Change:
    return lambda events: events.__setitem__(slice(None), [one for one in events if one[0] != wire])


def edit(wire: str, activity: str | None = None, **more: Any) -> Change:
    def change(events: list[Event]) -> None:
        for name, data in events:
            if name == wire and activity in (None, data.get("activity")):
                data.update(more)

    return change


def edit_place(name_of_place: str, **more: Any) -> Change:
    def change(events: list[Event]) -> None:
        for name, data in events:
            if name == "deletion.deletion_verified":
                for line in data["places"]:
                    if line["place"] == name_of_place:
                        line.update(more)

    return change


def edit_access(**more: Any) -> Change:
    return lambda events: [data["systems"][0].update(more) for name, data in events if name == "access.access_closed"]


def one_person(events: list[Event]) -> None:
    for name, data in events:
        if name == "scheduling.approval_completed":
            for line in data["approvals"]:
                line["actor"] = "usr-a"


def move(wire: str, before: str, activity: str = "D2") -> Change:
    """Move one job's event before another."""

    def at(events: list[Event], name: str) -> int:
        return next(n for n, one in enumerate(events) if one[0] == name and one[1].get("activity") in (None, activity))

    def change(events: list[Event]) -> None:
        taken = events.pop(at(events, wire))
        events.insert(at(events, before), taken)

    return change


def to_end(wire: str) -> Change:
    def change(events: list[Event]) -> None:
        moved = [one for one in events if one[0] == wire]
        without(wire)(events)
        events.extend(moved)

    return change


def other_batch(events: list[Event]) -> None:
    next(data for name, data in events if name == "deletion.deletion_batch_closed")["deleted"] -= 1


REFUSALS: list[tuple[str, Change, set[str]]] = [
    ("no order", without("orders.order_placed"), {"ORDER_MISSING"}),
    ("no instruction", without("orders.instruction_given"), {"INSTRUCTION_MISSING"}),
    ("instruction to return", edit("orders.instruction_given", kind="return"), {"INSTRUCTION_MISSING"}),
    ("nothing delivered", without("delivery.package_delivered"), {"DELIVERY_MISSING"}),
    ("not accepted", without("delivery.delivery_accepted"), {"DELIVERY_NOT_ACCEPTED", "DELETED_BEFORE_DELIVERY"}),
    ("accepted afterwards", to_end("delivery.delivery_accepted"), {"DELETED_BEFORE_DELIVERY"}),
    ("archive undecided", without("orders.archive_decided"), {"ARCHIVE_UNDECIDED"}),
    ("access open", edit_access(state="open"), {"ACCESS_NOT_CLOSED"}),
    ("access not verified", edit_access(verified=False), {"ACCESS_NOT_CLOSED"}),
    ("access never closed", without("access.access_closed"), {"ACCESS_NOT_CLOSED"}),
    ("no preview", without("deletion.deletion_previewed"), {"JOB_MISSING"}),
    ("no approvals", without("scheduling.approval_completed"), {"APPROVALS_MISSING", "INTENT_AFTER_DESTRUCTION"}),
    ("one person approves twice", one_person, {"APPROVALS_MISSING"}),
    ("other plan verified", edit("deletion.deletion_verified", "D2", plan_digest="0" * 64), {"PLAN_DIGEST_DIFFERS"}),
    ("intent too late", move("deletion.deletion_begun", "scheduling.approval_completed"), {"INTENT_AFTER_DESTRUCTION"}),
    ("not verified", without("deletion.deletion_verified"), {"NOT_VERIFIED"}),
    ("not ended", without("deletion.deletion_executed"), {"NOT_EXECUTED"}),
    ("verifier blind", edit("deletion.deletion_verified", "D2", result="ERROR"), {"VERIFICATION_ERROR"}),
    (
        "verified too early",
        move("deletion.deletion_verified", "deletion.deletion_batch_closed"),
        {"VERIFIED_TOO_EARLY"},
    ),
    ("outside seen", edit("deletion.deletion_verified", "D2", outside=1), {"OUTSIDE_CHANGED"}),
    ("outside in a batch", edit("deletion.deletion_batch_closed", "D7a", outside=2), {"OUTSIDE_CHANGED"}),
    ("probes found", edit("deletion.deletion_verified", "D2", probes_found_after=1), {"PROBES_FOUND"}),
    ("probes never found", edit("deletion.deletion_verified", "D2", probes_found_before=0), {"PROBES_BLIND"}),
    ("rows left", edit_place("barn", residual=1, before=41), {"RESIDUAL"}),
    ("place open", edit_place("barn", disposition="open"), {"PLACE_OPEN"}),
    ("sum wrong", edit_place("barn", before=41), {"SUM_WRONG"}),
    ("unclassified", edit_place("barn", row_class=None), {"PLACE_UNCLASSIFIED"}),
    ("needed by us", edit_place("kode", reason="SUPPLIER_NEEDS_IT"), {"REASON_NOT_ALLOWED"}),
    ("excluded for nothing", edit_place("kode", reason=None), {"REASON_NOT_ALLOWED"}),
    ("suspended without an option", edit_place("kode", disposition="suspended"), {"REASON_NOT_ALLOWED"}),
    ("retained and called deleted", edit_place("kode", disposition="deleted"), {"RETAINED_WITHOUT_REASON"}),
    ("place unanswered", edit_place("barn", place="andre"), {"PLACE_UNANSWERED", "PLACE_UNKNOWN", "BATCHES_DIFFER"}),
    ("batches differ", other_batch, {"BATCHES_DIFFER"}),
]


@pytest.mark.parametrize(("change", "codes"), [one[1:] for one in REFUSALS], ids=[one[0] for one in REFUSALS])
def test_a_certificate_is_refused_for_its_own_reason(folder: Path, change: Change, codes: set[str]) -> None:
    events = copy.deepcopy(given.deleted_exit())
    change(events)
    assert codes <= set(World(folder).told(events).refusals())


def test_a_whole_exit_is_not_refused(folder: Path) -> None:
    assert World(folder).told(given.deleted_exit()).refusals() == []


def test_every_reason_is_given_at_once(folder: Path) -> None:
    events = copy.deepcopy(given.deleted_exit())
    edit_place("barn", residual=1)(events)
    edit_access(state="open")(events)
    without("orders.instruction_given")(events)
    assert {"RESIDUAL", "SUM_WRONG", "ACCESS_NOT_CLOSED", "INSTRUCTION_MISSING"} <= set(
        World(folder).told(events).refusals()
    )


def test_what_is_known_beside_the_log_refuses_too(folder: Path) -> None:
    made = World(folder).told(given.deleted_exit())
    assert made.refusals(named=False) == ["PARTIES_MISSING"]
    assert made.refusals(log_checks=False) == ["LOG_INCONSISTENT"]
    assert made.refusals(held=2) == ["EVIDENCE_HELD"]


def test_not_in_rehearsal_is_a_reason_in_rehearsals_only(folder: Path) -> None:
    events = copy.deepcopy(given.deleted_exit())
    edit_place("kode", reason="NOT_IN_REHEARSAL")(events)
    made = World(folder).told(events)
    assert made.refusals() == []
    assert made.refusals(kind="production") == ["REASON_NOT_ALLOWED"]


@pytest.mark.parametrize(
    ("events", "codes"), [one[1:3] for one in given.FORBIDDEN], ids=[one[0] for one in given.FORBIDDEN]
)
def test_what_the_log_forbids_is_refused(folder: Path, events: Callable[[], list[Event]], codes: set[str]) -> None:
    assert set(World(folder).told(events()).refusals()) == codes


def test_without_a_plan_nothing_is_certified(folder: Path) -> None:
    events = copy.deepcopy(given.deleted_exit())
    without("scheduling.plan_made")(events)
    assert World(folder).told(events).refusals() == ["PLAN_MISSING"]


def test_what_was_settled_refuses_nothing_whatever_its_order(folder: Path) -> None:
    settled = [*given.hold(lifted=True), given.proposal(), given.proposal("applied"), given.notice("2026-09-30")]
    assert World(folder).told(given.deleted_exit() + settled).refusals() == []
    assert World(folder).told(given.deleted_exit() + settled[::-1]).refusals() == []


def test_a_hold_on_a_system_of_another_scope_does_not_refuse_this_one(folder: Path) -> None:
    made = World(folder).told(given.deleted_exit() + given.hold("morgenvagt"))
    assert made.refusals(activities=("D7a",)) == [] and made.refusals(activities=("D2",)) == ["HELD"]


def test_t10_silence_that_was_instructed_and_applied_replaces_the_acceptance(folder: Path) -> None:
    made = World(folder).told(given.silent_exit())
    assert made.refusals() == []
    said = statement(made.draft())["predicate"]["wording"]["da"]
    assert any("ikke godkendt" in sentence for sentence in said)


def test_t10_an_instruction_given_after_the_delivery_replaces_the_acceptance_and_one_before_it_does_not(
    folder: Path,
) -> None:
    made = World(folder).told(given.instructed_exit())
    assert made.refusals() == []
    told = statement(made.draft())["predicate"]
    assert told["delivery"]["accepted"] is None
    assert any("instruks af 25.9.2026, givet efter overdragelsen" in one for one in told["wording"]["da"])
    before = World(folder).told(given.instructed_exit("2026-09-20")).refusals()
    assert set(before) == {"DELIVERY_NOT_ACCEPTED", "DELETED_BEFORE_DELIVERY"}


def test_a_package_that_took_the_accepted_one_s_place_waits_for_its_own_receipt(folder: Path) -> None:
    made = World(folder).told(given.another_package(given.deleted_exit()))
    assert made.refusals() == ["DELIVERY_NOT_ACCEPTED"]
    receipt = next(data for wire, data in given.deleted_exit() if wire == "delivery.delivery_accepted")
    assert made.told([("delivery.delivery_accepted", receipt | {"package_id": "pkg-2"})]).refusals() == []


def test_permanent_waits_for_the_first_certificate_and_for_every_backup_set(folder: Path) -> None:
    made = World(folder).told(given.deleted_exit())
    assert set(made.refusals(domain.EXPIRED)) == {"STAGE_BEFORE", "BACKUP_NOT_GONE", "BACKUPS_NOT_EXPIRED"}
    made.issued().told(given.backups_gone())
    assert made.refusals(domain.EXPIRED) == []


def test_a_backup_that_comes_back_is_refused_again(folder: Path) -> None:
    made = World(folder).told(given.deleted_exit() + given.backups_gone()).issued()
    again = copy.deepcopy(given.backups_gone("2027-03-05")[0])
    again[1]["answer"] = "PRESENT"
    assert made.told([again]).refusals(domain.EXPIRED) == ["BACKUP_NOT_GONE"]


def test_a_set_registered_after_the_expiry_was_told_opens_it_again(folder: Path) -> None:
    made = World(folder).told(given.deleted_exit() + given.backups_gone()).issued()
    late = {"system": "morgenvagt", "set_id": "mv-9", "taken_on": "2026-09-01", "expires_on": "2027-02-01"}
    made.told([("deletion.backup_registered", {"exit_id": given.EXIT, **late})])
    assert made.refusals(domain.EXPIRED) == ["BACKUP_NOT_GONE", "BACKUPS_NOT_EXPIRED"]


def test_a_set_found_beside_the_catalogue_stops_both_certificates_until_it_is_catalogued(folder: Path) -> None:
    beside = {"system": "morgenvagt", "set_id": "mv-9", "finding": "UNCATALOGUED", "kind": "mongodump"}
    made = World(folder).told(given.deleted_exit())
    made.told([("deletion.backup_found", {"exit_id": given.EXIT, **beside, "taken_on": None, "on": "2026-10-02"})])
    assert made.refusals(domain.ACTIVE) == ["BACKUP_UNCATALOGUED"]
    assert "BACKUP_UNCATALOGUED" in made.refusals(domain.EXPIRED)
    row = {"system": "morgenvagt", "set_id": "mv-9", "taken_on": "2026-09-01", "expires_on": "2027-02-01"}
    made.told([("deletion.backup_registered", {"exit_id": given.EXIT, **row})])
    assert made.refusals(domain.ACTIVE) == []


def test_without_any_registered_set_backups_are_unknown_and_not_gone(folder: Path) -> None:
    events = copy.deepcopy(given.deleted_exit())
    without("deletion.backup_registered")(events)
    assert World(folder).told(events).issued().refusals(domain.EXPIRED) == [
        "BACKUPS_UNKNOWN",
        "BACKUPS_NOT_EXPIRED",
    ]


def state(made: World, today: str) -> str:
    return domain.standing("S2-28.1-d", made.log.facts(), date.fromisoformat(today)).state


def test_t1_without_an_amendment_28_1_is_breached_from_day_16_and_both_certificates_say_so(folder: Path) -> None:
    made = World(folder).told(given.deleted_exit(amended=False))
    assert (state(made, "2026-10-15"), state(made, "2026-10-16")) == ("at_risk", "breached")
    said = statement(made.draft(issued_on="2026-10-16"))["predicate"]
    assert any("OVERTRÅDT" in sentence for sentence in said["wording"]["da"])
    made.issued().told(given.backups_gone())
    assert state(made, "2027-03-03") == "breached"
    said = statement(made.draft(domain.EXPIRED, "2027-03-03"))["predicate"]
    assert any("BREACHED" in sentence for sentence in said["wording"]["en"])


def test_t1_with_an_amendment_signed_by_both_28_1_is_met_and_backups_have_six_months(folder: Path) -> None:
    made = World(folder).told(given.deleted_exit())
    assert state(made, "2026-12-01") == "met"


def test_t16_the_six_months_count_from_the_first_deletion_in_a_system_with_backups_not_from_the_case_index(
    folder: Path,
) -> None:
    facts = World(folder).told(given.deleted_exit()).log.facts()
    begun = {job.activity: job.begun.entry["on"] for job in facts.jobs.values() if job.begun}
    assert {system for system, _ in facts.backups} == {"pladsanvisning"}
    assert (begun["C7"], begun["D7a"]) == ("2026-09-30", "2026-10-05")
    assert facts.backups_due(facts.scopes()) == date(2027, 4, 5)


def test_t1_an_amendment_signed_by_one_party_changes_nothing(folder: Path) -> None:
    events = copy.deepcopy(given.deleted_exit())
    events[0][1]["amendments"][0]["signed_by"] = ["supplier"]
    assert state(World(folder).told(events), "2026-10-16") == "breached"


def test_what_cannot_be_seen_is_never_called_met(folder: Path) -> None:
    facts = World(folder).told(given.deleted_exit()).log.facts()
    facts.plan.entry["obligations"][2]["due"] = "2026-10-01"  # type: ignore[union-attr]
    assert domain.standing("S2-13-a", facts, date(2026, 10, 1)).state == "pending"
    assert domain.standing("S2-13-a", facts, date(2026, 10, 2)).state == "at_risk"


def test_t1_permanent_stands_in_the_last_stage_only(folder: Path) -> None:
    made = World(folder).told(given.deleted_exit())
    first = statement(made.draft())["predicate"]["wording"]
    assert not any("er permanent" in one for one in first["da"])
    made.issued().told(given.backups_gone())
    last = statement(made.draft(domain.EXPIRED, "2027-03-03"))["predicate"]["wording"]
    assert any("er permanent" in one for one in last["da"]) and any("is permanent" in one for one in last["en"])


def test_t12_the_statement_says_what_is_not_done_and_not_covered(folder: Path) -> None:
    said = statement(World(folder).told(given.deleted_exit()).draft())["predicate"]
    assert {"WITNESS", "TIMESTAMP_RFC3161", "SEPARATE_OS_USERS"} <= {one["code"] for one in said["not_done"]}
    assert {"BACKUPS", "SUCCESSOR_COPY", "CUSTOMER_POSSESSION"} <= {one["code"] for one in said["not_covered"]}
    assert said["kind"] == "rehearsal" and said["number"].startswith("ØV-") and said["simulated_dates"]


def test_rows_of_a_stopped_job_are_added_not_overwritten(folder: Path) -> None:
    events = copy.deepcopy(given.deleted_exit())
    stopped = [one for one in copy.deepcopy(given.destruction("D2")) if "verified" not in one[0]]
    for _, data in stopped:
        data["job_id"] = "job-D2-first"
    at = next(n for n, one in enumerate(events) if one[1].get("job_id") == "job-D2")
    made = World(folder).told(events[:at] + stopped + events[at:])
    system = next(one for one in statement(made.draft())["predicate"]["systems"] if one["system"] == "morgenvagt")
    assert (system["counts"]["deleted"], system["deleted_in_all"]) == (11, 22)


def test_a_stopped_job_that_destroyed_before_its_intent_refuses_too(folder: Path) -> None:
    events = copy.deepcopy(given.deleted_exit())
    early = [one for one in copy.deepcopy(given.destruction("D2")) if "begun" in one[0] or "batch" in one[0]]
    for _, data in early:
        data["job_id"] = "job-D2-first"
    at = next(n for n, one in enumerate(events) if one[1].get("job_id") == "job-D2")
    made = World(folder).told(events[:at] + early + events[at:])
    assert {"APPROVALS_MISSING", "INTENT_AFTER_DESTRUCTION"} <= set(made.refusals())


def test_where_s2_does_not_bind_28_1_is_not_mentioned(folder: Path) -> None:
    events = copy.deepcopy(given.deleted_exit())
    edit("scheduling.plan_made", obligations=[])(events)
    said = statement(World(folder).told(events).draft())["predicate"]["wording"]
    assert not any("28.1" in sentence for sentence in said["da"] + said["en"])


def test_entries_wait_for_what_must_come_first() -> None:
    intent = {"job_id": "job-1"}
    assert domain.waits_for("DELETION_INTENT", intent, {}) == "DELETION_PREVIEWED"
    assert domain.waits_for("DELETION_INTENT", intent, {"DELETION_PREVIEWED": 1}) is None
    done = {"job_id": "job-1", "batches": 2}
    logged = {"DELETION_BEGUN": 1, "DELETION_BATCH_CLOSED": 1}
    assert domain.waits_for("DELETION_EXECUTED", done, logged) == "DELETION_BATCH_CLOSED"
    assert domain.waits_for("DELETION_EXECUTED", done, logged | {"DELETION_BATCH_CLOSED": 2}) is None
    assert domain.waits_for("DELETION_VERIFIED", {"job_id": "job-1", "result": "ABSENT_VERIFIED"}, {}) is None
    assert domain.waits_for("PLAN_MADE", {}, {}) is None


def test_numbers_have_a_series_for_each_kind() -> None:
    assert (domain.number("rehearsal", 7), domain.number("production", 7)) == ("ØV-000007", "SB-000007")


def test_a_higher_plan_version_wins_whatever_the_order() -> None:
    def made(version: int, due: str) -> dict[str, Any]:
        lines = [{"id": "S2-28.1-d", "due": due}]
        return {"version": version, "activities": [], "obligations": lines, "conflicts": 0}

    late, early = made(2, "2026-10-15"), made(1, "2026-01-01")
    entries = [Logged(0, "PLAN_MADE", "", late), Logged(1, "PLAN_MADE", "", early)]
    assert collect("exit-1", entries).due("S2-28.1-d") == date(2026, 10, 15)


# Scopes: what the plan in force deletes, and what an option keeps.


def test_t2_a_kept_system_is_listed_as_suspended_until_its_day_and_not_certified(folder: Path) -> None:
    made = World(folder).told(given.kept_exit())
    assert made.refusals() == []
    said = statement(made.draft())["predicate"]
    kept = {"system": "pladsanvisning", "place": None, "until": given.KEPT_UNTIL}
    assert said["scope"]["suspended"] == [kept | {"reason": "OPTION(S1-8.3,S2-28.2-retention)"}]
    assert (said["scope"]["whole"], said["scope"]["systems"]) == (False, ["booking", "morgenvagt", "sagsindeks"])
    assert any("IKKE slettet" in sentence for sentence in said["wording"]["da"])


def test_t10_storage_that_silence_took_keeps_every_system_but_the_index(folder: Path) -> None:
    made = World(folder).told(given.stored_exit())
    assert made.refusals() == []
    kept = statement(made.draft())["predicate"]["scope"]["suspended"]
    assert [one["system"] for one in kept] == ["morgenvagt", "pladsanvisning"]
    assert {(one["reason"], one["until"]) for one in kept} == {("OPTION(S2-28.2-retention)", "2031-09-30")}


def test_t2_an_option_taken_by_notice_keeps_as_one_that_was_confirmed(folder: Path) -> None:
    wire, taken = given.notice("2026-09-30")
    taken |= {"kind": "retention", "moved": [], "options": ["S2-28.2-retention"]}
    stored = [one for one in given.stored_exit() if one[0] != "scheduling.silence_applied"]
    made = World(folder).told(stored)
    assert "JOB_MISSING" in made.refusals()
    assert made.told([(wire, taken)]).refusals() == []


def test_t2_when_the_option_has_ended_the_system_is_owed(folder: Path) -> None:
    made = World(folder).told(given.kept_exit())
    assert made.refusals(on=given.KEPT_UNTIL) == []
    assert made.refusals(on="2027-10-01") == ["ACCESS_NOT_CLOSED", "JOB_MISSING"]
    made.told([given.closing("pladsanvisning", "D7a"), *given.destruction("D7a")])
    assert made.refusals(on="2027-10-20") == []
    assert statement(made.draft(issued_on="2027-10-20"))["predicate"]["scope"]["whole"]


def test_a_scope_that_is_suspended_or_not_in_the_plan_cannot_be_asked_for(folder: Path) -> None:
    made = World(folder).told(given.kept_exit())
    assert made.refusals(activities=("D7a",)) == ["SCOPE_SUSPENDED"]
    assert made.refusals(activities=("D9",)) == ["SCOPE_UNKNOWN"]


def test_the_parts_without_look_up_access_are_a_scope_of_their_own(folder: Path) -> None:
    said = statement(World(folder).told(given.kept_exit()).draft(activities=("D3b",)))["predicate"]
    assert [one["system"] for one in said["systems"]] == ["booking"] and not said["scope"]["whole"]
    assert {one["system"] for one in said["scope"]["elsewhere"]} == {"morgenvagt", "sagsindeks"}
    assert [one["activity"] for one in said["scope"]["scopes"]] == ["D3b"]


def test_t16_each_scope_has_six_months_from_its_own_first_deletion_and_a_later_job_moves_nothing(folder: Path) -> None:
    made = World(folder).told(given.kept_exit())
    again = copy.deepcopy(given.destruction("D3b"))
    for _, data in again:
        data |= {"job_id": "job-D3b-again"} | ({"on": "2026-12-01"} if "on" in data else {})
    made.told(again)
    due = {one["activity"]: one["backups_due"] for one in statement(made.draft())["predicate"]["scope"]["scopes"]}
    assert due == {"C7": None, "D2": "2027-04-02", "D3b": "2027-04-03"}


def test_backups_of_a_part_are_gone_when_each_of_its_systems_sets_is(folder: Path) -> None:
    made = World(folder).told(given.kept_exit()).issued(("D3b",))
    assert made.refusals(domain.EXPIRED, activities=("D3b",)) == ["BACKUPS_UNKNOWN"]
    one = {"exit_id": given.EXIT, "system": "booking", "set_id": "bk-1", "expires_on": "2027-03-01"}
    made.told([("deletion.backup_registered", one | {"taken_on": "2026-09-01"})])
    assert made.refusals(domain.EXPIRED, activities=("D3b",)) == ["BACKUP_NOT_GONE"]
    made.told([("deletion.backup_observed", one | {"answer": "GONE", "on": "2027-03-02"})])
    assert made.refusals(domain.EXPIRED, activities=("D3b",)) == []
    assert made.refusals(domain.EXPIRED, activities=("D2",)) == ["STAGE_BEFORE", "BACKUPS_UNKNOWN"]


# Obligations: the worse of two counts, by the plan in force.


def test_t2_28_1_is_suspended_for_what_an_option_keeps_and_breached_for_the_rest(folder: Path) -> None:
    kept = given.kept_exit(amended=False)
    made = World(folder).told(kept)
    stands = domain.standing("S2-28.1-d", made.log.facts(), date(2026, 11, 1))
    assert (stands.state, stands.reason) == ("suspended", "OPTION(S1-8.3,S2-28.2-retention)")
    assert state(made, "2027-10-15") == "at_risk" and state(made, "2027-10-16") == "breached"
    open_ = [one for one in kept if one[1].get("activity") != "D3b"]
    assert state(World(folder).told(open_), "2026-10-16") == "breached"


def test_t1_an_amendment_signed_after_the_order_accepts_six_months_as_well(folder: Path) -> None:
    accord = {
        "exit_id": given.EXIT, "accord_id": "acc-1", "kind": "amendment", "subject": "backups_six_months",
        "digest": given.sha("accord"), "signed_on": "2026-08-15", "signed_by": ["customer", "supplier"],
    }  # fmt: skip
    made = World(folder).told([*given.deleted_exit(amended=False), ("orders.accord_signed", accord)])
    assert state(made, "2026-12-01") == "met"
    assert statement(made.draft())["predicate"]["agreement"]["amendment"]["digest"] == given.sha("accord")


@pytest.mark.parametrize(("told", "shown"), [("breached", "breached"), ("at_risk", "at_risk"), ("met", "met")])
def test_the_worse_of_what_was_told_and_what_the_log_proves_is_shown(folder: Path, told: str, shown: str) -> None:
    made = World(folder).told([*given.deleted_exit(), given.obligation("S2-28.1-d", told, "FAILED", "2026-10-06")])
    assert state(made, "2026-10-06") == shown
    open_ = World(folder).told([*given.deleted_exit()[:4], given.obligation("S2-28.1-d", told, "X", "2026-10-06")])
    assert state(open_, "2026-10-16") == "breached"


def test_what_was_told_before_the_evidence_came_is_outdated_unless_it_was_a_breach(folder: Path) -> None:
    for told, shown in (("at_risk", "met"), ("pending", "met"), ("breached", "breached")):
        before = given.obligation("S2-28.1-d", told, "DUE_SOON", "2026-10-01")
        assert state(World(folder).told([before, *given.deleted_exit()]), "2026-10-06") == shown


def test_the_last_change_of_an_obligation_counts_by_its_day_not_by_its_arrival(folder: Path) -> None:
    told = [
        given.obligation("S2-14-a", "met", "EVIDENCE", "2026-09-20"),
        given.obligation("S2-14-a", "at_risk", "DUE_SOON", "2026-09-10"),
    ]
    facts = World(folder).told([*given.deleted_exit(), *told]).log.facts()
    stands = {one.id: one for one in domain.standings(facts, date(2026, 10, 6))}
    assert (stands["S2-14-a"].state, stands["S2-14-a"].since) == ("met", date(2026, 9, 20))


def test_t15_the_clock_of_documentation_is_shown_with_its_evidence(folder: Path) -> None:
    late = given.obligation("S2-13-a", "breached", "OVERDUE", "2026-09-15", due="2026-09-14")
    facts = World(folder).told([*given.deleted_exit(), late]).log.facts()
    stands = domain.standing("S2-13-a", facts, date(2026, 10, 6))
    assert (stands.state, stands.reason, stands.due) == ("breached", "OVERDUE", date(2026, 9, 14))
    assert stands.evidence == (facts.obligations["S2-13-a"].index,)


def test_t17_28_1_follows_the_agreement_s_end_as_a_notice_moved_it(folder: Path) -> None:
    made = World(folder).told([*given.deleted_exit(amended=False), given.notice("2027-03-31")])
    assert "PLAN_BEHIND" in made.refusals()
    made.told([given.plan(2, end="2027-03-31")])
    assert made.refusals() == []
    said = statement(made.draft(issued_on="2026-10-20"))["predicate"]
    dates = {one["name"]: one["date"] for one in said["dates"]}
    assert (dates["agreement_end"], dates["deletion_due"]) == ("2027-03-31", "2027-04-15")
    assert state(made, "2026-10-20") == "pending" and state(made, "2027-04-16") == "breached"


def test_a_notice_that_was_not_accepted_moves_nothing(folder: Path) -> None:
    made = World(folder).told([*given.deleted_exit(), given.notice("2027-03-31", outcome="agreement_needed")])
    assert made.refusals() == []


@pytest.mark.parametrize(
    ("activity", "change", "codes"),
    [
        ("D7a", lambda rows: rows.clear(), ["BELOW_UNTOLD"]),
        ("D7a", lambda rows: rows.append(dict(rows[0])), ["BELOW_WRONG"]),
        ("D7a", lambda rows: rows[0].update(remains=[]), ["BELOW_WRONG"]),
        ("D2", lambda rows: rows[0].update(answer="CLEANED", reason=None), ["BELOW_WRONG"]),
    ],
    ids=["dropped", "doubled", "nothing remains", "mongodb cleaned"],
)
def test_what_is_not_told_below_the_rows_or_too_good_to_be_true_is_refused(
    tmp_path: Path, activity: str, change: Callable[[list[dict[str, Any]]], None], codes: list[str]
) -> None:
    events = given.deleted_exit()
    for wire, data in events:
        if wire == "deletion.deletion_verified" and data["activity"] == activity:
            change(data["physical"])
    assert World(tmp_path).told(events).refusals() == codes
