"""Object stores that lie: nothing they answer is taken for a deletion or an absence, and counts are of what is left."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from contracts.errors import OphorError, Rejected, Unavailable
from tests.integration import connectors_targets as targets
from tests.integration.connectors_targets import Target
from tests.integration.deletion_world import World, a_world, preview, stopped
from tests.parts import Parts
from tests.waiting import LONGEST_S

Answer = tuple[int, bytes]
Forward = Callable[[bytes], Answer]
Lie = Callable[[str, bytes, Forward], Answer | None]
HEAD = b'<?xml version="1.0" encoding="UTF-8"?>'
KEPT = f"note-{targets.LEAVING}0001.txt"


class Liar(ThreadingHTTPServer):
    """Stands before a real object store; `lie` makes each answer (None: the connection ends without one)."""

    daemon_threads = True

    def __init__(self, url: str) -> None:
        self.url, self.client = url, httpx.Client(trust_env=False, timeout=LONGEST_S)
        self.lie: Lie | None = None
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: Liar
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.said: dict[str, str] = {}
        lie = self.server.lie
        answer = lie(f"{self.command} {self.path}", body, self._forward) if lie else self._forward(body)
        if answer is None:
            self.close_connection = True
            return
        self.send_response(answer[0])
        for name, value in self.said.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer[1])))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer[1])

    do_POST = do_PUT = do_DELETE = do_HEAD = do_GET

    def _forward(self, body: bytes) -> Answer:
        headers = {name: value for name, value in self.headers.items() if name.lower() != "content-length"}
        answer = self.server.client.request(self.command, self.server.url + self.path, content=body, headers=headers)
        wanted = ("x-amz", "last-modified", "etag", "content-type")
        self.said = {name: value for name, value in answer.headers.items() if name.lower().startswith(wanted)}
        return answer.status_code, answer.content

    def log_message(self, *said: object) -> None:
        pass


@pytest.fixture
def liar(parts: Parts, tmp_path: Path) -> Iterator[tuple[Target, Liar]]:
    with targets.s3(parts.object_store, tmp_path) as target:
        server = Liar(target.content["connection"]["url"])
        thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02))
        thread.start()
        target.content["connection"]["url"] = f"http://127.0.0.1:{server.server_address[1]}"
        del target.content["access"]  # moto takes a denial for everybody's
        try:
            yield target, server
        finally:
            server.shutdown()
            server.server_close()
            thread.join(10)
            server.client.close()


def is_delete(what: str) -> bool:
    return what.startswith("POST ") and what.endswith("?delete")


def is_listing(what: str) -> bool:
    return what.startswith("GET ") and bool(re.search(r"[?&](versions|uploads|list-type=2)", what))


def deleted(body: bytes) -> bytes:
    """Answer that everything that was asked for is deleted."""
    rows = re.findall(rb"<Key>.*?</VersionId>", body)
    return HEAD + b"<DeleteResult>" + b"".join(b"<Deleted>%b</Deleted>" % row for row in rows) + b"</DeleteResult>"


def error(code: str, status: int) -> Answer:
    return status, HEAD + f"<Error><Code>{code}</Code><Message>-</Message></Error>".encode()


def success_for_nothing(what: str, body: bytes, forward: Forward) -> Answer:
    return (200, deleted(body)) if is_delete(what) else forward(body)


def no_word_per_object(what: str, body: bytes, forward: Forward) -> Answer:
    return (200, HEAD + b"<DeleteResult></DeleteResult>") if is_delete(what) else forward(body)


def a_marker_for_every_version(what: str, body: bytes, forward: Forward) -> Answer:
    if not is_delete(what):
        return forward(body)
    marked = b"<DeleteMarker>true</DeleteMarker><DeleteMarkerVersionId>new</DeleteMarkerVersionId></Deleted>"
    return 200, deleted(body).replace(b"</Deleted>", marked)


def nothing_may_be_deleted(what: str, body: bytes, forward: Forward) -> Answer:
    return error("AccessDenied", 403) if is_delete(what) else forward(body)


def all_but_one(what: str, body: bytes, forward: Forward) -> Answer:
    """Claim all, keep one: its row is taken out of a listing's place among what is really sent on."""
    if not is_delete(what):
        return forward(body)
    failed = b"<Error><Key>%b</Key><Code>InternalError</Code><Message>-</Message></Error>" % KEPT.encode()
    status, answer = 200, deleted(re.sub(rb"<Object><Key>[^<]*%b</Key>.*?</Object>" % KEPT.encode(), b"", body))
    return status, answer.replace(b"</DeleteResult>", failed + b"</DeleteResult>")


def done_without_an_answer(what: str, body: bytes, forward: Forward) -> Answer | None:
    answer = forward(body)
    return None if is_delete(what) else answer


