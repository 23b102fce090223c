"""The pump of a face: it rests as eventlet's hub does, on the socket alone, and greenlets wake it without a pipe.

A `select` between greenlets hands the hub two files and a timer at each rest and takes them back, at the cost of a
tenth of a call. Here one alarm serves many rests: it rings when somebody wakes the pump, else when it is time for a
heartbeat; at worst a rest ends early.
"""

from __future__ import annotations

import selectors
from typing import Any

import eventlet
from eventlet.hubs import get_hub, trampoline

from shared.bus.pump import Pump

_poll = eventlet.patcher.original("select").poll


class _Rung(Exception):
    """The alarm rang while the pump rested."""


class GreenPump(Pump):
    """A pump whose `run` is a greenlet; all who post are greenlets of the same thread."""

    _alarm: Any = None
    _sleeper: Any = None

    def _select(self, sock: Any, _selector: selectors.BaseSelector, seconds: float) -> bool:
        if not seconds:
            now = _poll()
            now.register(sock.fileno(), selectors.EVENT_READ)
            return bool(now.poll(0))
        if self._alarm is None:
            self._alarm = get_hub().schedule_call_global(seconds, self._ring)
        self._sleeper = eventlet.getcurrent()
        try:
            trampoline(sock, read=True)
        except _Rung:
            return False
        finally:
            self._sleeper = None
        return True

    def _wake(self) -> None:
        if self._sleeper is None:  # it waits to connect again
            return super()._wake()
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm = get_hub().schedule_call_global(0, self._ring)
        return None

    def _ring(self) -> None:
        self._alarm, self._woken = None, False
        if self._sleeper is not None:
            self._sleeper.throw(_Rung)
