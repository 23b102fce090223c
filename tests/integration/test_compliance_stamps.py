"""Time stamps on checkpoints: asked of a real authority, believed by a stranger with its root only, and not forged."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from contracts.errors import Rejected, Unavailable
from services.compliance.documents.statement import statement
from services.compliance.log import stamp
from services.compliance.verifier import ophor_verify
from services.compliance.verifier.ophor_verify import Options, Report, note_key, stamped_bytes, verify
from tests.integration.compliance_authority import Authority, serving
from tests.unit import evidence_world as given
from tests.unit.evidence_world import World

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tsa"))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    made = World(tmp_path_factory.mktemp("keys")).told(given.deleted_exit())
    made.mark()
    return made


def bundled(world: World, stamps: dict[int, bytes], stamped_at: str = "") -> bytes:
    """Draw a certificate up whose bundle has these stamps."""
    draft = world.draft()
    made = statement(replace(draft, head=replace(draft.head, stamped_at=stamped_at)))
    members = {f"tsr/{size:012d}.tsr": raw for size, raw in stamps.items()}
    return given.issue(world, made, members=members).bundle


def asked(world: World, data: bytes, chain: bytes | None) -> Report:
    return verify(data, Options(world.public.lines(), rehearsal=True, tsa_chain=chain))


def answer(report: Report) -> tuple[str, str]:
    return next((one.result, one.detail) for one in report.checks if one.n == 20)


def imprint(world: World, size: int | None = None) -> bytes:
    note = world.log.heads[size or world.log.size]
    return hashlib.sha256(stamped_bytes(note, note_key(world.public.log))).digest()


def test_a_stamp_by_a_real_authority_lifts_the_certificate_to_timestamped(
    world: World, authority: Authority, tmp_path: Path
) -> None:
    note = world.log.heads[world.log.size]
    with serving(authority) as url:
        raw, at = stamp.take(note, world.public.log, stamp.Authority.at(url, str(authority.folder / "chain.pem")))
    data = bundled(world, {world.log.size: raw}, at)
    report = asked(world, data, authority.chain)
    assert (report.code, report.level) == (0, "TIMESTAMPED"), report.checks
    assert answer(report) == ("OK", f"{at} by CN=Test TSA")
    without = asked(world, data, None)
    assert (without.code, without.level, answer(without)[0]) == (0, "SIGNED", "NOT DONE")
    told = {one["code"] for one in report.predicate["not_done"]}
    assert "SEAL_TIMESTAMP" in told
    assert "TIMESTAMP_RFC3161" not in told
    (tmp_path / "note").write_bytes(stamped_bytes(note, note_key(world.public.log)))
    (tmp_path / "tsr").write_bytes(raw)
    argv = ["openssl", "ts", "-verify", "-data", "note", "-in", "tsr", "-CAfile", str(authority.folder / "chain.pem")]
    said = subprocess.run(argv, cwd=tmp_path, check=False, capture_output=True).stdout
    assert b"Verification: OK" in said, "a tool that is not ours says the same"


def test_a_cosignature_that_comes_later_leaves_the_stamp_valid(world: World, authority: Authority) -> None:
    size = world.log.size
    raw = authority.forge(imprint(world), NOW)
    note = world.log.heads[size]
    world.log.heads[size] = note + "— witness.example " + note.splitlines()[-1].rpartition(" ")[2] + "\n"
    try:
        assert answer(asked(world, bundled(world, {size: raw}), authority.chain))[0] == "OK"
    finally:
        world.log.heads[size] = note


Forgery = Callable[[World, Authority, Path], tuple[bytes, bytes]]


def over_another_checkpoint(world: World, authority: Authority, folder: Path) -> tuple[bytes, bytes]:
    return authority.forge(imprint(world, min(world.log.heads)), NOW), authority.chain


def of_another_chain(world: World, authority: Authority, folder: Path) -> tuple[bytes, bytes]:
    return authority.forge(imprint(world), NOW), Authority(folder / "other").chain


def with_another_usage(world: World, authority: Authority, folder: Path) -> tuple[bytes, bytes]:
    wrong = Authority(folder / "usage", usages=(ExtendedKeyUsageOID.EMAIL_PROTECTION,))
    return wrong.forge(imprint(world), NOW), wrong.chain


def with_two_usages(world: World, authority: Authority, folder: Path) -> tuple[bytes, bytes]:
    wrong = Authority(folder / "two", usages=(ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.CODE_SIGNING))
    return wrong.forge(imprint(world), NOW), wrong.chain


def without_usage(world: World, authority: Authority, folder: Path) -> tuple[bytes, bytes]:
    wrong = Authority(folder / "none", usages=())
    return wrong.forge(imprint(world), NOW), wrong.chain


def after_it_expired(world: World, authority: Authority, folder: Path) -> tuple[bytes, bytes]:
    wrong = Authority(folder / "expired", ends=NOW - timedelta(days=1))
    return wrong.forge(imprint(world), NOW), wrong.chain


def with_altered_time(world: World, authority: Authority, folder: Path) -> tuple[bytes, bytes]:
    return authority.forge(imprint(world), NOW, altered=NOW - timedelta(days=30)), authority.chain


def by_the_leaf_as_its_own_root(world: World, authority: Authority, folder: Path) -> tuple[bytes, bytes]:
    return authority.forge(imprint(world), NOW), (authority.folder / "tsa.pem").read_bytes()


def with_something_behind(world: World, authority: Authority, folder: Path) -> tuple[bytes, bytes]:
    return authority.forge(imprint(world), NOW) + b"\0", authority.chain


def of_nothing(world: World, authority: Authority, folder: Path) -> tuple[bytes, bytes]:
    return b"", authority.chain


@pytest.mark.parametrize(
    ("forgery", "why"),
    [
        (over_another_checkpoint, "over something else"),
        (of_another_chain, "does not lead to the chain given"),
        (with_another_usage, "not one for time stamps alone"),
        (with_two_usages, "not one for time stamps alone"),
        (without_usage, "not one for time stamps alone"),
        (after_it_expired, "was not valid at that time"),
        (with_altered_time, "the time stamp was altered"),
        (by_the_leaf_as_its_own_root, "does not lead to the chain given"),
        (with_something_behind, "cannot be read"),
        (of_nothing, "cannot be read"),
    ],
)
def test_every_forged_stamp_fails_for_its_own_reason(
    world: World, authority: Authority, tmp_path: Path, forgery: Forgery, why: str
) -> None:
    raw, chain = forgery(world, authority, tmp_path)
    report = asked(world, bundled(world, {world.log.size: raw}), chain)
    assert answer(report)[0] == "FAILED"
    assert why in answer(report)[1]
    assert (report.code, report.level) == (1, "NONE")


def test_a_stated_stamp_that_is_not_there_or_has_another_time_fails(world: World, authority: Authority) -> None:
    raw = authority.forge(imprint(world), NOW)
    for stamps in ({}, {world.log.size: raw}):
        report = asked(world, bundled(world, stamps, "2026-01-01T00:00:00Z"), None)
        assert answer(report) == ("FAILED", "the stated time stamp is not in the bundle")


def test_an_authority_asked_for_and_no_stamp_is_policy(world: World, authority: Authority) -> None:
    report = asked(world, bundled(world, {}), authority.chain)
    assert (report.code, answer(report)[0]) == (3, "POLICY")


def test_every_byte_of_a_token_counts(world: World, authority: Authority) -> None:
    raw = authority.forge(imprint(world), NOW)
    stamped = ophor_verify.read_stamp(raw)
    unseen = 0
    for at in range(len(raw)):
        other = raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]
        try:
            read = ophor_verify.read_stamp(other)
            ophor_verify.check_authority(read, authority.chain)
            unseen += (read.imprint, read.at) != (stamped.imprint, stamped.at)
        except ophor_verify.Failed:
            continue
    assert unseen == 0, "no changed byte gives another time or imprint"


def test_what_an_authority_answers_is_believed_only_when_it_fits(
    world: World, authority: Authority, tmp_path: Path
) -> None:
    note, key = world.log.heads[world.log.size], world.public.log
    for answering in (
        lambda _: authority.forge(imprint(world), NOW),  # no nonce
        lambda request: request,
        lambda _: b"<html>",
    ):
        with pytest.raises(Rejected, match="TSA_FALSE"):
            stamp.take(note, key, stamp.Authority(answering))
    other = Authority(tmp_path / "other")
    with pytest.raises(Rejected, match="does not lead"):
        stamp.take(note, key, stamp.Authority(other.answer, authority.chain))


def test_an_authority_that_fails_is_unreachable(world: World, authority: Authority) -> None:
    authority.fails = True
    try:
        with serving(authority) as url, pytest.raises(Unavailable, match="503"):
            stamp.take(world.log.heads[world.log.size], world.public.log, stamp.Authority.at(url))
    finally:
        authority.fails = False
    with pytest.raises(Unavailable, match="TSA_UNREACHABLE"):
        stamp.take(world.log.heads[world.log.size], world.public.log, stamp.Authority.at(url))


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "file:///etc/passwd", "tsa"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(Rejected, match="TSA_URL"):
        stamp.Authority.at(url)
