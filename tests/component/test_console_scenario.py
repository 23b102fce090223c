"""What the rehearsal's people answer: the timetable within the plan's own bounds, and every line of the profiles."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts import system_map
from deploy.demo.system_map import build
from services.console.rehearsing import people, stagehands
from services.console.rehearsing.scenario import PROFILES, go_live
from services.console.rehearsing.scenario.answers import PAIRS
from services.console.rehearsing.scenario.timetable import draw_up, planned_by_day
from shared.rules.plan import Plan, PlanFacts, check_timetable, make_plan
from shared.rules.profiles import load_profiles, required_lines
from shared.rules.scopes import route
from shared.rules.time import is_working_day

SYSTEMS = {"pladsanvisning": "2", "booking": "1", "morgenvagt": "1", "sagsindeks": "index"}
STARTS = [date(2026, 1, 5) + timedelta(days=23 * number) for number in range(16)]


def plan_of(began_on: date) -> Plan:
    profiles, switch = load_profiles(PROFILES), go_live(began_on)
    end = switch - timedelta(days=1)
    anchors = {"T": switch, "D": end, "K": end, "takeover": end - timedelta(days=2191), "in_force": date(2020, 1, 1)}
    return make_plan(profiles, PlanFacts(anchors, scopes=route(profiles, SYSTEMS, (), {})))


def rows_of(plan: Plan) -> list[dict[str, Any]]:
    """Give the plan's rows as `read_plan` does, as far as a timetable needs them."""
    return [
        {
            "id": each.id, "chosen": each.chosen, "after": list(each.activity.after),
            "earliest": each.earliest and each.earliest.isoformat(), "due": each.due and each.due.isoformat(),
        }
        for each in plan.activities
    ]  # fmt: skip


@pytest.mark.parametrize("began_on", STARTS, ids=str)
def test_the_timetable_that_is_submitted_is_one_that_the_rules_accept(began_on: date) -> None:
    profiles, plan = load_profiles(PROFILES), plan_of(began_on)
    days = draw_up(rows_of(plan), planned_by_day(profiles))
    check_timetable(profiles, plan, days)
    assert days["C1"] < days["C2"] < days["C3"] < days["C4"] <= days["C6"] <= days["C7"]
    assert all(is_working_day(days[name]) for name in ("C1", "C2", "C3", "C4"))


def test_operations_run_to_their_last_day() -> None:
    plan = plan_of(STARTS[0])
    assert draw_up(rows_of(plan), planned_by_day(load_profiles(PROFILES)))["C6"] == plan.activity("C6").due


def test_what_is_not_chosen_or_has_no_date_gets_no_day() -> None:
    rows = rows_of(plan_of(STARTS[0]))
    chosen = {row["id"] for row in rows if row["chosen"] and row["earliest"]}
    by_day = planned_by_day(load_profiles(PROFILES))
    assert set(draw_up(rows, by_day)) == by_day & chosen


def test_every_line_of_the_profiles_is_answered_once_but_for_those_that_are_lists(tmp_path: Path) -> None:
    built = build("postgresql://admin@127.0.0.1:1", "mongodb://admin@127.0.0.1:1", "http://127.0.0.1:1")
    (tmp_path / "map.yaml").write_text(yaml.safe_dump(built, allow_unicode=True), "utf-8")
    answers = stagehands.answers(system_map.load(tmp_path / "map.yaml"), backups=True)
    asked = [line.line for line in required_lines(load_profiles(PROFILES))]
    assert [row["line"] for row in answers] == [line for line in asked if line not in stagehands.LISTED]
    said = {row["line"]: row["answer"] for row in answers}
    assert said["PLADSANVISNING"] == said["BACKUPS"] == said["DATA-LOADED"] == "mapped"
    assert said["EXTENS"] == said["SUB-PROCESSORS"] == "mapped" and said["DATA-QUEUED"] == "NOT_IN_REHEARSAL"


def test_every_pair_that_the_profiles_name_is_decided() -> None:
    named = {line.line for line in required_lines(load_profiles(PROFILES)) if line.line.endswith("-ADMIN")}
    assert set(PAIRS) == named


def test_nobody_approves_a_deletion_in_two_roles() -> None:
    assert people.DELETION_OFFICER.actor != people.CUSTOMER_APPROVER.actor
    assert len({person.actor for person in people.PEOPLE.values()}) == len(people.PEOPLE)
