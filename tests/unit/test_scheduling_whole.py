"""A whole exit with every option: each activity is completed, by its own fact and not before what it comes after."""

from __future__ import annotations

from datetime import date

import pytest

from services.scheduling.domain import facts
from tests.unit.scheduling_play import ALL, DAYS, DESTRUCTIVE, ORDER, PROFILES, RETENTION, D, K, Play

EXTENS = {"system": "extens", "title": "Extens", "kind": "files", "deletion": "2"}
OPTIONS = ("S1-8.2", "S1-8.3", "S1-8.4", "S1-8.5", RETENTION)
OPTION_END, END = date(2026, 12, 31), date(2027, 7, 1)


@pytest.fixture(scope="module")
def whole() -> Play:
    """An exit from the order to the last backup; what waits for people is answered as soon as it is due."""
    play = Play(order=ORDER | {"systems": [*ORDER["systems"], EXTENS]}).order()
    play.notice("termination", moved=[{"anchor": "K", "on": K}])
    play.options(*OPTIONS, covers=tuple((option, ["extens"]) for option in OPTIONS[1:]))
    play.learn(facts.with_transfer(play.exit)).open_gates().learn(facts.with_archive(play.exit, "extens"))
    while play.today < END:
        _do_all(play)
        play.walk(min([day for day in play.timers if day > play.today], default=END))
    return play


def _do_all(play: Play) -> None:
    while due := [name for name in ALL if _waits(play, name)]:
        for name in due:
            _do(play, name, play.look().plan.activity(name).activity.completed_by)


def _waits(play: Play, name: str) -> bool:
    by = play.look().plan.activity(name).activity.completed_by
    return name in play.exit.told_due - play.exit.done.keys() and by not in ("date", "parts")


def _do(play: Play, name: str, by: str) -> None:
    if by == "manual":
        play.answer(name)
    elif by == "scheduling.timetable_submitted":
        play.timetable(DAYS | {"B13": "2026-05-20"})
    elif by == "scheduling.timetable_answered":
        play.answer_timetable()
    elif by == "orders.accord_signed":
        play.accord("addendum", options=list(OPTIONS[1:4]), until=OPTION_END)
        for party in play.exit.proposal.needs if play.exit.proposal else ():
            play.answer_proposal(party)
    elif name in DESTRUCTIVE:
        play.preview(name, f"job-{name}").both_approve(name, f"job-{name}").intent(f"job-{name}")
        play.learn(facts.with_deletion(play.exit, name, play.today)).fact(by, activity=name)
    else:
        play.fact(by, **({"activity": name} if by.startswith("access.") else {}))


@pytest.mark.parametrize("activity", ALL)
def test_each_activity_is_completed_after_what_it_comes_after(activity: str, whole: Play) -> None:
    planned, done = whole.look().plan.activity(activity), whole.exit.done
    assert planned.chosen and activity in done
    assert all(done[name].on <= done[activity].on for name in planned.activity.after)
    assert whole.count("activity_completed", activity=activity, outcome="done") == 1


def test_every_deletion_had_its_permit_and_only_the_case_index_went_before_the_end(whole: Play) -> None:
    assert {body["activity"] for body in whole.bodies("permit_issued")} == set(DESTRUCTIVE)
    assert [name for name in DESTRUCTIVE if whole.exit.done[name].on <= K] == ["C7"]
    assert whole.exit.done["C7"].on == D
    assert whole.exit.done["D7a"].on > OPTION_END > whole.exit.done["D3b"].on


def test_at_the_end_nothing_is_left_to_look_at_but_what_runs_on(whole: Play) -> None:
    assert whole.waiting() == []
    assert {activity.id for activity in PROFILES[0].activities} == whole.exit.done.keys()
    assert {row["state"] for row in whole.plan()["activities"]} == {"completed"}
