"""Keys that follow one another: what was signed before stays valid, and only the old key can name the new one.

And the threshold of two: what an attacker with one key can do to look like two.
"""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from contracts.errors import Rejected
from services.compliance.documents.statement import statement
from services.compliance.evidence import checked
from services.compliance.signing import keys, rotation
from services.compliance.signing.envelope import STATEMENT_TYPE, canonical, envelope, pae
from services.compliance.signing.keys import LOG, PDF, SEAL, SIGN, NoteKey, load_note
from services.compliance.signing.rotation import Order
from services.compliance.signing.signers import FileSigner
from services.compliance.verifier import ophor_verify
from services.compliance.verifier.ophor_verify import Options, Report, verify
from tests.unit import evidence_world as given
from tests.unit.evidence_world import Certificate, World

ON = date(2026, 10, 6)


def told(tmp_path: Path) -> World:
    return World(tmp_path / "keys").told(given.deleted_exit())


def turn(world: World, *names: str) -> list[str]:
    """Rotate keys at the log's present size; later heads are the new keys'."""
    notes = [rotation.rotate(world.folder, Order(name, world.log.size, ON)) for name in names]
    world.public = keys.load_public(world.folder / "face")
    world.log.add("NEEDS_SUBMITTED", {"digest": given.sha("after")}, "exit-other")
    return notes


def drawn(world: World) -> Certificate:
    world.mark()
    return given.issue(world, statement(world.draft()))


def asked(certificate: Certificate, trusted: list[str], **more: list[str]) -> Report:
    return verify(certificate.bundle, Options(trusted, rehearsal=True, **more))  # type: ignore[arg-type]


def failed(report: Report) -> dict[int, str]:
    return {one.n: one.detail for one in report.checks if one.result == "FAILED"}


def test_after_a_rotation_the_old_keys_verify_the_new_certificate_and_the_old_one_stays_valid(tmp_path: Path) -> None:
    world = told(tmp_path)
    before, old = drawn(world), world.public.lines()
    head = world.log.heads[world.log.size]
    turn(world, LOG, SEAL, SIGN, PDF)
    after, new = drawn(world), world.public.lines()
    assert not set(old) & set(new)
    for certificate, trusted in ((before, old), (after, old), (after, new)):
        report = asked(certificate, trusted, heads=[head])
        assert (report.code, report.level) == (0, "SIGNED"), failed(report)
    assert world.public.origin == old[0].split("+")[0], "the log keeps its name"


def test_an_older_certificate_is_followed_back_from_the_new_keys_with_the_records(tmp_path: Path) -> None:
    world = told(tmp_path)
    before = drawn(world)
    notes = turn(world, LOG, SEAL, SIGN, PDF)
    new = world.public.lines()
    assert 6 in failed(asked(before, new))
    assert asked(before, new, rotations=notes).code == 0


def test_a_key_can_be_rotated_again(tmp_path: Path) -> None:
    world = told(tmp_path)
    old = world.public.lines()
    turn(world, SEAL)
    turn(world, SEAL, LOG)
    report = asked(drawn(world), old)
    assert (report.code, report.level) == (0, "SIGNED"), failed(report)
    assert len(world.public.rotations) == 3


def test_without_the_record_a_new_key_is_another_key_under_the_old_name(tmp_path: Path) -> None:
    world = told(tmp_path)
    old = world.public.lines()
    turn(world, SEAL)
    world.public = replace(world.public, rotations=())
    assert "another key under the name ovelse-statement-seal" in failed(asked(drawn(world), old))[6]


def test_a_thief_of_no_key_cannot_name_a_successor(tmp_path: Path) -> None:
    world = told(tmp_path)
    old = world.public.lines()
    (note,) = turn(world, SEAL)
    thief = FileSigner(ed25519.Ed25519PrivateKey.generate())
    body = note.split("\n\n")[0] + "\n"
    forged = body + "\n— old " + base64.b64encode(thief.sign(body.encode())).decode() + "\n"
    forged += note[note.index("— new") :]
    world.public = replace(world.public, rotations=(forged,))
    assert "not signed by the old key" in failed(asked(drawn(world), old))[6]


