"""Target systems behind one small protocol; `open_connector` is the only door.

Rules it keeps: a connector is opened for one purpose with that purpose's own credentials; the tenant's value comes
from the system map and the order; opening one changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from contracts.system_map import CLEAN, PURPOSES, System, SystemMap
from shared.connectors.case_index import CaseIndexConnector
from shared.connectors.files import FilesConnector
from shared.connectors.manual import ManualConnector
from shared.connectors.mongodb import MongoConnector
from shared.connectors.protocol import Connector
from shared.connectors.queues import QueuesConnector
from shared.connectors.s3 import S3Connector
from shared.connectors.sql import MariaConnector, PostgresConnector, SqliteConnector

_KINDS: dict[str, Callable[[System, str, str], Connector]] = {
    "postgresql": PostgresConnector,
    "mariadb": MariaConnector,
    "sqlite": SqliteConnector,
    "mongodb": MongoConnector,
    "files": FilesConnector,
    "s3": S3Connector,
    "queues": QueuesConnector,
    "manual": ManualConnector,
    "case_index": CaseIndexConnector,
}


def open_connector(system_map: SystemMap, system: str, purpose: str, tenant: str, cvr: str) -> Connector:
    """Open `system` of the map for `purpose` (extract, delete, verify, access, prepare, clean) on the tenant's data.

    Raise Rejected (map, secret, tenant) or Unavailable SYSTEM_UNREACHABLE, then or at first use.
    """
    if purpose not in (*PURPOSES, CLEAN):
        raise ValueError(f"no such purpose: {purpose}")
    target = system_map.system(system)
    return _KINDS[target.kind](target, purpose, target.tenant_value(tenant, cvr))
