"""Reminders: each on its day, once, with the notice that can still be given."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from shared.rules.plan import PlanFacts
from shared.rules.profiles import load_profiles
from shared.rules.reminders import due_reminders

PROFILES = load_profiles(("ist-standard", "ski-02-19"))
FACTS = PlanFacts({"T": date(2026, 7, 1), "K": date(2026, 9, 30)})
DAY = timedelta(days=1)

DAYS = {
    "archive": "2026-01-31", "K-30": "2026-08-31", "K-15": "2026-09-15", "K-5": "2026-09-25", "K-1": "2026-09-29",
    "status-letter": "2026-10-15",
}  # fmt: skip


@pytest.mark.parametrize(("name", "text"), DAYS.items(), ids=DAYS)
def test_t10_a_reminder_comes_on_its_day_and_on_no_other(name: str, text: str) -> None:
    on = date.fromisoformat(text)
    found = [[each.id for each in due_reminders(PROFILES, FACTS, day - DAY, day)] for day in (on - DAY, on, on + DAY)]
    assert found == [[], [name], []]


def test_t10_the_four_reminders_before_the_end_have_a_notice_of_storage_ready() -> None:
    for name in ("K-30", "K-15", "K-5", "K-1"):
        on = date.fromisoformat(DAYS[name])
        (reminder,) = due_reminders(PROFILES, FACTS, on - DAY, on)
        assert (reminder.notice, reminder.latest_on, reminder.letter) == ("retention", date(2026, 9, 29), False)
        assert {"instruction", "archive", "accepted"} == set(reminder.unmet)


def test_t10_a_notice_that_can_no_longer_be_given_is_not_offered() -> None:
    late = due_reminders(PROFILES, FACTS, date(2026, 9, 1), date(2026, 9, 30))
    assert [(each.id, each.notice, each.latest_on) for each in late] == [
        ("K-15", None, None), ("K-5", None, None), ("K-1", None, None),
    ]  # fmt: skip


def test_t10_the_status_letter_goes_to_both_with_every_gate() -> None:
    (letter,) = due_reminders(PROFILES, FACTS, date(2026, 10, 14), date(2026, 10, 15))
    assert (letter.letter, letter.to) == (True, ("customer", "supplier"))
    assert set(letter.unmet) == {"instruction", "archive", "accepted", "transfer", "addendum", "holds"}


def test_t3_archiving_is_warned_of_sixty_days_before_preparation_starts() -> None:
    (warning,) = due_reminders(PROFILES, FACTS, date(2026, 1, 30), date(2026, 1, 31))
    assert (warning.id, warning.unmet, warning.notice) == ("archive", ("archive",), None)


def test_without_the_end_of_the_agreement_nothing_rests_on_it() -> None:
    early = due_reminders(PROFILES, PlanFacts({"T": date(2026, 7, 1)}), date.min, date.max)
    assert [each.id for each in early] == ["archive"]
