"""The queues of a virtual host as a target, opened for one purpose; see the package and `protocol.Connector`."""

from __future__ import annotations

import hashlib
import heapq
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import amqp

from contracts.system_map import MARKER_PLACE, WHOLE_QUEUE, System, check_live
from shared.connectors import failures, probe
from shared.connectors.protocol import Access, Column, Inventory, Key, LivePlace, Marker, Rows
from shared.connectors.queues import message, rules, users
from shared.connectors.queues.batch import QueuesBatch
from shared.connectors.queues.broker import Broker, Look, waiting

_ID, _WRITTEN = "x-ophor-id", "x-ophor-written-at"
PATIENCE_S, _PAUSE_S = 20.0, 0.5


class QueuesConnector:
    """One tenant's messages in one virtual host, opened for one purpose."""

    kind = "queues"

    def __init__(self, system: System, purpose: str, tenant: str) -> None:
        self.system, self._map, self._purpose, self._tenant = system.name, system, purpose, tenant
        self._broker = Broker(system, purpose)

    def discover(self) -> Inventory:
        """List every queue but those that end with one connection; a new binding or argument changes it."""
        rules.check_exchanges(self.system, self._broker.rows("exchanges"))
        bindings = self._broker.rows("bindings")
        places = tuple(self._live(row, bindings) for row in self._queues())
        whole = hashlib.sha256("\n".join(f"{place.name} {place.fingerprint}" for place in places).encode())
        return Inventory(self.system, places, whole.hexdigest())

    def order(self, inventory: Inventory) -> list[str]:
        """Give the owned queues by name; refuse those in which nothing can be deleted, or not without harm."""
        check_live(self._map, {name: () for name in inventory.columns()})
        rows = {row["name"]: row for row in self._queues()}
        release = str(self._broker.ask("GET", "overview").get("rabbitmq_version", ""))
        for place in self.owned():
            if place in rows:
                rules.check_queue(self.system, rows[place], release)
            self._check_whole(place)
            if self._purpose == "verify":
                failures.require_tenants(self._map, place, self.unowned)
        return self.owned()

    def count(self, place: str) -> int:
        """Count the tenant's messages, by taking all and giving them back."""
        with self._taken(place) as found:
            number = sum(1 for one in found if self.is_own(place, one))
        if self._purpose == "verify":
            self._require_none_held(place)
        return number

    def total(self, place: str) -> int:
        """Count what waits; in a tenants' queue all of it is looked at."""
        if place in self.owned():
            with self._taken(place) as found:
                return sum(1 for _ in found)
        with self._broker.channel(place) as channel:
            return waiting(channel, place)[0]

    def unowned(self, place: str) -> int:
        """Count the messages without the tenant's header, or with an empty one."""
        header = self._map.rules[place].tenant_key if place in self.owned() else WHOLE_QUEUE
        if header == WHOLE_QUEUE:
            return 0
        with self._taken(place) as found:
            return sum(1 for one in found if not message.owner(one, header))

    def read(self, place: str, after: Any | None, limit: int) -> Rows:
        """Read the next messages in the order of their ids, with the value that says whose each is."""
        with self._taken(place) as found:
            every = self._named(place, found)
            chosen = heapq.nsmallest(limit, ((id_, one) for id_, one in every if after is None or id_ > after), _first)
        columns = self._columns(place)
        key = columns[len(message.COLUMNS) :]
        rows = [(*message.row(id_, one), *(self._whose(place, one) for _ in key)) for id_, one in chosen]
        return Rows(columns, rows, chosen[-1][0] if len(chosen) == limit else None)

    def keys(self, place: str, limit: int, after: Key | None = None) -> list[Key]:
        """List the next ids; of equal messages the last goes first, so that the others keep their names."""
        with self._taken(place) as found:
            ids = [id_ for id_, _ in self._named(place, found)]
        return [(id_,) for id_ in message.last_of_their_like_first(ids)[:limit]]

    def together(self, place: str, keys: Sequence[Key]) -> list[tuple[str, list[Key]]]:
        """Give the keys alone: nothing refers to them."""
        return [(place, list(keys))]

    def present(self, place: str, keys: Sequence[Key]) -> int:
        """Count the ids that are still there."""
        with self._taken(place) as found:
            still = {id_ for id_, _ in self._named(place, found)}
        return sum(1 for key in keys if key[0] in still)

    @contextmanager
    def batch(self) -> Iterator[QueuesBatch]:
        """Hold messages; `commit` acknowledges the chosen ones, all others are given back."""
        self._need("delete")
        with self._broker.channel() as channel:
            opened = QueuesBatch(self, channel)
            try:
                yield opened
            finally:
                opened.give_back()

    def probes(self, place: str, number: int, seed: bytes) -> list[str]:
        """Draw from the words of the tenant's messages."""
        own, others = set[str](), set[str]()
        with self._taken(place) as found:
            for one in found:
                (own if self.is_own(place, one) else others).update(message.texts(one))
        return probe.draw(seed, own, others, number)

    def find(self, place: str, probes: Sequence[str], seed: bytes) -> int:
        """Search the words of every message that waits; without probes nothing is taken."""
        if not probes:
            return 0
        with self._taken(place) as found:
            there = {probe.hashed(seed, text) for one in found for text in message.texts(one)}
        return len(there & set(probes))

    def can_write(self) -> bool:
        """Try what our user may do besides looking."""
        return users.can_write(self._broker, [row for row in self._queues() if row["name"] in self.owned()])

    def access(self) -> Access:
        """Look at the users that the map names."""
        return users.access(self._broker, self._map.roles)

    def freeze(self) -> None:
        """Leave them their log-in only."""
        self._need("access")
        users.freeze(self._broker, self.system, self._map.roles)

    def close_access(self) -> None:
        """Take everything from them, and end their connections."""
        self._need("access")
        users.close(self._broker, self.system, self._map.roles)

    def marker(self) -> Marker | None:
        """Read the marker from the arguments of the queue of its name."""
        row = self._broker.ask("GET", "queues", self._broker.vhost, MARKER_PLACE)
        if row is None:
            self._queues()  # a virtual host that is not there has no marker to miss
            return None
        said = row.get("arguments") or {}
        try:
            return Marker(str(said[_ID]), float(said[_WRITTEN]))
        except (KeyError, ValueError):
            return None

    def write_marker(self, marker: Marker) -> None:
        """Declare the queue of the marker's name anew, with the marker in its arguments."""
        self._need("prepare")
        said = {_ID: marker.id, _WRITTEN: repr(marker.written_at)}
        with self._broker.channel(MARKER_PLACE) as channel:
            channel.queue_delete(MARKER_PLACE)
            channel.queue_declare(MARKER_PLACE, durable=True, auto_delete=False, arguments=said)

    def documents(self, place: str, after: str = "") -> Iterator[tuple[str, str]]:
        """Give nothing: a queue holds no files."""
        return iter(())

    def close(self) -> None:
        """Close the management client; channels end with their use."""
        self._broker.close()

    def owned(self) -> list[str]:
        """List the tenants' queues of the map (for the batch)."""
        return self._map.owned()

    def is_own(self, place: str, one: amqp.Message) -> bool:
        """Tell whether a message is the tenant's (for the batch); in a place without tenants everything is read."""
        rule = self._map.rule(place)
        if rule is None or not rule.owned:
            return True
        return self._whose(place, one) == self._tenant

    def _whose(self, place: str, one: amqp.Message) -> str:
        header = self._map.rules[place].tenant_key
        if header == WHOLE_QUEUE:
            self._check_whole(place)
            return self._tenant
        return message.owner(one, header)

    def _check_whole(self, place: str) -> None:
        if self._map.rules[place].tenant_key == WHOLE_QUEUE:
            rules.check_name(self.system, place, self._broker.vhost, self._tenant)

    @contextmanager
    def _taken(self, place: str) -> Iterator[Iterator[amqp.Message]]:
        with self._broker.channel(place) as channel:
            look = Look(channel, self.system, place)
            try:
                yield look.messages()
            finally:
                if channel.is_open:
                    look.give_back()

    def _require_none_held(self, place: str) -> None:
        """Refuse to count what somebody holds who no longer consumes; the API's number may be seconds old."""
        until = time.monotonic() + PATIENCE_S
        while (self._broker.ask("GET", "queues", self._broker.vhost, place) or {}).get("messages_unacknowledged"):
            if time.monotonic() >= until:
                raise failures.busy(self.system, "somebody holds messages of it, and nobody else can look into them")
            time.sleep(_PAUSE_S)

    def _named(self, place: str, found: Iterator[amqp.Message]) -> Iterator[tuple[str, amqp.Message]]:
        for one in message.named(each for each in found if self.is_own(place, each)):
            yield one.id, one.message

    def _columns(self, place: str) -> tuple[str, ...]:
        rule = self._map.rule(place)
        key = rule.tenant_key if rule is not None else ""
        return message.COLUMNS if not key or key in message.COLUMNS else (*message.COLUMNS, key)

    def _queues(self) -> list[dict[str, Any]]:
        rows = [row for row in self._broker.rows("queues") if not row.get("exclusive")]
        return sorted(rows, key=lambda row: str(row["name"]))

    def _live(self, row: dict[str, Any], bindings: Sequence[dict[str, Any]]) -> LivePlace:
        name = str(row["name"])
        bound = sorted(
            json.dumps([one["source"], one["routing_key"], one["arguments"]], sort_keys=True)
            for one in bindings
            if one["destination_type"] == "queue" and one["destination"] == name
        )
        what = [rules.type_of(row), row.get("durable"), row.get("auto_delete"), row.get("arguments"), bound]
        digest = hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()
        columns = tuple(Column(column, "text") for column in self._columns(name))
        return LivePlace(name, columns, ("id",), fingerprint=digest, kind="queue")

    def _need(self, purpose: str) -> None:
        if self._purpose != purpose:
            raise failures.wrong_purpose(self.system, self._purpose, purpose)


def _first(pair: tuple[str, amqp.Message]) -> str:
    return pair[0]
