"""Trace context (W3C Trace Context, `traceparent`): carried through calls, events, tasks and the lines of the log.

A message's handling is a span of the trace that the message came with; what is told or called in it goes on with that
span. Only ids travel: no name, no value, no address. Spans are told by the canonical log lines, which a collector may
turn into whatever it keeps.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_FORM = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_current: ContextVar[str] = ContextVar("traceparent", default="")


def current() -> str:
    """Give the `traceparent` of the span in hand, or an empty text."""
    return _current.get()


def onward() -> str:
    """Give the `traceparent` that a call takes along: the span in hand, else a trace of its own."""
    return _current.get() or _made(secrets.token_hex(16))


@contextmanager
def span(parent: str) -> Iterator[dict[str, str]]:
    """Go on with the trace of `parent` (not well formed: begin one); give trace, span and parent ids for the log."""
    known = _FORM.fullmatch(parent) is not None
    trace = parent[3:35] if known else secrets.token_hex(16)
    mine = _made(trace)
    token = _current.set(mine)
    try:
        yield {"trace_id": trace, "span_id": mine[36:52], **({"parent_id": parent[36:52]} if known else {})}
    finally:
        _current.reset(token)


def _made(trace: str) -> str:
    return f"00-{trace}-{secrets.token_hex(8)}-01"
