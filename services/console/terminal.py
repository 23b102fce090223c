"""How the command line speaks: errors as one clear block and an exit code; tables; Danish first, English by switch.

Exit codes: 0 done, 1 the world is wrong (Unavailable), 2 the call or the data is wrong (Rejected).
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import typer

from contracts.errors import OphorError, Rejected

P = ParamSpec("P")
R = TypeVar("R")


def english() -> bool:
    """Tell whether English is wanted (`OPHOR_LANG=en`)."""
    return os.environ.get("OPHOR_LANG", "da").lower().startswith("en")


def speaks(command: Callable[P, R]) -> Callable[P, R]:
    """Make a command tell its errors on stderr and end with their exit code."""

    @wraps(command)
    def spoken(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except OphorError as error:
            if error.da and not english():
                typer.echo(error.da, err=True)
            typer.echo(str(error), err=True)
            raise typer.Exit(2 if isinstance(error, Rejected) else 1) from None

    return spoken


def show_json(body: Any) -> None:
    """Print JSON for programs."""
    typer.echo(json.dumps(body, ensure_ascii=False, indent=2, default=str))
