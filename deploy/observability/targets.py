"""Write the local stack's processes as Prometheus's file of targets: `python -m deploy.observability.targets > FILE`.

A process serves `/metrics` on its own loopback only: so Prometheus runs on the same machine, or, in a cluster, as an
agent in the same pod (`127.0.0.1:9000`), and passes on what it read.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from deploy.stack.processes import PRODUCT, TABLE


def targets(ports: Callable[[str], str], names: Iterable[str] = PRODUCT) -> list[dict[str, Any]]:
    """Give one entry a process, labelled with its name and kind; `ports` gives its health port."""
    return [
        {"targets": [f"127.0.0.1:{ports(name)}"], "labels": {"process": name, "kind": TABLE[name].kind}}
        for name in names
    ]


def main() -> None:
    """Write the open stack's targets."""
    from deploy.stack.instance import Stack

    stack = Stack.open()

    def port(name: str) -> str:
        environment: Mapping[str, str] = stack.environment(name)
        return environment["OPHOR_HEALTH_PORT"]

    json.dump(targets(port), sys.stdout, indent=2)


if __name__ == "__main__":
    main()
