"""Check 22 of the verifier against a second, independent reading of what may be said below the rows (ADR 0011)."""

from __future__ import annotations

import copy
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest

from services.compliance.documents.statement import statement
from services.compliance.verifier import ophor_verify
from services.compliance.verifier.ophor_verify import Failed, Item
from tests.unit import below_reader
from tests.unit import evidence_world as given
from tests.unit.evidence_world import World

Row = dict[str, Any]
Change = Callable[[list[Row]], Any]
KINDS = ("postgresql", "mongodb", "manual")


def accepts(check: Callable[..., Any], *args: Any) -> bool:
    try:
        check(*args)
    except Failed:
        return False
    return True


def test_every_shape_of_an_answer_is_judged_alike_by_both() -> None:
    values = {
        "asked": ("none", "clean", "rewrite", "always"), "answer": (*below_reader.SHAPES, "GONE"),
        "reason": (None, "OPEN_SNAPSHOT"), "unit": (None, "rows"), "before": (None, 7, True), "after": (None, 0, -1),
        "remains": ([], ["LOG"], ["NOWHERE"]),
    }  # fmt: skip
    judged = dict.fromkeys((True, False), 0)
    for kind, *one in product(KINDS, *values.values()):
        row = {"system": "s", "place": "p", **dict(zip(values, one, strict=True))}
        system = {"system": "s", "kind": kind, "places": [{"system": "s", "place": "p"}]}
        allowed = below_reader.may_be_said(row, kind)
        assert accepts(ophor_verify._check_below_row, row, system) == allowed, (kind, row)
        judged[allowed] += 1
    assert judged[True] > 100 and judged[False] > 1000


CHANGES: list[Change] = [
    lambda rows: None,
    lambda rows: rows.clear(),
    lambda rows: rows.append(dict(rows[0])),
    lambda rows: rows[0].update(after=3),
    lambda rows: rows[0].update(remains=["LOG"]),
    lambda rows: rows[0].update(answer="HELD", reason="OPEN_SNAPSHOT"),
    lambda rows: rows[0].update(place="kladde"),
    lambda rows: rows.append(rows[0] | {"place": "kladde"}),
]


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> tuple[Row, list[Item]]:
    world = World(tmp_path_factory.mktemp("keys")).told(given.deleted_exit())
    entries = world.log.facts().entries
    items = [Item(one.index, b"", {"kind": one.kind, "entry": one.entry}) for one in entries]
    return statement(world.draft())["predicate"], items


@pytest.mark.parametrize("in_log", range(len(CHANGES)))
@pytest.mark.parametrize("in_statement", range(len(CHANGES)))
def test_statement_and_log_are_compared_alike_by_both(
    certified: tuple[Row, list[Item]], in_statement: int, in_log: int
) -> None:
    predicate, items = copy.deepcopy(certified)
    system = next(one for one in predicate["systems"] if one["system"] == "pladsanvisning")
    answer = next(one for one in items if one.kind == "DELETION_VERIFIED" and one.entry["activity"] == "D7a")
    logged = answer.entry["physical"]
    CHANGES[in_statement](system["physical"])
    CHANGES[in_log](logged)
    lost = [one["place"] for one in system["places"] if one["deleted"]]
    shapes = all(below_reader.may_be_said(row, system["kind"]) for row in system["physical"])
    expected = shapes and below_reader.agrees(system["physical"], logged, lost)
    assert accepts(ophor_verify.check_below, predicate, items) == expected
