"""Systems that lie: whatever they answer, nothing is certified that did not happen, and no count says more than did."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pymongo
import pytest

from contracts.errors import Unavailable
from tests.chaos.proxy import Proxy
from tests.integration import connectors_targets as targets
from tests.integration.connectors_targets import Target
from tests.integration.deletion_world import World, a_world, preview, stopped
from tests.parts import Parts
from tests.waiting import LONGEST_S

CERTIFIED = {"DELETED", "ABSENT_VERIFIED"}
Body = dict[str, Any]
Forward = Callable[[], tuple[int, Body]]
Lie = Callable[[str, Body, str, Forward], tuple[int, Body] | None]
TRIES = 5  # as often as the ladder


def honest(path: str, body: Body, role: str, forward: Forward) -> tuple[int, Body] | None:
    return forward()


class Liar(ThreadingHTTPServer):
    """Stands before a real case index; `lie` makes each answer (None: the connection ends without one)."""

    daemon_threads = True

    def __init__(self, url: str, roles: dict[str, str]) -> None:
        self.url, self.roles = url, roles
        self.lie: Lie = honest
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: Liar
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_GET(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        said = self.server.lie(
            self.path, json.loads(raw or b"{}"), self.server.roles.get(token, ""), lambda: self._forward(raw, token)
        )
        if said is None:
            self.close_connection = True
            return
        status, answer = said
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_PUT = do_GET

    def _forward(self, raw: bytes, token: str) -> tuple[int, Body]:
        headers = {"Authorization": f"Bearer {token}"}
        there, patient = self.server.url + self.path, {"trust_env": False, "timeout": LONGEST_S}
        answer = httpx.request(self.command, there, content=raw, headers=headers, **patient)
        return answer.status_code, answer.json()

    def log_message(self, *said: Any) -> None:
        pass


@pytest.fixture
def liar(parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[World, Liar]]:
    """Give the world of a case index that is reached through a liar only; it is honest until told otherwise."""
    with ExitStack() as stack:
        target = stack.enter_context(targets.index(tmp_path))
        roles = {
            (tmp_path / "secrets" / f"ci_{role}").read_text(): role
            for role in ("extract", "delete", "verify", "access", "prepare")
        }
        server = Liar(target.content["connection"]["url"], roles)
        thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02))
        thread.start()
        target.content["connection"]["url"] = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield stack.enter_context(a_world(target, parts.mongo_uri, tmp_path, monkeypatch)), server
        finally:
            server.lie = honest
            server.shutdown()
            server.server_close()
            thread.join(60)


def carried(world: World) -> int:
    """Carry tasks as the ladder would, a bounded number of tries; give how many failed."""
    failed = 0
    while failed < TRIES:
        try:
            world.house.carry()
        except Unavailable:
            failed += 1
        else:
            break
    return failed


def answers(world: World) -> set[str]:
    return {told["result"] for told in world.house.events("deletion.deletion_verified")}


def counted(world: World) -> int:
    return sum(told["deleted"] for told in world.house.events("deletion.deletion_batch_closed"))


def left(world: World, server: Liar) -> int:
    """Count, without the liar, what is really there."""
    server.lie = honest
    return world.rows()


def success_for_nothing(path: str, body: Body, role: str, forward: Forward) -> tuple[int, Body]:
    if path == "/fjern":
        return 200, {"retur": [{"uuid": uuid, "statuskode": 20} for uuid in body["sag_uuid"]]}
    return forward()


def not_found(path: str, body: Body, role: str, forward: Forward) -> tuple[int, Body]:
    return 404, {"code": "NOT_FOUND"}


def not_found_in_searches(path: str, body: Body, role: str, forward: Forward) -> tuple[int, Body]:
    return (404, {}) if path == "/search" else forward()


def an_empty_page(path: str, body: Body, role: str, forward: Forward) -> tuple[int, Body]:
    status, answer = forward()
    return status, (answer | {"sager": []} if path == "/search" else answer)


def an_empty_object(path: str, body: Body, role: str, forward: Forward) -> tuple[int, Body]:
    return (200, {}) if path == "/search" else forward()


def nothing_for_the_deleter(path: str, body: Body, role: str, forward: Forward) -> tuple[int, Body]:
    return (200, {"antal": 0, "sager": []}) if (path, role) == ("/search", "delete") else forward()


def nothing_for_the_deleter_once_it_removed(path: str, body: Body, role: str, forward: Forward) -> tuple[int, Body]:
    """Claim success, then show the deleter an empty index: only the verifier's own look can tell."""
    if path == "/fjern":
        REMOVED.set()
        return success_for_nothing(path, body, role, forward)
    if (path, role) == ("/search", "delete") and REMOVED.is_set():
        return 200, {"antal": 0, "sager": []}
    return forward()


REMOVED = threading.Event()


def no_answer(path: str, body: Body, role: str, forward: Forward) -> None:
    return None


