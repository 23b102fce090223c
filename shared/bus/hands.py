"""Hands: processes that do bounded slices of blocking work (design §2). Never import eventlet here.

A hand is a class with one method a task; `hands_process` runs it, `hands_work` is what a slice gets.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar

from contracts.catalogue import TASKS
from shared.bus.hands_process import HandProcess
from shared.bus.hands_work import Work
from shared.store.lease import Lease
from shared.store.unit import Store

Slice = Callable[[Any, Work], None]


def task(method: Slice) -> Slice:
    """Mark a hand's method as the one that does the task of its name."""
    method.is_task = True  # type: ignore[attr-defined]
    return method


class Hand:
    """What a hand can do: one method marked with `task` for each task that the contract sends to it."""

    service: ClassVar[str]
    name: ClassVar[str]
    prefetch: ClassVar[int] = 1

    @classmethod
    def tasks(cls) -> dict[str, str]:
        """Give wire → method; raise RuntimeError where contract and class differ."""
        prefix = f"{cls.service}.{cls.name}."
        found = {f"{prefix}{name}": name for name in dir(cls) if hasattr(getattr(cls, name), "is_task")}
        declared = {wire for wire in TASKS if wire.startswith(prefix)}
        if set(found) != declared:
            raise RuntimeError(f"{cls.__name__} does {sorted(found)}, the contract says {sorted(declared)}")
        return found

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> HandProcess:
        """Make the process that the environment describes, its health served; raise Rejected naming what is wrong."""
        from shared.bus.trust import Trust
        from shared.runtime.clock import clock_for
        from shared.runtime.config import Config
        from shared.runtime.health import Health

        config = Config.read(environ, ("OPHOR_AMQP_URI", "OPHOR_MONGO_URI", "OPHOR_TRUST"))
        assert config.trust is not None
        store = Store(config.mongo_uri, cls.service, clock_for(config.mode, config.clock_uri))
        process = HandProcess(cls(), store, config.amqp_uri, Trust.load(config.trust), config)
        checks = {name: partial(process.holds, name) for name in ("broker", "store")}
        Health(f"{cls.service} {cls.name}", config.health_port, checks).start()
        return process


__all__ = ["Hand", "HandProcess", "Lease", "Work", "task"]
