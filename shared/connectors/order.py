"""The order of deletion from foreign keys: children first, self-references and cycles broken by name. Pure.

Rules it keeps: a reference is only ever broken by setting nullable columns NULL that no tenant is found by; a
self-reference that cannot be set NULL is deleted from its leaves; rows of a cycle of which nothing may be set NULL, but
a reference is deferrable, go together in one transaction, unless a reference by type and id (without `parent_columns`:
no schema knows it) is part of the cycle; any other cycle is refused before a row is touched. Materialised views come
last, each after those that it reads.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from contracts.errors import Rejected
from shared.connectors.protocol import ForeignKey, LivePlace


@dataclass(frozen=True, slots=True)
class Break:
    """A reference of `child` to let go of before its parent's rows go: columns to set NULL (none = leaves first).

    Where `ring` names places, the reference is deferred, and rows of these that hold one another go together.
    """

    child: str
    key: ForeignKey
    nulls: tuple[str, ...]
    ring: frozenset[str] = frozenset()


def deletion_order(
    system: str,
    places: Sequence[LivePlace],
    pinned: Mapping[str, Collection[str]],
    reads: Mapping[str, Collection[str]] = MappingProxyType({}),
) -> tuple[list[str], list[Break]]:
    """Order `places` children first. `pinned` names per place the columns that tenants are found by, never set NULL.

    `reads` names per materialised view the places that it is made from.
    Raise Rejected CYCLE_NOT_BREAKABLE naming a place of a cycle without a nullable reference.
    """
    by_name = {place.name: place for place in places}
    edges = [
        (place.name, key)
        for place in sorted(places, key=lambda place: place.name)
        for key in place.foreign_keys
        if key.parent in by_name
    ]
    breaks = [_break(by_name[child], key, pinned) for child, key in edges if key.parent == child]
    edges = [(child, key) for child, key in edges if key.parent != child]
    order: list[str] = []
    remaining = {place.name for place in places if place.kind != "matview"}
    while remaining:
        open_edges = [(child, key) for child, key in edges if child in remaining and key.parent in remaining]
        free = sorted(remaining - {key.parent for _, key in open_edges})
        if free:
            order += free
            remaining -= set(free)
            continue
        weakest = _weakest(system, by_name, open_edges, pinned)
        breaks.append(weakest)
        edges.remove((weakest.child, weakest.key))
    return order + _views(set(by_name) - set(order), reads), breaks


def _views(views: set[str], reads: Mapping[str, Collection[str]]) -> list[str]:
    order: list[str] = []
    while rest := sorted(views - set(order)):
        order += [name for name in rest if not set(reads.get(name, ())) & {*rest} - {name}] or rest
    return order


def _break(child: LivePlace, key: ForeignKey, pinned: Mapping[str, Collection[str]]) -> Break:
    nullable = {column.name for column in child.columns if column.nullable and not column.generated}
    kept = {*child.primary_key, *pinned.get(child.name, ())}
    return Break(child.name, key, tuple(name for name in key.columns if name in nullable and name not in kept))


def _weakest(
    system: str,
    by_name: Mapping[str, LivePlace],
    edges: Sequence[tuple[str, ForeignKey]],
    pinned: Mapping[str, Collection[str]],
) -> Break:
    on_cycle = [(child, key) for child, key in edges if _reaches(key.parent, child, edges)]
    for child, key in on_cycle:
        if (found := _break(by_name[child], key, pinned)).nulls:
            return found
    for child, key in on_cycle:
        if key.deferrable and not set(key.columns) & set(pinned.get(child, ())):
            ring = {name for name, _ in on_cycle if _reaches(name, child, edges) and _reaches(child, name, edges)}
            if all(each.parent_columns for name, each in on_cycle if name in ring and each.parent in ring):
                return Break(child, key, (), frozenset(ring))
    place = on_cycle[0][0]
    raise Rejected(
        "CYCLE_NOT_BREAKABLE",
        f"{system}: {place} lies on a cycle of references of which none may be set NULL",
        field=f"systems.{system}.places.{place}",
        remedy="make one reference of the cycle nullable in the copy (or deferrable, where the engine has that)",
        da=f"{place} indgår i en ring af referencer, som ingen af kan brydes.",
    )


def _reaches(start: str, goal: str, edges: Sequence[tuple[str, ForeignKey]]) -> bool:
    seen, waiting = set[str](), [start]
    while waiting:
        here = waiting.pop()
        if here == goal:
            return True
        if here not in seen:
            seen.add(here)
            waiting += [key.parent for child, key in edges if child == here]
    return False
