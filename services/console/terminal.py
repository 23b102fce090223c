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
            tell(error)
            raise typer.Exit(2 if isinstance(error, Rejected) else 1) from None

    return spoken


def tell(error: OphorError, *, in_english: bool = False) -> None:
    """Tell an error on stderr: in Danish first, then with its code, field and remedy."""
    if not (in_english or english()):
        typer.echo(error.da or f"Det kunne ikke lade sig gøre ({error.code}).", err=True)
    typer.echo(str(error), err=True)


def show_json(body: Any) -> None:
    """Print JSON for programs."""
    typer.echo(json.dumps(body, ensure_ascii=False, indent=2, default=str))