@pytest.mark.parametrize(
    ("lie", "code", "left"),
    [
        (success_for_nothing, None, 4), (no_word_per_object, "SYSTEM_UNREACHABLE", 4), (all_but_one, None, 4),
        (a_marker_for_every_version, "ONLY_MARKED_DELETED", 4), (nothing_may_be_deleted, "TARGET_REFUSED", 4),
        (done_without_an_answer, "SYSTEM_UNREACHABLE", 0),
    ],
)  # fmt: skip
def test_what_a_batch_did_is_what_the_next_listing_shows(
    liar: tuple[Target, Liar], lie: Lie, code: str | None, left: int
) -> None:
    target, server = liar
    connector = target.open("delete")
    keys = connector.keys("noter", 10)
    server.lie = lie
    said: OphorError | None = None
    try:
        with connector.batch() as batch:
            assert batch.delete("noter", keys) == 4
            batch.commit()
    except OphorError as caught:
        said = caught
    assert (said.code if said else None) == code
    assert connector.present("noter", keys) == left
    server.lie = None
    assert target.open("verify").count("noter") == left
    assert target.neighbours() == 8


def no_bucket(what: str, body: bytes, forward: Forward) -> Answer:
    return error("NoSuchBucket", 404)


def not_found(what: str, body: bytes, forward: Forward) -> Answer:
    return 404, b""


def an_empty_answer(what: str, body: bytes, forward: Forward) -> Answer:
    return 200, b""


def more_without_where(what: str, body: bytes, forward: Forward) -> Answer:
    if not is_listing(what):
        return forward(body)
    return 200, HEAD + b"<ListVersionsResult><Name>sager</Name><IsTruncated>true</IsTruncated></ListVersionsResult>"


def the_same_page_for_ever(what: str, body: bytes, forward: Forward) -> Answer:
    if not is_listing(what):
        return forward(body)
    more = (
        b"<IsTruncated>true</IsTruncated><NextKeyMarker>a</NextKeyMarker><NextVersionIdMarker>b</NextVersionIdMarker>"
    )
    return 200, HEAD + b"<ListVersionsResult><Name>sager</Name>" + more + b"</ListVersionsResult>"


def no_versions(what: str, body: bytes, forward: Forward) -> Answer:
    if "versions" not in what:
        return forward(body)
    page = b"<ListVersionsResult><Name>sager</Name><IsTruncated>false</IsTruncated></ListVersionsResult>"
    return 200, HEAD + page


def no_answer(what: str, body: bytes, forward: Forward) -> None:
    return None


def busy(what: str, body: bytes, forward: Forward) -> Answer:
    return error("SlowDown", 503)


def denied(what: str, body: bytes, forward: Forward) -> Answer:
    return error("AccessDenied", 403)


def test_no_such_answer_is_an_absence(liar: tuple[Target, Liar]) -> None:
    target, server = liar
    refusals, unknowns = [no_bucket, denied], [not_found, an_empty_answer, more_without_where, the_same_page_for_ever]
    for lie in (*refusals, *unknowns, no_versions, no_answer, busy):
        server.lie = lie
        family = Rejected if lie in refusals else Unavailable
        with pytest.raises(family):
            target.open("verify").count("sager")
        if lie is not no_versions:
            with pytest.raises(family):
                target.open("delete").present("sager", [("101/x", "null")])


def counted(world: World) -> int:
    return sum(told["deleted"] for told in world.house.events("deletion.deletion_batch_closed"))


def answers(world: World) -> list[str]:
    return [told["result"] for told in world.house.events("deletion.deletion_verified")]


def test_a_store_that_claims_success_is_never_certified_and_one_that_is_honest_is(
    liar: tuple[Target, Liar], parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, server = liar
    with a_world(target, parts.mongo_uri, tmp_path, monkeypatch) as world:
        preview(world)
        world.house.permit()
        server.lie = success_for_nothing
        world.house.carry()
        assert stopped(world)[0] == "ROWS_NOT_DELETABLE"
        assert (counted(world), answers(world), world.rows()) == (0, [], 11)


def test_a_store_that_deletes_and_does_not_answer_is_counted_once_by_what_is_left(
    liar: tuple[Target, Liar], parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, server = liar
    with a_world(target, parts.mongo_uri, tmp_path, monkeypatch) as world:
        preview(world)
        world.house.permit()
        server.lie = done_without_an_answer
        with pytest.raises(Unavailable):
            world.house.carry()
        assert (counted(world), answers(world)) == (0, [])
        server.lie = None
        world.house.carry()
        assert (counted(world), answers(world), world.rows()) == (11, ["DELETED"], 0)
        (told,) = world.house.events("deletion.deletion_verified")
        assert [(row["place"], row["deleted"]) for row in told["places"] if row["deleted"]] == [
            ("noter", 4), ("sager", 7),
        ]  # fmt: skip
        assert target.neighbours() == 8
