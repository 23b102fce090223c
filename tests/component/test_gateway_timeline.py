"""The timeline: where things lie, and that nothing is said by a place or a colour alone."""

from datetime import date, timedelta
from itertools import pairwise

import pytest

from services.gateway import timeline
from services.gateway.views import PHASES
from tests.component.gateway_answers import EXIT, PLAN

TODAY = date(2026, 6, 10)


def activity(number="C3", state="planned", **more):
    row = {"id": number, "phase": "window", "state": state, "manual": False, "critical": False,
           "earliest": "2026-06-01", "due": "2026-06-30", "completed_on": None}  # fmt: skip
    return {**row, **more}


def drawn(*rows, today=TODAY, **exit_):
    return timeline.draw({"activities": rows}, {**EXIT, **exit_}, PHASES, today)


def test_days_keep_their_order_over_every_piece_of_the_axis():
    rows = [activity(f"X{number}", earliest=None, due=(date(2026, 1, 5) + timedelta(days=9 * number)).isoformat())
            for number in range(50)]  # fmt: skip
    drawing = drawn(*rows)
    assert len(drawing.breaks) == 2
    assert all(one.x < other.x for one, other in pairwise(drawing.bars))
    assert all(bar.x >= timeline.LEFT and bar.x + bar.width <= timeline.RIGHT + 10 for bar in drawing.bars)


def test_the_exit_window_is_drawn_larger_than_the_months_around_it():
    far = drawn(activity(), activity("A1", due="2025-12-01", earliest=None), activity("D9", due="2027-01-15"))
    window = next(band for band in far.bands if band.kind == "window")
    assert (window.start, window.end) == (date(2026, 6, 1), date(2026, 6, 30))
    assert window.width > 0.2 * (timeline.RIGHT - timeline.LEFT)


def test_a_short_plan_has_one_scale():
    assert drawn(activity()).breaks == ()


def test_the_frozen_zone_begins_when_the_systems_were_frozen_and_ends_with_operations():
    zone = next(band for band in drawn(activity("C2", completed_on="2026-06-05")).bands if band.kind == "frozen")
    assert (zone.start, zone.end) == (date(2026, 6, 5), date(2026, 6, 30))
    assert not [band for band in drawn(activity("C2", state="not_chosen"), activity()).bands if band.kind == "frozen"]


def test_days_that_coincide_share_a_line_and_no_two_labels_on_a_level_overlap():
    marks = drawn(activity()).marks
    assert [mark.names for mark in marks] == [("today",), ("D", "K"), ("T",), ("K+15",)]
    places = sorted((mark.level, mark.x - timeline.LABEL_WIDTH if mark.ends else mark.x) for mark in marks)
    assert all(b[0] != a[0] or b[1] - a[1] >= timeline.LABEL_WIDTH for a, b in pairwise(places))


def test_what_is_late_reaches_from_its_last_day_to_today():
    late = drawn(activity(state="overdue", due="2026-06-03")).bars[0]
    assert late.late_width > 0 and late.mark == "!"
    assert drawn(activity(state="completed", due="2026-06-03", completed_on="2026-06-03")).bars[0].late_width == 0
    assert drawn(activity(state="overdue", due="2026-06-03"), today=None).bars[0].late_width == 0


def test_what_has_no_date_is_listed_and_what_is_not_chosen_left_out():
    drawing = drawn(activity(), activity("D8", earliest=None, due=None), activity("D3", state="not_chosen"))
    assert [row["id"] for row in drawing.undated] == ["D8"]
    assert [bar.row["id"] for bar in drawing.bars] == ["C3"]


def test_a_plan_without_dates_has_no_timeline():
    assert drawn(activity(earliest=None, due=None)) is None


@pytest.mark.parametrize("end", ["2026-03-01", "2026-12-31", "2031-06-30"])
def test_an_agreement_that_ends_long_before_or_after_the_switch_can_be_drawn(end):
    drawing = timeline.draw(PLAN, {**EXIT, "agreement_end": end}, PHASES, TODAY)
    assert drawing and all(bar.width > 0 for bar in drawing.bars)