@pytest.mark.parametrize("name", [LOG, PDF])
def test_every_changed_character_of_a_rotation_is_noticed(tmp_path: Path, name: str) -> None:
    (note,) = turn(told(tmp_path), name)
    for at in range(0, len(note), 1 if name == LOG else 7):
        other = note[:at] + ("1" if note[at] != "1" else "2") + note[at + 1 :]
        with pytest.raises((ophor_verify.Failed, ophor_verify.Malformed, ValueError)):
            ophor_verify.read_rotation(other)


def test_a_key_with_two_successors_is_believed_in_neither(tmp_path: Path) -> None:
    world = told(tmp_path)
    old = world.public.lines()
    twin = World(tmp_path / "twin")
    for holder in keys.HOLDERS:
        for file in (world.folder / holder).iterdir():
            (twin.folder / holder / file.name).write_bytes(file.read_bytes())
    notes = turn(world, SEAL) + turn(twin, SEAL)
    world.public = replace(world.public, rotations=tuple(notes))
    assert "rotated twice" in failed(asked(drawn(world), old))[6]


def test_a_key_signs_no_head_from_before_it_was_made(tmp_path: Path) -> None:
    world = told(tmp_path)
    earlier = world.log.size - 2
    turn(world, LOG)
    root = ophor_verify.root_of([world.log.nodes[0, index] for index in range(earlier)])
    key = load_note(world.folder / "ledger", LOG)
    from services.compliance.log import checkpoint

    world.log.heads[earlier] = checkpoint.sign(world.public.origin, earlier, root, key)
    assert "before it was made" in failed(asked(drawn(world), world.public.lines()))[10]


def test_a_rotation_that_was_cut_short_is_finished_and_no_third_key_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = told(tmp_path)
    old = world.public.lines()
    adopt = rotation._adopt

    def cut(root: Path, public: dict[str, object]) -> None:
        (root / "ledger" / keys.PUBLIC_FILE).write_text(json.dumps(public))
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(rotation, "_adopt", cut)
        with pytest.raises(KeyboardInterrupt):
            rotation.rotate(world.folder, Order(LOG, world.log.size, ON))
    assert rotation._adopt is adopt
    between = keys.load_public(world.folder / "ledger").log
    turn(world, LOG)
    assert world.public.log == between
    assert len(list((world.folder / "ledger").glob("*.pem"))) == 2
    assert asked(drawn(world), old).code == 0


def test_a_rotation_is_evidence_without_keys_or_names(tmp_path: Path) -> None:
    world = told(tmp_path)
    (note,) = turn(world, SIGN)
    entry = checked("KEY_ROTATED", rotation.entry_of(note, ON))
    assert entry["note_digest"] == given.sha(note)
    assert entry["name"] == SIGN


@pytest.mark.parametrize("name", ["face", "../seal", ""])
def test_another_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(Rejected, match="ROTATION_KEY"):
        rotation.rotate(told(tmp_path).folder, Order(name, 1, ON))


# ------------------------------------------------------------------------------------------------ the threshold


def resigned(tmp_path: Path, how: str) -> Certificate:
    """Forge two signatures with the seal's key alone (`third`: with a key that nobody stated)."""
    world = told(tmp_path)
    world.mark()
    made = statement(world.draft())
    seal = load_note(world.folder / "seal", SEAL)
    other = NoteKey("ovelse-statement-sign", seal.signer)
    third = NoteKey("ovelse-statement-third", FileSigner(ed25519.Ed25519PrivateKey.generate()))
    if how == "two names":
        made["predicate"]["signers"]["statement"][1]["key"] = other.vkey
    if how == "threshold of one":
        made["predicate"]["signers"]["threshold"] = 1
    signers = {"twice": (seal, seal), "two names": (seal, other), "third": (seal, third)}.get(how, (seal,))
    payload = canonical(made)
    rows = [(key.short, key.sign(pae(STATEMENT_TYPE, payload))) for key in signers]
    return given.issue(world, made, dsse=envelope(STATEMENT_TYPE, payload, rows))


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("twice", "signature of an unknown signer"),
        ("two names", "two signers share a key"),
        ("third", "signature of an unknown signer"),
        ("one", "1 of 2 signatures"),
        ("threshold of one", "1 of 1 signatures"),
    ],
)
def test_one_key_never_counts_as_two(tmp_path: Path, how: str, why: str) -> None:
    made = resigned(tmp_path, how)
    report = asked(made, made.world.public.lines())
    assert report.code == 1
    assert why in failed(report)[5]
