"""Running an engine's tool: secrets by file or environment, never in the words; what it says is never passed on."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from contracts.errors import Rejected
from contracts.system_map import System

LONGEST_S = 3600


@dataclass(frozen=True, slots=True)
class Engine:
    """How one engine's backup is taken and put back; `needs` are the tools without which neither can be done."""

    needs: tuple[str, ...]
    tool: Callable[[], str]
    take: Callable[[System, Path], None]
    put_back: Callable[[System, Path], None]


def missing(name: str) -> bool:
    """Tell whether a tool is not on the PATH."""
    return shutil.which(name) is None


def run(
    system: System, words: Sequence[str], environment: Mapping[str, str], *,
    stdin: IO[bytes] | None = None, stdout: IO[bytes] | None = None,
) -> None:  # fmt: skip
    """Run a tool to its end; raise Rejected DRILL_TOOL_FAILED with its name and exit code."""
    source = stdin if stdin is not None else subprocess.DEVNULL
    sink = stdout if stdout is not None else subprocess.DEVNULL
    path = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
    words = [shutil.which(words[0]) or words[0], *words[1:]]
    done = subprocess.run(
        words, env=path | dict(environment), stdin=source, stdout=sink, stderr=subprocess.DEVNULL, check=False,
        timeout=LONGEST_S,
    )  # fmt: skip
    if done.returncode:
        raise Rejected(
            "DRILL_TOOL_FAILED", f"{system.name}: {Path(words[0]).name} ended with {done.returncode}",
            field=f"systems.{system.name}.credentials.restore",
            remedy="run the tool by hand with the same user: it may lack a right on the copy",
            da=f"Værktøjet {Path(words[0]).name} fejlede.",
        )  # fmt: skip
