"""Where the places of one system stand in the picture: columns from left to right along the references. Pure.

Rules kept here: a place stands to the right of what it refers to, except where references form a ring; a reference that
passes columns by goes between their places, not behind them, together with all others to the same place; places
without any reference stand below in rows. The same places always give the same picture.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

WIDTH, HEIGHT = 216, 58
_GAP_X, _GAP_Y, _VIA = 84, 14, 12
_TALLEST, _SWEEPS = 13, 12

Parents = Mapping[str, frozenset[str]]
Item = tuple[
    str, str, int
]  # a place ("", its name, 0), or where references to one pass by ("<" or ">", parent, column)


@dataclass(frozen=True, slots=True)
class Line:
    """A piece of a reference between two neighbouring columns; `arrow`: at which end it points to a parent."""

    start: tuple[float, float]
    end: tuple[float, float]
    arrow: str = ""
    back: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """Upper left corners of the places, the references between them, and the size of it all."""

    corners: dict[str, tuple[float, float]]
    lines: tuple[Line, ...]
    width: float
    height: float


def layout(references: Mapping[str, Iterable[str]]) -> Layout:
    """Lay out places with the places that each refers to (itself and unknown ones are left out)."""
    parents = {
        name: frozenset(parent for parent in to if parent in references and parent != name)
        for name, to in references.items()
    }
    related = {name for name in parents if parents[name]}.union(*parents.values()) if parents else set()
    column = _columns({name: parents[name] for name in sorted(related)})
    hops = [hop for name in sorted(related) for parent in sorted(parents[name]) for hop in _hops(column, name, parent)]
    spots = _spots(_ordered(column, hops))
    bottom = max((y + (HEIGHT if not item[0] else _VIA) for item, (_, y) in spots.items()), default=0.0)
    across = max(4, *(at + 1 for at in column.values()), 0) if column else 4
    loose = _rows(sorted(set(parents) - related), across, bottom + (2 * _GAP_Y if related else 0))
    corners = {item[1]: spot for item, spot in spots.items() if not item[0]} | loose
    lines = dict.fromkeys(_line(hop, spots) for hop in hops)
    passing = dict.fromkeys(_through(item, spots) for item in spots if item[0])
    return Layout(
        corners,
        (*passing, *lines),
        max((x + WIDTH for x, _ in corners.values()), default=0.0),
        max((bottom, *(y + HEIGHT for _, y in corners.values()))),
    )


def _columns(parents: Parents) -> dict[str, int]:
    """Give each place its column: after its parents; a ring is entered where most refer to it."""
    children = Counter(parent for each in parents.values() for parent in each)
    found: dict[str, int] = {}
    left = set(parents)
    while left:
        free = sorted(name for name in left if not parents[name] & left)
        free = free or [min(_ring(parents, left), key=lambda name: (-children[name], -len(parents[name]), name))]
        for name in free:
            found[name] = 1 + max((found[parent] for parent in parents[name] if parent in found), default=-1)
        left -= set(free)
    return _split(found, children)


def _ring(parents: Parents, left: Collection[str]) -> list[str]:
    """Find places that refer to one another in a ring, where all that are left wait for others."""
    walk = [min(left)]
    while (step := min(parents[walk[-1]].intersection(left))) not in walk:
        walk.append(step)
    return walk[walk.index(step) :]


def _split(found: Mapping[str, int], children: Mapping[str, int]) -> dict[str, int]:
    """Spread a column that is too tall over several; those that others refer to stand last."""
    spread: dict[str, int] = {}
    start = 0
    for column in sorted(set(found.values())):
        names = sorted((name for name in found if found[name] == column), key=lambda name: (children[name] > 0, name))
        parts = -(-len(names) // _TALLEST)
        size = -(-len(names) // parts)
        spread |= {name: start + at // size for at, name in enumerate(names)}
        start += parts
    return spread


Hop = tuple[Item, Item, str, bool]


def _hops(column: Mapping[str, int], child: str, parent: str) -> list[Hop]:
    """Cut a reference into pieces from column to column, left to right; within one column it is one piece."""
    back = column[parent] >= column[child]
    left, right = (child, parent) if back else (parent, child)
    between = range(column[left] + 1, column[right])
    items: list[Item] = [("", left, 0), *((">" if back else "<", parent, at) for at in between), ("", right, 0)]
    hops = list(pairwise(items))
    arrow = len(hops) - 1 if back else 0
    side = "end" if back else "start"
    return [(start, end, side if at == arrow else "", back) for at, (start, end) in enumerate(hops)]


def _ordered(column: Mapping[str, int], hops: Sequence[Hop]) -> list[list[Item]]:
    """Order each column so that few references cross: everything near the middle of what it is tied to."""
    items: dict[Item, int] = {("", name, 0): at for name, at in column.items()}
    ties: dict[Item, set[Item]] = defaultdict(set)
    for start, end, _, _ in hops:
        items |= {item: item[2] for item in (start, end) if item[0]}
        ties[start].add(end)
        ties[end].add(start)
    columns = [sorted(item for item in items if items[item] == at) for at in range(max(items.values(), default=-1) + 1)]
    place = _positions(columns)
    for sweep in range(_SWEEPS):
        forward = sweep % 2 == 0
        for at in range(len(columns)) if forward else reversed(range(len(columns))):
            near = {
                item: [place[tie] for tie in ties[item] if items[tie] == (at - 1 if forward else at + 1)]
                for item in columns[at]
            }
            columns[at].sort(key=lambda item: sum(near[item]) / len(near[item]) if near[item] else place[item])
            place |= _positions([columns[at]])
    return columns


def _positions(columns: Sequence[Sequence[Item]]) -> dict[Item, float]:
    return {item: (at + 0.5) / len(column) for column in columns for at, item in enumerate(column)}


def _spots(columns: Sequence[Sequence[Item]]) -> dict[Item, tuple[float, float]]:
    heights = [sum(_size(item) for item in column) for column in columns]
    spots: dict[Item, tuple[float, float]] = {}
    for at, column in enumerate(columns):
        y = (max(heights) - heights[at]) / 2
        for item in column:
            spots[item] = (at * (WIDTH + _GAP_X), y)
            y += _size(item)
    return spots


def _size(item: Item) -> int:
    return _VIA if item[0] else HEIGHT + _GAP_Y


def _middle(item: Item, spots: Mapping[Item, tuple[float, float]]) -> float:
    return spots[item][1] + (_VIA if item[0] else HEIGHT) / 2


def _line(hop: Hop, spots: Mapping[Item, tuple[float, float]]) -> Line:
    start, end, arrow, back = hop
    right = spots[end][0] + (WIDTH if spots[start][0] == spots[end][0] else 0)
    return Line((spots[start][0] + WIDTH, _middle(start, spots)), (right, _middle(end, spots)), arrow, back)


def _through(item: Item, spots: Mapping[Item, tuple[float, float]]) -> Line:
    x, y = spots[item][0], _middle(item, spots)
    return Line((x, y), (x + WIDTH, y), back=item[0] == ">")


def _rows(names: Sequence[str], across: int, top: float) -> dict[str, tuple[float, float]]:
    return {
        name: (at % across * (WIDTH + _GAP_X), top + at // across * (HEIGHT + _GAP_Y)) for at, name in enumerate(names)
    }
