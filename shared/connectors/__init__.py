"""Target systems behind one small protocol; `open_connector` is the only door.

Rules it keeps: a connector is opened for one purpose with that purpose's own credentials; the tenant's value comes
from the system map and the order; opening one changes nothing.
"""

from __future__ import annotations

from importlib import import_module

from contracts.system_map import CLEAN, PURPOSES, SystemMap
from shared.connectors.protocol import Connector

_KINDS = {
    "postgresql": ("sql", "PostgresConnector"),
    "mariadb": ("sql", "MariaConnector"),
    "sqlite": ("sql", "SqliteConnector"),
    "mongodb": ("mongodb", "MongoConnector"),
    "files": ("files", "FilesConnector"),
    "s3": ("s3", "S3Connector"),
    "queues": ("queues", "QueuesConnector"),
    "manual": ("manual", "ManualConnector"),
    "case_index": ("case_index", "CaseIndexConnector"),
}
"""Room and class of each kind. A kind's drivers are loaded when one is opened: most processes need none of them."""


def open_connector(system_map: SystemMap, system: str, purpose: str, tenant: str, cvr: str) -> Connector:
    """Open `system` of the map for `purpose` (extract, delete, verify, access, prepare, clean) on the tenant's data.

    Raise Rejected (map, secret, tenant) or Unavailable SYSTEM_UNREACHABLE, then or at first use.
    """
    if purpose not in (*PURPOSES, CLEAN):
        raise ValueError(f"no such purpose: {purpose}")
    target = system_map.system(system)
    room, name = _KINDS[target.kind]
    made: Connector = getattr(import_module(f"{__name__}.{room}"), name)(
        target, purpose, target.tenant_value(tenant, cvr)
    )
    return made
