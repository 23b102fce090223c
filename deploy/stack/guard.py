"""`python -m deploy.stack.guard HOME PID`: take a stack down, and its home away, when the process PID has ended.

For stacks that belong to one run (tests): whatever way the run ends, nothing is left running.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from contracts.errors import OphorError
from deploy.stack import spawn
from deploy.stack.instance import ROOT, Stack

LOOK_EVERY_S = 1.0


def start(home: Path, pid: int) -> None:
    """Start a guard of `home` for the process `pid`, detached."""
    argv = [sys.executable, "-m", "deploy.stack.guard", str(home), str(pid)]
    subprocess.Popen(
        argv,
        cwd=ROOT,
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ).returncode = 0


def take_away(home: Path) -> None:
    """End the stack of a home, if there is one, and remove the home."""
    with suppress(OphorError):
        Stack.open(home).down(grace=5.0)
    spawn.end_all(str(home), 5.0)
    shutil.rmtree(home, ignore_errors=True)


def main(home: str, pid: str) -> int:
    """Wait for the end of `pid`, then take the stack away."""
    started = spawn.start_time(int(pid))
    while started is not None and spawn.start_time(int(pid)) == started and Path(home).exists():
        time.sleep(LOOK_EVERY_S)
    take_away(Path(home))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
