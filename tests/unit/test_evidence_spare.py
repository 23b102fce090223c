"""What may be forgotten without a certificate missing it, and how the verifier takes the gap."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from services.compliance.domain.forgetting import SPARE
from services.compliance.evidence import KINDS
from services.compliance.facts.gathering import _TAKERS
from services.compliance.log import tree
from services.compliance.verifier import ophor_verify
from services.compliance.verifier.ophor_verify import Failed, Item, check_chain
from tests.unit import evidence_world as given


def test_no_fact_and_no_check_reads_a_spare_kind_and_the_verifier_knows_the_same() -> None:
    source = Path(ophor_verify.__file__).read_text("utf-8")
    below = source[source.index("EVENT_FIELDS = {") :]
    assert SPARE == ophor_verify.SPARE and KINDS.keys() > SPARE
    assert not SPARE & (_TAKERS.keys() | set(re.findall(r'"([A-Z_]{5,})"', below)))


def chained(tmp_path: Path, was: str = "CONTACT_NAMED", **changes: Any) -> tuple[list[Item], dict[str, Any]]:
    """Give a chain of five, the second forgotten and the last saying so, and the predicate of it."""
    log = given.World(tmp_path).log
    for number in range(4):
        log.add("NEEDS_SUBMITTED", {"digest": given.sha(str(number))})
    gone = {"index": 1, "n": 1, "was": was, "leaf": tree.leaf_hash(log.leaves[1]).hex(), "reason": "COURT_ORDER"}
    people = [{"actor": "usr-1", "role": "kommune_dpo"}, {"actor": "usr-2", "role": "ist_sletteansvarlig"}]
    log.add("REDACTED", gone | {"approvals": people} | changes)
    items = [Item(at, tree.leaf_hash(data), json.loads(data)["event"]) for at, data in enumerate(log.leaves) if at != 1]
    chain = {"count": 5, "head": items[-1].hash.hex()}
    return items, {"exit": given.EXIT, "log": {"chain": chain, "origin": log.origin}}


def test_a_spare_entry_that_was_forgotten_is_a_link_of_the_chain(tmp_path: Path) -> None:
    assert check_chain(*chained(tmp_path)) == "4 entries, 1 forgotten"


@pytest.mark.parametrize(("changes", "why"), [
    ({"was": "HOLD_PLACED"}, "the checks need it"),
    ({"approvals": [{"actor": "usr-1", "role": "kommune_dpo"}]}, "on one's word"),
    ({"leaf": "0" * 64}, "an entry is missing before 2"),
    ({"n": 2}, "an entry is missing before 2"),
])  # fmt: skip
def test_any_other_gap_is_refused(changes: dict[str, Any], why: str, tmp_path: Path) -> None:
    with pytest.raises(Failed, match=why):
        check_chain(*chained(tmp_path, **changes))


def test_a_gap_of_which_nothing_is_said_is_refused(tmp_path: Path) -> None:
    items, predicate = chained(tmp_path)
    with pytest.raises(Failed, match="an entry is missing before 2"):
        check_chain(items[:-1], predicate)
