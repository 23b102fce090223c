"""The verifier's look below the rows, after the cleaning (ADR 0011): its own credentials, its own inventory.

What it cannot read it says with the code; nothing here keeps the answer about the rows waiting.
"""

from __future__ import annotations

from contracts.errors import OphorError
from contracts.system_map import SystemMap
from services.deletion import domain
from services.deletion.domain import Exit, Job, Row
from services.deletion.worker import ground
from shared.connectors.physical import Physical
from shared.connectors.protocol import Connector

LOOKED_AT = ("CLEANED", "HELD", "ERROR")


def look(systems: SystemMap, job: Job, exit_: Exit) -> Job:
    """Give the job with what the engines now say of the places that were cleaned."""
    rows: list[Row] = []
    for name in dict.fromkeys(row["system"] for row in job.physical):
        mine = [row for row in job.physical if row["system"] == name]
        try:
            with ground.opened(systems, name, "verify", exit_) as connector:
                ground.discovered(connector)
                rows += [_looked(connector, row) for row in mine]
        except OphorError as error:
            code = error.code
            rows += [domain.not_seen(row, code) for row in mine]
    return domain.with_rows(job, rows)


def _looked(connector: Connector, row: Row) -> Row:
    if row["answer"] not in LOOKED_AT or not isinstance(connector, Physical):
        return row
    try:
        found = connector.stored(row["place"], row["asked"])
    except OphorError as error:
        return domain.not_seen(row, error.code)
    return domain.seen(row, found.held, found.unit, found.mark, found.remains)
