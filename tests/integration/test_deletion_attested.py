"""Deletion where people act: asked for by the map, reminded, escalated, attested, and only then answered for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from contracts.errors import Rejected
from contracts.roles import CUSTOMER_LEAD, DELETION_OFFICER
from services.console import attest as attest_command
from shared.connectors import marker
from shared.runtime.clock import midnight
from tests.integration import connectors_targets as targets
from tests.integration.connectors_targets import LEAVING, Target, attest
from tests.integration.deletion_house import HandClock, House, own_store
from tests.parts import Parts

ASKED, GIVEN = "deletion.attestations_asked", "deletion.attestation_given"
ACTIVITY = "D7a"
DOCUMENT = hashlib.sha256(b"underskrevet").hexdigest()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Target]:
    with targets.manual(tmp_path) as one:
        one.content["places"] = {
            "sager": {"attested": "supplier"},
            "noter": {"attested": "customer", "owner": "customer", "methods": ["DATA_LEFT_WITH_CUSTOMER"]},
        }
        one.content |= {"deletion": "2", "subprocessors": {"drift": {}, "hotel": {"through": "drift"}}}
        yield one


@pytest.fixture
def house(parts: Parts, tmp_path: Path, place: Target) -> Iterator[House]:
    clock = HandClock()
    store = own_store(parts.mongo_uri, clock)
    marker.prepare(place.open("prepare"), datetime.now(UTC).timestamp())
    made = House(store, clock, tmp_path, {"arkiv": place.content})
    made.order()
    try:
        yield made
    finally:
        store.client.drop_database(store.db.name)
        store.close()


def on(house: House, day: str) -> None:
    house.clock.instant = datetime.fromisoformat(f"{day}T08:00:00+00:00")


def told(house: House) -> list[tuple[str, str, int]]:
    return [(one["state"], one["on"], len(one["lines"])) for one in house.events(ASKED)]


def due(house: House) -> None:
    about = {"activity": ACTIVITY, "owner": "deletion", "earliest": None, "due": "2026-10-15", "systems": ["arkiv"]}
    house.tell("scheduling.activity_due", about | {"on": "2026-10-01"})


def run(house: House) -> dict[str, Any]:
    """Delete what is due, as far as it goes."""
    due(house)
    house.close_access(ACTIVITY, "arkiv")
    house.carry()
    house.permit()
    house.carry()
    return job(house)


def job(house: House) -> dict[str, Any]:
    return house.ask("read_job", {"activity": ACTIVITY})


def say(house: House, method: str, *, role: str = DELETION_OFFICER, **more: Any) -> dict[str, Any]:
    body = {"system": "arkiv", "method": method, "digest": DOCUMENT, "done_on": "2026-10-01", **more}
    return house.ask("attest", body, role)


def refused(house: House, method: str, **more: Any) -> str:
    with pytest.raises(Rejected) as caught:
        say(house, method, **more)
    assert caught.value.remedy and caught.value.da
    return caught.value.code


MEDIA = {"place": "sager", "media_class": "DESTROY"}
STAYS = {"place": "noter", "role": CUSTOMER_LEAD}


def test_what_is_due_is_asked_for_reminded_of_and_escalated_until_it_is_attested(house: House) -> None:
    due(house)
    house.carry()
    assert told(house) == [("asked", "2026-10-01", 4)]
    for day in ("2026-10-08", "2026-10-12", "2026-10-14", "2026-10-16", "2026-10-23", "2026-10-30"):
        assert house.timer() == midnight(date.fromisoformat(day))
        on(house, day)
        house.fire()
        if day == "2026-10-12":
            say(house, "DATA_LEFT_WITH_CUSTOMER", **STAYS)
    assert told(house)[1:] == [
        ("reminded", "2026-10-08", 4), ("reminded", "2026-10-12", 4), ("reminded", "2026-10-14", 3),
        ("escalated", "2026-10-16", 3), ("escalated", "2026-10-23", 3), ("escalated", "2026-10-30", 3),
    ]  # fmt: skip
    assert DELETION_OFFICER in house.events(ASKED)[0]["to"] and "kommune_dpo" in house.events(ASKED)[-1]["to"]
    say(house, "MEDIA_SANITISED", **MEDIA)
    for one in ("hotel", "drift"):
        say(house, "SUBPROCESSOR_CONFIRMED", subprocessor=one)
    on(house, "2026-11-06")
    house.fire()
    assert house.timer() is None and len(told(house)) == 7


def test_a_job_waits_for_peoples_word_and_is_verified_with_the_last_one(house: House, place: Target) -> None:
    assert run(house)["state"] == "cleaned"
    assert not house.events("deletion.deletion_verified")
    attest(place.folder / "erklæringer" / "sager" / LEAVING, left=0, on="2026-11-21", method="destroyed")
    say(house, "DATA_LEFT_WITH_CUSTOMER", **STAYS)
    house.carry()
    assert job(house)["state"] == "cleaned"
    assert say(house, "MEDIA_SANITISED", **MEDIA)["left"] == 2
    house.carry()
    (answer,) = house.events("deletion.deletion_verified")
    assert (job(house)["state"], answer["result"], answer["outside"]) == ("verified", "DELETED", 0)
    rows = {one["place"]: one for one in answer["places"] if one["disposition"] == "attested"}
    assert set(rows) == {"sager", "noter"}
    assert all(one["before"] == one["deleted"] == one["residual"] == 0 for one in rows.values())
    given = {one["method"]: one for one in house.events(GIVEN)}
    assert (given["MEDIA_SANITISED"]["media_class"], given["MEDIA_SANITISED"]["owner"]) == ("DESTROY", "supplier")


def test_what_the_signed_document_says_is_left_is_an_error(house: House) -> None:
    run(house)
    say(house, "DATA_LEFT_WITH_CUSTOMER", **STAYS)
    say(house, "MEDIA_SANITISED", **MEDIA)
    house.carry()
    (answer,) = house.events("deletion.deletion_verified")
    assert answer["result"] == "ERROR" and job(house)["stopped_code"] == "VERIFICATION_ERROR"


def test_without_a_document_the_verifier_gives_no_answer(house: House, place: Target) -> None:
    run(house)
    for one in (place.folder / "erklæringer" / "sager" / LEAVING).glob("*.json"):
        one.unlink()
    say(house, "DATA_LEFT_WITH_CUSTOMER", **STAYS)
    say(house, "MEDIA_SANITISED", **MEDIA)
    house.carry()
    assert job(house)["stopped_code"] == "ATTESTATION_MISSING"


def test_another_document_than_the_attested_one_gives_no_answer(house: House, place: Target) -> None:
    run(house)
    attest(place.folder / "erklæringer" / "sager" / LEAVING, left=0, on="2026-11-21", method="destroyed")
    say(house, "DATA_LEFT_WITH_CUSTOMER", **STAYS)
    say(house, "MEDIA_SANITISED", **MEDIA, digest=hashlib.sha256(b"et andet").hexdigest())
    house.carry()
    assert job(house)["stopped_code"] == "ATTESTATION_DIFFERS"


def test_a_word_that_cannot_count_is_refused_by_its_reason(house: House) -> None:
    assert refused(house, "MEDIA_SANITISED", **MEDIA) == "LINE_UNKNOWN"  # nothing was asked for yet
    house.ask("request_attestations", {"due_on": "2026-09-30"}, DELETION_OFFICER)
    house.carry()
    assert house.ask("read_attestations", {})["due_on"] == "2026-09-30"
    assert refused(house, "MEDIA_SANITISED", **MEDIA, role=CUSTOMER_LEAD) == "WRONG_PARTY"
    assert refused(house, "MEDIA_SANITISED", place="sager") == "MEDIA_CLASS_WRONG"
    assert refused(house, "MEDIA_SANITISED", **MEDIA, done_on="2026-10-02") == "DONE_IN_FUTURE"
    assert refused(house, "NOT_USED", place="sager") == "LINE_UNKNOWN"
    assert refused(house, "SUBPROCESSOR_CONFIRMED", subprocessor="drift") == "CHAIN_OPEN"
    say(house, "NOT_USED", subprocessor="hotel")
    say(house, "SUBPROCESSOR_CONFIRMED", subprocessor="drift")
    assert say(house, "NOT_USED", subprocessor="hotel")["state"] == "attested"
    assert refused(house, "SUBPROCESSOR_CONFIRMED", subprocessor="hotel") == "ALREADY_ATTESTED"
    assert len(house.events(GIVEN)) == 2
    lines = {
        (one["place"] or one["subprocessor"]): one["answer"] for one in house.ask("read_attestations", {})["lines"]
    }
    assert lines == {"sager": None, "noter": None, "drift": "SUBPROCESSOR_CONFIRMED", "hotel": "NOT_USED"}


def test_a_cancelled_exit_reminds_nobody(house: House) -> None:
    due(house)
    house.carry()
    house.tell("orders.exit_cancelled", {"reason": "withdrawn", "digest": "c" * 64, "on": "2026-10-02"})
    on(house, "2026-10-16")
    house.fire()
    assert told(house) == [("asked", "2026-10-01", 4)] and house.timer() is None


def test_the_command_line_lists_asks_and_attests(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attest_command, "_call", lambda name, body, role: house.ask(name, body, role))
    document = tmp_path / "underskrevet.pdf"
    document.write_bytes(b"underskrevet")

    def ophor(*argv: str) -> Any:
        answer = CliRunner().invoke(attest_command.app, list(argv))
        house.carry()
        return answer

    signed = ("--document", str(document), "--done-on", "2026-10-01")
    assert "0 mangler" in ophor("ask", "exit-1", "--due-on", "2026-10-15").stdout
    listed = ophor("list", "exit-1").stdout
    assert "arkiv/hotel (gennem drift)" in listed and "4 mangler; frist 2026-10-15" in listed
    media = ("place", "exit-1", "arkiv", "sager", "--method", "MEDIA_SANITISED", *signed)
    assert ophor(*media).exit_code == 2
    assert "3 mangler" in ophor(*media, "--media-class", "PURGE").stdout
    assert "2 mangler" in ophor("subprocessor", "exit-1", "arkiv", "hotel", "--not-used", *signed).stdout
    assert (
        ophor("subprocessor", "exit-1", "arkiv", "drift", "--document", "x", "--done-on", "2026-10-01").exit_code == 2
    )
    body = json.loads(ophor("list", "exit-1", "--json").stdout)
    answers = {one["place"] or one["subprocessor"]: (one["answer"], one["digest"]) for one in body["lines"]}
    assert answers["sager"] == ("MEDIA_SANITISED", DOCUMENT) and answers["drift"] == (None, None)
