"""Crash points: a process of the product that kills itself (SIGKILL) where a file says so.

`python -m tests.chaos.points face orders` is `python -m services face orders`, with the functions below wrapped as
soon as their modules are imported. A file named `<process> <point>` in the folder CHAOS_POINTS arms a point once.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
from collections.abc import Callable
from importlib.abc import Loader
from importlib.machinery import ModuleSpec, PathFinder
from typing import Any

# point → (module, object, before or after it)
POINTS: dict[str, tuple[str, str, bool]] = {
    "before-commit": ("shared.store.unit", "_commit", True),
    "after-commit": ("shared.store.unit", "_commit", False),
    "before-publish": ("shared.bus.confirms", "Confirms.publish", True),
    "after-publish": ("shared.bus.confirms", "Confirms.publish", False),
    "before-mark": ("shared.bus.batches", "Batches._write_down", True),
    "after-mark": ("shared.bus.batches", "Batches._write_down", False),
    "before-ack": ("amqp.channel", "Channel.basic_ack", True),
    "after-ack": ("amqp.channel", "Channel.basic_ack", False),
    "before-checkpoint": ("shared.bus.hands_work", "Work.commit", True),
    "after-checkpoint": ("shared.bus.hands_work", "Work.commit", False),
}
# no contract asks for order yet: here one service handles an emitter's events strictly by seq, and notes each turn
ORDERED, APPLIED = ("scheduling", "orders"), "chaos_applied"
_FACES = "shared.bus.faces_house"
KINDS = {
    "face": ("before-commit", "after-commit", "before-ack", "after-ack"),
    "relay": ("before-publish", "after-publish", "before-mark", "after-mark"),
    "hand": ("before-commit", "before-checkpoint", "after-checkpoint", "before-ack", "after-ack"),
}
# what the load gives work to do; the others would wait for their point in vain
BUSY = {
    "face": ("orders", "scheduling", "compliance", "deletion", "delivery", "access"),
    "relay": ("orders-relay", "scheduling-relay", "compliance-relay"),
    "hand": ("compliance-ledger",),
}


def arm(folder: str, process: str, point: str) -> None:
    """Have `process` die the next time that it comes to `point`."""
    with open(os.path.join(folder, f"{process} {point}"), "w"):
        pass


def disarm(folder: str) -> int:
    """Take back what nobody came to; give how many there were."""
    left = os.listdir(folder)
    for name in left:
        os.unlink(os.path.join(folder, name))
    return len(left)


def _die_at(point: str) -> None:
    try:
        os.unlink(os.path.join(os.environ["CHAOS_POINTS"], f"{os.environ['CHAOS_NAME']} {point}"))
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


def _wrapped(inner: Callable[..., Any], point: str, *, before: bool) -> Callable[..., Any]:
    def outer(*arguments: Any, **more: Any) -> Any:
        if before:
            _die_at(point)
        result = inner(*arguments, **more)
        if not before:
            _die_at(point)
        return result

    return outer


def _wrap(module: Any) -> None:
    for point, (name, path, before) in POINTS.items():
        if name != module.__name__:
            continue
        *parents, last = path.split(".")
        holder = module
        for parent in parents:
            holder = getattr(holder, parent)
        setattr(holder, last, _wrapped(getattr(holder, last), point, before=before))


def _put_in_order(module: Any) -> None:
    """Have ORDERED's events handled by seq, each turn noted in the transaction that takes it."""
    inner = module._its_turn

    def its_turn(unit: Any, event: Any) -> bool:
        if not inner(unit, event):
            return False
        before = unit.db[APPLIED].count_documents({"aggregate": event.aggregate}, session=unit.session)
        row = {"aggregate": event.aggregate, "seq": event.seq, "nth": before + 1}
        unit.db[APPLIED].insert_one(row, session=unit.session)
        return True

    module._its_turn = its_turn
    module.ordered = lambda service, wire: (service, wire.partition(".")[0]) == ORDERED


class _Wrapping(Loader):
    def __init__(self, inner: Loader) -> None:
        self._inner = inner

    def create_module(self, spec: ModuleSpec) -> Any:
        return self._inner.create_module(spec)

    def exec_module(self, module: Any) -> None:
        self._inner.exec_module(module)
        _wrap(module)
        if module.__name__ == _FACES:
            _put_in_order(module)


class _Finder:
    """Find the modules that have points, and wrap them once they are executed."""

    modules = frozenset(name for name, _, _ in POINTS.values()) | {_FACES}

    @classmethod
    def find_spec(cls, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if name not in cls.modules:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Wrapping(spec.loader)
        return spec


if __name__ == "__main__":
    sys.meta_path.insert(0, _Finder)
    sys.argv[0] = "services"
    runpy.run_module("services", run_name="__main__", alter_sys=True)
