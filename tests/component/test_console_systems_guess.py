"""What is guessed from a schema, and what is left for somebody to decide."""

from __future__ import annotations

import pytest

from contracts.errors import Rejected
from services.console.systems_guess import Guess, Hint, field_names, guess, hint
from shared.connectors.protocol import Column, ForeignKey, LivePlace, Rows


def place(
    name: str, *columns: str, to: dict[str, str] | None = None, key: str = "id", kind: str = "table"
) -> LivePlace:
    """Make a table: `nr?` is a nullable column, `to` says which column refers to which `table.column`."""
    made = tuple(Column(column.rstrip("?"), "text", nullable=column.endswith("?")) for column in (key, *columns))
    keys = tuple(
        ForeignKey((ours,), theirs.split(".")[0], (theirs.split(".")[1],)) for ours, theirs in (to or {}).items()
    )
    return LivePlace(name, made, (key,), keys, kind=kind)


KOMMUNE = place("kommune", "navn", key="kommunekode")
BARN = place("barn", "kommunekode", to={"kommunekode": "kommune.kommunekode"})


def test_the_tenants_own_table_and_whoever_refers_to_it_have_a_key() -> None:
    found = guess([KOMMUNE, BARN])
    assert (found["kommune"].tenant_key, found["kommune"].by) == ("kommunekode", "key")
    assert (found["barn"].tenant_key, found["barn"].by) == ("kommunekode", "reference")


def test_a_column_of_the_same_name_without_a_foreign_key_is_said_to_be_a_guess_by_name() -> None:
    assert guess([KOMMUNE, BARN, place("log", "kommunekode?")])["log"] == Guess("name", "kommunekode", nullable=True)


def test_a_place_further_away_is_reached_by_the_foreign_keys_one_by_one() -> None:
    note = place("note", "venteliste_id", to={"venteliste_id": "venteliste.id"})
    waiting = place("venteliste", "barn_id", to={"barn_id": "barn.id"})
    found = guess([note, waiting, BARN, KOMMUNE])
    assert found["venteliste"].tenant_path == ("barn_id", "kommunekode")
    assert found["note"].tenant_path == ("venteliste_id", "barn_id", "kommunekode")


def test_a_path_that_is_never_empty_comes_before_a_shorter_one_that_may_be() -> None:
    waiting = place("venteliste", "barn_id", to={"barn_id": "barn.id"})
    note = place("note", "barn_id?", "venteliste_id", to={"barn_id": "barn.id", "venteliste_id": "venteliste.id"})
    found = guess([KOMMUNE, BARN, waiting, note])["note"]
    assert found.tenant_path == ("venteliste_id", "barn_id", "kommunekode")
    assert not found.nullable


def test_a_path_that_may_break_off_is_said_to() -> None:
    found = guess([KOMMUNE, BARN, place("note", "barn_id?", to={"barn_id": "barn.id"})])["note"]
    assert found.nullable


def test_another_way_that_is_just_as_good_is_named() -> None:
    parent = place("foraelder", "kommunekode", to={"kommunekode": "kommune.kommunekode"})
    both = place("barn_foraelder", "barn", "foraelder", to={"foraelder": "foraelder.id", "barn": "barn.id"})
    found = guess([KOMMUNE, BARN, parent, both])["barn_foraelder"]
    assert (found.tenant_path, found.others) == (("barn", "kommunekode"), ("foraelder",))


def test_a_surrogate_key_is_followed_to_the_tenants_own_table() -> None:
    tenants, orders = place("tenants", "navn"), place("ordre", "tenant_id", to={"tenant_id": "tenants.id"})
    found = guess([tenants, orders, place("bilag", "tenant_id")])
    assert {name: each.tenant_key for name, each in found.items()} == {
        "tenants": "id", "ordre": "tenant_id", "bilag": "tenant_id",
    }  # fmt: skip


