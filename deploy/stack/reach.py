"""Whether a part answers at its address, and the broker's definitions over its management API (brokers not our own)."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any
from urllib.parse import unquote, urlsplit

import amqp
import psycopg

from contracts.errors import Unavailable
from shared.bus.pump import dial

API = "OPHOR_RABBITMQ_API"
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # whatever proxy the environment names
PROBE_S = 4.0  # as the probes of the containers; the gateway asks a service for three seconds before it says no


def broker(uri: str) -> bool:
    """Tell whether the broker takes the connection that `uri` describes."""
    try:
        dial(uri, "stack", 2.0).close()
    except (OSError, amqp.exceptions.AMQPError):
        return False
    return True


def postgres(uri: str) -> bool:
    """Tell whether PostgreSQL answers a question at `uri`."""
    try:
        with psycopg.connect(uri, connect_timeout=2) as connection:
            connection.execute("SELECT 1")
    except psycopg.OperationalError:
        return False
    return True


def api_address(environ: Mapping[str, str]) -> str:
    """Give the management API's address of a given broker; raise Unavailable BROKER_API_MISSING."""
    if not environ.get(API):
        raise Unavailable(
            "BROKER_API_MISSING", f"OPHOR_RABBITMQ_URI is given, but not {API}", field=API,
            remedy=f"give the management API's address, {API}=http://administrator:password@host:15672",
            da="Adressen på brokerens administration mangler.",
        )  # fmt: skip
    return environ[API]


def broker_api(address: str) -> bool:
    """Tell whether a broker's management API answers its administrator."""
    try:
        ask(address, "GET", "/api/overview", None)
    except (OSError, ValueError):
        return False
    return True


def load_definitions(address: str, definitions: Mapping[str, Any]) -> None:
    """Put users, rights and policies into a given broker; raise Unavailable BROKER_API_FAILED."""
    try:
        ask(address, "POST", "/api/definitions", json.dumps(definitions).encode())
    except (OSError, ValueError) as error:
        raise Unavailable(
            "BROKER_API_FAILED", f"the broker's management API refused the definitions: {error}", field=API,
            remedy="give an administrator's address", da="Brokerens administration afviste definitionerne.",
        ) from None  # fmt: skip


def health(port: int, path: str) -> dict[str, Any] | None:
    """Ask a process of ours on 127.0.0.1 for `/live` or `/ready`; None when it does not answer, or dies meanwhile."""
    try:
        found = json.loads(_said(f"http://127.0.0.1:{port}{path}"))
    except (OSError, HTTPException, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _said(url: str) -> bytes:
    try:
        with _DIRECT.open(url, timeout=PROBE_S) as answer:
            return bytes(answer.read())
    except urllib.error.HTTPError as error:  # not ready: it says why
        with error:
            return error.read()


def ask(api: str, method: str, path: str, body: bytes | None) -> bytes:
    """Ask a broker's management API as the user in its address; raise OSError."""
    address = urlsplit(api)
    secret = b64encode(f"{unquote(address.username or '')}:{unquote(address.password or '')}".encode()).decode()
    url = f"{address.scheme}://{address.hostname}:{address.port or 15672}{path}"
    headers = {"Authorization": f"Basic {secret}", "Content-Type": "application/json"}
    request = urllib.request.Request(url, body, headers, method=method)  # noqa: S310 – the operator's own address
    with _DIRECT.open(request, timeout=30) as answer:
        return bytes(answer.read())
