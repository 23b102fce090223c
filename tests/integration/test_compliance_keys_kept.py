"""Time stamps and rotations where they live: beside the heads in a real database, and in the log."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from contracts.errors import Rejected
from services.compliance import store
from services.compliance.documents import bundle, document
from services.compliance.documents.draft import Head
from services.compliance.documents.statement import statement
from services.compliance.log import fsck, stamp
from services.compliance.log.witness import Witness
from services.compliance.signing import keys, renewal, rotation, sealing, separation
from services.compliance.signing.envelope import canonical
from services.compliance.store import stamps
from services.compliance.verifier import ophor_verify
from services.compliance.worker import Render, rendering, renewing
from shared.bus.envelope import Message
from shared.bus.hands import Work
from tests.integration.bus_store_parts import mongo
from tests.integration.compliance_authority import Authority, serving
from tests.integration.ledger_desk import Desk, items, opened
from tests.unit import evidence_world as given
from tests.unit.evidence_forge import blank
from tests.unit.evidence_world import World

pytestmark = pytest.mark.xdist_group("compliance-ledger")


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with mongo() as made:
        yield made.uri


@pytest.fixture
def there(database: str, tmp_path: Path) -> Iterator[Desk]:
    with opened(database, tmp_path / "keys") as made:
        append(made, "exit-a")
        yield made


def append(there: Desk, exit_id: str) -> None:
    (item,) = items(exit_id, 1)
    there.append(there.offer([item]))


class Slice:
    """What a hand's slice has of its store."""

    def __init__(self, there: Desk) -> None:
        self.read, self.transaction = there.store.read, there.store.run


def head_row(there: Desk) -> dict[str, Any]:
    row: dict[str, Any] = there.db.log_heads.find_one({"_id": 1})
    return row


def test_the_head_of_a_certificate_is_stamped_once_and_the_stamp_is_stated_as_it_is_kept(
    there: Desk, tmp_path: Path
) -> None:
    authority = Authority(tmp_path / "tsa")
    with serving(authority) as url:
        environ = {"OPHOR_TSA": url, "OPHOR_TSA_CHAIN": str(authority.folder / "chain.pem")}
        stamp.before_certificate(Slice(there), environ)
        stamp.before_certificate(Slice(there), environ)
        again = stamp.stamp(there.store, stamp.Authority.at(url))
    assert authority.asked == 1
    row = head_row(there)
    assert row["stamped_at"] == again == ophor_verify.written(ophor_verify.read_stamp(bytes(row["tsr"])).at)
    assert there.store.read(lambda unit: stamps.all_of(unit, {1, 7})) == {1: bytes(row["tsr"])}
    plain = Head(1, b"", (1, ""))
    for said, stated in ((again, again), ("", ""), ("2026-01-01T00:00:00Z", "")):
        found = there.store.read(lambda unit, said=said: stamp.stated(unit, plain, {"stamped_at": said}))
        assert found.stamped_at == stated, "a signer states only what the token itself says"
    assert there.look().sound


def test_an_authority_that_fails_blocks_nothing_and_its_failure_is_kept(there: Desk, tmp_path: Path) -> None:
    authority = Authority(tmp_path / "tsa", fails=True)
    with serving(authority) as url:
        stamp.before_certificate(Slice(there), {"OPHOR_TSA": url})
        assert head_row(there)["not_stamped"]["code"] == "TSA_UNREACHABLE"
        assert there.store.read(lambda unit: stamp.time_of(unit, 1)) == ""
        stamp.before_certificate(Slice(there), {"OPHOR_TSA": "ftp://127.0.0.1/"})
        authority.fails = False
        stamp.before_certificate(Slice(there), {"OPHOR_TSA": url})
    assert "not_stamped" not in head_row(there)
    assert there.store.read(lambda unit: stamp.time_of(unit, 1))


def test_a_rotation_is_logged_and_the_log_stays_sound_under_both_keys(
    there: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], database: str
) -> None:
    watcher = Witness.create(tmp_path / "witness", "witness.example")
    watcher.trust(there.public.log)
    monkeypatch.setenv("OPHOR_MONGO_URI", database)
    monkeypatch.setenv("OPHOR_CLOCK_URI", database)
    monkeypatch.setenv("OPHOR_MODE", "test")
    monkeypatch.setenv("OPHOR_KEYS", str(tmp_path / "keys" / "face"))
    assert rotation.main([keys.LOG]) == 0
    note = capsys.readouterr().out[:-1]
    (item,) = there.db.log_waiting.find({"kind": "KEY_ROTATED"})
    assert (item["exit_id"], item["entry"]["size"]) == (rotation.RECORD, 1)
    assert item["entry"]["note_digest"] == given.sha(note)
    before, there.public = there.public, keys.load_public(tmp_path / "keys" / "face")
    there.desk = type(there.desk)(there.public, keys.load_note(tmp_path / "keys" / "ledger", keys.LOG))
    there.append(store.task_of(item))
    assert [json.loads(row["leaf"])["event"]["kind"] for row in there.logged(rotation.RECORD)] == ["KEY_ROTATED"]
    assert not there.look().sound, "a head by the key before is strange to one who knows the new key only"
    monkeypatch.setenv("OPHOR_KEYS", str(tmp_path / "keys" / "face"))
    assert fsck.main([], say=lambda _: None) == 0
    assert before.log != there.public.log
    assert watcher.follow(note) == before.origin
    for other in (note.replace("size 1\n", "size 2\n"), "", note[:-3] + "\n"):
        with pytest.raises(Rejected, match="LOG_KEY"):
            watcher.follow(other)