def test_a_reference_with_a_name_of_its_own_is_the_key_too() -> None:
    found = guess([place("lejer", "navn"), place("sag", "ejer", to={"ejer": "lejer.id"})])
    assert found["sag"] == Guess("reference", "ejer")


def test_two_references_by_one_column_cannot_be_followed() -> None:
    one, other = place("a", "kommunekode"), place("b", "kommunekode")
    both = LivePlace(
        "c", (Column("x", "text"),), (), (ForeignKey(("x",), "a", ("id",)), ForeignKey(("x",), "b", ("id",)))
    )
    assert "c" not in guess([one, other, both])


def test_rings_and_references_to_oneself_come_to_an_end() -> None:
    ring = [
        place("x", "y_id", "x_id?", to={"y_id": "y.id", "x_id": "x.id"}),
        place("y", "x_id", "kommunekode", to={"x_id": "x.id"}),
    ]
    assert guess(ring)["x"].tenant_path == ("y_id", "kommunekode")


def test_where_nothing_speaks_for_a_tenant_nothing_is_guessed() -> None:
    codes = [place("kode", "navn"), place("linje", "kode", to={"kode": "kode.id"})]
    assert guess(codes) == {}
    assert guess([]) == {}


def test_what_the_caller_names_is_used() -> None:
    codes = [place("kode", "navn"), place("linje", "kode", to={"kode": "kode.id"}), BARN, KOMMUNE]
    assert set(guess(codes, table="kode")) == {"kode", "linje"}
    assert set(guess(codes, column="navn")) == {"kode", "linje", "kommune", "barn"}


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"table": "komune"}, "INIT_UNKNOWN_TABLE"),
        ({"column": "komune"}, "INIT_UNKNOWN_COLUMN"),
        ({"table": "barn", "column": "komune"}, "INIT_UNKNOWN_COLUMN"),
    ],
)
def test_what_the_caller_names_must_exist(options: dict[str, str], code: str) -> None:
    with pytest.raises(Rejected, match=code):
        guess([KOMMUNE, BARN], **options)


def test_a_foreign_table_is_never_guessed() -> None:
    assert "fjern" not in guess([KOMMUNE, place("fjern", "kommunekode", kind="foreign")])


@pytest.mark.parametrize(
    ("columns", "by_type", "by_id"),
    [
        (("tekst", "ref_type", "ref_id"), "ref_type", "ref_id"), (("OwnerType", "OwnerId"), "OwnerType", "OwnerId"),
        (("content_type_id", "object_id"), "content_type_id", "object_id"), (("slags", "ref_id"), "slags", "ref_id"),
    ],
)  # fmt: skip
def test_a_pair_of_type_and_id_is_a_hint_that_somebody_must_complete(
    columns: tuple[str, ...], by_type: str, by_id: str
) -> None:
    assert hint(place("note", *columns)) == Hint("type", type=by_type, id=by_id)


def test_a_type_without_an_id_beside_it_says_nothing_and_a_column_of_json_may() -> None:
    assert hint(place("note", "pasningstype", "person_id")) is None
    data = LivePlace("note", (Column("ref_type", "text"), Column("data", "jsonb")), ("id",))
    assert hint(data) == Hint("json", "data")


def test_a_field_inside_another_is_guessed_where_the_documents_hold_objects() -> None:
    seen = Rows(
        ("_id", "kunde", "note", "sag"),
        [(1, '{"id": 101, "navn": "A"}', "{ikke JSON", '{"$ref": "sager", "$id": 1}'), (2, None, "b", None)],
        None,
    )
    names = field_names(seen)
    assert names == ("_id", "note", "sag", "kunde.id", "kunde.navn")
    documents = LivePlace("breve", tuple(Column(name, "") for name in names), kind="collection")
    assert guess([documents])["breve"] == Guess("name", "kunde.id", nullable=True)
    assert guess([documents], column="kunde.navn")["breve"].tenant_key == "kunde.navn"
