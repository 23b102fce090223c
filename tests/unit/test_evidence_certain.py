"""The quick look at an entry says yes to nothing that its schema refuses, and yes to what evidence is like."""

import copy
import random
from collections.abc import Iterator
from typing import Any

import pytest
from marshmallow import Schema, fields, validate

from contracts.errors import Rejected
from services.compliance.evidence import KINDS, checked, leaf, written
from services.compliance.evidence.certain import certainly
from services.compliance.signing.envelope import canonical
from tests.unit.test_evidence_entries import sample

JUNK: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2**53, 1.0, "", "1", "x" * 81, "2026-10-01", "2026-02-30", "2026-1-1",
    "2026-10-01T00:00", "٢٠٢٦-١٠-٠١", "anna@kommune.dk", "ringet til Anna", "0" * 64, "0" * 64 + "\n", "true",
    [], [[]], ["x"], {}, {"x": 1}, b"x", ("x",), {1: 2},
)  # fmt: skip


def bent(value: Any) -> Iterator[Any]:
    """Give a value with each of its places in turn put to junk, taken away, or given a neighbour."""
    yield from JUNK
    if isinstance(value, dict):
        yield {**value, "extra": 1}
        for name, inner in value.items():
            yield {other: each for other, each in value.items() if other != name}
            yield from ({**value, name: each} for each in bent(inner))
    elif isinstance(value, list):
        yield from ([each] for each in bent(value[0]))


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_it_says_yes_to_what_is_valid_and_never_to_what_the_schema_refuses(kind: str) -> None:
    schema = KINDS[kind]()
    certain, entry = certainly(schema), sample(KINDS[kind])
    assert certain(entry), "slow for every entry of this kind"
    said = [(each, certain(each)) for each in bent(entry)]
    wrong = [each for each, yes in said if yes and schema.validate(each)]
    assert wrong == [] and sum(not yes for _, yes in said) > len(said) // 2


class Odd(Schema):
    """What no evidence is made of."""

    both = fields.String(validate=[validate.Length(min=1), validate.OneOf(["x"])])
    short = fields.String(validate=validate.Length(max=3))
    free = fields.String()
    below = fields.Integer(validate=validate.Range(max=3))
    named = fields.Boolean(data_key="other")
    part = fields.Float()


@pytest.mark.parametrize("name", sorted(Odd().fields))
def test_it_is_never_sure_of_a_field_or_rule_that_it_does_not_know(name: str) -> None:
    assert not any(certainly(Odd())({name: value}) for value in ("x", 1, True, 1.0))


def test_what_json_has_no_one_form_of_is_refused_before_it_meets_the_others() -> None:
    entry = sample(KINDS["RETENTION_EXTENDED"])
    assert written("RETENTION_EXTENDED", entry) == canonical(checked("RETENTION_EXTENDED", entry))
    for kind, name, value in (("SIGNERS_CHECKED", "seal_user", 2**60), ("CERTIFICATE_ISSUED", "number", "\ud800")):
        with pytest.raises(Rejected) as refused:
            checked(kind, sample(KINDS[kind]) | {name: value})
        assert refused.value.code == "EVIDENCE_INVALID"


def test_a_leaf_is_the_same_with_its_entry_written_before() -> None:
    dice = random.Random(6962)
    for kind in sorted(KINDS):
        entry = copy.deepcopy(sample(KINDS[kind]))
        event = {"version": 1, "origin": "evidence-log", "exit": '"entry":0', "n": dice.randrange(9), "prev": "0" * 64,
                 "kind": kind, "ref": '{"entry":0}', "at": "2026-10-01T12:00:00+00:00", "entry": entry}  # fmt: skip
        assert leaf(event, "a" * 64, written(kind, entry)) == leaf(event, "a" * 64)
