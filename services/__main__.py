"""Start one process of Ophør (ADR 0001):

python -m services face NAME | relay NAME | hand SERVICE NAME | gateway

Only a face runs on eventlet, which must patch the standard library before anything else is imported. SIGTERM and
SIGINT stop cleanly within 90 s. A process that cannot run says why in one line and ends with 1, a wrong call with 2.
"""

import sys

if sys.argv[1:2] == ["face"]:
    import warnings

    warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
    import eventlet

    eventlet.monkey_patch()

import os
import signal
import threading
from collections.abc import Callable
from importlib import import_module
from typing import Any

from contracts.catalogue import SERVICES
from contracts.errors import OphorError
from shared.bus.pump import BusMismatch
from shared.runtime.logging import log, place_of, set_up

GRACE_S = 90


def main(arguments: list[str]) -> int:
    """Start the process that `arguments` name; give its exit code."""
    match arguments:
        case ["face", service] if service in SERVICES:
            return _run(f"{service} face", lambda: face(service))
        case ["relay", service] if service in SERVICES:
            return _run(f"{service} relay", lambda: relay(service))
        case ["hand", service, name] if service in SERVICES:
            return _run(f"{service} {name}", lambda: hand(service, name))
        case ["gateway"]:
            return _run("gateway", gateway)
    print(__doc__, file=sys.stderr)  # noqa: T201 - a terminal program
    return 2


def face(service: str) -> int:
    """Run a service's face: the class in its `service.py` that bears its name."""
    from shared.bus import faces

    module = import_module(f"services.{service}.service")
    found = [each for each in vars(module).values() if _is_face(each, faces.Face, service)]
    if len(found) != 1:
        raise LookupError(f"services/{service}/service.py needs one Face named {service}")
    faces.check_complete(found[0])
    return faces.run(found[0])


def relay(service: str) -> int:
    """Run a service's relay."""
    from shared.bus.relay import Relay

    return _serve(Relay.from_environment(service))


def hand(service: str, name: str) -> int:
    """Run one of a service's hands."""
    hands = import_module(f"services.{service}.worker").HANDS
    if name not in hands:
        raise LookupError(f"{service} has no hand {name}; it has {', '.join(sorted(hands))}")
    return _serve(hands[name].from_environment())


def gateway() -> int:
    """Run the gateway."""
    return int(import_module("services.gateway.app").main() or 0)


def _serve(process: Any) -> int:
    """Run a threaded process (`run()` until `stop()`) with a clean stop on SIGTERM and SIGINT."""

    def leave(_signal: int, _frame: Any) -> None:
        last = threading.Timer(GRACE_S, os._exit, [1])
        last.daemon = True
        last.start()
        process.stop()

    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, leave)
    process.run()
    log.info("stopped")
    return 0


def _run(process: str, work: Callable[[], int]) -> int:
    set_up(process)
    try:
        return work()
    except OphorError as error:
        log.critical("cannot run", code=error.code, message=str(error))
    except (BusMismatch, LookupError, ImportError) as error:
        log.critical("cannot run", message=str(error))
    except Exception as error:
        log.critical("ended by a bug", **place_of(error))
    return 1


def _is_face(value: Any, base: type, service: str) -> bool:
    return isinstance(value, type) and issubclass(value, base) and getattr(value, "name", "") == service


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