def no_answer_to_removals(path: str, body: Body, role: str, forward: Forward) -> tuple[int, Body] | None:
    return None if path == "/fjern" else forward()


def no_word_per_object(path: str, body: Body, role: str, forward: Forward) -> tuple[int, Body]:
    return (200, {"retur": []}) if path == "/fjern" else forward()


LIES: list[Lie] = [
    success_for_nothing, not_found, not_found_in_searches, an_empty_page, an_empty_object, nothing_for_the_deleter,
    nothing_for_the_deleter_once_it_removed, no_answer, no_answer_to_removals,
    no_word_per_object,
]  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_from_the_permit_on_certifies_nothing(
    liar: tuple[World, Liar], lie: Lie, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, server = liar
    REMOVED.clear()
    monkeypatch.setattr("services.deletion.worker.ground.PATIENCE_S", 0.0)
    preview(world)
    world.house.permit()
    server.lie = lie
    failed = carried(world)
    ended = world.house.ask("read_job", {"activity": "D7a"})["state"] == "stopped"
    assert failed == TRIES or ended
    assert not CERTIFIED & answers(world)
    assert left(world, server) == 7
    if lie is nothing_for_the_deleter_once_it_removed:  # its batch was believed, its end is not
        assert (counted(world), answers(world)) == (3, {"ERROR"})
    else:
        assert counted(world) == 0


@pytest.mark.parametrize("lie", [not_found_in_searches, an_empty_page, an_empty_object])
def test_a_lie_to_whoever_verifies_is_no_absence(
    liar: tuple[World, Liar], lie: Lie, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, server = liar
    monkeypatch.setattr("services.deletion.worker.ground.PATIENCE_S", 0.0)
    server.lie = lie
    world.house.due("D7a", "maal")
    world.house.close_access("D7a", "maal")
    assert carried(world) == TRIES or stopped(world)
    assert not world.house.events("deletion.deletion_previewed")
    assert left(world, server) == 7


@pytest.mark.parametrize("lie", [not_found_in_searches, an_empty_object])
def test_a_lie_after_the_last_batch_is_no_proof_of_deletion(
    liar: tuple[World, Liar], lie: Lie, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, server = liar
    monkeypatch.setattr("services.deletion.worker.ground.PATIENCE_S", 0.0)
    preview(world)
    world.house.permit()
    world.house.carry(until=lambda: bool(world.house.events("deletion.deletion_executed")))
    server.lie = lie
    assert carried(world) == TRIES or stopped(world)
    assert not answers(world)


def test_an_index_that_removes_and_then_does_not_answer_in_time_is_counted_by_what_is_left(
    liar: tuple[World, Liar], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, server = liar
    ended, real = threading.Event(), httpx.Client
    monkeypatch.setattr(httpx, "Client", lambda **named: real(**named | {"timeout": 3.0}))
    late: list[int] = []

    def too_late(path: str, body: Body, role: str, forward: Forward) -> tuple[int, Body] | None:
        status, answer = forward()
        if path == "/fjern" and len(late) < 2:
            late.append(len(body["sag_uuid"]))
            ended.wait(120)
            return None
        return status, answer

    preview(world)
    world.house.permit()
    server.lie = too_late
    with pytest.raises(Unavailable, match="does not answer"):
        world.house.carry()
    assert (counted(world), answers(world)) == (0, set())  # nobody knows yet, so nothing is said
    assert carried(world) < TRIES
    ended.set()
    assert late == [3, 3] and counted(world) == 7
    (told,) = world.house.events("deletion.deletion_verified")
    assert (told["result"], told["places"][0]["before"], told["places"][0]["deleted"]) == ("DELETED", 7, 7)
    assert left(world, server) == 0


@pytest.mark.parametrize("code", [20, 44])
def test_an_index_that_keeps_one_case_is_never_certified_whatever_it_says_of_it(
    liar: tuple[World, Liar], code: int
) -> None:
    world, server = liar
    kept = targets.uuid_of(10103)

    def partly(path: str, body: Body, role: str, forward: Forward) -> tuple[int, Body] | None:
        if path != "/fjern":
            return forward()
        wanted = [uuid for uuid in body["sag_uuid"] if uuid != kept]
        headers, there = {"Authorization": f"Bearer {token}"}, server.url + path
        httpx.post(there, json={"sag_uuid": wanted}, headers=headers, trust_env=False).raise_for_status()
        return 200, {"retur": [{"uuid": uuid, "statuskode": code} for uuid in body["sag_uuid"]]}

    token = next(secret for secret, role in server.roles.items() if role == "delete")
    preview(world)
    world.house.permit()
    server.lie = partly
    world.house.carry()
    assert stopped(world) == ("ROWS_NOT_DELETABLE", "systems.maal.places.sager")
    assert (counted(world), left(world, server), answers(world)) == (6, 1, set())
    assert world.target.neighbours() == 5


# A database whose answer to the commit is lost.


class Lossy(Proxy):
    """Passes all on, but keeps the answer to the next `lose` commits of a delete: it ends the connection instead."""

    def __init__(self, target: int) -> None:
        self.lose = 0
        self._deleting: set[socket.socket] = set()
        self._deaf: set[socket.socket] = set()
        super().__init__(target)

    def _pump(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while (data := one.recv(65_536)) and one not in self._deaf:
                if b"DELETE " in data:  # drivers commit also what has done nothing
                    self._deleting.add(one)
                sql = one in self._deleting and data.endswith((b"COMMIT", b"COMMIT\0"))
                if self.lose and (sql or b"commitTransaction\0" in data):
                    self.lose -= 1
                    self._deaf.add(other)
                other.sendall(data)
        for each in (one, other):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()


Make = Callable[[Parts, Path], AbstractContextManager[Target]]
ENGINES: dict[str, Make] = {
    "postgresql": lambda parts, folder: targets.postgresql(parts.postgres_uri, folder),
    "mariadb": lambda parts, folder: targets.mariadb(parts.mariadb, folder),
    "mongodb": lambda parts, folder: targets.mongodb(parts.mongo_uri, folder),
}
OWN_TRIES = {"mongodb": 2}  # how often the driver itself asks for the commit, else once


@pytest.fixture
def far(parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str) -> Iterator[tuple[World, Lossy]]:
    """Give the permitted job on a database that is reached through a lossy way only."""
    direct = partial(pymongo.MongoClient, directConnection=True)  # else the driver asks for the server's own address
    monkeypatch.setattr("shared.connectors.mongodb.session.MongoClient", direct)
    with ExitStack() as stack:
        target = stack.enter_context(ENGINES[engine](parts, tmp_path))
        proxy = Lossy(target.content["connection"]["port"])
        stack.callback(proxy.close)
        target.content["connection"] |= {"host": "127.0.0.1", "port": proxy.port}
        world = stack.enter_context(a_world(target, parts.mongo_uri, tmp_path, monkeypatch))
        preview(world)
        world.house.permit()
        yield world, proxy
        for each in target.opened:  # while the way is open: a driver takes its leave
            each.close()


@pytest.mark.parametrize("lost", [1, 2])
@pytest.mark.parametrize("engine", list(ENGINES))
def test_a_commit_whose_answer_is_lost_is_counted_once_by_what_is_left(
    far: tuple[World, Lossy], engine: str, lost: int
) -> None:
    world, proxy = far
    proxy.lose = lost * OWN_TRIES.get(engine, 1)
    with pytest.raises(Unavailable):
        world.house.carry()
    assert (counted(world), world.rows(), answers(world)) == (0, 8, set())
    assert carried(world) == lost - 1
    assert proxy.lose == 0
    batches = world.house.events("deletion.deletion_batch_closed")
    assert [told["batch"] for told in batches] == list(range(1, len(batches) + 1))
    assert (counted(world), answers(world), world.rows()) == (11, {"DELETED"}, 0)
    assert world.target.neighbours() == 8


@pytest.mark.parametrize("engine", ["mongodb"])
def test_a_commit_that_the_driver_asks_for_again_is_counted_once(far: tuple[World, Lossy], engine: str) -> None:
    world, proxy = far
    proxy.lose = 1
    world.house.carry()
    assert (proxy.lose, counted(world), answers(world), world.rows()) == (0, 11, {"DELETED"}, 0)


def test_a_database_that_only_marks_rows_as_deleted_is_not_believed(
    parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        targets.postgresql(parts.postgres_uri, tmp_path) as target,
        a_world(target, parts.mongo_uri, tmp_path, monkeypatch) as world,
    ):
        world.execute("""CREATE RULE kun_maerket AS ON DELETE TO noter
            DO INSTEAD UPDATE noter SET tekst = 'slettet' WHERE nr = OLD.nr""")
        world.house.delete("D7a", "maal")
        assert stopped(world) == ("OUTSIDE_SCOPE", "systems.maal.places.noter")
        assert (counted(world), world.rows(), answers(world)) == (0, 11, set())


@pytest.mark.parametrize("policy", ["FOR SELECT USING (lejer <> 101)", "AS RESTRICTIVE USING (lejer = 102)"])
def test_rows_that_a_policy_hides_from_the_verifier_are_not_absent(
    parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, policy: str
) -> None:
    with (
        targets.postgresql(parts.postgres_uri, tmp_path) as target,
        a_world(target, parts.mongo_uri, tmp_path, monkeypatch) as world,
    ):
        world.execute("ALTER TABLE sager ENABLE ROW LEVEL SECURITY")
        world.execute("CREATE POLICY alle ON sager FOR SELECT USING (true)" if "RESTR" in policy else "SELECT 1")
        world.execute(f"CREATE POLICY skjult ON sager {policy}")
        preview(world)
        assert stopped(world) == ("ROWS_HIDDEN", "systems.maal.places.sager")
        assert not answers(world)
