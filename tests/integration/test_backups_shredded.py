"""Encrypted backup sets end with their keys: planned, approved, destroyed under a permit, seen; on the real store."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from contracts.roles import DELETION_OFFICER
from contracts.system_map import MARKER_PLACE
from services.deletion.worker import shredding
from shared.keystore import FileKeys
from tests.integration.shredding_parts import ASKED, BEGUN, MADE, PLANNED, REFUSED, SEEN, STOPPED, Vault, a_vault
from tests.parts import Parts


@pytest.fixture
def vault(parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vault]:
    with a_vault(parts, tmp_path, monkeypatch) as made:
        yield made


def test_a_set_ends_with_its_key_once_every_copy_was_seen_to_be_destroyed(vault: Vault) -> None:
    key = vault.seal("s1")
    vault.house.delete("D7a", "maal")
    vault.due()
    (told,) = vault.house.events(PLANNED)
    (row,) = told["sets"]
    assert (row["last_on"], row["waits_days"], row["ask_on"], row["in_time"]) == ("2027-04-01", 7, "2027-03-24", True)
    assert {(one["copy"], one["holder"] is None) for one in row["copies"]} == {
        ("STORE", False), ("ESCROW", False), ("REPLICA", True), ("TOKEN", True), ("STORE_BACKUP", True),
    }  # fmt: skip
    assert str(vault.keys.state(key)) == "ACTIVE"  # nothing happens before the permit
    vault.permit()
    assert [each["job_id"] for each in vault.house.events(BEGUN)] == [told["job_id"]]
    assert {(one["copy"], one["state"]) for one in vault.house.events(ASKED)[0]["copies"]} == {
        ("STORE", "PENDING"), ("ESCROW", "DESTROYED"),
    }  # fmt: skip
    assert [each["answer"] for each in vault.house.events(SEEN)] == ["PENDING"]  # it can still be taken back
    assert not vault.house.events("deletion.backups_expired")
    vault.service.pass_days(7)
    vault.next_timer()
    assert vault.house.clock.today().isoformat() == "2026-10-08"
    assert [each["answer"] for each in vault.house.events(SEEN)] == ["PENDING", "DESTROYED"]
    assert [each["answer"] for each in vault.house.events("deletion.backup_observed")] == ["KEY_DESTROYED"]
    assert vault.read()["state"] == "destroyed"
    (row,) = vault.house.ask("read_backups", {})["backups"]
    assert (row["answer"], row["state"]) == ("KEY_DESTROYED", "KEY_DESTROYED")
    assert vault.house.events("deletion.backups_expired")
    assert (vault.house.folder / "backups" / "s1").exists()  # the set still lies there, and nobody can read it


def test_a_holder_that_cannot_be_asked_is_no_answer_and_is_looked_for_again(vault: Vault) -> None:
    vault.seal("s1")
    vault.house.delete("D7a", "maal")
    vault.due()
    vault.permit()
    vault.service.pass_days(7)
    kept = vault.escrow.rename(vault.escrow.with_name("moved"))
    vault.next_timer()
    assert vault.house.events(SEEN)[-1]["answer"] == "ERROR"
    assert vault.read()["state"] == "asked"
    kept.rename(vault.escrow)
    vault.next_timer()
    assert vault.house.events(SEEN)[-1]["answer"] == "DESTROYED"


def test_what_a_key_would_not_end_is_refused_with_every_reason(vault: Vault) -> None:
    vault.seal("faelles", customer="22222222")
    vault.seal("senere", encrypted_at=(MADE + timedelta(hours=1)).isoformat())
    vault.seal("aaben")
    (vault.house.folder / "backups" / "aaben" / "data.sql").write_text("INSERT INTO barn VALUES (1);\n")
    vault.seal("uset")
    shutil.rmtree(vault.house.folder / "backups" / "uset")
    vault.seal("tabt")
    for path in vault.escrow.glob(f"{vault.house.ask('read_backups', {})['backups'][3]['key_id']}*"):
        path.unlink()
    two = vault.seal("to")
    row = {"system": "maal", "set_id": "to-igen", "taken_on": "2026-09-01", "expires_on": "2027-09-01", "key_id": two}
    vault.house.ask("register_backup", row | {"made_at": MADE.isoformat(), "encrypted_at": MADE.isoformat()})
    vault.house.delete("D7a", "maal")
    vault.due()
    found = {one["set_id"]: one["reasons"] for one in vault.house.events(REFUSED)[0]["sets"]}
    assert found == {
        "aaben": ["SET_LIES_OPEN"],
        "faelles": ["KEY_SHARED", "KEY_NOT_OF_SET"],
        "senere": ["ENCRYPTED_LATER"],
        "tabt": ["COPY_NOT_SEEN(ESCROW)"],
        "to": ["KEY_OF_SEVERAL_SETS"],
        "to-igen": ["KEY_OF_SEVERAL_SETS", "KEY_NOT_OF_SET", "SET_NOT_LOOKED_INTO"],
        "uset": ["SET_NOT_LOOKED_INTO"],
    }
    assert not vault.house.events(PLANNED)
    assert vault.read()["state"] == "refused"


@pytest.mark.parametrize(
    ("case", "code"),
    [
        ("other_digest", "PERMIT_WRONG"), ("one_person", "APPROVALS_MISSING"), ("run_out", "PERMIT_EXPIRED"),
        ("opened", "PLAN_CHANGED"), ("held", "HOLD_PLACED"), ("unmarked", "TARGET_NOT_MARKED"),
    ],
)  # fmt: skip
def test_no_key_is_touched_without_every_guard(vault: Vault, case: str, code: str) -> None:
    key = vault.seal("s1")
    vault.house.delete("D7a", "maal")
    vault.due()
    at = f"{vault.house.clock.instant:%Y-%m-%dT%H:%M:%SZ}"
    one = {"actor": "a", "role": "kommune_godkender", "at": at}
    cases: dict[str, dict[str, Any]] = {
        "other_digest": {"plan_digest": "0" * 64}, "one_person": {"approvals": [one, one]},
        "run_out": {"valid_until": "2026-01-01T00:00:00+00:00"},
    }  # fmt: skip
    if case == "opened":
        (vault.house.folder / "backups" / "s1" / "data.sql").write_text("INSERT INTO barn VALUES (1);\n")
    if case == "held":
        body = {"system": "maal", "basis": "LAW", "digest": "1" * 64}
        vault.house.ask("place_hold", body, role=DELETION_OFFICER)
    if case == "unmarked":
        (vault.escrow / MARKER_PLACE).unlink()
    vault.permit(**cases.get(case, {}))
    assert [each["code"] for each in vault.house.events(STOPPED)] == [code]
    assert not vault.house.events(BEGUN)
    assert not vault.house.events(ASKED)
    assert str(vault.keys.state(key)) == "ACTIVE"
    assert str(FileKeys(vault.escrow).state(key)) == "ACTIVE"


def test_a_hold_that_is_placed_between_two_keys_keeps_the_second(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [vault.seal("s1"), vault.seal("s2")]
    vault.house.delete("D7a", "maal")
    vault.due()
    asked = shredding._destroyed

    def and_then_a_hold(system: Any, row: Any) -> Any:
        try:
            return asked(system, row)
        finally:
            body = {"system": "maal", "basis": "LAW", "digest": "1" * 64}
            vault.house.ask("place_hold", body, role=DELETION_OFFICER)

    monkeypatch.setattr(shredding, "_destroyed", and_then_a_hold)
    vault.permit()
    assert [each["set_id"] for each in vault.house.events(ASKED)] == ["s1"]
    assert [each["code"] for each in vault.house.events(STOPPED)] == ["HOLD_PLACED"]
    assert [str(vault.keys.state(key)) for key in keys] == ["PENDING", "ACTIVE"]
    vault.service.pass_days(7)
    vault.next_timer()
    assert [(each["set_id"], each["answer"]) for each in vault.house.events(SEEN)][-1] == ("s1", "DESTROYED")
    assert str(vault.keys.state(keys[1])) == "ACTIVE"


def test_a_plan_that_has_not_begun_can_be_cancelled_and_is_planned_anew_with_an_earlier_day(vault: Vault) -> None:
    key = vault.seal("s1")
    vault.house.delete("D7a", "maal")
    vault.due()
    first = vault.house.events(PLANNED)[-1]
    vault.house.ask("plan_shredding", {"by": "2026-10-05"}, role=DELETION_OFFICER)
    vault.house.carry()
    assert [each["job_id"] for each in vault.house.events("deletion.deletion_cancelled")] == [first["job_id"]]
    (row,) = vault.house.events(PLANNED)[-1]["sets"]
    assert (row["last_on"], row["ends_on"], row["in_time"]) == ("2026-10-05", "2026-10-08", False)  # said at once
    vault.house.cancel(vault.house.events(PLANNED)[-1]["job_id"])
    vault.permit()
    assert vault.read()["state"] == "cancelled"
    assert str(vault.keys.state(key)) == "ACTIVE"


def test_a_hand_killed_between_two_holders_asks_again_and_loses_nothing(vault: Vault) -> None:
    key = vault.seal("s1")
    vault.seal("s2")
    vault.house.delete("D7a", "maal")
    vault.due()
    vault.keys.destroy(key)  # as a hand that was killed before it could write down what the first holder said
    vault.permit()
    assert {each["set_id"] for each in vault.house.events(ASKED)} == {"s1", "s2"}
    assert vault.service.keys[key]["left"] == 7  # asking again does not begin the wait anew
    vault.service.pass_days(7)
    vault.next_timer()
    assert vault.read()["state"] == "destroyed"