def test_two_signers_that_found_themselves_apart_become_evidence_once(there: Desk) -> None:
    public = there.public
    found = {
        "seal": {"user": 59100, "key": given.sha(public.seal), "own_files": "PRIVATE", "other_folder": "DENIED"},
        "sign": {"user": 59101, "key": given.sha(public.sign), "own_files": "PRIVATE", "other_folder": "DENIED"},
    }

    def offered() -> int:
        there.store.run(lambda unit: separation.offer(unit, "exit-a"))
        return int(there.db.log_waiting.count_documents({"kind": "SIGNERS_CHECKED"}))

    assert offered() == 0, "nobody looked yet"
    for hand, look in found.items():
        there.db.signers.insert_one({"_id": hand, "look": look | {"user": 59100}})
    assert offered() == 0, "the same user twice"
    there.db.signers.update_one({"_id": "sign"}, {"$set": {"look.user": 59101, "look.other_folder": "READABLE"}})
    assert offered() == 0, "one can read the other's"
    there.db.signers.update_one({"_id": "sign"}, {"$set": {"look": found["sign"]}})
    assert offered() == 1
    entry = next(there.db.log_waiting.find({"kind": "SIGNERS_CHECKED"}))["entry"]
    assert (entry["seal_user"], entry["sign_user"], entry["other_folder"]) == (59100, 59101, "DENIED")


# Renewing the time stamp on a certificate's seal.


@pytest.fixture
def world(there: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A certificate that is issued with a time-stamped seal, and an authority whose certificate holds longer."""
    made = World(tmp_path / "world").told(given.deleted_exit())
    made.mark()
    said = statement(made.draft())
    first, later = (Authority(tmp_path / name, ends=datetime.now(UTC) + timedelta(days=days), names=name)
                    for name, days in (("First", 100), ("Later", 2000)))  # fmt: skip
    key, dsse = keys.load_seal(made.folder / "render"), given.sign(made, canonical(said))
    plain = blank(dsse, document.digest_of(canonical(said)))
    pdf, level = sealing.stamped(plain, key, "ØV-000001", stamp.Authority(first.answer, first.chain))
    members = given.issue(made, said, dsse=dsse, plain=plain).members | {"certificate.pdf": pdf}
    forms = {"dsse": dsse, "pdf": pdf, "bundle": bundle.build(members, "ØV-000001", key)}
    row = {"_id": "crt-1", "exit_id": given.EXIT, "number": "ØV-000001", "state": "issued", "stage": "ACTIVE-DELETED"}
    row |= {"seal": level, "seal_holds": rendering.seal_holds(pdf), "order": 0}
    there.store.run(lambda unit: store.save_certificate(unit, row))
    there.store.run(lambda unit: [store.save_document(unit, "crt-1", *form) for form in forms.items()] and None)
    with serving(later) as url:
        monkeypatch.setenv("OPHOR_TSA", url)
        monkeypatch.setenv("OPHOR_TSA_CHAIN", str(later.folder / "chain.pem"))
        yield made


def renew(there: Desk, world: World) -> None:
    """Ask for what ends within half a year, and have the renderer do it."""
    renewal.ask(there.store, date.today() + timedelta(days=180))
    settings = SimpleNamespace(mode="test", keys=world.folder / "render")
    for sent in there.db.outbox.find({"wire": renewal.RENEW}):
        told = Message("task", str(sent["_id"]), renewal.RENEW, {"certificate_id": "crt-1", "exit_id": given.EXIT}, "",
                       "compliance.render")  # fmt: skip
        Render().renew_seal(Work(there.store, told, settings, there.store.clock.now()))


def kept(there: Desk) -> tuple[bytes, bytes, dict[str, Any]]:
    """The PDF, the bundle and the row as they are kept now."""
    pdf, zipped = (there.store.read(lambda unit, name=name: store.whole_document(unit, "crt-1", name))
                   for name in ("pdf", "bundle"))  # fmt: skip
    assert pdf and zipped
    return pdf, zipped, there.store.read(lambda unit: store.certificate(unit, "crt-1")) or {}


def test_a_seal_whose_stamp_ends_soon_is_renewed_in_the_pdf_and_in_the_bundle_and_once(
    there: Desk, world: World
) -> None:
    before, _, was = kept(there)
    renew(there, world)
    pdf, zipped, row = kept(there)
    assert pdf.startswith(before) and len(ophor_verify.read_pdf(pdf).behind) == 2
    assert ophor_verify.read_zip(zipped)["certificate.pdf"] == pdf
    for data in (pdf, zipped):
        assert ophor_verify.verify(data, ophor_verify.Options(given.keys(world), rehearsal=True)).code == 0
    assert (row["pdf_bytes"], row["bundle_bytes"]) == (len(pdf), len(zipped))
    assert row["seal_holds"]["until"] > was["seal_holds"]["until"] and row["seal_holds"]["stamped_by"] == "CN=Later TSA"
    renew(there, world)
    assert kept(there) == (pdf, zipped, row), "asked again, nothing is due"


def test_what_cannot_be_renewed_stays_byte_for_byte_as_it_was(
    there: Desk, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = kept(there)
    for value in ("http://127.0.0.1:1/", "ftp://127.0.0.1/", ""):
        monkeypatch.setenv("OPHOR_TSA", value)
        renew(there, world)
        assert kept(there) == before


def test_a_bundle_that_another_seal_has_signed_keeps_the_pdf_of_its_day(there: Desk, world: World) -> None:
    _, zipped, _ = kept(there)
    keys.make_demo_keys(world.folder.parent / "other")
    old = {"pdf": kept(there)[0], "bundle": zipped}
    other = keys.load_seal(world.folder.parent / "other" / "render")
    made = renewing.renewed(old, {"number": "ØV-000001"}, world.public, other)
    assert made and set(made[0]) == {"pdf"}
