"""The backup tool's retention is stopped before the last sets expire: no last certificate, until it runs again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deploy.demo import backups
from tests.e2e.exits import Ended, Exit, Running
from tests.waiting import until

RETENTION = "retention"


@dataclass(frozen=True)
class Told:
    """How the run without retention ended, what then stood, and how the run with it ended."""

    without: Ended
    stood: list[dict[str, Any]]
    left: set[str]
    up: Ended
    again: Ended


def certificates(exit_: Exit) -> list[dict[str, Any]]:
    """Ask for all certificates, as the DPO would."""
    role = ("--as", "kommune_dpo")
    listed = json.loads(exit_.run("call", "orders.list_exits", "{}", *role).text)
    ref = json.dumps({"exit_id": listed["exits"][0]["exit_id"]})
    found = json.loads(exit_.run("call", "compliance.list_certificates", ref, *role).text)
    return list(found["certificates"])


def sets_left(exit_: Exit) -> list[backups.BackupSet]:
    world = exit_.world
    return [each for each in world.sets if (world.backups / each.system / each.set_id).exists()]


def only_the_last_sets_are_left(exit_: Exit, demo: Running) -> bool:
    assert not demo.ended, demo.text
    if not (exit_.out / "world" / "world.json").exists():
        return False
    left, last = sets_left(exit_), max(each.expires_on for each in exit_.world.sets)
    return all(each.expires_on == last for each in left)


@pytest.fixture(scope="module")
def told(exit_: Exit) -> Told:
    demo = exit_.start("demo", "--keep-running")
    until(lambda: only_the_last_sets_are_left(exit_, demo), "the last sets are the only ones left", 400)
    exit_.stack.end([RETENTION])
    without = demo.wait()
    stood, left = certificates(exit_), {each.set_id for each in sets_left(exit_)}
    return Told(without, stood, left, exit_.run("up", RETENTION), exit_.run("demo", "--keep-running"))


def test_the_run_ends_in_error_with_the_reasons_why_the_last_certificate_is_refused(told: Told) -> None:
    assert told.without.code != 0
    assert "CERTIFICATE_REFUSED" in told.without.text
    assert told.left
    for set_id in told.left:
        assert f"set {set_id} is PRESENT" in told.without.text


def test_the_first_certificate_stands_and_the_refused_one_has_its_reasons(told: Told) -> None:
    states = {row["stage"]: row for row in told.stood}
    assert {stage: row["state"] for stage, row in states.items()} == {
        "ACTIVE-DELETED": "issued", "BACKUP-EXPIRED": "refused",
    }  # fmt: skip
    assert "BACKUP_NOT_GONE" in {reason["code"] for reason in states["BACKUP-EXPIRED"]["refusals"]}
    assert states["BACKUP-EXPIRED"]["pdf_bytes"] == 0


def test_when_retention_runs_again_the_last_certificate_is_issued_and_the_first_is_the_same(
    told: Told, exit_: Exit
) -> None:
    assert told.up.code == 0, told.up.text
    assert told.again.code == 0, told.again.text
    assert sets_left(exit_) == []
    issued = {row["stage"]: row["number"] for row in exit_.summary()["certificates"]}
    assert set(issued) == {"ACTIVE-DELETED", "BACKUP-EXPIRED"}
    assert issued["ACTIVE-DELETED"] == next(row["number"] for row in told.stood if row["stage"] == "ACTIVE-DELETED")


def test_the_certificate_that_was_issued_late_verifies(told: Told, exit_: Exit) -> None:
    last = exit_.summary()["certificates"][-1]
    verified = exit_.run("verify", "--rehearsal", last["pdf"], *exit_.keys)
    assert verified.code == 0, verified.text
    assert Path(last["bundle"]).is_file()


def test_a_demo_that_has_ended_is_followed_by_one_of_its_own(told: Told, exit_: Exit) -> None:
    before = json.loads((exit_.out / "rehearsal.json").read_text("utf-8"))
    assert before["finished"]
    demo = exit_.start("demo", "--keep-running")
    until(lambda: demo.ended or "  A4 " in demo.text, "the next exit is ordered", 240)
    assert not demo.ended, demo.text
    demo.process.terminate()
    demo.wait()
    after = json.loads((exit_.out / "rehearsal.json").read_text("utf-8"))
    assert after["id"] != before["id"] and not exit_.has_ended
