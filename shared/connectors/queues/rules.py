"""Which queues are refused, and why. Pure: from what the management API says of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from contracts.errors import Rejected

_KEEPING = ("x-delayed-message", "x-recent-history")


def type_of(row: Mapping[str, Any]) -> str:
    """Give a queue's type: classic, quorum, stream."""
    said = row.get("type") or (row.get("arguments") or {}).get("x-queue-type") or "classic"
    return str(said).removeprefix("rabbit_").removesuffix("_queue")


def check_exchanges(system: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Refuse a virtual host in which an exchange keeps messages itself, where nobody can look at them."""
    for row in rows:
        if row.get("type") in _KEEPING:
            raise _refused(
                system, "EXCHANGE_KEEPS_MESSAGES", "", f"the exchange {row['name']} keeps messages itself",
                "let it run empty and remove it", "en exchange gemmer selv på beskeder",
            )  # fmt: skip


def check_queue(system: str, row: Mapping[str, Any], release: str) -> None:
    """Refuse a stream (nothing in it can be deleted) and a queue that drops a message after some deliveries."""
    name, kind = str(row["name"]), type_of(row)
    if kind not in ("classic", "quorum"):
        raise _refused(
            system, "PLACE_NOT_DELETABLE", name, f"{name} is a {kind}; single messages cannot be deleted from it",
            "delete the whole of it by hand, or wait for its retention, and map what is left",
            "kan ikke tømmes for enkelte beskeder",
        )  # fmt: skip
    if kind == "quorum" and (row.get("arguments") or {}).get("x-single-active-consumer"):
        raise _refused(
            system, "PLACE_NOT_DELETABLE", name, f"{name} gives messages to a single consumer only, never on request",
            "let its consumer empty it, or move its messages to another queue", "giver kun beskeder til én modtager",
        )  # fmt: skip
    if kind == "quorum" and _limit(row, release) >= 0:
        raise _refused(
            system, "LOOKING_WOULD_DELETE", name, f"{name} drops a message that was taken too often",
            "set the policy delivery-limit to -1 (before RabbitMQ 4: remove it) until the exit is over",
            "smider beskeder væk, der er taget for mange gange",
        )  # fmt: skip


def check_name(system: str, place: str, vhost: str, tenant: str) -> None:
    """Refuse to take a whole queue for the tenant's where neither its name nor the virtual host's says the tenant."""
    words = {*re.split(r"[.:/_\-\s]", place), *re.split(r"[.:/_\-\s]", vhost), place, vhost}
    if tenant not in words:
        raise _refused(
            system, "TENANT_NOT_IN_NAME", place, f"nothing in the name of {place} says that it is this tenant's alone",
            "name the header that says whose a message is", "har intet i navnet, der siger, hvis den er",
        )  # fmt: skip


def _limit(row: Mapping[str, Any], release: str) -> int:
    """Give after how many deliveries a message is dropped; -1 = never. RabbitMQ 4 has a limit unless told otherwise."""
    said = (row.get("arguments") or {}).get("x-delivery-limit")
    policy = (row.get("effective_policy_definition") or {}).get("delivery-limit")
    given = [int(each) for each in (said, policy) if each is not None]
    if given:
        return max(given)
    return -1 if release.partition(".")[0] in ("3", "") else 20


def _refused(system: str, code: str, place: str, text: str, remedy: str, da: str) -> Rejected:
    where = f"systems.{system}.places.{place}" if place else f"systems.{system}"
    return Rejected(code, f"{system}: {text}", field=where, remedy=remedy, da=f"{system}: {place or 'serveren'} {da}.")
