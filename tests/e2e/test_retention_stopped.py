"""The backup tool's retention is stopped before the last sets expire: no last certificate, until it runs again.

The finished demo is then followed by one of its own, which is begun only (`test_a_whole_exit` has a whole one).
"""

from __future__ import annotations

import json
from typing import Any

from deploy.demo import backups
from tests.e2e.exits import LONGEST_S, Exit, Running
from tests.waiting import until

RETENTION = "retention"


def certificates(exit_: Exit) -> dict[str, dict[str, Any]]:
    """Ask for the latest certificate of each stage, as the DPO would."""
    role = ("--as", "kommune_dpo")
    listed = json.loads(exit_.run("call", "orders.list_exits", "{}", *role).text)
    ref = json.dumps({"exit_id": listed["exits"][0]["exit_id"]})
    found = json.loads(exit_.run("call", "compliance.list_certificates", ref, *role).text)
    return {row["stage"]: row for row in found["certificates"]}


def sets_left(exit_: Exit) -> list[backups.BackupSet]:
    world = exit_.world
    return [each for each in world.sets if (world.backups / each.system / each.set_id).exists()]


def only_the_last_sets_are_left(exit_: Exit, demo: Running) -> bool:
    assert not demo.ended, demo.text
    if not (exit_.out / "world" / "world.json").exists():
        return False
    left, last = sets_left(exit_), max(each.expires_on for each in exit_.world.sets)
    return all(each.expires_on == last for each in left)


def test_without_retention_the_last_certificate_is_refused_with_its_reasons_and_with_it_issued(exit_: Exit) -> None:
    demo = exit_.start("demo", "--keep-running")
    until(lambda: only_the_last_sets_are_left(exit_, demo), "the last sets are the only ones left", LONGEST_S)
    exit_.stack.end([RETENTION])
    without, stood, left = demo.wait(), certificates(exit_), sets_left(exit_)

    assert without.code != 0 and "CERTIFICATE_REFUSED" in without.text, without.text
    assert left and all(f"set {each.set_id} is PRESENT" in without.text for each in left)
    assert {stage: row["state"] for stage, row in stood.items()} == {
        "ACTIVE-DELETED": "issued", "STATUS": "issued", "BACKUP-EXPIRED": "refused",
    }  # fmt: skip
    assert "BACKUP_NOT_GONE" in {reason["code"] for reason in stood["BACKUP-EXPIRED"]["refusals"]}
    assert stood["BACKUP-EXPIRED"]["pdf_bytes"] == 0 and not exit_.has_ended

    up, again = exit_.run("up", RETENTION), exit_.run("demo", "--keep-running")

    assert up.code == 0, up.text
    assert again.code == 0, again.text
    assert sets_left(exit_) == []
    issued = {row["stage"]: row for row in exit_.summary()["certificates"]}
    assert set(issued) == {"ACTIVE-DELETED", "BACKUP-EXPIRED"}
    assert issued["ACTIVE-DELETED"]["number"] == stood["ACTIVE-DELETED"]["number"]
    verified = exit_.run("verify", "--rehearsal", issued["BACKUP-EXPIRED"]["pdf"], *exit_.keys)
    assert verified.code == 0, verified.text

    before = record(exit_)
    following = exit_.start("demo", "--keep-running")
    until(lambda: following.ended or "  A4 " in following.text, "the next exit is ordered", LONGEST_S)

    assert before["finished"] and not following.ended, following.text
    assert record(exit_)["id"] != before["id"] and not exit_.has_ended


def record(exit_: Exit) -> dict[str, Any]:
    """Read what the console keeps of its rehearsal."""
    found: dict[str, Any] = json.loads((exit_.out / "rehearsal.json").read_text("utf-8"))
    return found
