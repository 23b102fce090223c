"""Keys that lie elsewhere: a PKCS#11 token and a key service sign everything; nothing they say is believed unread."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contracts.errors import OphorError, Rejected, Unavailable
from services.compliance.signing import keys, signers, signers_pkcs11
from services.compliance.verifier import ophor_verify
from tests.integration import compliance_holders as holders
from tests.integration.compliance_holders import KeyService
from tests.unit import evidence_world as given
from tests.unit.evidence_world import World

NAMES = (keys.LOG, keys.SEAL, keys.SIGN, keys.PDF)
HOLDER_OF = {key: holder for holder, key in keys.HOLDERS.items() if key}


@pytest.fixture
def service() -> Iterator[KeyService]:
    with holders.key_service() as made:
        yield made


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return holders.make_token(tmp_path_factory.mktemp("token"))


def at_service(tmp_path: Path, service: KeyService) -> World:
    world = World(tmp_path / "keys")
    secret = tmp_path / "token"
    secret.touch(0o600)
    secret.write_text(service.token)
    said = {n: {"backend": "kms", "url": service.url, "key": n, "token_file": str(secret)} for n in NAMES}
    world.public = holders.move_keys(world.folder, said, lambda name: signers.open_signer(home(world, name), name))
    return world


def home(world: World, name: str) -> Path:
    return world.folder / HOLDER_OF[name]


def issue_and_verify(world: World, tmp_path: Path) -> None:
    made = world.told(given.deleted_exit()).certify()
    for data in (made.dsse, made.pdf, made.bundle):
        report = ophor_verify.verify(data, ophor_verify.Options(given.keys(world), rehearsal=True))
        assert report.code == 0, ophor_verify.as_text(report, "", english=True)
        assert report.level == "SIGNED"
    if shutil.which("pdfsig"):
        (tmp_path / "c.pdf").write_bytes(made.pdf)
        said = subprocess.run(["pdfsig", "-nocert", tmp_path / "c.pdf"], capture_output=True, check=True).stdout
        assert b"Signature is Valid" in said
        assert b"Total document signed" in said


def test_a_token_signs_log_statement_and_pdf_and_the_keys_never_leave_it(token: dict[str, Any], tmp_path: Path) -> None:
    world = World(tmp_path / "keys")
    said = {name: {**token, "label": name} for name in NAMES}
    world.public = holders.move_keys(world.folder, said, lambda name: signers.open_signer(home(world, name), name))
    assert not list(world.folder.rglob("*.pem"))
    assert signers.backend_of(home(world, keys.SEAL), keys.SEAL) == "pkcs11"
    issue_and_verify(world, tmp_path)


def test_a_key_service_signs_log_statement_and_pdf(service: KeyService, tmp_path: Path) -> None:
    world = at_service(tmp_path, service)
    assert not list(world.folder.rglob("*.pem"))
    issue_and_verify(world, tmp_path)
    assert service.asked >= 5  # two checkpoints, two statement signatures, the PDF and the manifest


@pytest.mark.parametrize(
    ("wrong", "why"),
    [({"label": "nobody's"}, "no such key"), ({"pin_file": "PIN"}, "refuses its PIN"), ({"token": "other"}, "answer")],
)
def test_a_token_that_cannot_sign_says_why_and_never_its_pin(
    token: dict[str, Any], tmp_path: Path, wrong: dict[str, str], why: str
) -> None:
    (tmp_path / "pin").touch(0o600)
    (tmp_path / "pin").write_text("99999999")
    said = {**token, "label": keys.SEAL, **wrong}
    said["pin_file"] = str(tmp_path / "pin") if said["pin_file"] == "PIN" else said["pin_file"]
    (tmp_path / "statement-seal.json").write_text(json.dumps(said))
    signers_pkcs11.forget((token["module"], token["token"]))  # another process has none
    with pytest.raises(OphorError, match=why) as error:
        signers.open_signer(tmp_path, keys.SEAL).public_key()
    assert holders.PIN not in str(error.value)
    assert "99999999" not in str(error.value)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ((500, {}), "SIGNER_UNREACHABLE"),
        ((403, {}), "SIGNER_FALSE"),
        ((200, {"signature": "AAAA"}), "SIGNER_FALSE"),
        ((200, {"signature": "no base64!"}), "SIGNER_FALSE"),
        ((200, {}), "SIGNER_FALSE"),
        ((302, {"headers": {"Location": "http://127.0.0.1:1/"}}), "SIGNER_UNREACHABLE"),
    ],
)
def test_what_a_key_service_answers_is_believed_only_when_it_verifies(
    service: KeyService, tmp_path: Path, answer: tuple[int, dict[str, Any]], code: str
) -> None:
    signer = keys.load_note(home(at_service(tmp_path, service), keys.SEAL), keys.SEAL)
    service.says = answer
    with pytest.raises(OphorError) as error:
        signer.sign(b"a statement")
    assert error.value.code == code
    assert service.token not in str(error.value)


def test_a_key_service_that_is_gone_is_tried_again_later(service: KeyService, tmp_path: Path) -> None:
    signer = keys.load_note(home(at_service(tmp_path, service), keys.SEAL), keys.SEAL)
    service.shutdown()
    service.server_close()
    with pytest.raises(Unavailable, match="does not answer"):
        signer.sign(b"a statement")


def test_a_key_that_is_not_the_stated_one_is_refused(service: KeyService, tmp_path: Path) -> None:
    folder = home(at_service(tmp_path, service), keys.SEAL)
    service.held[keys.SEAL] = service.held[keys.SIGN]
    with pytest.raises(Rejected, match="does not match its public half"):
        keys.load_note(folder, keys.SEAL)
    service.held[keys.SEAL] = service.held[keys.PDF]
    with pytest.raises(Rejected, match="is not Ed25519"):
        keys.load_note(folder, keys.SEAL)


@pytest.mark.parametrize("url", ["http://keys.example.org", "ftp://127.0.0.1/", "file:///etc"])
def test_a_key_service_is_asked_over_tls_unless_it_is_this_machines(tmp_path: Path, url: str) -> None:
    (tmp_path / "statement-seal.json").write_text(json.dumps({"backend": "kms", "url": url, "key": "k"}))
    with pytest.raises(Rejected, match="https"):
        signers.open_signer(tmp_path, keys.SEAL)


def test_a_secret_that_everybody_may_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("x")
    (tmp_path / "token").chmod(0o644)
    said = {"backend": "kms", "url": "https://keys.example.org", "key": "k", "token_file": "token"}
    (tmp_path / "statement-seal.json").write_text(json.dumps(said))
    with pytest.raises(Rejected, match="open to everybody"):
        signers.open_signer(tmp_path, keys.SEAL)
