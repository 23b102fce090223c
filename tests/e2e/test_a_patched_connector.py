"""A delete hand whose connector was patched takes a neighbour's row away; the run must fail and the row must stay."""

from __future__ import annotations

import sys

from psycopg import conninfo

from deploy.demo import data
from tests.e2e.exits import LONGEST_S, Exit, Running
from tests.waiting import until

NEIGHBOUR = data.STAYING[0]
HAND = "deletion-delete"


def give_the_neighbour_a_parent_with_a_letter(exit_: Exit) -> int:
    with exit_.placement() as base:
        row = base.execute(
            "WITH parent AS (INSERT INTO foraelder (kommunekode, cpr_nr, navn) VALUES (%(code)s, '019925-0000', 'Nabo')"
            " RETURNING foraelder_id) INSERT INTO brev (kommunekode, foraelder_id, brevtype, sendt, indhold)"
            " SELECT %(code)s, foraelder_id, 'RYKKER', now(), '' FROM parent RETURNING foraelder_id",
            {"code": NEIGHBOUR.code},
        ).fetchone()
    assert row is not None
    return int(row[0])


def rows_of(exit_: Exit, parent: int) -> tuple[int, int]:
    with exit_.placement() as base:
        counts = [
            base.execute(f"SELECT count(*) FROM {place} WHERE foraelder_id = %s", (parent,)).fetchone()
            for place in ("foraelder", "brev")
        ]
    return counts[0][0], counts[1][0]  # type: ignore[index]


def patch(exit_: Exit, parent: int, harm: str) -> None:
    """Have the stack start the patched hand in the real one's place."""
    admin = conninfo.conninfo_to_dict(exit_.stack.parts.postgres_uri)
    address = f"postgresql://{admin['user']}:{admin['password']}@{admin['host']}:{admin['port']}/pladsanvisning"
    exit_.stack.end([HAND])
    argv = [sys.executable, "-m", "tests.e2e.patched_delete_hand"]
    exit_.stack.replace(HAND, argv, {"TEST_HARM": harm, "TEST_PARENT": str(parent), "TEST_ADMIN": address})
    exit_.stack.up([HAND])


def is_up(exit_: Exit, demo: Running) -> bool:
    """Tell whether everything of the demo runs; fail where it ended before."""
    assert not demo.ended, demo.text
    processes = exit_.stack.state.processes if (exit_.home / "stack.json").exists() else {}
    return "neighbours" in processes and exit_.stack.row("neighbours").ready


def test_a_patched_connector_that_reaches_a_neighbours_row_by_a_cascade_makes_the_run_fail(exit_: Exit) -> None:
    demo = exit_.start("demo", "--keep-running")
    until(lambda: is_up(exit_, demo), "the demo is up", LONGEST_S)
    parent = give_the_neighbour_a_parent_with_a_letter(exit_)
    patch(exit_, parent, "plainly")

    ended = demo.wait()

    assert ended.code != 0
    assert "OUTSIDE_SCOPE" in ended.text and "systems.pladsanvisning.places." in ended.text
    assert rows_of(exit_, parent) == (1, 1)
    assert not exit_.has_ended and not list(exit_.out.glob("certificates/*"))

    patch(exit_, parent, "claimed")  # the next job is done by one that also lies about what it planned
    again = exit_.run("demo", "--keep-running")

    assert again.code != 0
    assert "OUTSIDE_SCOPE" in again.text
    assert rows_of(exit_, parent) == (1, 1)
    assert not exit_.has_ended and not list(exit_.out.glob("certificates/*"))
