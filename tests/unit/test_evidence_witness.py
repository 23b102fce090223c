"""A witness: what it cosigns, what it refuses, what it keeps; and what the verifier makes of its cosignature."""

import base64
import hashlib
import socketserver
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from contracts.errors import Rejected, Unavailable
from services.compliance.log import checkpoint, stamp, tree
from services.compliance.log.submit import over_http
from services.compliance.log.witness import Refused, Witness
from services.compliance.log.witnessing import main, server
from services.compliance.signing.keys import LOG, load_note
from services.compliance.verifier import ophor_verify
from services.compliance.verifier.ophor_verify import Options, verify
from tests.unit import evidence_world as given

NAME, NOW = "vidne.example.org", 1_790_000_000


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> given.World:
    return given.World(tmp_path_factory.mktemp("keys")).told(given.deleted_exit())


@pytest.fixture(scope="module")
def certificate(world: given.World) -> given.Certificate:
    return world.certify()


@pytest.fixture
def witness(world: given.World, tmp_path: Path) -> Witness:
    made = Witness.create(tmp_path / "witness", NAME)
    assert made.trust(world.public.log) == world.public.origin
    return made


def note(world: given.World, size: int, root: bytes | None = None) -> str:
    key = load_note(world.folder / "ledger", LOG)
    return checkpoint.sign(world.public.origin, size, root or tree.root(world.log.nodes, size), key)


def request(world: given.World, old: int, size: int, root: bytes | None = None) -> str:
    proof = tree.consistency(world.log.nodes, old, size) if 0 < old < size else []
    lines = "".join(base64.b64encode(node).decode() + "\n" for node in proof)
    return f"old {old}\n{lines}\n{note(world, size, root)}"


def refusal(witness: Witness, text: str) -> tuple[int, str]:
    with pytest.raises(Refused) as refused:
        witness.add_checkpoint(text)
    return refused.value.status, refused.value.text


def test_a_cosignature_is_what_the_standard_says(world: given.World, witness: Witness) -> None:
    line = witness.add_checkpoint(request(world, 0, 7), NOW)
    name, _, encoded = line.removeprefix("— ").removesuffix("\n").partition(" ")
    raw, key = base64.b64decode(encoded), base64.b64decode(witness.vkey.split("+", 2)[2])
    assert (name, key[0], len(raw)) == (NAME, 4, 4 + 8 + 64)
    assert (
        raw[:4] == hashlib.sha256(NAME.encode() + b"\n" + key).digest()[:4] == bytes.fromhex(witness.vkey.split("+")[1])
    )
    assert int.from_bytes(raw[4:12], "big") == NOW
    body = checkpoint.body(world.public.origin, 7, tree.root(world.log.nodes, 7))
    signed = f"cosignature/v1\ntime {NOW}\n{body}".encode()
    ed25519.Ed25519PublicKey.from_public_bytes(key[1:]).verify(raw[12:], signed)
    assert ophor_verify.cosigned_at(note(world, 7) + line, ophor_verify.note_key(witness.vkey, 4)) == NOW


def test_it_follows_a_log_and_knows_its_last_head_after_a_restart(world: given.World, witness: Witness) -> None:
    for old, size in ((0, 3), (3, 3), (3, 8), (8, 20), (20, 21)):
        assert Witness.open(witness.folder).add_checkpoint(request(world, old, size)).startswith(f"— {NAME} ")
    assert refusal(Witness.open(witness.folder), request(world, 3, 8)) == (409, "21\n")


