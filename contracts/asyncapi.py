"""The wire as one AsyncAPI 3 document, for integrators' tools; made from the same contracts as everything else.

A call is a message to the topic exchange `nameko-rpc`, its routing key the wire name, answered at the address that
`reply_to` names; events go to their emitter's exchange, tasks to their service's. Schemas are those of `generated/`.
"""

from __future__ import annotations

from typing import Any

from contracts.catalogue import COMMANDS, EVENTS, TASKS
from contracts.registry import Command

VERSION = "1"
RPC_EXCHANGE = "nameko-rpc"
_JSON = "application/json"
_CALL_HEADERS = {
    "type": "object",
    "required": ["nameko.authorization", "nameko.deadline"],
    "properties": {
        "nameko.authorization": {"type": "string", "description": "bearer token (Ed25519), at most five minutes old"},
        "nameko.deadline": {"type": "number", "description": "Unix seconds; nothing runs after it"},
        "nameko.correlation_id": {"type": "string"},
        "nameko.traceparent": {"type": "string", "description": "W3C Trace Context"},
    },
}
_TOLD_HEADERS = {
    "type": "object",
    "required": ["ophor-signer", "ophor-signature"],
    "properties": {
        "ophor-signer": {"type": "string", "description": "the emitting service"},
        "ophor-signature": {"type": "string", "description": "Ed25519 over id, type, subject, seq and body digest"},
        "ophor-attempts": {"type": "integer", "minimum": 0},
        "traceparent": {"type": "string", "description": "W3C Trace Context"},
    },
}


def document() -> dict[str, Any]:
    """Make the document."""
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Ophør", "version": VERSION, "description": (__doc__ or "").strip()},
        "defaultContentType": _JSON,
        "servers": {"broker": {"host": "rabbitmq:5672", "protocol": "amqp", "protocolVersion": "0.9.1"}},
        "channels": {
            **{wire: _channel(RPC_EXCHANGE, "topic", wire, wire) for wire in COMMANDS},
            "answers": _answers(),
            **{wire: _channel(f"{one.emitter}.events", "direct", one.name, wire) for wire, one in EVENTS.items()},
            **{wire: _channel(f"{one.service}.tasks", "direct", one.hand, wire) for wire, one in TASKS.items()},
        },
        "operations": _operations(),
        "components": {
            "messages": {
                **{wire: _call(one) for wire, one in COMMANDS.items()},
                **{f"{wire}.answer": _answer(one) for wire, one in COMMANDS.items()},
                **{wire: _told(one.wire, "events") for wire, one in EVENTS.items()},
                **{wire: _told(one.wire, "tasks") for wire, one in TASKS.items()},
            },
            "securitySchemes": {"broker": {"type": "userPassword"}},
        },
    }


def _channel(exchange: str, kind: str, key: str, wire: str) -> dict[str, Any]:
    held = {"name": exchange, "type": kind, "durable": True, "autoDelete": False, "vhost": "/"}
    bound = {"is": "routingKey", "exchange": held, "bindingVersion": "0.3.0"}
    return {"address": key, "messages": {wire: _message_of(wire)}, "bindings": {"amqp": bound}}


def _answers() -> dict[str, Any]:
    return {"address": None, "messages": {f"{wire}.answer": _message_of(f"{wire}.answer") for wire in COMMANDS}}


def _operations() -> dict[str, Any]:
    made = {f"{one.service}.answers.{one.name}": _answered(one) for one in COMMANDS.values()}
    made |= {f"{one.emitter}.tells.{one.name}": _does("send", one.wire) for one in EVENTS.values()}
    for event in EVENTS.values():
        made |= {f"{each}.hears.{event.wire}": _does("receive", event.wire) for each in event.subscribers}
    return made | {f"{one.service}.{one.hand}.does.{one.name}": _does("receive", one.wire) for one in TASKS.values()}


def _answered(command: Command) -> dict[str, Any]:
    reply = {
        "address": {"location": "$message.header#/reply_to"},
        "channel": {"$ref": "#/channels/answers"},
        "messages": [{"$ref": f"#/channels/answers/messages/{command.wire}.answer"}],
    }
    return _does("receive", command.wire) | {"reply": reply, "x-ophor-roles": sorted(command.roles)}


def _does(action: str, wire: str) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{wire}"},
        "messages": [{"$ref": f"#/channels/{wire}/messages/{wire}"}],
    }


def _message_of(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/messages/{name}"}


def _call(command: Command) -> dict[str, Any]:
    envelope = _cloud_event(command.wire, f"./commands/{command.wire}.json")
    kwargs = {"type": "object", "required": ["message"], "properties": {"message": envelope}}
    payload = {
        "type": "object",
        "required": ["args", "kwargs"],
        "properties": {"args": {"type": "array", "maxItems": 0}, "kwargs": kwargs},
    }
    return {"name": command.wire, "headers": _CALL_HEADERS, "payload": payload}


def _answer(command: Command) -> dict[str, Any]:
    error = {"type": ["object", "null"], "description": "`exc_args[0]` is errors/error.json"}
    result = {"anyOf": [{"$ref": f"./commands/{command.wire}.json#/$defs/answer"}, {"type": "null"}]}
    payload = {"type": "object", "required": ["result", "error"], "properties": {"result": result, "error": error}}
    return {"name": f"{command.wire}.answer", "payload": payload}


def _told(wire: str, folder: str) -> dict[str, Any]:
    return {"name": wire, "headers": _TOLD_HEADERS, "payload": _cloud_event(wire, f"./{folder}/{wire}.json")}


def _cloud_event(wire: str, schema: str) -> dict[str, Any]:
    """Describe the CloudEvents 1.0 envelope of one type."""
    text = {"type": "string"}
    return {
        "type": "object",
        "required": ["specversion", "id", "type", "source", "time", "data"],
        "properties": {
            "specversion": {"const": "1.0"}, "id": text, "type": {"const": wire}, "source": text,
            "time": {"type": "string", "format": "date-time"}, "datacontenttype": {"const": _JSON}, "subject": text,
            "aggregate": text, "seq": {"type": "integer", "minimum": 0}, "correlationid": text, "ruletime": text,
            "data": {"$ref": schema},
        },
    }  # fmt: skip
