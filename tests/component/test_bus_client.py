"""What comes back to a caller is an answer or an error of ours, whatever a service sent."""

from __future__ import annotations

import amqp
import pytest

from shared.bus.client import _Connection, _Waiting

NONSENSE = [
    b"",
    b"\xff",
    b"null",
    b"[]",
    b"{}",
    b"[" * 100_000,
    *(b'{"result":1,"error":%b}' % each for each in (b'"x"', b"7", b"[1]")),
]


@pytest.mark.parametrize("body", NONSENSE, ids=range(len(NONSENSE)))
def test_an_answer_that_cannot_be_read_is_told_to_its_caller_and_ends_nothing(body: bytes) -> None:
    connection, call = _Connection("amqp://127.0.0.1:1/", "console"), _Waiting("orders.list_exits", b"", {}, 0.0)
    connection._waiting[call.correlation] = call
    connection._heard(amqp.Message(body, correlation_id=call.correlation))
    answer, error = call.settled.get_nowait()
    assert answer is None and error is not None and error.code == "ANSWER_INVALID"