def test_a_fork_a_rollback_and_a_proof_of_something_else_are_refused(world: given.World, witness: Witness) -> None:
    witness.add_checkpoint(request(world, 0, 8))
    fork = request(world, 8, 8, bytes(32))
    assert refusal(witness, fork) == (409, "8\n")
    assert refusal(witness, request(world, 0, 5)) == (409, "8\n")
    assert refusal(witness, request(world, 5, 20)) == (409, "8\n")
    assert refusal(witness, request(world, 8, 20, bytes(32)))[0] == 422
    assert refusal(witness, f"old 8\n\n{note(world, 20)}")[0] == 422
    assert refusal(witness, request(world, 8, 20).replace("old 8\n", "old 8\n" + "A" * 43 + "=\n"))[0] == 422
    assert refusal(witness, f"old 8\n{'A' * 43}=\n\n{note(world, 8)}")[0] == 422
    assert refusal(witness, f"old 9\n\n{note(world, 8)}")[0] == 400
    witness.add_checkpoint(request(world, 8, 20))


def test_it_cosigns_for_the_logs_it_was_given_and_only_what_they_signed(
    world: given.World, witness: Witness, tmp_path: Path
) -> None:
    other = given.World(tmp_path / "other").told(given.deleted_exit()[:3])
    assert refusal(witness, request(other, 0, 2))[0] == 403
    assert refusal(witness, request(world, 0, 2).replace(world.public.origin, "another-log"))[0] == 404
    assert refusal(witness, request(world, 0, 2).replace("\n2\n", "\n3\n"))[0] == 403
    with pytest.raises(Rejected) as refused:
        witness.trust(other.public.log)
    assert refused.value.code == "LOG_KEY"


@pytest.mark.parametrize(
    "text", ["", "old 0\n", "old -1\n\nx\n", "old 0\nAAAA\n\nx\n", "old 00\n\nx\n", "new 0\n\nx\n"]
)
def test_what_is_no_request_is_refused(witness: Witness, text: str) -> None:
    assert refusal(witness, text)[0] == 400


def test_the_head_is_kept_before_the_cosignature_is_given(world: given.World, witness: Witness) -> None:
    with pytest.raises(struct.error):
        witness.add_checkpoint(request(world, 0, 8), -1)  # no such time: it fails after the head was kept
    assert refusal(witness, request(world, 0, 5)) == (409, "8\n")


def test_a_folder_has_one_witness_and_a_key_that_others_cannot_read(witness: Witness, tmp_path: Path) -> None:
    for call, code in (
        (lambda: Witness.create(witness.folder, NAME), "WITNESS_EXISTS"),
        (lambda: Witness.create(tmp_path / "x", "to ord"), "WITNESS_NAME"),
        (lambda: Witness.open(tmp_path / "nothing"), "WITNESS_MISSING"),
        (lambda: witness.trust("nøgle"), "LOG_KEY"),
    ):
        with pytest.raises(Rejected) as refused:
            call()
        assert refused.value.code == code
    assert (witness.folder / "witness.pem").stat().st_mode & 0o077 == 0


def test_a_witness_at_a_terminal(world: given.World, tmp_path: Path) -> None:
    said: list[str] = []
    folder, file = str(tmp_path / "w"), tmp_path / "request"
    file.write_text(request(world, 0, 8), "utf-8")
    assert main(["init", folder, NAME], said.append) == 0
    assert main(["cosign", folder, str(file)], said.append) == 1  # no log is trusted yet
    assert main(["trust", folder, world.public.log], said.append) == 0
    assert main(["cosign", folder, str(file)], said.append) == 0
    assert main(["init", folder, NAME], said.append) == 2
    assert ophor_verify.cosigned_at(note(world, 8) + said[-1] + "\n", ophor_verify.note_key(said[0], 4))


# Over HTTP.


@pytest.fixture
def url(witness: Witness) -> Iterator[str]:
    with server(witness, "127.0.0.1", 0) as made:
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{made.server_port}/"
        made.shutdown()
        thread.join()


def test_it_answers_over_http_as_the_standard_says(world: given.World, witness: Witness, url: str) -> None:
    ask = over_http(url)
    status, line = ask(request(world, 0, 8))
    assert status == 200 and ophor_verify.cosigned_at(note(world, 8) + line, ophor_verify.note_key(witness.vkey, 4))
    assert ask(request(world, 0, 9)) == (409, "8\n")
    assert ask("nonsense")[0] == 400
    assert ask("old 0\n\n" + "x" * 70_000)[0] == 400
    assert over_http(url + "elsewhere")(request(world, 8, 9))[0] == 404


