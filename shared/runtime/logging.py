"""Logs: JSON lines on standard error, one canonical line an entrypoint (design §3, issue 2).

* Never a payload, personal data or the text of an exception: exceptions are told by type and place in our code.
* Correlation and trace ids are bound to the work in hand (context variables), so every line of it carries them.
* Log times are real time. The libraries' own logs go the same way, from WARNING up.
"""

from __future__ import annotations

import json
import logging
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any

import structlog

from contracts.errors import OphorError, Rejected, Unavailable
from shared.runtime import tracing
from shared.runtime.metrics import ENTRYPOINTS, LAG, SECONDS

LIBRARIES = (
    "nameko",
    "amqp",
    "kombu",
    "httpx",  # tells every address, and those carry CVR numbers
    "pymongo",
    "werkzeug",
    "eventlet",
    "weasyprint",
    "fontTools",
    "pyhanko",
    "urllib3",
)

_LINE = json.JSONEncoder(ensure_ascii=False, default=repr)
log: structlog.typing.FilteringBoundLogger = structlog.get_logger("ophor")


def set_up(process: str, level: str = "INFO") -> None:
    """Send every log line of this process to standard error as JSON, bearing the name of the `process`."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(allow=("connection", "error")),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add("process", process),
        _place,
    ]
    finish = structlog.processors.JSONRenderer(lambda line, **_: _LINE.encode(line))
    structlog.configure(
        processors=[*shared, finish], logger_factory=_Lines, cache_logger_on_first_use=True,
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
    )  # fmt: skip
    handler = logging.StreamHandler(sys.stderr)
    meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processors=[meta, finish], foreign_pre_chain=shared))
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for library in LIBRARIES:
        logging.getLogger(library).setLevel(logging.WARNING)


class _Lines:
    """Our own lines go straight to standard error: the way of `logging` costs twice the rest of a line."""

    def __init__(self, name: str = "ophor") -> None:
        self.name = name

    def info(self, line: str) -> None:
        """Write a line; nobody's work fails because nobody listens."""
        with suppress(OSError, ValueError):
            sys.stderr.write(line + "\n")

    debug = warning = error = critical = info


class Line:
    """The canonical line in the making: set `outcome` where it is neither `ok` nor an error's."""

    def __init__(self) -> None:
        self.outcome = "ok"


@contextmanager
def canonical(consumer: str, wire: str, message_id: str, **extra: Any) -> Iterator[Line]:
    """Write one line for the work inside: wire, id, outcome, duration, attempts; count it; let errors through.

    The work is a span of the trace that `traceparent` names; `told_at` (Unix seconds) gives the lag.
    """
    correlation_id, told_at = extra.pop("correlation_id", "") or message_id, extra.pop("told_at", 0.0)
    with (
        tracing.span(extra.pop("traceparent", "")) as ids,
        structlog.contextvars.bound_contextvars(correlation_id=correlation_id, **ids),
    ):
        line, started, where = Line(), time.perf_counter(), {}
        try:
            yield line
        except BaseException as error:
            line.outcome, where = outcome_of(error), place_of(error)
            raise
        finally:
            spent = time.perf_counter() - started
            ENTRYPOINTS.labels(consumer, wire, line.outcome.partition(" ")[0]).inc()
            SECONDS.labels(consumer, wire).observe(spent)
            if told_at:
                LAG.labels(consumer, wire).observe(max(0.0, time.time() - spent - told_at))
            log.info(
                "handled", consumer=consumer, wire=wire, id=message_id, outcome=line.outcome,
                duration_ms=round(spent * 1000, 1), **extra, **where,
            )  # fmt: skip


def outcome_of(error: BaseException) -> str:
    """Name an error's family and code, e.g. `rejected ROLE_MISSING`; never its text."""
    if isinstance(error, OphorError):
        family = (
            "rejected" if isinstance(error, Rejected) else "unavailable" if isinstance(error, Unavailable) else "error"
        )
        return f"{family} {error.code}"
    return f"bug {type(error).__name__}"


def place_of(error: BaseException) -> dict[str, Any]:
    """Give where a bug arose, as `file:line function` of the last frames; nothing for errors that are no bugs."""
    if isinstance(error, OphorError):
        return {}
    return {"error": type(error).__name__, "at": _frames(error.__traceback__)}


def _frames(trace: TracebackType | None) -> list[str]:
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(trace)[-6:]]


def _place(_logger: Any, _name: str, event: dict[str, Any]) -> dict[str, Any]:
    raised = event.pop("exc_info", None)
    if raised is True:
        raised = sys.exc_info()
    error = raised[1] if isinstance(raised, tuple) else raised
    if isinstance(error, BaseException):
        event.update({"error": type(error).__name__, "at": _frames(error.__traceback__)})
        if isinstance(error, OphorError):
            event["code"] = error.code
    return event


def _add(name: str, value: str) -> Any:
    return lambda _logger, _name, event: {**event, name: value}
