"""The table of processes (ADR 0001), in one place: what there is, how it is called, whose rights it has.

Parts are servers; every other process is `python -m …` from the checkout. The demo's own processes are in the table
too, but belong to a stack only once they were started by name.
"""

from __future__ import annotations

from dataclasses import dataclass

from contracts.catalogue import SERVICES, hands

PARTS = ("rabbitmq", "mongod", "postgres")
KINDS = ("part", "face", "relay", "hand", "gateway", "demo")


@dataclass(frozen=True, slots=True)
class Process:
    """One row: `user` is its user on the broker and in MongoDB (empty: none), `role` its room in the keys' folder."""

    name: str
    kind: str
    module: tuple[str, ...] = ()
    service: str = ""
    role: str = ""
    user: str = ""


def _product() -> list[Process]:
    rows = []
    for service in SERVICES:
        user = f"svc-{service}"
        rows.append(Process(service, "face", ("services", "face", service), service, "face", user))
        rows.append(Process(f"{service}-relay", "relay", ("services", "relay", service), service, "relay", user))
    for service, hand in hands():
        module = ("services", "hand", service, hand)
        rows.append(Process(f"{service}-{hand}", "hand", module, service, hand, f"svc-{service}"))
    rows.append(Process("gateway", "gateway", ("services", "gateway"), "gateway", "face", "gateway"))
    return rows


DEMO = ("case-index", "retention", "neighbours")
TABLE: dict[str, Process] = {
    row.name: row
    for row in (
        *(Process(name, "part") for name in PARTS),
        *_product(),
        *(Process(name, "demo", ("deploy.demo", name), name, "demo") for name in DEMO),
    )
}
SIGNERS = {"compliance-ledger": 10002, "compliance-seal": 10003, "compliance-sign": 10004}
"""The numbers of the users under which signers run in containers, each its own; all else runs as 10001."""
OTHER_SIGNER = {"compliance-seal": "sign", "compliance-sign": "seal"}
PRODUCT = tuple(name for name, row in TABLE.items() if row.kind not in ("part", "demo"))