def test_a_witness_that_is_not_there_is_unavailable_and_a_wrong_address_rejected(url: str) -> None:
    with pytest.raises(Unavailable):
        over_http("http://127.0.0.1:1")("")
    with pytest.raises(Rejected):
        over_http("file:///etc/passwd")


def test_what_speaks_no_http_is_unavailable_to_those_who_ask_a_witness_or_an_authority() -> None:
    class Mumbling(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.rfile.readline()
            self.wfile.write(b"hello\r\n\r\n")

    with socketserver.TCPServer(("127.0.0.1", 0), Mumbling) as made:
        url = f"http://127.0.0.1:{made.server_address[1]}/"
        for ask in (lambda: over_http(url)(""), lambda: stamp.over_http(url)(b"")):
            thread = threading.Thread(target=made.handle_request)
            thread.start()
            with pytest.raises(Unavailable):
                ask()
            thread.join()


# The verifier.


def judge(made: given.Certificate, heads: list[str], witnesses: list[str]) -> ophor_verify.Report:
    return verify(made.bundle, Options(given.keys(made.world), heads, None, True, witnesses))


def result(report: ophor_verify.Report) -> tuple[str, str]:
    return next((one.result, one.detail) for one in report.checks if one.n == 19)


def cosigned(made: given.Certificate, witness: Witness) -> str:
    size = made.world.log.size
    return note(made.world, size) + witness.add_checkpoint(request(made.world, 0, size), NOW)


def test_a_cosigned_head_given_from_outside_makes_a_certificate_witnessed(
    certificate: given.Certificate, witness: Witness
) -> None:
    report = judge(certificate, [cosigned(certificate, witness)], [witness.vkey])
    assert (report.code, report.level) == (0, "WITNESSED")
    assert f"{NAME} at 2026-09-21T14:13:20Z" in result(report)[1]


def test_a_cosignature_in_the_bundle_itself_counts_too(certificate: given.Certificate, witness: Witness) -> None:
    size = certificate.world.log.size
    member = {f"checkpoints/{size:012d}.txt": cosigned(certificate, witness).encode()}
    made = given.issue(certificate.world, certificate.statement, members=member)
    report = judge(made, [], [witness.vkey])
    assert (report.code, report.level) == (0, "WITNESSED")
    assert judge(made, [], []).level == "SIGNED"


def test_a_witness_who_did_not_cosign_this_head_leaves_the_policy_unmet(
    certificate: given.Certificate, witness: Witness, tmp_path: Path
) -> None:
    other = Witness.create(tmp_path / "other", NAME)
    earlier = note(certificate.world, 8) + witness.add_checkpoint(request(certificate.world, 0, 8))
    for heads, key in (([], witness.vkey), ([earlier], witness.vkey), ([earlier], other.vkey)):
        report = judge(certificate, heads, [key])
        assert (report.code, report.level, result(report)[0]) == (3, "SIGNED", "POLICY")


def test_a_changed_cosignature_and_a_signer_as_his_own_witness_fail(
    certificate: given.Certificate, witness: Witness
) -> None:
    head = cosigned(certificate, witness)
    at = head.rindex("=") - 12
    bent = head[:at] + ("A" if head[at] != "A" else "B") + head[at + 1 :]
    report = judge(certificate, [bent], [witness.vkey])
    assert (report.code, result(report)[0]) == (1, "FAILED")
    log = ophor_verify.note_key(certificate.world.public.log)
    own = hashlib.sha256(b"vidne\n\x04" + log.public).digest()[:4].hex()
    self_made = f"vidne+{own}+{base64.b64encode(bytes([4]) + log.public).decode()}"
    assert "no witness" in result(judge(certificate, [], [self_made]))[1]
    assert result(judge(certificate, [], [certificate.world.public.log]))[0] == "FAILED"
