"""The public verify page: what it answers, what it keeps, and what it lets nobody do to the gateway."""

from __future__ import annotations

import hashlib
import json
import os
import re
import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from services.compliance import revocations
from services.compliance.documents import document
from services.compliance.signing.keys import LOG, load_note
from services.compliance.verifier import ophor_verify
from services.gateway import verify_pages
from services.gateway.app import create_app
from tests.component.gateway_answers import Recorded
from tests.fuzz.__main__ import small
from tests.integration.test_verifier_forged import sealed_like
from tests.unit.evidence_world import Certificate
from tests.waiting import LONGEST_S, until


@pytest.fixture(scope="module")
def true(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return small(tmp_path_factory.mktemp("keys"))


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a loaded machine take its time; the limit of processor time stays."""
    monkeypatch.setattr(verify_pages, "WALL_S", LONGEST_S)


def client_of(true: Certificate | None) -> FlaskClient:
    evidence = true.world.folder / "face" / "evidence.json" if true else None
    return create_app(Recorded(), dict, today=lambda: date(2026, 10, 6), evidence=evidence).test_client()


@pytest.fixture
def client(true: Certificate) -> Iterator[FlaskClient]:
    yield client_of(true)


def drop(client: FlaskClient, data: bytes, path: str = "/verify", **fields: str) -> TestResponse:
    form = {"own": "1", "rehearsal": "1"} | fields
    head = 'Content-Disposition: form-data; name="{}"{}\r\n\r\n'
    parts = [head.format(name, "").encode() + value.encode() for name, value in form.items() if value]
    parts.append(head.format("file", '; filename="c.zip"').encode() + data)
    body = b"".join(b"--edge\r\n" + part + b"\r\n" for part in parts) + b"--edge--\r\n"
    return client.post(path, data=body, content_type="multipart/form-data; boundary=edge")


def verdict(answer: TestResponse) -> str:
    found = re.search(r'<h2 id="answer">(.*?)</h2>', answer.text)
    assert found, answer.text[:3000]
    return found[1]


@pytest.mark.parametrize("form", ["bundle", "pdf", "dsse"])
def test_whoever_drops_a_true_certificate_is_told_so_without_a_login(
    client: FlaskClient, true: Certificate, form: str
) -> None:
    answer = drop(client, getattr(true, form))
    assert answer.status_code == 200 and verdict(answer) == "Efterprøvet som øvelse"
    assert "ØVELSE – IKKE BEVIS FOR SLETNING" in answer.text
    for sentence in true.statement["predicate"]["wording"]["da"]:
        assert sentence in answer.text
    reached = re.findall(r'<li class="reached">.*?<strong>(.*?)</strong>', answer.text)
    assert reached == ["SELF-CONSISTENT", "SIGNED"]
    assert [int(n) for n in re.findall(r'scope="row">(\d+)\.', answer.text)][-1] >= 20
    assert "Det viser svaret ikke" in answer.text and "intet vidne er givet" in answer.text


def test_a_real_certificate_is_called_verified_and_a_stamp_alone_is_no_witness(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks = [{"n": 19, "name": "Witness", "name_da": "Vidne", "result": "NOT DONE", "detail": "", "detail_da": ""}]
    said = {"result": "VERIFIED", "exit_code": 0, "level": "TIMESTAMPED", "malformed": None, "kind": "production",
            "stage": "ACTIVE-DELETED", "number": "SB-000001", "statement_digest": None, "checks": checks,
            "wording": {"da": ["Slettet."], "en": []}, "cannot_prove": {"da": ["Alt."], "en": []}}  # fmt: skip
    monkeypatch.setattr(verify_pages, "verify", lambda _: said)
    answer = drop(client, b"x")
    assert verdict(answer) == "Efterprøvet" and "ØVELSE" not in answer.text
    assert re.findall(r'<li class="reached">.*?<strong>(.*?)</strong>', answer.text) == [
        "SELF-CONSISTENT", "SIGNED", "TIMESTAMPED",
    ]  # fmt: skip


def test_english_is_there_too(client: FlaskClient, true: Certificate) -> None:
    client.get("/language/en")
    answer = drop(client, true.bundle)
    assert verdict(answer) == "Verified as a rehearsal" and "What the answer does not show" in answer.text


def test_what_is_wrong_is_said_and_what_is_missing_is_a_requirement(client: FlaskClient, true: Certificate) -> None:
    changed = true.bundle.replace(b'"version":1', b'"version":2', 1)
    assert verdict(drop(client, changed)).startswith("Ugyldig fil")
    assert verdict(drop(client, b"hej")).startswith("Ugyldig fil")
    assert verdict(drop(client, true.bundle, rehearsal="")) == "Krav ikke opfyldt"
    assert verdict(drop(client, true.bundle, own="")) == "Krav ikke opfyldt"
    mine = hashlib.sha256(true.payload).hexdigest()
    row = revocations.Revoked("ØV-000001", mine, "2026-10-09", "DATA_FOUND")
    told = revocations.sign(true.world.public.origin, [row], load_note(true.world.folder / "ledger", LOG))
    answer = drop(client, true.bundle, revocations=told.replace("\n", "\r\n"))
    assert verdict(answer).startswith("Fejlet") and "DATA_FOUND" in answer.text


def test_keys_and_heads_may_be_pasted_and_count_instead_of_the_installation_s(true: Certificate) -> None:
    client, world = client_of(None), true.world
    assert "har ikke oplyst nøgler" in client.get("/verify").text
    heads = "\n".join(world.log.heads.values()).replace("\n", "\r\n")
    answer = drop(client, true.bundle, keys="\r\n".join(world.public.lines()), heads=heads)
    assert (
        verdict(answer) == "Efterprøvet som øvelse"
        and f"{len(world.log.heads)} af {len(world.log.heads)} hoveder" in answer.text
    )
    other = re.sub(r"\n\d+\n", "\n7\n", next(iter(world.log.heads.values())))
    assert verdict(drop(client, true.bundle, keys=world.public.log, heads=other)).startswith("Fejlet")


def test_the_qr_code_leads_to_the_page_and_the_page_compares_its_digest(
    client: FlaskClient, true: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest, said = document.digest_of(true.payload), []
    monkeypatch.setattr("segno.make", lambda text, **_: said.append(text) or pytest.fail("seen"))
    predicate = true.statement["predicate"]
    made: dict[str, Any] = {**predicate, "signers": {**predicate["signers"], "verify_url": "http://here/verify"}}
    with pytest.raises(pytest.fail.Exception):
        document.page(made, digest)
    assert said == [f"http://here/verify/{digest}"]
    path = said[0].removeprefix("http://here")
    assert digest in client.get(path).text and client.get(path).status_code == 200
    assert "har QR-kodens aftryk" in drop(client, true.pdf, path).text
    assert "et ANDET aftryk" in drop(client, true.pdf, f"/verify/{'0' * 64}").text
    assert "<script>" not in client.get("/verify/<script>").text


def test_a_page_without_a_file_or_with_too_large_a_one_says_so(
    client: FlaskClient, true: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert drop(client, b"").status_code == 400
    monkeypatch.setattr(verify_pages, "MOST_BYTES", 1000)
    assert drop(client, bytes(1001)).status_code == 413
    monkeypatch.setattr(verify_pages, "MOST_TEXT", 10)
    assert drop(client, bytes(5000)).status_code == 413


def test_nothing_is_left_and_nothing_but_the_outcome_is_logged(
    client: FlaskClient,
    true: Certificate,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("werkzeug.formparser.SpooledTemporaryFile", lambda *_, **__: pytest.fail("spooled to disk"))
    logged: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(verify_pages.log, "info", lambda said, **more: logged.append((said, more)), raising=False)
    drop(client, true.dsse)
    logged.clear()
    open_before = len(os.listdir("/proc/self/fd"))
    drop(client, true.bundle + bytes(3 << 20))
    drop(client, true.bundle)
    assert list(tmp_path.iterdir()) == []
    until(lambda: len(os.listdir("/proc/self/fd")) <= open_before, "every file is closed again")
    assert logged == [("verified on the page", {"outcome": name}) for name in ("MALFORMED", "VERIFIED")]
    assert "ØV-000001" not in "".join(capfd.readouterr())


def test_a_bomb_ends_in_its_own_process(client: FlaskClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    answer = drop(client, sealed_like(b"[" + b"[]," * 4_000_000 + b"[]]"))
    assert verdict(answer).startswith("Ugyldig fil")
    greedy = tmp_path / "greedy.py"
    for body in ("x = bytearray(4 << 30)", "open('/tmp/x', 'w').write('x')", "import os; os.abort()", "print('{')"):
        greedy.write_text(body)
        monkeypatch.setattr(verify_pages, "VERIFIER", greedy)
        answer = drop(client, b"x")
        assert answer.status_code == 503 and "grænser for tid og hukommelse" in answer.text
    greedy.write_text("while True: pass")
    monkeypatch.setattr(verify_pages, "WALL_S", 0.5)
    assert drop(client, b"x").status_code == 503


def test_too_many_tries_from_one_address_are_stopped_for_a_while(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify_pages, "TRIES", 2)
    assert [drop(client, b"").status_code for _ in range(4)] == [400, 400, 429, 429]
    assert client.get("/verify").status_code == 200


def test_a_try_is_forgotten_after_the_window() -> None:
    now = [0.0]
    turns = verify_pages.Turns(now=lambda: now[0])
    assert [turns.wait("a") for _ in range(verify_pages.TRIES)] == [0] * verify_pages.TRIES
    assert 0 < turns.wait("a") <= verify_pages.WINDOW_S + 1 and turns.wait("b") == 0
    now[0] = verify_pages.WINDOW_S + 1
    assert turns.wait("a") == 0


def test_a_third_upload_at_once_is_told_to_wait_before_it_is_read(
    client: FlaskClient, true: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside, go = threading.Semaphore(0), threading.Event()

    def slow(_: Any) -> dict[str, Any] | None:
        inside.release()
        go.wait(LONGEST_S)
        return None

    monkeypatch.setattr(verify_pages, "verify", slow)
    app = client.application
    others = [threading.Thread(target=lambda: drop(app.test_client(), b"x")) for _ in range(verify_pages.AT_ONCE)]
    for one in others:
        one.start()
    for _ in others:
        assert inside.acquire(timeout=LONGEST_S)
    monkeypatch.setattr(verify_pages, "_asked", lambda: pytest.fail("the body was read"))
    answer = drop(client, true.bundle)
    go.set()
    for one in others:
        one.join()
    assert answer.status_code == 503 and "Andre efterprøver lige nu" in answer.text


def test_the_page_works_without_a_script_and_names_its_fields(client: FlaskClient) -> None:
    answer = client.get("/verify")
    page = answer.text
    assert "<script" not in page and answer.headers["Cache-Control"] == "no-store"
    ids = set(re.findall(r'id="([^"]+)"', page))
    fields = re.findall(r'<(?:input|textarea) id="([^"]+)"|<input type="checkbox" id="([^"]+)"', page)
    for name in (one or other for one, other in fields):
        assert f'for="{name}"' in page
    for described in re.findall(r'aria-describedby="([^"]+)"', page):
        assert set(described.split()) <= ids
    assert json.dumps(page).count("multipart/form-data") == 1


def with_list(true: Certificate, *rows: revocations.Revoked) -> tuple[FlaskClient, str]:
    backend = Recorded()
    note = revocations.sign(true.world.public.origin, rows, load_note(true.world.folder / "ledger", LOG))
    told = {"origin": f"{true.world.public.origin}/revocations", "count": len(rows), "note": note}
    backend.answers["compliance.read_revocations"] = told
    return create_app(backend, dict, today=lambda: date(2026, 10, 6)).test_client(), note


def test_whoever_has_no_login_fetches_the_list_and_the_verifier_takes_the_file_as_it_came(
    true: Certificate, tmp_path: Path
) -> None:
    mine = revocations.Revoked("ØV-000001", hashlib.sha256(true.payload).hexdigest(), "2026-10-09", "DATA_FOUND")
    (tmp_path / "c.zip").write_bytes(true.bundle)
    argv = [str(tmp_path / "c.zip"), "--rehearsal", "--revocations", str(tmp_path / "revocations.txt")]
    argv += [f"--key={one}" for one in true.world.public.lines()]
    for rows, code in (((), 0), ((mine,), 1)):
        client, note = with_list(true, *rows)
        answer = client.get("/revocations.txt")
        assert answer.status_code == 200 and answer.data == note.encode()
        assert answer.content_type == "text/plain; charset=utf-8"
        (tmp_path / "revocations.txt").write_bytes(answer.data)
        assert ophor_verify.main(argv) == code


def test_a_copy_of_the_list_may_be_kept_for_five_minutes_and_is_asked_for_by_its_digest(true: Certificate) -> None:
    client, _ = with_list(true)
    first = client.get("/revocations.txt")
    assert set(first.headers["Cache-Control"].split(", ")) == {"public", "max-age=300"}
    assert "Set-Cookie" not in first.headers and first.headers["X-Content-Type-Options"] == "nosniff"
    again = client.get("/revocations.txt", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    other, _ = with_list(true, revocations.Revoked("ØV-000001", "0" * 64, "2026-10-09", "DATA_FOUND"))
    assert other.get("/revocations.txt", headers={"If-None-Match": first.headers["ETag"]}).status_code == 200


def test_there_may_be_no_list_yet_or_no_service_or_too_many_fetches(
    true: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, _ = with_list(true)
    backend = client.application.extensions["backend"]
    backend.answers["compliance.read_revocations"]["note"] = ""
    none = client.get("/revocations.txt")
    assert none.status_code == 404 and none.headers["Cache-Control"] == "no-store"
    backend.silent = ("compliance",)
    assert client.get("/revocations.txt").status_code == 503
    monkeypatch.setattr(verify_pages, "TRIES", 2)
    braked = client.get("/revocations.txt")
    assert braked.status_code == 429 and int(braked.headers["Retry-After"]) > 0
    assert client.get("/verify").status_code == 200
