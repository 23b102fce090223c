"""What the broker must hold (`described`, pure) and how it is declared and looked for (`broker`) (design §3.8).

* Nothing but `apply` declares anything; processes look at their start (`check`) and end where something is lacking.
* `definitions` is what a new broker may load at its boot, whole. A broker that imports them again ignores in silence
  what it holds otherwise; only `apply` tells.
"""

from shared.bus.topology.broker import Management, apply, check, missing_bindings
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
    "missing_bindings",
    "queues_of",
    "users",
]
