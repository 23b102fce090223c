"""What the log forgets: an entry by two parties' word, an exit's evidence in its time; all else still proves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from contracts.errors import Rejected
from contracts.roles import CUSTOMER_DPO, CUSTOMER_LEAD, DELETION_OFFICER, SUPPLIER_LEAD
from services.compliance import domain, store
from services.compliance.log import redaction, retention, tiles, tree
from services.compliance.store import forgetting
from services.compliance.verifier import ophor_verify
from shared.bus.tokens import Actor
from shared.runtime.clock import set_clock
from tests.integration.bus_store_parts import mongo, until
from tests.integration.compliance_parts import Bed, bed
from tests.integration.ledger_desk import Desk, Row, items, opened
from tests.integration.test_compliance_service import ask, prepare, settled
from tests.parts import Parts
from tests.unit import evidence_world as given
from tests.unit import tile_reader

pytestmark = pytest.mark.xdist_group("compliance-forgetting")


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with mongo() as made:
        yield made.uri


@pytest.fixture
def there(database: str, tmp_path: Path) -> Iterator[Desk]:
    with opened(database, tmp_path) as made:
        yield made


def appended(there: Desk, *what: Row) -> None:
    there.append(there.offer(list(what)))


def call(name: str, role: str, **data: Any) -> Any:
    return SimpleNamespace(id=f"cmd-{name}-{role}", actor=Actor(name, frozenset({role}), frozenset({"*"})), data=data)


def drained(there: Desk) -> None:
    (row,) = there.db.log_waiting.find()
    there.append(store.task_of(row))


def redact(there: Desk, exit_id: str, index: int, reason: str = "PERSONAL_DATA") -> Row:
    """Have both parties agree, and the ledger do it."""
    asked = {"exit_id": exit_id, "index": index, "reason": reason}
    proposed = there.store.run(lambda unit: redaction.propose(unit, call("usr-1", DELETION_OFFICER, **asked)))
    word = call("usr-2", CUSTOMER_DPO, **asked, redaction_id=proposed["redaction_id"])
    there.store.run(lambda unit: redaction.confirm(unit, word))
    drained(there)
    (row,) = there.store.read(lambda unit: [redaction.shown(unit, one) for one in forgetting.redactions(unit, exit_id)])
    return row


def test_a_forgotten_entry_is_gone_its_hash_stays_and_every_other_proof_is_valid(there: Desk, tmp_path: Path) -> None:
    appended(there, *items("exit-a", 5), *items("exit-b", 3))
    head, before = there.store.read(store.head), there.logged("exit-a")
    secret = json.loads(before[2]["leaf"])
    assert redact(there, "exit-a", before[2]["index"])["state"] == "done"
    row, *_ = (one for one in there.logged("exit-a") if one["n"] == 2)
    digest = tree.leaf_hash(bytes(before[2]["leaf"]))
    assert row == {"_id": row["_id"], "n": 2, "index": before[2]["index"], "hash": digest}
    last = there.logged("exit-a")[-1]
    assert json.loads(last["leaf"])["event"]["entry"] | {"approvals": []} == {
        "index": row["index"], "n": 2, "was": "NEEDS_SUBMITTED", "leaf": digest.hex(), "reason": "PERSONAL_DATA",
        "approvals": [],
    }  # fmt: skip
    now = there.store.read(store.head)
    root = ophor_verify.unbase64(now["root"], "root")
    for one in (*there.logged("exit-a"), *there.logged("exit-b")):
        leaf = ophor_verify.leaf_hash(one["leaf"]) if "leaf" in one else one["hash"]
        path = there.store.read(lambda unit, at=one["index"]: store.inclusion(unit, at, now["size"]))
        assert ophor_verify.included(leaf, one["index"], now["size"], path, root)
    found = there.look(head["checkpoint"])
    assert found.sound and found.counts[9] == 2
    for collection in there.db.list_collection_names():
        for document in there.db[collection].find():
            assert secret["salt"] not in str(document), collection


def test_a_forgotten_entry_s_ref_is_never_appended_again(there: Desk) -> None:
    appended(there, *items("exit-a", 3))
    redact(there, "exit-a", 1)
    appended(there, *items("exit-a", 3))
    assert [one["n"] for one in there.logged("exit-a")] == [0, 1, 2, 3] and there.look().sound


def test_one_person_or_one_party_forgets_nothing_and_only_what_was_proposed_is_confirmed(there: Desk) -> None:
    appended(there, *items("exit-a", 3))
    asked = {"exit_id": "exit-a", "index": 1, "reason": "COURT_ORDER"}
    made = there.store.run(lambda unit: redaction.propose(unit, call("usr-1", DELETION_OFFICER, **asked)))
    asked["redaction_id"] = made["redaction_id"]
    for other, code in (
        (call("usr-1", CUSTOMER_DPO, **asked), "TWO_PARTIES"),
        (call("usr-2", SUPPLIER_LEAD, **asked), "TWO_PARTIES"),
        (call("usr-2", CUSTOMER_DPO, **asked | {"index": 2}), "REDACTION_DIFFERS"),
        (call("usr-2", CUSTOMER_DPO, **asked | {"reason": "PERSONAL_DATA"}), "REDACTION_DIFFERS"),
        (call("usr-2", CUSTOMER_DPO, **asked | {"redaction_id": "red-x"}), "REDACTION_DIFFERS"),
        (call("usr-2", CUSTOMER_LEAD, **asked), "ROLE_MISSING"),
    ):
        with pytest.raises(Rejected) as refused:
            there.store.run(lambda unit, other=other: redaction.confirm(unit, other))
        assert refused.value.code == code
    assert there.db.log_waiting.count_documents({}) == 0 and all("leaf" in one for one in there.logged("exit-a"))


def test_what_is_not_there_was_forgotten_before_or_says_so_is_refused(there: Desk) -> None:
    appended(there, *items("exit-a", 3), *items("exit-b", 1))
    redact(there, "exit-a", 1)
    for index, code in ((3, "ENTRY_UNKNOWN"), (99, "ENTRY_UNKNOWN"), (1, "ENTRY_FORGOTTEN"), (4, "ENTRY_KEPT")):
        asked = call("usr-1", DELETION_OFFICER, exit_id="exit-a", index=index, reason="PERSONAL_DATA")
        with pytest.raises(Rejected) as refused:
            there.store.run(lambda unit, asked=asked: redaction.propose(unit, asked))
        assert refused.value.code == code


@pytest.mark.parametrize("what", ["leaf only", "told of another", "hash changed", "still there"])
def test_an_entry_that_vanishes_otherwise_is_found(there: Desk, what: str) -> None:
    appended(there, *items("exit-a", 5))
    before = there.logged("exit-a")
    redact(there, "exit-a", 2)
    name, gone = before[3]["_id"], before[2]
    if what == "leaf only":
        kept = {"_id": name, "n": 3, "index": 3, "hash": tree.leaf_hash(bytes(before[3]["leaf"]))}
        there.db.log_entries.replace_one({"_id": name}, kept)
    elif what == "told of another":
        there.db.log_entries.update_one({"_id": gone["_id"]}, {"$set": {"index": 3}})
    elif what == "hash changed":
        there.db.log_entries.update_one({"_id": gone["_id"]}, {"$set": {"hash": bytes(32)}})
    else:
        there.db.log_entries.replace_one({"_id": gone["_id"]}, gone)
    assert there.look().wrong[9]


def test_a_certificate_that_needs_a_forgotten_entry_is_refused_for_that(there: Desk) -> None:
    appended(there, *items(given.EXIT))
    hold = there.logged(given.EXIT)[8]
    redact(there, given.EXIT, hold["index"])
    facts = there.store.read(lambda unit: store.facts(unit, given.EXIT))
    known = domain.Known("rehearsal", named=True, log_checks=True, held=0)
    reasons = domain.refusals(facts, domain.Asked(domain.ACTIVE, date(2026, 10, 6)), known)
    assert "EVIDENCE_REDACTED" in [one.code for one in reasons]
    assert there.store.read(lambda unit: store.checks(unit, given.EXIT))


def test_tiles_and_the_entries_beside_them_follow_what_is_forgotten(there: Desk, tmp_path: Path) -> None:
    appended(there, *items("exit-a", 300))
    folder = tmp_path / "tiles"

    def export() -> tiles.Exported:
        head = there.store.read(store.head)
        return there.store.read(lambda unit: tiles.export(store.Exporting(unit, head), folder, entries=True))

    assert (export().bundles, export().bundles) == (2, 0)
    assert tile_reader.mth(tile_reader.level(folder, 0, 300)) == tile_reader.head(folder)[1]
    redact(there, "exit-a", 7)
    done = export()
    size, root = tile_reader.head(folder)
    assert (done.left_out, done.bundles, size) == (1, 1, 301)
    assert tile_reader.mth(tile_reader.level(folder, 0, 301)) == root
    assert not (folder / "tile/entries/000").exists() and len(tile_reader.entries(folder, 1, 45)) == 45


def day(there: Desk, on: date) -> list[str]:
    """Come to a day by the simulated clock, and do what its timers tell; give what they were."""
    set_clock(there.uri, datetime(on.year, on.month, on.day, 12, tzinfo=UTC))
    there.db.outbox.delete_many({})
    there.store.fire_due()
    rows = list(there.db.outbox.find())
    for row in rows:
        told = json.loads(row["body"])["data"]
        act = retention.offer if row["wire"].endswith("retention_due") else retention.over
        args = (told["exit_id"], date.fromisoformat(told["on"]))
        there.store.run(lambda unit, act=act, args=args: act(unit, *args))
    return [row["wire"].partition(".")[2] for row in rows]


def kept(there: Desk) -> tuple[str, str]:
    row = there.store.read(lambda unit: forgetting.retention(unit, "exit-a"))
    assert row is not None
    return row["state"], row["until"]


def test_each_certificate_moves_the_day_and_only_a_later_one_is_instructed(there: Desk) -> None:
    appended(there, *items("exit-a", 3))
    for issued, until_day in ((date(2026, 10, 6), "2031-10-06"), (date(2027, 3, 2), "2032-03-02"),
                              (date(2026, 12, 1), "2032-03-02")):  # fmt: skip
        there.store.run(lambda unit, issued=issued: retention.follow(unit, "exit-a", issued))
        assert kept(there) == ("running", until_day)
    assert day(there, date(2031, 10, 7)) == day(there, date(2032, 3, 2)) == []
    asked = {"exit_id": "exit-a", "until": date(2032, 3, 2), "digest": given.sha("keep")}
    for until_date, code in ((date(2032, 3, 2), "RETENTION_SHORTER"), (date(2027, 1, 1), "RETENTION_SHORTER")):
        word = call("usr-dpo", CUSTOMER_DPO, **asked | {"until": until_date})
        with pytest.raises(Rejected) as refused:
            there.store.run(lambda unit, word=word: retention.extend(unit, word))
        assert refused.value.code == code
    assert day(there, date(2032, 3, 3)) == ["retention_due"] and kept(there)[0] == "offered"
    word = call("usr-dpo", CUSTOMER_DPO, **asked | {"until": date(2033, 1, 1)})
    there.store.run(lambda unit: retention.extend(unit, word))
    drained(there)
    assert kept(there) == ("running", "2033-01-01") and day(there, date(2032, 12, 31)) == []
    assert there.logged("exit-a")[-1]["kind"] == "RETENTION_EXTENDED"


@pytest.mark.parametrize("how", ["OFFER_EXPIRED", "RELEASED"])
def test_after_the_offer_the_exit_s_evidence_goes_and_nobody_else_s(there: Desk, how: str) -> None:
    appended(there, *items("exit-a", 3), *items("exit-b", 3))
    head = there.store.read(store.head)
    there.store.run(lambda unit: store.remember(unit, "exit-a", {"parties": {"name": "X"}, "customer_cvr": "11111111"}))
    there.store.run(lambda unit: retention.follow(unit, "exit-a", date(2026, 10, 6)))
    assert day(there, date(2031, 10, 7)) == ["retention_due"]
    assert len([one for one in there.logged("exit-a") if "leaf" in one]) == 3, "nothing goes while it is offered"
    if how == "RELEASED":
        there.store.run(lambda unit: retention.release(unit, "exit-a"))
    else:
        assert day(there, date(2032, 1, 5)) == []
        assert day(there, date(2032, 1, 6)) == ["retention_over"]
    drained(there)
    assert kept(there)[0] == "ended" and day(there, date(2040, 1, 1)) == []
    rows = there.logged("exit-a")
    assert [set(one) == {"_id", "n", "index", "hash"} for one in rows] == [True, True, True, False]
    entry = json.loads(rows[-1]["leaf"])["event"]
    assert (entry["kind"], entry["entry"]["how"]) == ("RETENTION_ENDED", how)
    assert there.db.exits.find_one() == {"_id": "exit-a", "customer_cvr": "11111111"}
    assert all("leaf" in one for one in there.logged("exit-b"))
    found = there.look(head["checkpoint"])
    assert found.sound, found.wrong
    known = domain.Known("rehearsal", named=False, log_checks=True, held=0)
    facts = there.store.read(lambda unit: store.facts(unit, "exit-a"))
    reasons = domain.refusals(facts, domain.Asked(domain.ACTIVE, date(2040, 1, 1)), known)
    assert "EVIDENCE_ENDED" in [one.code for one in reasons]


# ------------------------------------------------------------------------------------------------ on the bus


@pytest.fixture(scope="module")
def house(parts: Parts) -> Iterator[Bed]:
    with bed(parts) as made:
        made.set_day(date(2026, 10, 6))
        yield made


def document(house: Bed, row: Row) -> Row:
    asked = {"certificate_id": row["certificate_id"], "document": "bundle", "offset": 0}
    return house.client().call("compliance.read_document", asked)


def test_a_certificate_without_a_spare_entry_verifies_and_says_what_was_forgotten(house: Bed) -> None:
    told = prepare(house, "exit-spare")
    expired = {"activity": "D2", "job_id": "job-old", "plan_digest": given.sha("old"), "approvals": []}
    house.told([("scheduling.approval_expired", expired | {"on": "2026-09-01"})], "exit-spare")
    place = house.wait_logged("exit-spare", len(told) + 1)[-1]["index"]
    asked = {"exit_id": "exit-spare", "index": place, "reason": "PERSONAL_DATA"}
    made = house.client(DELETION_OFFICER).call("compliance.propose_redaction", asked)
    house.client(CUSTOMER_DPO).call("compliance.confirm_redaction", asked | {"redaction_id": made["redaction_id"]})

    def done() -> bool:
        (row,) = house.client().call("compliance.list_redactions", {"exit_id": "exit-spare"})["redactions"]
        return bool(row["state"] == "done")

    until(done, "it is forgotten")
    row = settled(house, ask(house, "exit-spare"))
    assert (row["state"], row["refusals"]) == ("issued", [])


def test_evidence_is_kept_five_years_offered_and_forgotten_with_evidence_of_it(house: Bed) -> None:
    prepare(house, "exit-old")
    row = settled(house, ask(house, "exit-old"))
    assert row["state"] == "issued"
    until(lambda: any(one.get("kind") == "CERTIFICATE_ISSUED" for one in house.logged("exit-old")), "it is logged")

    def listed(state: str) -> list[Row]:
        found = house.client().call("compliance.list_retention", {"state": state})["exits"]
        return [one for one in found if one["exit_id"] == "exit-old"]

    assert listed("running")[0]["until"] == "2031-10-06"
    house.set_day(date(2031, 10, 6))
    with pytest.raises(Rejected) as refused:
        house.client().call("compliance.release_evidence", {"exit_id": "exit-old"})
    assert refused.value.code == "RETENTION_RUNS"
    keep = {"exit_id": "exit-old", "digest": given.sha("keep"), "until": "2031-10-06"}
    with pytest.raises(Rejected) as refused:
        house.client().call("compliance.keep_evidence", keep)
    assert refused.value.code == "RETENTION_SHORTER"
    house.client().call("compliance.keep_evidence", keep | {"until": "2032-01-31"})
    house.set_day(date(2031, 12, 1))
    assert listed("running")[0]["until"] == "2032-01-31"
    house.set_day(date(2032, 2, 1))
    until(lambda: listed("offered"), "it is offered")
    assert listed("offered")[0]["certificates"] == [row["certificate_id"]]
    assert document(house, row)["size"] == row["bundle_bytes"], "it is there to be taken"
    house.set_day(date(2032, 5, 2))
    until(lambda: listed("ended"), "it has ended")
    rows = house.logged("exit-old")
    assert [one["kind"] for one in rows if "leaf" in one] == ["RETENTION_ENDED"] and "leaf" in rows[-1]
    assert house.db.exits.find_one({"_id": "exit-old"}, {"_id": 0, "parties": 1, "titles": 1}) == {}
    assert house.db.documents.count_documents({"_id": {"$regex": f"^{row['certificate_id']}/"}}) == 0
    with pytest.raises(Rejected) as refused:
        document(house, row)
    assert refused.value.code == "DOCUMENT_PART_UNKNOWN"
    with pytest.raises(Rejected) as refused:
        ask(house, "exit-old", "BACKUP-EXPIRED")
    assert "EVIDENCE_ENDED" in refused.value.message
