"""What a schema cannot check of a profile: that everything referred to exists, once, and without a circle.

Rules kept: ids are unique; every anchor, parameter, option, activity and event that is referred to exists; conditions
are of a known kind (options may be another profile's); neither preconditions nor anchors go round in a circle.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from contracts.catalogue import EVENTS
from contracts.orders_agreement import AMENDMENTS
from shared.rules.references import parse_reference

Path = tuple[str | int, ...]
Problem = tuple[Path, str]
Raw = Mapping[str, Any]

_KEYS = {
    "parameters": "name", "anchors": "name", "options": "id", "rules": "id", "activities": "id", "obligations": "id",
    "places": "line", "notices": "kind", "reminders": "id",
}  # fmt: skip
_CONDITIONS = {"amendment": frozenset(AMENDMENTS), "instruction": frozenset({"erase_early"})}
_COMPLETED = EVENTS.keys() | {"manual", "date", "parts"}


def problem_in(raw: Raw) -> Problem | None:
    """Give the path and message of the first thing that is wrong in a profile of valid form, or None."""
    checks = (_duplicate, _unknown_anchor, _unknown_name, _unknown_event, _unknown_condition, _round_trip, _round_date)
    return next((problem for check in checks if (problem := check(raw))), None)


def _duplicate(raw: Raw) -> Problem | None:
    for section, key in _KEYS.items():
        seen: set[str] = set()
        for number, each in enumerate(raw[section]):
            if each[key] in seen:
                return (section, number, key), f"'{each[key]}' is there twice"
            seen.add(each[key])
    return None


def _unknown_anchor(raw: Raw) -> Problem | None:
    anchors, parameters = _ids(raw, "anchors", "name"), _ids(raw, "parameters", "name")
    for path, text in _references(raw):
        reference = parse_reference(text)
        if reference.parameter and reference.parameter not in parameters:
            return path, f"there is no parameter '{reference.parameter}'"
        known = reference.activity in _ids(raw, "activities") if reference.activity else reference.anchor in anchors
        if not known:
            return path, f"there is no anchor '{reference.anchor}'"
    return None


def _references(raw: Raw) -> Iterator[tuple[Path, str]]:
    """Give every reference to a date, with its path."""
    for number, anchor in enumerate(raw["anchors"]):
        for field in ("first_of", "latest_of"):
            yield from ((("anchors", number, field, place), text) for place, text in enumerate(anchor[field]))
    for path, date in _dates(raw):
        yield from _given(date, path, "not_before", "not_after")
    for number, rule in enumerate(raw["rules"]):
        yield from ((("rules", number, key), rule[field]) for key, field in (("from", "start"), ("to", "end")))
    for number, reminder in enumerate(raw["reminders"]):
        yield ("reminders", number, "at"), reminder["at"]
    for number, notice in enumerate(raw["notices"]):
        yield from _given(notice, ("notices", number), "against", "moves", "moves_part", "begins", "until")
        for place, variant in enumerate(notice["variants"]):
            yield from _given(variant, ("notices", number, "variants", place), "not_before")


def _given(owner: Raw, path: Path, *fields: str) -> Iterator[tuple[Path, str]]:
    return (((*path, field), owner[field]) for field in fields if owner[field])


def _dates(raw: Raw) -> Iterator[tuple[Path, Raw]]:
    """Give every bound, with its path."""
    for section in ("activities", "obligations"):
        for number, each in enumerate(raw[section]):
            yield from (((section, number, "dates", place), date) for place, date in enumerate(each["dates"]))
    yield from ((("adds", number), date) for number, date in enumerate(raw["adds"]))


def _unknown_name(raw: Raw) -> Problem | None:
    activities = _ids(raw, "activities")
    known = {"after": activities, "parts": activities, "options": _ids(raw, "options")}
    for number, each in enumerate(raw["activities"]):
        for field, names in known.items():
            for place, name in enumerate(each[field]):
                if name not in names:
                    return ("activities", number, field, place), f"there is no '{name}' here"
    return None


def _unknown_event(raw: Raw) -> Problem | None:
    for number, each in enumerate(raw["activities"]):
        for field, events in (("completed_by", _COMPLETED), ("reopened_by", EVENTS.keys() | {""})):
            if each[field] not in events:
                return ("activities", number, field), f"there is no event '{each[field]}'"
    return None


def _unknown_condition(raw: Raw) -> Problem | None:
    """Find a condition that nothing can make true: of a kind that there is not."""
    for path, name in _conditions(raw):
        kind, colon, value = name.partition(":")
        if colon and kind not in {"whole", "confirmed", *_CONDITIONS}:
            return path, f"there is no condition '{kind}:'"
        if colon and kind in _CONDITIONS and value not in _CONDITIONS[kind]:
            return path, f"there is no {kind} '{value}'"
    return None


def _conditions(raw: Raw) -> Iterator[tuple[Path, str]]:
    for path, date in _dates(raw):
        for field in ("when", "unless"):
            yield from (((*path, field, place), name) for place, name in enumerate(date[field]))
    for number, need in enumerate(raw["needs"]):
        yield from ((("needs", number, "one_of", place), name) for place, name in enumerate(need["one_of"]))


def _round_trip(raw: Raw) -> Problem | None:
    number = _first_in_circle({each["id"]: each["after"] for each in raw["activities"]})
    return None if number is None else (("activities", number, "after"), "the preconditions go round in a circle")


def _round_date(raw: Raw) -> Problem | None:
    """Find an anchor that depends on itself, through other anchors or through an activity's due date."""
    rests = {each["name"]: [*map(_anchor, each["first_of"]), *each["latest_of"]] for each in raw["anchors"]}
    for each in raw["activities"]:
        rests[f"due({each['id']})"] = [_anchor(date["not_before"] or date["not_after"]) for date in each["dates"]]
    number = _first_in_circle(rests)
    return None if number is None else (("anchors", number), "the date depends on itself")


def _anchor(text: str) -> str:
    return parse_reference(text).anchor


def _first_in_circle(rests: Mapping[str, Sequence[str]]) -> int | None:
    """Give the number of the first that never becomes free, when what rests on nothing open is taken away each time."""
    done: set[str] = set()
    while len(done) < len(rests):
        free = {name for name in rests if name not in done and done.issuperset(rests[name])}
        if not free:
            return next(number for number, name in enumerate(rests) if name not in done)
        done |= free
    return None


def _ids(raw: Raw, section: str, key: str = "id") -> frozenset[str]:
    return frozenset(each[key] for each in raw[section])
