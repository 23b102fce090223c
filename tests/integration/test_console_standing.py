"""The stack stands no longer than the command that works on it."""

from __future__ import annotations

import os
import signal
import sys
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from contracts.errors import Rejected
from deploy.stack import spawn
from deploy.stack.instance import Stack
from services.console.rehearsing.standing import standing


def begin(stack: Stack) -> spawn.Ticket:
    """Start a process of the stack that ends only when it is ended."""
    launch = spawn.Launch(
        [sys.executable, "-c", "import signal; signal.pause()"], dict(os.environ), stack.log("gateway")
    )
    return spawn.start(launch, str(stack.home), "gateway")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_command_stops_the_stack_and_says_how_to_go_on(home: Path, number: signal.Signals) -> None:
    stack, told = Stack.create(home, mode="test"), StringIO()
    before = signal.getsignal(number)
    with pytest.raises((KeyboardInterrupt, SystemExit)), standing(stack, Console(file=told), leave=False):
        ticket = begin(stack)
        signal.raise_signal(number)
    assert not ticket.alive
    assert "for at fortsætte" in told.getvalue()
    assert signal.getsignal(number) == before


def test_an_error_stops_the_stack_too_unless_it_is_to_be_left(home: Path) -> None:
    stack = Stack.create(home, mode="test")
    for leave in (True, False):
        with pytest.raises(Rejected), standing(stack, Console(file=StringIO()), leave=leave):
            ticket = begin(stack)
            raise Rejected("EXAMPLE", "an example")
        assert ticket.alive == leave
