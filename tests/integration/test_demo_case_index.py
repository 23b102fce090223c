"""The demo's case index over HTTP, as its clients meet it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.demo import case_index
from deploy.demo.case_index import Sag
from deploy.demo.data import OTHER_SYSTEM, OWN_SYSTEM
from tests.integration.bus_store_parts import free_ports
from tests.integration.demo_parts import until
from tests.waiting import LONGEST_S

TOKENS = {role: f"token-of-{role}" for role in ("extract", "delete", "verify", "access", "prepare", "import")}
KORSBAEK, STRANDVIG = "11111111", "99999999"
OURS = [str(uuid.UUID(int=number, version=4)) for number in range(1, 6)]
THEIRS = str(uuid.UUID(int=50, version=4))
FOREIGN = str(uuid.UUID(int=60, version=4))


class Client:
    """Calls to an index, each with a role's token."""

    def __init__(self, port: int) -> None:
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60)

    def __call__(self, role: str, method: str, path: str, body: Any = None) -> tuple[int, dict[str, Any]]:
        headers = {"Authorization": f"Bearer {TOKENS.get(role, role)}"}
        answer = self.http.request(method, path, json=body, headers=headers)
        return answer.status_code, answer.json()


def lay_down(folder: Path) -> None:
    cases = [Sag(each, KORSBAEK, OWN_SYSTEM, OWN_SYSTEM) for each in OURS]
    cases += [Sag(THEIRS, STRANDVIG, OWN_SYSTEM, OWN_SYSTEM), Sag(FOREIGN, KORSBAEK, OTHER_SYSTEM, OTHER_SYSTEM)]
    case_index.write(folder, cases, TOKENS, OWN_SYSTEM)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Client]:
    lay_down(tmp_path / "case-index")
    server = case_index.open_server(tmp_path / "case-index", 0)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    client = Client(server.server_address[1])
    yield client
    client.http.close()
    server.shutdown()
    server.server_close()
    server.index.close()


def found(index: Client, cvr: str | None = KORSBAEK) -> list[str]:
    status, body = index(
        "verify", "POST", "/search", {"ejer_cvr": cvr, "afsender": OWN_SYSTEM, "offset": 0, "limit": 100}
    )
    assert status == 200
    return [case["uuid"] for case in body["sager"]]


def test_search_counts_all_and_gives_a_page(index: Client) -> None:
    body = {"ejer_cvr": KORSBAEK, "afsender": OWN_SYSTEM, "offset": 1, "limit": 2}
    status, answer = index("verify", "POST", "/search", body)
    assert (status, answer["antal"]) == (200, 5)
    assert [case["uuid"] for case in answer["sager"]] == OURS[1:3]
    assert answer["sager"][0] == {
        "uuid": OURS[1], "ejer_cvr": KORSBAEK, "master": OWN_SYSTEM, "afsender": OWN_SYSTEM,
    }  # fmt: skip


def test_removal_answers_case_by_case(index: Client) -> None:
    unknown = str(uuid.UUID(int=99, version=4))
    status, answer = index("delete", "POST", "/fjern", {"sag_uuid": [OURS[0], unknown, "no uuid", FOREIGN]})
    assert status == 200
    assert [each["statuskode"] for each in answer["retur"]] == [20, 44, 40, 44]
    assert index("delete", "POST", "/fjern", {"sag_uuid": [OURS[0]]})[1]["retur"][0]["statuskode"] == 49
    assert found(index) == OURS[1:]
    assert found(index, STRANDVIG) == [THEIRS]


def test_another_systems_case_survives(index: Client) -> None:
    index("delete", "POST", "/fjern", {"sag_uuid": [FOREIGN]})
    _, answer = index("verify", "POST", "/search", {"ejer_cvr": KORSBAEK, "afsender": OTHER_SYSTEM})
    assert [case["uuid"] for case in answer["sager"]] == [FOREIGN]


@pytest.mark.parametrize("role", ["verify", "extract", "access", "prepare", "import"])
def test_only_the_deleter_can_remove(index: Client, role: str) -> None:
    assert index(role, "POST", "/fjern", {"sag_uuid": OURS}) == (403, {"code": "FORBIDDEN"})
    assert found(index) == OURS


def test_without_a_known_token_nothing_is_told(index: Client) -> None:
    assert index("nobody", "POST", "/search", {}) == (401, {"code": "UNAUTHENTICATED"})
    assert index("nobody", "GET", "/live") == (200, {"live": True})


@pytest.mark.parametrize(
    "body", [{"limit": -1}, {"limit": 10_000}, {"offset": "1"}, {"ejer_cvr": "1"}, {"afsender": 5}, ["no object"]]
)
def test_a_malformed_search_is_refused(index: Client, body: Any) -> None:
    assert index("verify", "POST", "/search", body) == (400, {"code": "MALFORMED"})


def test_an_unknown_path_is_refused(index: Client) -> None:
    assert index("verify", "GET", "/everything") == (404, {"code": "NOT_FOUND"})


def test_the_schema_names_the_places(index: Client) -> None:
    assert index("verify", "GET", "/schema") == (200, {"places": ["sager"]})


def test_imports_end_with_the_agreement(index: Client) -> None:
    case = {"uuid": str(uuid.UUID(int=70, version=4)), "ejer_cvr": KORSBAEK}
    assert index("access", "GET", f"/agreement/{KORSBAEK}") == (200, {"state": "active"})
    assert index("import", "POST", "/importer", {"sager": [case]}) == (200, {"antal": 1})
    for state in ("read_only", "ended"):
        assert index("access", "PUT", f"/agreement/{KORSBAEK}", {"state": state}) == (200, {"state": state})
        assert index("import", "POST", "/importer", {"sager": [case]}) == (403, {"code": "AGREEMENT_NOT_ACTIVE"})
    other = {"uuid": str(uuid.UUID(int=71, version=4)), "ejer_cvr": STRANDVIG}
    assert index("import", "POST", "/importer", {"sager": [other]}) == (200, {"antal": 1})


def test_the_marker_is_written_by_prepare_alone(index: Client) -> None:
    assert index("verify", "GET", "/marker") == (404, {"code": "NO_MARKER"})
    assert index("delete", "PUT", "/marker", {"id": "x", "written_at": 1.0})[0] == 403
    assert index("prepare", "PUT", "/marker", {"id": "x", "written_at": 1.0})[0] == 200
    assert index("verify", "GET", "/marker") == (200, {"id": "x", "written_at": 1.0})


def test_killing_it_loses_nothing_that_was_answered(tmp_path: Path) -> None:
    lay_down(tmp_path / "case-index")
    (port,) = free_ports(1)
    (tmp_path / "world.json").write_text(f'{{"case_index_port": {port}, "sets": [], "rows": {{}}, "servers": {{}}}}')
    argv = [sys.executable, "-m", "deploy.demo", "case-index", "--world", str(tmp_path)]
    client = Client(port)
    process = subprocess.Popen(argv)
    try:
        until(lambda: alive(client), "the index answers")
        assert client("delete", "POST", "/fjern", {"sag_uuid": OURS[:3]})[0] == 200
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process = subprocess.Popen(argv)
        until(lambda: alive(client), "the index answers again")
        assert found(client) == OURS[3:]
    finally:
        process.terminate()
        process.wait(LONGEST_S)
        client.http.close()


def alive(client: Client) -> bool:
    try:
        return client("nobody", "GET", "/live")[0] == 200
    except httpx.HTTPError:
        return False
