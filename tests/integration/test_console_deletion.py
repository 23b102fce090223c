"""`ophor deletion` as a person at a terminal runs it, over the broker, against deletion's own processes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.console import deletion
from shared.connectors import marker
from tests.integration.deletion_stage import EXIT, Stage, stage
from tests.integration.test_deletion_bus import permit
from tests.parts import Parts
from tests.waiting import until

ROWS, SMALL, LARGE = 600, "4", "100"  # so small that the job still runs when it is paused; then it may end
CUSTOMER = "kommune_projektleder"


@pytest.fixture(scope="module")
def world(parts: Parts) -> Iterator[Stage]:
    with stage(parts) as made:
        for target in made.targets.values():
            marker.prepare(target.open("prepare"), datetime.now(UTC).timestamp())
        made.targets["pladsanvisning"].execute(
            "INSERT INTO sager (id, lejer, navn) SELECT gen_random_uuid(), 101, 'Nr. ' || n "
            f"FROM generate_series(1, {ROWS}) n"
        )
        for arguments in (("face",), ("relay",), ("hand", "verify")):
            made.start(*arguments)
        made.order()
        rows = [{"system": name, "state": "closed", "grants": 0, "verified": True, "on": "2026-07-01"}
                for name in made.targets]  # fmt: skip
        made.tell("access.access_closed", {"activity": "D2", "systems": rows, "on": "2026-07-01"})
        due = {"activity": "D2", "owner": "deletion", "earliest": None, "due": None, "on": "2026-07-01"}
        made.tell("scheduling.activity_due", due | {"systems": list(made.targets)})
        until(lambda: made.job("D2")["state"] == "previewed", "the job is previewed")
        yield made


def run(world: Stage, *arguments: str, language: str = "da") -> tuple[int, str, str]:
    environment = {
        "OPHOR_AMQP_URI": world.broker.uri("console"), "OPHOR_KEYS": str(world.root / "keys"), "OPHOR_LANG": language,
        "OPHOR_HOME": str(world.root / "no-stack"), "OPHOR_ACTOR": "p-1f6d",
    }  # fmt: skip
    result = CliRunner().invoke(deletion.app, arguments, env=environment)
    return result.exit_code, result.stdout, result.stderr


def test_a_job_is_looked_at_held_released_paused_resumed_and_followed_to_its_end(world: Stage, tmp_path: Path) -> None:
    job = world.job("D2")
    code, out, err = run(world, "preview", EXIT, "D2")
    assert code == 0 and job["plan_digest"] in out and "afventer godkendelse" in out and str(ROWS + 7) in out
    assert "Planlægningen svarer ikke" in err
    asked = json.loads(run(world, "preview", EXIT, "D2", "--json")[1])
    assert asked["job_id"] == job["job_id"] and all(row["most"] >= row["before"] for row in asked["places"][:1])

    code, _, err = run(world, "approve", EXIT, "D2", "--digest", "a" * 64)
    assert code == 2 and "PLAN_DIGEST_DIFFERS" in err and "Intet er godkendt" in err

    paper = tmp_path / "kendelse.pdf"
    paper.write_bytes(b"kendelse")
    code, out, _ = run(world, "hold", "place", EXIT, "--basis", "LAW", "--document", str(paper), "--as", CUSTOMER)
    assert code == 0 and f"{EXIT}.H1" in out
    (held,) = json.loads(run(world, "hold", "list", EXIT, "--json")[1])["holds"]
    assert (held["digest"], held["party"]) == (hashlib.sha256(b"kendelse").hexdigest(), "customer")
    assert "Kunden" in run(world, "hold", "list", EXIT)[1]
    lift = ("hold", "lift", EXIT, f"{EXIT}.H1", "--digest", "a" * 64)
    code, _, err = run(world, *lift)
    assert code == 2 and "WRONG_PARTY" in err
    override = ("hold", "override", EXIT, f"{EXIT}.H1", "--digest", "b" * 64, "--reason")
    code, _, err = run(world, *override, "INSTRUCTION_WITHDRAWN")
    assert code == 2 and "REASON_NOT_FOR_BASIS" in err and "Den grund kan ikke" in err
    assert "skal være enig" in run(world, *override, "LAW_LAPSED")[1]
    assert run(world, *lift, "--as", CUSTOMER)[0] == 0
    assert "ophævet" in run(world, "hold", "list", EXIT)[1]

    permit(world)
    hand = world.start("hand", "delete", OPHOR_BATCH=SMALL)
    until(lambda: world.batches("D2") > 0, "a batch is closed", at_most_s=0.02)
    code, out, _ = run(world, "pause", EXIT, "D2", "--reason", "INCIDENT", language="en")
    assert code == 0 and out.startswith("Paused.")
    out = run(world, "status", EXIT, language="en")[1]
    assert "paused by the supplier" in out
    assert hand.poll() is None
    hand.kill()
    world.start("hand", "delete", OPHOR_BATCH=LARGE)
    assert run(world, "resume", EXIT, "D2")[0] == 0
    code, out, _ = run(world, "status", EXIT, "D2", "--follow", "--every", "0.2")
    lines = [line for line in out.splitlines() if line.startswith("D2")]
    assert code == 0 and "slettet og efterprøvet" in lines[-1] and "100 %" in lines[-1]
    assert len(lines) == len(set(lines))
    code, _, err = run(world, "approve", EXIT, "D2", "--digest", "a" * 64)
    assert code == 2 and "NOT_PREVIEWED" in err


@pytest.mark.parametrize(
    ("arguments", "expected", "told"),
    [
        (("status", EXIT, "D9"), 2, "JOB_NOT_KNOWN"),
        (("status", EXIT, "--follow"), 2, "ACTIVITY_MISSING"),
        (("preview", EXIT, "D9"), 2, "JOB_NOT_KNOWN"),
        (("approve", EXIT, "D9", "--digest", "a" * 64), 2, "JOB_NOT_KNOWN"),
        (("status", "x-other"), 1, "EXIT_NOT_KNOWN"),
        (("status", EXIT, "--as", "konge"), 2, "ROLE_UNKNOWN"),
        (("pause", EXIT, "D2", "--reason", "INCIDENT", "--as", "revisor"), 2, "ROLE_MISSING"),
        (("hold", "place", EXIT, "--basis", "LAW"), 2, "DOCUMENT_MISSING"),
        (("hold", "place", EXIT, "--basis", "LAW", "--document", "/nowhere.pdf"), 2, "DOCUMENT_UNREADABLE"),
        (("hold", "place", EXIT, "--basis", "LAW", "--digest", "a" * 64, "--system", "andet"), 2, "SYSTEM_UNKNOWN"),
    ],
)
def test_what_cannot_be_done_is_told_clearly(
    world: Stage, arguments: tuple[str, ...], expected: int, told: str
) -> None:
    code, out, err = run(world, *arguments)
    assert (code, out) == (expected, "") and told in err and "Traceback" not in err
