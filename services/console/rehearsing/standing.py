"""The stack stands no longer than the command that works on it, however that command ends.

An error, Ctrl-C, SIGTERM and a closed terminal all stop the stack with its data kept, and say how to go on. Stopping
is not interrupted by a second Ctrl-C.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from rich.console import Console

from contracts.errors import OphorError
from deploy.stack.instance import Stack

ENDINGS = (signal.SIGTERM, signal.SIGHUP)


@contextmanager
def standing(stack: Stack, console: Console, *, leave: bool) -> Iterator[None]:
    """Stop the stack (its data are kept) when the block ends in whatever way, unless it should be left running."""
    before = {number: signal.signal(number, _end) for number in (*ENDINGS, signal.SIGINT)}
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job starts with it ignored
    try:
        yield
    except BaseException as error:
        told = f"Øvelsen standsede: {error}" if isinstance(error, OphorError) else "Øvelsen blev afbrudt."
        console.print(told, style="red", markup=False, highlight=False, soft_wrap=True)
        console.print("Kør samme kommando igen for at fortsætte, hvor den slap.", highlight=False)
        raise
    finally:
        for number in before:
            signal.signal(number, signal.SIG_IGN)
        if not leave:
            with console.status("Ophør standses …"):
                stack.down(keep=True)
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(number: int, frame: Any) -> NoReturn:
    raise SystemExit(128 + number)
