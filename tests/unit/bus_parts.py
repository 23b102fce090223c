"""Keys, a trust and messages for the bus's unit tests; nothing here touches a broker."""

from __future__ import annotations

import time
import uuid
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contracts.roles import EVERYONE
from shared.bus.envelope import encode, make_command, make_event
from shared.bus.guard import Received
from shared.bus.tokens import Issuer
from shared.bus.trust import Signer, Trust, public_text

KEYS = {
    name: Ed25519PrivateKey.from_private_bytes(name.ljust(32).encode()) for name in ("orders", "deletion", "console")
}
CONSOLE = Issuer("console", KEYS["console"])
ORDERS = Signer("orders", KEYS["orders"])
TRUST = Trust.of(
    {name: {"keys": [public_text(KEYS[name])]} for name in ("orders", "deletion")},
    {"console": {"keys": [public_text(KEYS["console"])], "roles": sorted(EVERYONE - {"revisor"})}},
)


def call(wire: str = "orders.place_final_order", data: Any = None, **spoil: Any) -> Received:
    """Make a call to orders as it comes from the broker; `spoil` replaces parts of it."""
    role = {"orders.place_final_order": "kommune_projektleder"}.get(wire, "kommune_dpo")
    headers = {
        "nameko.authorization": spoil.get("token") or CONSOLE.acting("usr-1", [role])("orders"),
        "nameko.deadline": spoil.get("deadline", time.time() + 30), "nameko.call_id_stack": ["x"],
        **spoil.get("headers", {}),
    }  # fmt: skip
    properties = {
        "content_type": "application/json", "content_encoding": "utf-8", "reply_to": str(uuid.uuid4()),
        "correlation_id": "c-1", **spoil.get("properties", {}),
    }  # fmt: skip
    envelope = make_command(wire, data or {"exit_id": "exit-1"}, command_id="cmd-1") | spoil.get("envelope", {})
    body = spoil.get("body") or encode({"args": [], "kwargs": {"message": envelope}})
    return Received(body, headers, properties, spoil.get("key", wire))


def told(signer: Signer = ORDERS, **spoil: Any) -> Received:
    """Make orders.window_confirmed as it comes from the broker; `spoil` replaces parts of it."""
    attributes = {"id": "evt-1", "subject": "exit-1", "aggregate": "orders:exit-1", "seq": 3, "correlationid": "corr-1"}
    envelope = make_event("orders.window_confirmed", {"exit_id": "exit-1"}, **attributes) | spoil.get("envelope", {})
    body = encode(envelope)
    headers = {**signer.headers(envelope, body), **spoil.get("headers", {})}
    properties = {"content_type": "application/json", **spoil.get("properties", {})}
    return Received(spoil.get("body", body), headers, properties, "window_confirmed")
