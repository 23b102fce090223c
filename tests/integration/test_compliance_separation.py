"""Two signers under two users: neither can read the other's key, and a certificate says so only where both found it."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.stack import users
from deploy.stack.parts import make_data_folder
from services.compliance.documents.statement import statement
from services.compliance.evidence import checked
from services.compliance.signing import keys, separation
from services.compliance.signing.keys import SEAL, SIGN
from services.compliance.verifier.ophor_verify import Options, Report, verify
from tests.unit import evidence_world as given
from tests.unit.evidence_world import World

ROOT = Path(__file__).parents[2]
LOOK = """
import json, sys
from dataclasses import asdict
from pathlib import Path
from services.compliance.signing import separation
own, name, *others = sys.argv[1:]
found = [asdict(separation.look(Path(own), name, Path(one) if one else None)) for one in others]
def read(path):
    try:
        return path.read_text()
    except OSError as error:
        return type(error).__name__
keys = {one: read(Path(one, f"{separation.SIGNERS[Path(one).name]}.pem")) for one in others[:2]}
print(json.dumps({"found": found, "keys": keys}))
"""


@pytest.fixture(scope="module")
def apart() -> Iterator[tuple[Path, dict[str, int], users.Interpreter]]:
    """Key folders of two users, laid out as the stack does it (pytest's own folders let no other user pass)."""
    if os.geteuid() != 0:
        pytest.skip("only root can start processes under other users")
    ids = users.ids("5eed")
    interpreter = users.interpreter(ROOT)
    if interpreter is None:
        pytest.skip("no interpreter here that another user could run")
    data = make_data_folder()
    try:
        keys.make_demo_keys(data / "made")
        for role in ("seal", "sign"):
            users.settle(data, data / "made" / role, role, ids[role])
        yield data / users.FOLDER, ids, interpreter
    finally:
        shutil.rmtree(data)


def look_as(apart: tuple[Path, dict[str, int], users.Interpreter], role: str, *others: str) -> dict[str, Any]:
    folder, ids, interpreter = apart
    argv = [interpreter.path, "-c", LOOK, str(folder / role), separation.SIGNERS[role], *others]
    env = {"PATH": os.environ["PATH"], "HOME": "/", **interpreter.env}
    made = subprocess.run(
        argv, cwd=ROOT, env=env, user=ids[role], group=ids[role], extra_groups=[], capture_output=True, check=False
    )
    assert made.returncode == 0, made.stderr.decode()[-2000:]
    found: dict[str, Any] = json.loads(made.stdout)
    return found


@pytest.mark.parametrize(("role", "other"), [("seal", "sign"), ("sign", "seal")])
def test_a_signer_reads_its_own_key_and_not_the_others(
    apart: tuple[Path, dict[str, int], users.Interpreter], role: str, other: str
) -> None:
    folder, ids, _ = apart
    theirs, own = str(folder / other), str(folder / role)
    said = look_as(apart, role, theirs, own, "/nowhere", "")
    assert said["keys"][theirs] == "PermissionError"
    assert "PRIVATE KEY" in said["keys"][own]
    assert [one["other_folder"] for one in said["found"]] == ["DENIED", "READABLE", "NOT_MOUNTED", "UNKNOWN"]
    assert {(one["user"], one["own_files"]) for one in said["found"]} == {(ids[role], "PRIVATE")}
    assert stat.S_IMODE((folder / other).stat().st_mode) == 0o700


def test_a_key_file_that_others_may_read_is_seen(apart: tuple[Path, dict[str, int], users.Interpreter]) -> None:
    folder, _, _ = apart
    key = folder / "seal" / f"{SEAL}.pem"
    key.chmod(0o640)
    try:
        (found,) = look_as(apart, "seal", str(folder / "sign"))["found"]
        assert found["own_files"] == "OPEN"
    finally:
        key.chmod(0o600)


def test_root_is_never_apart(tmp_path: Path) -> None:
    keys.make_demo_keys(tmp_path)
    found = separation.look(tmp_path / "seal", SEAL, tmp_path / "sign")
    assert not found.apart
    assert found.other_folder == "READABLE"


# ------------------------------------------------------------------------------------------------ what is stated


def entry(world: World, **other: Any) -> dict[str, Any]:
    made = {
        "seal_user": 59100, "sign_user": 59101, "seal_key": given.sha(world.public.seal),
        "sign_key": given.sha(world.public.sign), "own_files": "PRIVATE", "other_folder": "DENIED", "on": "2026-10-06",
    }  # fmt: skip
    return checked("SIGNERS_CHECKED", made | other)


def drawn(tmp_path: Path, *looks: dict[str, Any], **forged: Any) -> tuple[dict[str, Any], Report]:
    world = World(tmp_path / "keys").told(given.deleted_exit())
    for one in looks:
        world.log.add("SIGNERS_CHECKED", entry(world, **one))
    world.mark()
    made = statement(world.draft())
    made["predicate"]["signers"]["os_users"] = made["predicate"]["signers"].get("os_users", {}) | forged
    if not made["predicate"]["signers"]["os_users"]:
        del made["predicate"]["signers"]["os_users"]
    data = given.issue(world, made).bundle
    return made["predicate"], verify(data, Options(world.public.lines(), rehearsal=True))


def answer(report: Report) -> tuple[str, str]:
    return next((one.result, one.detail) for one in report.checks if one.n == 21)


def not_done(predicate: dict[str, Any]) -> bool:
    return any(one["code"] == "SEPARATE_OS_USERS" for one in predicate["not_done"])


def test_a_certificate_names_the_two_users_that_the_log_has(tmp_path: Path) -> None:
    predicate, report = drawn(tmp_path, {})
    assert not not_done(predicate)
    assert predicate["signers"]["os_users"]["seal_user"] == 59100
    assert report.code == 0
    assert answer(report) == ("OK", "users 59100 and 59101, as they found it themselves")


def test_without_a_look_it_says_that_this_is_not_done(tmp_path: Path) -> None:
    predicate, report = drawn(tmp_path)
    assert not_done(predicate)
    assert (report.code, answer(report)[0]) == (0, "NOT DONE")


def test_a_look_at_other_keys_counts_for_nothing(tmp_path: Path) -> None:
    predicate, _ = drawn(tmp_path, {"seal_key": given.sha("another")})
    assert not_done(predicate)


@pytest.mark.parametrize(
    ("look", "forged", "why"),
    [
        ({"sign_user": 59100}, {}, "ran as one user"),
        ({"seal_user": 0}, {}, "ran as root"),
        ({"other_folder": "READABLE"}, {}, "not kept apart"),
        ({"own_files": "OPEN"}, {}, "not kept apart"),
        ({}, {"sign_user": 59102}, "differ: sign_user"),
        ({}, {"evidence": 1}, "not in the log"),
    ],
)
def test_a_forged_claim_fails_for_its_own_reason(
    tmp_path: Path, look: dict[str, Any], forged: dict[str, Any], why: str
) -> None:
    _, report = drawn(tmp_path, look, **forged)
    assert answer(report)[0] == "FAILED"
    assert why in answer(report)[1]


def test_a_signer_looks_again_before_it_signs_the_claim(tmp_path: Path) -> None:
    keys.make_demo_keys(tmp_path)
    nothing: dict[str, Any] = {"signers": {}}
    assert separation.still(tmp_path / "seal", SEAL, nothing, {})
    claim = {"signers": {"os_users": {"seal_user": os.geteuid(), "sign_user": 59101}}}
    other = {"OPHOR_OTHER_KEYS": str(tmp_path / "sign")}
    assert not separation.still(tmp_path / "seal", SEAL, claim, other), "the other's folder can be read"
    assert not separation.still(tmp_path / "sign", SIGN, claim, {}), "nobody told it where the other's folder is"
