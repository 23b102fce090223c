"""Who makes schemas of the zoo in a target, empties them as the deleting hand does, and says what came of it."""

from __future__ import annotations

from typing import Any

from contracts.errors import Rejected
from shared.connectors.protocol import Connector
from tests.integration.connectors_targets import Target
from tests.integration.zoo import GONE, KEPT, OUTSIDE, Animal


def settle(target: Target, *animals: Animal) -> None:
    """Make schemas beside what the target holds, and put them into its map."""
    for animal in animals:
        for statement in animal.made_for(target.kind):
            target.execute(statement)
        target.content["places"] |= animal.places
    grant(target)


def grant(target: Target) -> None:
    """Let the deleter at the new tables."""
    if target.kind == "sqlite":
        return
    user = target.content["credentials"]["delete"]["user"].removesuffix("_delete")
    if target.kind == "mariadb":
        target.execute(f"GRANT DELETE, UPDATE ON {user}.* TO {user}_delete")
        return
    target.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {user}_verify, {user}_extract")
    target.execute(f"GRANT SELECT, DELETE, UPDATE ON ALL TABLES IN SCHEMA public TO {user}_delete")
    for (view,) in target.execute("SELECT matviewname FROM pg_matviews").fetchall():
        target.execute(f"ALTER MATERIALIZED VIEW {view} OWNER TO {user}_delete")  # whoever refreshes must own it


def outcome(target: Target) -> str:
    """Preview, then delete batch by batch as the deleting hand does; say what came of it."""
    try:
        verifier = target.open("verify")
        verifier.order(verifier.discover())
        connector = target.open("delete")
        for place in connector.order(connector.discover()):
            sampled = True
            after = None
            while keys := connector.keys(place, 2, after) or connector.keys(place, 2):
                after = keys[-1]
                if (stopped := step(connector, place, keys, sampled)) != GONE:
                    return stopped
                sampled = False
    except Rejected as error:
        assert error.field.startswith("systems.maal.") and (error.remedy or error.code == "TARGET_ERROR")
        return error.code
    return GONE


def step(connector: Connector, place: str, keys: Any, sampled: bool) -> str:
    """Do one transaction; `sampled`: compare the neighbours in its snapshot."""
    rows = connector.together(place, keys)
    assert all(connector.present(where, some) == len(some) for where, some in rows)
    with connector.batch() as batch:
        before = batch.neighbours() if sampled else {}
        missed = [batch.delete(where, some) != len(some) for where, some in rows]
        if batch.effects() != batch.planned():
            return OUTSIDE
        if any(missed):
            return KEPT
        assert not sampled or batch.neighbours() == before
        batch.commit()
    assert all(connector.present(where, some) == 0 for where, some in rows)
    return GONE
