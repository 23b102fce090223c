"""Whatever the management API answers, whoever asks it meets an OSError at worst: a relay lives through it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

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
        thread = threading.Thread(target=answer)
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
