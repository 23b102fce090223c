"""Messages as rows, and which queues are refused: the pure half of the connector for queues."""

from __future__ import annotations

from typing import Any

import amqp
import pytest

from contracts.errors import Rejected
from shared.connectors.queues import message, rules


def made(body: Any, tag: int = 1, redelivered: bool = False, **properties: Any) -> amqp.Message:
    one = amqp.Message(body, **properties)
    one.delivery_info = {
        "delivery_tag": tag, "exchange": "breve", "routing_key": "101.ny", "redelivered": redelivered,
    }  # fmt: skip
    return one


@pytest.mark.parametrize(
    ("value", "owner"),
    [("101", "101"), (101, "101"), (b"101", "101"), (True, ""), (None, ""), ("", ""), (["101"], ""), (101.0, "")],
)
def test_a_header_says_whose_a_message_is_as_text_or_whole_number(value: object, owner: str) -> None:
    assert message.owner(made("x", application_headers={"lejer": value}), "lejer") == owner


def test_a_message_without_headers_is_nobodys() -> None:
    assert message.owner(made("x"), "lejer") == ""


def test_a_message_keeps_its_name_when_it_was_taken_before() -> None:
    first = made("x", application_headers={"lejer": 101}, message_id="7")
    again = made(
        "x", tag=9, redelivered=True, application_headers={"lejer": 101, "x-delivery-count": 3}, message_id="7"
    )
    assert [each.id for each in message.named([first])] == [each.id for each in message.named([again])]


@pytest.mark.parametrize(
    "other", [made("y"), made("x", message_id="8"), made("x", application_headers={"lejer": "102"})]
)
def test_messages_that_differ_have_different_names(other: amqp.Message) -> None:
    names = {each.id.rpartition("-")[0] for each in message.named([made("x"), other])}
    assert len(names) == 2


def test_of_equal_messages_the_last_goes_first_so_that_the_others_keep_their_names() -> None:
    every = [made("x"), made("y"), made("x"), made("x")]
    names = [each.id for each in message.named(every)]
    assert len(set(names)) == 4
    order = message.last_of_their_like_first(names)
    assert order[:2] == [names[3], names[2]]
    left = [every[0], every[1], every[2]]
    assert sorted(each.id for each in message.named(left)) == sorted(order[1:])


def test_a_body_that_is_no_text_is_delivered_as_base64() -> None:
    row = dict(zip(message.COLUMNS, message.row("id", made(b"\xff\x00")), strict=True))
    assert (row["body"], row["encoding"]) == ("/wA=", "base64")
    row = dict(zip(message.COLUMNS, message.row("id", made("æ", timestamp=5, message_id="7")), strict=True))
    assert (row["body"], row["encoding"], row["properties"]) == ("æ", "utf-8", '{"message_id": "7"}')


def test_what_is_worth_a_probe_is_found_in_body_headers_and_properties() -> None:
    one = made('{"cpr":"0102031234"}', correlation_id="2026-1234567", application_headers={"sag": "SAG-1234567"})
    assert set(message.texts(one)) == {"0102031234", "2026-1234567", "SAG-1234567"}


@pytest.mark.parametrize(
    ("row", "release", "code"),
    [
        ({"type": "classic"}, "4.1.0", None),
        ({"arguments": {}}, "3.10.8", None),
        ({"type": "quorum"}, "3.10.8", None),
        ({"type": "quorum", "arguments": {"x-delivery-limit": -1}}, "4.1.0", None),
        ({"type": "quorum", "effective_policy_definition": {"delivery-limit": -1}}, "4.1.0", None),
        ({"type": "quorum"}, "4.1.0", "LOOKING_WOULD_DELETE"),
        ({"type": "quorum", "arguments": {"x-delivery-limit": 5}}, "3.10.8", "LOOKING_WOULD_DELETE"),
        ({"type": "quorum", "effective_policy_definition": {"delivery-limit": 5}}, "3.10.8", "LOOKING_WOULD_DELETE"),
        ({"type": "quorum", "arguments": {"x-single-active-consumer": True}}, "3.10.8", "PLACE_NOT_DELETABLE"),
        ({"type": "stream"}, "3.10.8", "PLACE_NOT_DELETABLE"),
        ({"arguments": {"x-queue-type": "stream"}}, "3.10.8", "PLACE_NOT_DELETABLE"),
        ({"type": "rabbit_mqtt_qos0_queue"}, "4.1.0", "PLACE_NOT_DELETABLE"),
    ],
)
def test_a_queue_in_which_looking_or_deleting_would_go_wrong_is_refused(
    row: dict[str, Any], release: str, code: str | None
) -> None:
    if code is None:
        rules.check_queue("bus", {"name": "sager"} | row, release)
        return
    with pytest.raises(Rejected) as caught:
        rules.check_queue("bus", {"name": "sager"} | row, release)
    assert (caught.value.code, caught.value.field) == (code, "systems.bus.places.sager")


@pytest.mark.parametrize(
    ("queue", "vhost"), [("kommune.101.sager", "/"), ("101", "/"), ("indbakke", "kommune-101"), ("sager_101", "x")]
)
def test_a_whole_queue_is_the_tenants_where_a_name_says_so(queue: str, vhost: str) -> None:
    rules.check_name("bus", queue, vhost, "101")


@pytest.mark.parametrize(("queue", "vhost"), [("sager", "/"), ("kommune.1010", "/"), ("sager101", "x")])
def test_a_whole_queue_whose_name_says_nothing_is_nobodys(queue: str, vhost: str) -> None:
    with pytest.raises(Rejected, match="TENANT_NOT_IN_NAME"):
        rules.check_name("bus", queue, vhost, "101")


def test_an_exchange_that_keeps_messages_stops_the_inventory() -> None:
    rules.check_exchanges("bus", [{"name": "breve", "type": "topic"}])
    with pytest.raises(Rejected, match="EXCHANGE_KEEPS_MESSAGES"):
        rules.check_exchanges("bus", [{"name": "senere", "type": "x-delayed-message"}])
