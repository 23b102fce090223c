"""What a supplier may declare of breaches: times, natures and bands that fit together, nothing else (Art. 33(2))."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.breaches import ANSWERS, BANDS, NATURES
from contracts.catalogue import EVENTS
from contracts.errors import Rejected
from contracts.registry import check
from services.compliance.domain import breaches
from services.compliance.evidence import checked, entry_of
from services.compliance.facts import Facts
from shared.words import breaches as words
from tests.unit.evidence_world import Event, World
from tests.unit.test_evidence_duties import OUTSIDE, declared, outside, whole

NOW = datetime(2026, 10, 6, 12, tzinfo=UTC)
TRUE: dict[str, Any] = {
    "answer": "BREACH", "breach_id": None, "aware_at": "2026-10-05T09:00:00Z", "notified_at": None,
    "natures": ["CONFIDENTIALITY"], "subjects": "UP_TO_10", "records": "UNKNOWN", "about": [],
}  # fmt: skip
PLAIN = {"aware_at": None, "natures": [], "subjects": None, "records": None}


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> Facts:
    told = [*outside(), declared("BREACH", notified_at="2026-10-05T14:00:00Z"), declared("NONE_KNOWN", "brc-2")]
    return World(tmp_path_factory.mktemp("keys")).told(told).log.facts()


@pytest.mark.parametrize(
    "said",
    [
        TRUE,
        TRUE | {"notified_at": "2026-10-05T11:00:00+02:00"},
        TRUE | {"breach_id": "brc-1", "notified_at": "2026-10-05T15:00:00Z", "about": [0]},
        TRUE | PLAIN | {"answer": "NONE_KNOWN"},
        TRUE | PLAIN | {"answer": "NO_BREACH", "about": [OUTSIDE]},
    ],
)
def test_what_fits_together_is_taken(facts: Facts, said: dict[str, Any]) -> None:
    breaches.check(said, facts, NOW)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"aware_at": None}, "aware_at"),
    ({"natures": []}, "natures"),
    ({"natures": ["INTEGRITY", "INTEGRITY"]}, "natures"),
    ({"subjects": None}, "subjects"),
    ({"records": None}, "records"),
    ({"aware_at": "2026-10-06T12:00:01Z"}, "aware_at"),
    ({"aware_at": "2026-13-05T09:00:00Z"}, "aware_at"),
    ({"notified_at": "2026-10-06T12:00:01Z"}, "notified_at"),
    ({"notified_at": "2026-10-05T08:59:59Z"}, "notified_at"),
    ({"about": [999]}, "about"),
    ({"breach_id": "brc-9"}, "breach_id"),
    ({"breach_id": "brc-2"}, "breach_id"),
    ({"breach_id": "brc-1"}, "notified_at"),
    ({"breach_id": "brc-1", "aware_at": "2026-10-05T10:00:00Z", "notified_at": "2026-10-05T14:00:00Z"}, "aware_at"),
    ({"answer": "NONE_KNOWN"}, "aware_at"),
    (PLAIN | {"answer": "NONE_KNOWN", "about": [OUTSIDE]}, "about"),
    (PLAIN | {"answer": "NONE_KNOWN", "breach_id": "brc-1"}, "breach_id"),
    (PLAIN | {"answer": "NO_BREACH"}, "about"),
    (PLAIN | {"answer": "NO_BREACH", "about": [0]}, "about"),
]


@pytest.mark.parametrize(("more", "field"), WRONG)
def test_what_cannot_be_is_refused_with_its_field(facts: Facts, more: dict[str, Any], field: str) -> None:
    with pytest.raises(Rejected) as caught:
        breaches.check(TRUE | more, facts, NOW)
    assert caught.value.field == field and caught.value.da


def test_nothing_is_declared_of_an_exit_that_was_not_ordered(tmp_path_factory: pytest.TempPathFactory) -> None:
    empty = World(tmp_path_factory.mktemp("keys")).told([]).log.facts()
    with pytest.raises(Rejected, match="EXIT_UNKNOWN"):
        breaches.check(TRUE, empty, NOW)


def test_its_evidence_is_closed_and_has_no_free_text() -> None:
    wire, told = declared("BREACH", notified_at="2026-10-05T14:00:00Z")
    kind, entry = entry_of(wire, check(EVENTS[wire].schema, told, wire))
    assert kind == "BREACH_DECLARED" and "exit_id" not in entry and entry["actor"] == "usr-ist"
    for name, value in (("natures", ["a name"]), ("subjects", "17"), ("aware_at", "in the morning"), ("role", "A B")):
        with pytest.raises(Rejected):
            checked(kind, entry | {name: value})


def test_the_hours_from_awareness_to_notice_are_told_as_they_are(facts: Facts) -> None:
    told = breaches.declared(facts)
    assert breaches.hours(told["brc-1"][-1].entry) == 5
    assert breaches.hours(told["brc-2"][-1].entry) is None


def test_everything_that_can_be_declared_has_words_in_both_languages() -> None:
    for given, said in ((ANSWERS, words.ANSWERS), (NATURES, words.NATURES), (BANDS, words.BANDS)):
        assert set(given) == said.keys() and all(all(both) for both in said.values())


def unanswered(told: list[Event], folder: Any) -> list[int]:
    facts = World(folder).told(told).log.facts()
    return [one.index for one in breaches.outside(facts) if not breaches.answers_to(facts, one.index)]


def test_what_nobody_has_answered_is_listed(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("keys")
    assert unanswered(whole(), folder) == []
    assert unanswered(outside(), folder) == [OUTSIDE]
    assert unanswered([*outside(), declared("NO_BREACH", about=(OUTSIDE,))], folder) == []
