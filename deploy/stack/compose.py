"""The parts as containers, where a container engine answers: `deploy/compose/parts.yml`, one project a stack.

Addresses and passwords reach Compose as environment variables; published ports are on 127.0.0.1 only.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from contracts.errors import Unavailable
from deploy.stack.state import State

FILE = Path(__file__).resolve().parent.parent / "compose" / "parts.yml"


def environment(state: State, definitions: Mapping[str, Any]) -> dict[str, str]:
    """Give the variables that `parts.yml` wants."""
    return {
        "OPHOR_PORT_AMQP": str(state.ports["amqp"]),
        "OPHOR_PORT_MANAGEMENT": str(state.ports["management"]),
        "OPHOR_PORT_MONGOD": str(state.ports["mongod"]),
        "OPHOR_PORT_POSTGRES": str(state.ports["postgres"]),
        "OPHOR_MONGOD_ROOT": state.secrets["mongod:root"],
        "OPHOR_MONGOD_KEYFILE": state.secrets["mongod:keyfile"],
        "OPHOR_POSTGRES_SUPERUSER": state.secrets["postgres:superuser"],
        "OPHOR_DEFINITIONS": json.dumps(definitions),
    }


def project(state: State) -> str:
    """Give the project's name."""
    return f"ophor-{state.id}"


def up(state: State, definitions: Mapping[str, Any], part: str) -> None:
    """Start one part's container; raise Unavailable COMPOSE_FAILED with the end of Compose's words."""
    _compose(state, environment(state, definitions), "up", "--detach", part)


def down(state: State, keep: bool) -> None:
    """Stop the containers, and remove them with their data unless `keep`."""
    words = ("stop",) if keep else ("down", "--volumes", "--timeout", "5")
    _compose(state, environment(state, {}), *words)


def _compose(state: State, variables: Mapping[str, str], *words: str) -> None:
    argv = ["docker", "compose", "--project-name", project(state), "--file", str(FILE), *words]
    done = subprocess.run(argv, env={**os.environ, **variables}, check=False, capture_output=True, text=True)
    if done.returncode:
        raise Unavailable(
            "COMPOSE_FAILED", f"docker compose {words[0]}: {done.stderr.strip()[-800:]}", field="docker",
            remedy="see whether the engine can get the images; after `ophor down`, OPHOR_PARTS=local does without it",
            da="Docker Compose mislykkedes.",
        )  # fmt: skip
