"""Whatever the management API answers, whoever asks it meets an OSError at worst: a relay lives through it.

It is asked as the broker is: directly. So are the stack's own processes, whatever proxy the environment names.
"""

from __future__ import annotations

import socket
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from deploy.stack import reach
from shared.bus.topology import Management

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"


@contextmanager
def answering(said: bytes) -> Iterator[str]:
    """Answer one question with these bytes and hang up."""

    def answer() -> None:
        near, _ = listener.accept()
        with near:
            near.recv(65_536)
            near.sendall(said)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join()


@pytest.mark.parametrize(
    "said",
    [HEAD % 100 + b"[{", HEAD % 5 + b"<htm>", HEAD % 2 + b"\xff\xfe", b"\x00\x01nonsense\r\n\r\n", b"",
     b"HTTP/1.1 401 Unauthorized\r\n\r\n"],
)  # fmt: skip
def test_what_is_no_list_is_an_os_error(said: bytes) -> None:
    with answering(said) as address, pytest.raises(OSError):
        Management(address, "amqp://user:password@127.0.0.1:5672/").list("bindings")


def test_neither_the_broker_nor_a_process_of_ours_is_asked_by_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(urllib.request, "_opener", None)  # made from the environment when it is first used
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with answering(HEAD % 2 + b"[]") as address:
        assert Management(address, "amqp://user:password@127.0.0.1:5672/").list("bindings") == []
    with answering(HEAD % 2 + b"[]") as address:
        assert reach.ask(address, "GET", "/api/overview", None) == b"[]"
    with answering(HEAD % 15 + b'{"ready": true}') as address:
        assert reach.health(int(address.rpartition(":")[2]), "/ready") == {"ready": True}
