"""The relay of one service: due timers into its outbox, its outbox to the broker (design §3.1).

* One relay works, under a lease on the server's time; others stand by. A change stream wakes it; it looks every
  three seconds anyway. Rows are signed here and published in order of writing, in batches, with pipelined confirms and
  `mandatory`; a row is marked published only after its confirm. It stays 90 days. While one batch is published, the
  fates of the one before are written down and the one after is fetched (`batches`).
* Unroutable or refused rows stay pending and are tried again later. After a channel error nothing is known of the
  open ones: they are sent again one by one, and the row that closes the channel is parked. No confirm for 30 s: the
  socket is dropped. What is sent twice, the inbox of the receiver knows.
* Where the management API is named, missing bindings are looked for at the start and every minute, and nothing is
  published while one is missing: an event without its queue would be lost on that subscriber.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from amqp.exceptions import AMQPError, ChannelError, NotFound
from pymongo.errors import PyMongoError

from contracts.catalogue import EVENTS, TASKS
from contracts.errors import Unavailable
from shared.bus import topology
from shared.bus.batches import BATCH, Batches
from shared.bus.confirms import Confirms, Fate
from shared.bus.outbox import Row, address, pipeline, replay, unpark
from shared.bus.pump import FATAL, LOST, BusMismatch, dial
from shared.bus.reading import read_ahead
from shared.store.lease import Lease
from shared.store.unit import Store

if TYPE_CHECKING:
    import amqp

    from shared.bus.trust import Signer

LEASE_S = 6.0
COMPARE_S = 60.0
_TURN_S, _REST_S = 1.0, 3.0
_AWAIT_MS = 5_000
__all__ = ["Relay", "replay", "unpark"]
log = logging.getLogger("ophor.relay")


class Relay:
    """Publish what a service's outbox holds. `run` works until `stop`; `failing` names what is not well."""

    def __init__(self, store: Store, amqp_uri: str, signer: Signer, management: str = "") -> None:
        self._store, self._uri, self._signer = store, amqp_uri, signer
        self._management = topology.Management(management, amqp_uri) if management else None
        self._lease = Lease(store.db, "relay", f"relay-{uuid.uuid4()}", LEASE_S)
        self._batches = Batches(store)
        self._stopping = False
        self._wake: SimpleQueue[None] = SimpleQueue()  # its put is safe in a signal handler
        self._connection: amqp.Connection | None = None
        self._confirms: Confirms | None = None
        self._calm = threading.Event()  # unset, a backlog is worked off: nobody needs to be woken
        self._renew_at = self._compare_at = 0.0
        self._fence: int | None = None
        self.failing: set[str] = {"broker", "store"}

    @classmethod
    def from_environment(cls, service: str, environ: Mapping[str, str] = os.environ) -> Relay:
        """Make the relay that the environment describes, its health served; raise Rejected naming what is wrong."""
        from shared.bus.trust import Signer
        from shared.runtime.clock import clock_for
        from shared.runtime.config import Config
        from shared.runtime.health import Health
        from shared.runtime.metrics import watch_outbox

        config = Config.read(environ, ("OPHOR_AMQP_URI", "OPHOR_MONGO_URI", "OPHOR_KEYS"))
        assert config.keys is not None
        store = Store(config.mongo_uri, service, clock_for(config.mode, config.clock_uri))
        signer = Signer.load(config.keys, service)
        relay = cls(store, config.amqp_uri, signer, environ.get("OPHOR_RABBIT_MANAGEMENT", ""))
        checks = {name: partial(relay.holds, name) for name in ("broker", "store", "bindings")}
        Health(f"{service} relay", config.health_port, checks).start()
        watch_outbox(store.db, service)
        return relay

    def holds(self, name: str) -> bool:
        """Tell whether the `broker`, the `store` or the `bindings` are well; a relay that stands by needs no broker."""
        return name not in self.failing or (name == "broker" and self._fence is None and "store" not in self.failing)

    def stop(self) -> None:
        """End after the batch in hand; from any thread or signal handler."""
        self._stopping = True
        self._wake.put(None)

    def run(self) -> None:
        """Work until stopped; raise BusMismatch where the broker refuses or lacks what the contracts declare."""
        for watch in (self._watch_outbox, self._watch_clock):
            threading.Thread(target=self._watching, args=(watch,), daemon=True).start()
        prepared = False
        try:
            while not self._stopping:
                try:
                    if not prepared:
                        self._store.prepare()
                        prepared = True
                    if not self._turn():
                        self._idle()
                except FATAL as error:
                    raise BusMismatch(f"relay {self._store.service}: {error.reply_code} {error.reply_text}") from None
                except (*LOST, PyMongoError, Unavailable) as error:
                    self._stumbled(error)
        finally:
            self._leave()

    def _turn(self) -> int:
        """Do one round of work and give how much it was."""
        if not self._may_work():
            self._batches.flush()
            return 0
        connection = self._connected()
        if not self._bound():
            return 0
        rows = self._batches.next()
        if len(rows) == BATCH:
            self._calm.clear()
        if rows and self._may_work():  # again: the store may have taken its time
            self._publish(connection, self._known(rows))
        return self._store.fire_due() + len(rows)  # last: a timer that is held up holds up nothing else

    def _may_work(self) -> bool:
        if time.monotonic() >= self._renew_at:
            fence = self._lease.take()
            if fence != self._fence:
                log.info("relay %s", "works" if fence is not None else "stands by")
                self._batches.drop()  # another one may have published it meanwhile
            self._fence, self._renew_at = fence, time.monotonic() + (_TURN_S if fence is None else LEASE_S / 3)
            self.failing.discard("store")
        return self._fence is not None

    def _connected(self) -> amqp.Connection:
        if self._connection is None:
            connection = dial(self._uri, f"{self._store.service} relay")
            read_ahead(connection)
            topology.check(connection, self._store.service)
            self._connection, self._confirms = connection, Confirms(connection.channel())
            self.failing.discard("broker")
        return self._connection

    def _bound(self) -> bool:
        """Tell whether the contract's bindings are there, as far as the management API is named and was asked."""
        if self._management is None or time.monotonic() < self._compare_at:
            return "bindings" not in self.failing
        missing = topology.missing_bindings(self._management, self._store.service)
        for binding in missing:
            log.error("binding missing: %s; run: ophor topology apply", binding)
        self.failing = self.failing - {"bindings"} | ({"bindings"} if missing else set())
        self._compare_at = time.monotonic() + (_TURN_S if missing else COMPARE_S)
        return not missing

    def _known(self, rows: list[Row]) -> list[Row]:
        """Give the rows that the contracts know; the others are parked."""
        for row in rows:
            if row["wire"] not in EVENTS and row["wire"] not in TASKS:
                self._park(row, "unknown")
        return [row for row in rows if row["wire"] in EVENTS or row["wire"] in TASKS]

    def _publish(self, connection: amqp.Connection, rows: list[Row]) -> None:
        """Publish rows in a pipeline; if one closes the channel, the undecided ones again, one by one."""
        undecided = {row["_id"]: row for row in rows}
        try:
            self._send(connection, rows, undecided)
        except NotFound:
            raise
        except ChannelError as error:
            log.warning("channel closed (%s); %d rows again one by one", error.reply_code, len(undecided))
            for row in list(undecided.values()):
                self._alone(connection, row, undecided)

    def _alone(self, connection: amqp.Connection, row: Row, undecided: dict[str, Row]) -> None:
        try:
            self._send(connection, [row], undecided)
        except NotFound:
            raise
        except ChannelError as error:
            self._park(row, str(error.reply_code))

    def _send(self, connection: amqp.Connection, rows: list[Row], undecided: dict[str, Row]) -> None:
        """Publish rows; note every fate that became known, come what may."""

        def told(row: Row, fate: Fate) -> None:
            self._batches.settle(undecided.pop(row["_id"]), fate)

        if self._confirms is None:
            self._confirms = Confirms(connection.channel())
        try:
            pipeline(self._confirms, ((row, address(row["wire"])) for row in rows), self._signer, told, self._beat)
        except ChannelError:
            self._confirms = None
            raise

    def _beat(self) -> None:
        if time.monotonic() >= self._renew_at:
            self._may_work()

    def _park(self, row: Row, reason: str) -> None:
        log.error("row parked: %s (%s), the broker closes the channel on it: %s", row["_id"], row["wire"], reason)
        self._store.db.outbox.update_one({"_id": row["_id"]}, {"$set": {"state": "parked", "reason": reason}})

    def _idle(self) -> None:
        self._rest()
        if self._connection is not None:
            with suppress(TimeoutError):
                self._connection.drain_events(timeout=0)
            self._connection.heartbeat_tick()

    def _stumbled(self, error: Exception) -> None:
        """Begin anew after a pause, with a new connection where the broker's was lost."""
        ours = isinstance(error, PyMongoError | Unavailable)
        log.warning("%s lost: %s", "store" if ours else "broker", type(error).__name__)
        self.failing.add("store" if ours else "broker")
        self._batches.drop()
        if not ours:
            self._drop()
        time.sleep(_TURN_S)

    def _rest(self) -> None:
        """Wait until something was written or the clock was set, three seconds at most; one who stands by a second."""
        self._calm.set()
        with suppress(Empty):
            self._wake.get(timeout=_TURN_S if self._fence is None else _REST_S)
            while True:  # one round of work serves all who woke it
                self._wake.get_nowait()

    def _drop(self) -> None:
        """Let go of the socket without a word: a broker that is silent would not answer a close."""
        connection, self._connection, self._confirms = self._connection, None, None
        with suppress(Exception):
            if connection is not None:
                connection.collect()

    def _leave(self) -> None:
        self._stopping = True
        self._calm.set()  # not in `stop`: a signal handler may not wait for the event's lock
        with suppress(PyMongoError):
            self._batches.flush()
        with suppress(PyMongoError):
            self._lease.release()
        self._batches.close()
        with suppress(AMQPError, OSError):
            if self._connection is not None:
                self._connection.close()

    def _watching(self, watch: Callable[[], Iterator[Any]]) -> None:
        while not self._stopping:
            self._calm.wait()
            with suppress(PyMongoError, Unavailable):
                for _ in watch():
                    self._wake.put(None)
            time.sleep(_TURN_S)

    def _watch_outbox(self) -> Iterator[Any]:
        told: list[dict[str, Any]] = [{"$match": {"operationType": "insert"}}, {"$project": {"_id": 1}}]
        with self._store.db.outbox.watch(told, max_await_time_ms=_AWAIT_MS) as stream:
            yield  # for what was written while nobody listened
            while not self._unheard():
                if stream.try_next() is not None:
                    yield

    def _watch_clock(self) -> Iterator[Any]:
        return self._store.clock.changes(self._unheard)

    def _unheard(self) -> bool:
        """Tell whether a stream need not be read: during a backlog that costs the database half of its time."""
        return self._stopping or not self._calm.is_set()
