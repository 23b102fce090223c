"""`delete-postgres`: a whole permitted job on two PostgreSQL tables, against plain batched `DELETE`s of them."""

from __future__ import annotations

from services.deletion.worker.ground import batch_size
from tests.bench.delete import NEIGHBOURS, ROWS, compared
from tests.bench.figures import Figure
from tests.integration import connectors_targets as targets
from tests.integration.connectors_targets import Target

NOTES = 4  # for each case, found by its case alone
CASES = ROWS // (1 + NOTES)


def measure() -> Figure:
    """Fill cases and their notes, neighbours' among them, and delete the tenant's."""
    return compared(
        "delete-postgres", lambda parts, folder: targets.postgresql(parts.postgres_uri, folder), _fill, _raw
    )


def _fill(target: Target) -> None:
    target.execute("ALTER TABLE sager DROP COLUMN over, DROP COLUMN note")
    target.execute(f"""INSERT INTO sager SELECT gen_random_uuid(), CASE WHEN i > {CASES} THEN 102 ELSE 101 END,
        'En sag med et navn ' || i FROM generate_series(1, {CASES + CASES // NEIGHBOURS}) i ORDER BY random()""")
    target.execute(f"""INSERT INTO noter SELECT 1000 + row_number() OVER (ORDER BY random()), id, repeat('ord ', 20)
        FROM sager, generate_series(1, {NOTES}) WHERE navn LIKE 'En sag%'""")
    for statement in ("CREATE INDEX ON sager (lejer)", "CREATE INDEX ON noter (sag)", "VACUUM ANALYZE"):
        target.execute(statement)


def _raw(target: Target) -> None:
    for table, found in (
        ("noter", "SELECT n.ctid FROM noter n JOIN sager s ON s.id = n.sag WHERE s.lejer = 101"),
        ("sager", "SELECT ctid FROM sager WHERE lejer = 101"),
    ):
        statement = f"DELETE FROM {table} WHERE ctid = ANY (ARRAY({found} LIMIT {batch_size()}))"
        while target.execute(statement).rowcount:
            pass
