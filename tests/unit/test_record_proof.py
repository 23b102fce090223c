"""Commitments, their tree and its proofs against a second implementation; what the certificate refuses without them."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from bson import ObjectId, json_util
from bson.binary import Binary
from bson.int64 import Int64

from services.compliance.verifier import ophor_verify
from shared.rules import merkle
from shared.rules.commitments import Committer
from tests.unit import record_reader as reader
from tests.unit import record_world as given
from tests.unit.evidence_world import World

SEED = 1606
ALPHABET = "0123456789abcdefÆøå-\u0301 '\"\x00"


def _texts(draw: random.Random, columns: int) -> tuple[str, ...]:
    return tuple("".join(draw.choices(ALPHABET, k=draw.randrange(12))) for _ in range(columns))


@pytest.mark.parametrize("columns", [1, 2, 3])
def test_three_implementations_commit_alike(columns: int) -> None:
    draw = random.Random(SEED + columns)
    for _ in range(200):
        key, (system, place), record = draw.randbytes(32), _texts(draw, 2), _texts(draw, columns)
        (ours,) = Committer(key, system, place).commit([record])
        assert ours == reader.commitment(key, system, place, record)
        assert ours == ophor_verify.commitment(key, system, place, record)
        root = Committer(key, system, place).root([ours]).hex()
        assert root == reader.batch_root(key, system, place, [ours])
        assert root == ophor_verify.batch_root(key, system, place, [ours])


def test_no_two_records_places_or_systems_have_one_message() -> None:
    key = bytes(32)
    named = [("a", "b", ("c", "d")), ("a", "b", ("cd",)), ("a", "b", ("c", "", "d")), ("ab", "", ("c", "d")),
             ("a", "bc", ("d",)), ("", "ab", ("c", "d")), ("a", "b", ("d", "c"))]  # fmt: skip
    made = [leaf for system, place, record in named for leaf in Committer(key, system, place).commit([record])]
    assert len(set(made)) == len(named)


def test_a_key_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Committer(b"short", "a", "b")


def test_roots_and_proofs_of_every_size_are_those_of_rfc_6962() -> None:
    draw = random.Random(SEED)
    for size in [*range(34), 255, 256, 257]:
        leaves = [draw.randbytes(32) for _ in range(size)]
        root = merkle.root_of(leaves)
        assert root == reader.root(leaves)
        for index in range(size) if size < 34 else (0, 1, size // 2, size - 1):
            path = ophor_verify.path_of([merkle.leaf_hash(leaf) for leaf in leaves], index)
            assert reader.verifies(leaves[index], index, size, path, root)
            assert ophor_verify.included(merkle.leaf_hash(leaves[index]), index, size, path, root)
            assert not reader.verifies(draw.randbytes(32), index, size, path, root)


VALUES = ["101-sager-1", "Ærø 'x'", ObjectId("0123456789abcdef01234567"), 5, Int64(-7), 5.0,
          Binary.from_uuid(__import__("uuid").UUID(int=5))]  # fmt: skip
ASKED = ["101-sager-1", "Ærø 'x'", "0123456789ABCDEF01234567", "5", "-7", "5", "00000000-0000-0000-0000-000000000005"]


@pytest.mark.parametrize(("value", "asked"), list(zip(VALUES, ASKED, strict=True)))
def test_what_a_person_writes_of_a_document_is_tried_as_the_deletion_named_it(value: object, asked: str) -> None:
    options = json_util.JSONOptions(json_mode=json_util.JSONMode.CANONICAL, tz_aware=True)
    assert json_util.dumps(value, json_options=options) in ophor_verify.spellings(asked, "mongodb")


@pytest.mark.parametrize(
    ("kind", "asked", "named"),
    [("postgresql", "0123456789ABCDEF0123456789ABCDEF", "01234567-89ab-cdef-0123-456789abcdef"),
     ("mariadb", "01234567-89ab-cdef-0123-456789abcdef", "0123456789ABCDEF0123456789ABCDEF"),
     ("sqlite", "d'Arc", "'d''Arc'"), ("files", "A\u030a.pdf", "Å.pdf")],
)  # fmt: skip
def test_what_a_person_writes_of_a_row_is_tried_as_the_deletion_named_it(kind: str, asked: str, named: str) -> None:
    assert named in ophor_verify.spellings(asked, kind)


@pytest.mark.parametrize(
    ("after", "code"),
    [([], "RECORD_KEYS_KEPT"), ([given.sealed()], "RECORD_KEYS_KEPT"), ([given.destroyed()], "RECORDS_NOT_SEALED"),
     ([given.destroyed(), given.sealed()], "RECORDS_NOT_SEALED"),
     ([given.sealed(), given.destroyed(records=39)], "RECORDS_DIFFER"),
     ([given.sealed(), given.destroyed(batches=1)], "RECORDS_DIFFER")],
)  # fmt: skip
def test_no_certificate_while_our_commitments_may_still_be_there(tmp_path: Path, after: list, code: str) -> None:  # type: ignore[type-arg]
    assert World(tmp_path).told(given.deletion(*after)).refusals() == [code]


def test_a_certificate_once_they_are_sealed_and_destroyed(tmp_path: Path) -> None:
    assert World(tmp_path).told(given.deletion(given.sealed(), given.destroyed())).refusals() == []
