"""Whatever a signed statement says that the log knows is held against the log, value by value, by the verifier.

Each value is changed by itself; what passes is the closed list of what no log can know: names, texts, and numbers of
our own.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.compliance import domain
from services.compliance.documents.statement import statement
from services.compliance.verifier import ophor_verify
from tests.unit import evidence_world as given
from tests.unit import stage_world as stages
from tests.unit.evidence_world import World

BESIDE = {
    "wording",
    "limits",
    "keeping",
    "not_covered",
    "not_done",
    "signers",
    "log",
    "controller",
    "processor",
    "exit",
}
"""Sections that other checks look at (3–11, 15, 21), or that are words."""
LAST = {"dates", "backups", "follows", "obligations", "issued_on"}
"""What a last certificate says otherwise than the one before it."""
NOBODY_S = re.compile(
    r"agreement\.(clauses|reference|dpa_reference).*|certificate_id|software|dates\.rule\.(da|en)|issued_on"
    r"|(approvals|delivery\.accepted)\.by\.(name|function)|(access\.)?systems\.title|systems\.(tool|verification\.method)|outside\.method"
    r"|obligations\.(clause|reason|state)|[a-z_.]*evidence\.drop|gates.*"
)
Path_ = tuple[str | int, ...]


def changed(said: Any, at: Path_ = ()) -> Iterator[tuple[Path_, Any]]:
    """Give every value with its place, and every list that has one to lose."""
    if isinstance(said, dict | list):
        for name, inner in said.items() if isinstance(said, dict) else enumerate(said):
            yield from changed(inner, (*at, name))
        if isinstance(said, list) and said:
            yield (*at, "drop"), None
    else:
        yield at, _other(said)


def _other(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if value is None or re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        return "2026-09-29"
    return f"{value}x"


def put(said: dict[str, Any], at: Path_, value: Any) -> dict[str, Any]:
    made: Any = copy.deepcopy(said)
    inner = made
    for name in at[:-1]:
        inner = inner[name]
    if at[-1] == "drop":
        inner.pop()
    else:
        inner[at[-1]] = value
    return dict(made)


def accepted(said: dict[str, Any], items: list[ophor_verify.Item], subject: Any) -> bool:
    report = ophor_verify.Report(subject=subject)
    whole = {"_type": "https://in-toto.io/Statement/v1", "subject": subject, "predicate": said}
    report.run(4, ophor_verify.check_statement, whole | {"predicateType": "urn:ophor:rehearsal-certificate:v1"})
    if report.code == 0:
        ophor_verify._check_content(said, items, report)
    return report.code == 0


@pytest.mark.parametrize(("stage", "on"), [
    (domain.ACTIVE, "2026-10-06"), (domain.EXPIRED, "2027-03-03"), (domain.STATUS, "2026-10-14"),
    (domain.DELIVERY, "2026-10-06"), (domain.ACCESS, "2026-10-06"),
])  # fmt: skip
def test_no_value_that_the_log_knows_can_be_another(tmp_path: Path, stage: str, on: str) -> None:
    world = World(tmp_path).told([*given.deleted_exit(), *given.hold("morgenvagt", lifted=True)]).issued()
    world = world.told(given.backups_gone()) if stage == domain.EXPIRED else world
    plain = world.draft(stage, on).follows
    made = statement(stages.draft(world, stage, on, follows=plain))
    said, items = made["predicate"], stages.items(world)
    assert accepted(said, items, made["subject"])
    passed = set()
    wanted = LAST & said.keys() if stage == domain.EXPIRED else said.keys() - BESIDE
    for at, value in changed({name: said[name] for name in sorted(wanted)}):
        if accepted(put(said, at, value), items, made["subject"]):
            passed.add(".".join(name for name in at if isinstance(name, str)))
    assert [name for name in sorted(passed) if not NOBODY_S.fullmatch(name)] == []
    assert not accepted(said, items, [{**made["subject"][0], "name": "another"}])
