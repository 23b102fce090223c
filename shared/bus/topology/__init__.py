"""What the broker must hold (`described`, pure), what it holds (`held`), how it is declared and looked for (`broker`).

* Nothing but `apply` declares anything; processes look at their start (`check`) and end where something is lacking.
* `definitions` is what a new broker may load at its boot, whole. A broker that imports them again ignores in silence
  what it holds otherwise; only `apply` tells.
"""

from shared.bus.topology.broker import apply, check
from shared.bus.topology.described import (
    DEAD,
    DELAYS_MS,
    INTEGRATOR,
    RETURN,
    RPC,
    STEPS,
    TOPOLOGY_USER,
    Binding,
    Exchange,
    Policy,
    Queue,
    Topology,
    User,
    definitions,
    describe,
    queues_of,
    users,
)
from shared.bus.topology.held import Management, differences, missing_bindings

__all__ = [
    "DEAD",
    "DELAYS_MS",
    "INTEGRATOR",
    "RETURN",
    "RPC",
    "STEPS",
    "TOPOLOGY_USER",
    "Binding",
    "Exchange",
    "Management",
    "Policy",
    "Queue",
    "Topology",
    "User",
    "apply",
    "check",
    "definitions",
    "describe",
    "differences",
    "missing_bindings",
    "queues_of",
    "users",
]
