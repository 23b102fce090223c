"""What follows by itself in compliance when rows return: certificates fall, and one is drawn up once they are gone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.compliance import issuing, requests, store
from services.compliance.worker import rendering
from tests.integration.bus_store_parts import mongo
from tests.integration.compliance_house import DPO, LEAD, House, house
from tests.integration.test_compliance_service import PARTIES
from tests.unit import evidence_world as given
from tests.unit import test_certificate_redeletion as restored
from tests.unit.evidence_world import EXIT, sha

pytestmark = pytest.mark.xdist_group("compliance-requests")


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with mongo() as made:
        yield made.uri


@pytest.fixture
def there(database: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[House]:
    with house(database, tmp_path, request.node.name[:40]) as made:
        made.tell(given.deleted_exit())
        made.do(LEAD, "name_parties", exit_id=EXIT, **PARTIES)
        yield made


def ask(there: House, *activities: str) -> str:
    told = there.do(DPO, "request_certificate", exit_id=EXIT, stage="ACTIVE-DELETED", activities=list(activities))
    return str(told["certificate_id"])


def issued(there: House, *activities: str) -> str:
    certificate_id = ask(there, *activities)
    issue_it(there, certificate_id)
    return certificate_id


def issue_it(there: House, certificate_id: str) -> None:
    """Have a certificate issued, as the signers and the renderer do at the end."""

    def issue(unit: Any) -> None:
        row = store.certificate(unit, certificate_id)
        assert row is not None
        row |= {"state": "issued", "statement_digest": sha(certificate_id)}
        store.save_certificate(unit, row)
        issuing.issued(unit, row)
        requests.certificate_issued(unit, row, "rehearsal")

    there.store.run(issue)
    there.carry()


def rows(there: House) -> list[dict[str, Any]]:
    return list(there.do(DPO, "list_certificates", exit_id=EXIT)["certificates"])


def states(there: House) -> dict[str, tuple[str, str | None]]:
    return {row["certificate_id"]: (row["state"], row["revoked"]) for row in rows(there)}


def test_only_the_certificates_of_what_returned_fall_and_what_is_on_its_way_fails(there: House) -> None:
    of_both, of_another, under_way = issued(there, "D2", "D7a"), issued(there, "D2"), ask(there, "D7a")
    there.tell([restored.found()])
    found = states(there)
    assert found[of_both] == ("issued", "DATA_FOUND") and found[of_another] == ("issued", None)
    assert found[under_way] == ("failed", None)
    (entry,) = there.kinds("CERTIFICATE_REVOKED")
    assert (entry["certificate_id"], entry["actor"], entry["role"]) == (of_both, "ophor", "automatic")
    assert [row["replaces"] for row in rows(there) if row["stage"] == "REVOCATION"] == [entry["number"]]
    there.tell([restored.found(restore_id="rst-2")])
    assert len(there.kinds("CERTIFICATE_REVOKED")) == 1


@pytest.mark.parametrize("held", [False, True])
def test_what_the_log_learns_after_the_last_signature_keeps_a_certificate_from_being_issued(
    there: House, held: bool
) -> None:
    certificate_id, made = ask(there, "D7a"), rendering.Made(b"dsse", b"pdf", b"bundle", "B-B")
    holds = {"until": "2036-10-06", "stamped_by": None, "stamped_on": None}

    def sign(unit: Any) -> None:
        row = store.certificate(unit, certificate_id)
        assert row is not None
        store.save_certificate(unit, row | {"state": "signed", "statement_digest": sha(certificate_id)})

    there.store.run(sign)
    there.tell(given.hold()[:1] if held else [])
    there.store.run(lambda unit: rendering.issue(unit, certificate_id, made, holds))
    (row,) = rows(there)
    codes = [one["code"] for one in row["refusals"]]
    assert (row["state"], codes) == (("failed", ["HELD"]) if held else ("issued", []))


def test_a_redeletion_is_drawn_up_once_the_log_has_its_replay_whatever_came_first(there: House) -> None:
    first = issued(there, "D7a")
    replay = restored.replay()
    there.tell([restored.replayed(), *reversed(replay)])  # the bus keeps no order; the log does
    assert "DELETION_PREVIEWED" not in [one["kind"] for one in logged(there) if one["entry"].get("restore_id")]
    there.tell([restored.announced(), restored.found()])
    there.carry()  # what the ledger told when it had written
    again = [row for row in rows(there) if row["stage"] == "RE-DELETION"]
    assert [(row["state"], row["activities"]) for row in again] == [("requested", ["D7a"])]
    assert states(there)[first] == ("issued", "DATA_FOUND")
    order = [one["kind"] for one in logged(there)]
    assert order.index("REAPPEARANCE_FOUND") < len(order) - 1 - order[::-1].index("DELETION_PREVIEWED")
    assert order.index("RESTORE_REPLAYED") > len(order) - 1 - order[::-1].index("DELETION_VERIFIED")


def test_a_redeletion_waits_until_the_last_of_what_returned_of_it_is_deleted_again(there: House) -> None:
    there.tell([restored.found(), restored.found(restore_id="rst-2"), *restored.replay(), restored.replayed()])
    there.carry()
    assert not [row for row in rows(there) if row["stage"] == "RE-DELETION"]
    there.tell([restored.replayed(restore_id="rst-2")])
    there.carry()
    assert [row["state"] for row in rows(there) if row["stage"] == "RE-DELETION"] == ["requested"]


def test_one_that_cannot_be_certified_is_kept_as_refused_with_its_reasons(there: House) -> None:
    there.tell([restored.found(), *given.hold("pladsanvisning"), *restored.replay(), restored.replayed()])
    there.carry()
    (row,) = [row for row in rows(there) if row["stage"] == "RE-DELETION"]
    assert row["state"] == "refused" and [one["code"] for one in row["refusals"]] == ["HELD"]


def test_who_waited_for_the_certificate_of_the_deletion_is_answered_by_that_of_the_redeletion(there: House) -> None:
    issued(there, "C7", "D2")
    issued(there, "D7a")
    there.tell([restored.announced(), restored.found()])
    asked = {"what": "CERTIFICATE", "basis": "S2-13-a", "stage": "ACTIVE-DELETED"}
    waiting = there.do(DPO, "make_request", exit_id=EXIT, **asked)
    assert waiting["state"] == "status_given"
    there.tell([*restored.replay(), restored.replayed()])
    there.carry()
    (again,) = [row["certificate_id"] for row in rows(there) if row["stage"] == "RE-DELETION"]
    issue_it(there, again)
    answered = there.do(DPO, "read_request", exit_id=EXIT, request_id=waiting["request_id"])
    assert answered["state"] == "answered" and again in answered["answers"][-1]["certificates"]


def test_a_correction_on_its_way_falls_with_the_certificate_that_it_would_replace(there: House) -> None:
    first = issued(there, "D7a")
    fixed = there.do(LEAD, "correct_certificate", certificate_id=first, reason="PARTY_DETAILS")
    there.do(LEAD, "revoke_certificate", certificate_id=first, reason="WRONG_COUNTS")
    found = states(there)
    assert found[first] == ("issued", "WRONG_COUNTS") and found[fixed["certificate_id"]] == ("failed", None)


def logged(there: House) -> list[dict[str, Any]]:
    found = there.store.db.log_entries.find({}).sort("index", 1)
    return [json.loads(bytes(row["leaf"]))["event"] for row in found]
