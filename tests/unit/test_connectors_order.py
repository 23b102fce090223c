"""The order of deletion from foreign keys."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import Rejected
from shared.connectors.order import deletion_order
from shared.connectors.protocol import Column, ForeignKey, LivePlace


def place(name: str, *parents: str, nullable: bool = False, kind: str = "table") -> LivePlace:
    columns = (Column("id", "integer", False), *(Column(f"{parent}_id", "integer", nullable) for parent in parents))
    keys = tuple(ForeignKey((f"{parent}_id",), parent, ("id",)) for parent in parents)
    return LivePlace(name, columns, ("id",), keys, kind=kind)


def test_children_come_before_their_parents() -> None:
    order, breaks = deletion_order("s", [place("a"), place("b", "a"), place("c", "b", "a")], {})
    assert (order, breaks) == (["c", "b", "a"], [])


def test_a_view_that_holds_rows_comes_last() -> None:
    assert deletion_order("s", [place("a_view", kind="matview"), place("b")], {})[0] == ["b", "a_view"]


def test_a_self_reference_is_set_null_or_else_deleted_from_its_leaves() -> None:
    (nullable,) = deletion_order("s", [place("a", "a", nullable=True)], {})[1]
    (strict,) = deletion_order("s", [place("a", "a")], {})[1]
    assert (nullable.nulls, strict.nulls) == (("a_id",), ())


def test_a_cycle_is_broken_at_its_nullable_reference() -> None:
    order, (broken,) = deletion_order("s", [place("a", "b", nullable=True), place("b", "a")], {})
    assert (order, broken.child, broken.nulls) == (["b", "a"], "a", ("b_id",))


def test_a_reference_that_a_tenant_is_found_by_is_never_broken() -> None:
    both = [place("a", "b", nullable=True), place("b", "a", nullable=True)]
    order, (broken,) = deletion_order("s", both, {"a": {"b_id"}})
    assert (order, broken.child) == (["a", "b"], "b")


def test_only_a_reference_on_the_cycle_is_broken() -> None:
    places = [place("a", "b", "top", nullable=True), place("b", "a"), place("top")]
    _, breaks = deletion_order("s", places, {})
    assert [each.nulls for each in breaks] == [("b_id",)]


def test_a_cycle_that_cannot_be_broken_is_refused_and_named() -> None:
    with pytest.raises(Rejected) as caught:
        deletion_order("s", [place("a", "b"), place("b", "a"), place("c")], {})
    assert (caught.value.code, caught.value.field) == ("CYCLE_NOT_BREAKABLE", "systems.s.places.a")


def test_a_reference_to_a_place_outside_the_scope_orders_nothing() -> None:
    assert deletion_order("s", [place("b", "lookup"), place("a")], {}) == (["a", "b"], [])


@given(st.dictionaries(st.sampled_from("abcdefg"), st.sets(st.sampled_from("abcdefg")), min_size=1))
def test_every_place_is_listed_once_and_after_all_that_refer_to_it_unless_broken(graph: dict[str, set[str]]) -> None:
    places = [place(name, *sorted(parents), nullable=True) for name, parents in graph.items()]
    order, breaks = deletion_order("s", places, {})
    assert sorted(order) == sorted(graph)
    broken = {(each.child, each.key.parent) for each in breaks}
    for child, parents in graph.items():
        for parent in parents & set(graph):
            assert (child, parent) in broken or order.index(child) < order.index(parent)


def deferrable(name: str, parent: str) -> LivePlace:
    columns = (Column("id", "integer", False), Column(f"{parent}_id", "integer", False))
    return LivePlace(name, columns, ("id",), (ForeignKey((f"{parent}_id",), parent, ("id",), deferrable=True),))


def test_a_cycle_without_a_nullable_reference_goes_together_where_one_is_deferrable() -> None:
    order, (broken,) = deletion_order("s", [deferrable("a", "b"), place("b", "a"), place("c", "a")], {})
    assert (broken.child, broken.nulls, broken.ring) == ("a", (), {"a", "b"})
    assert order == ["c", "b", "a"]


def test_a_deferrable_reference_that_a_tenant_is_found_by_is_not_deferred() -> None:
    with pytest.raises(Rejected, match="CYCLE_NOT_BREAKABLE"):
        deletion_order("s", [deferrable("a", "b"), place("b", "a")], {"a": {"b_id"}})


def by_type(name: str, parent: str, *others: ForeignKey) -> LivePlace:
    columns = (Column("id", "integer", False), Column("ref_type", "text"), Column("ref_id", "text"))
    return LivePlace(name, columns, ("id",), (ForeignKey((), parent, ()), *others))


def test_a_reference_by_type_and_id_goes_before_what_it_refers_to() -> None:
    assert deletion_order("s", [place("a"), by_type("z", "a")], {})[0] == ["z", "a"]


def test_a_ring_through_a_reference_by_type_and_id_is_refused_even_where_another_is_deferrable() -> None:
    columns = (Column("id", "integer", False), Column("z_id", "integer", False))
    back = LivePlace("a", columns, ("id",), (ForeignKey(("z_id",), "z", ("id",), deferrable=True),))
    with pytest.raises(Rejected, match="CYCLE_NOT_BREAKABLE"):
        deletion_order("s", [back, by_type("z", "a")], {"z": {"ref_type", "ref_id"}})


def test_views_that_hold_rows_come_after_those_that_they_read() -> None:
    views = [place(name, kind="matview") for name in ("a", "b", "c")]
    order, _ = deletion_order("s", [*views, place("p")], {}, {"a": {"b"}, "b": {"c", "p"}, "c": {"p"}})
    assert order == ["p", "c", "b", "a"]
