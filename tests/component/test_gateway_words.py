"""Every code that a page can meet has its words in Danish and English."""

import re
from pathlib import Path

import pytest

from contracts import compliance, orders_notices, scheduling, scheduling_plan
from contracts.catalogue import EVENTS
from contracts.compliance import ISSUED_STAGES, STAGES, ObligationRow
from contracts.roles import EVERYONE
from services.deletion.domain.job import FOLLOWED, TRANSITIONS
from services.delivery.domain import PACKAGE_STATES
from services.gateway import duties, views, words
from services.gateway.texts import LANGUAGES, TEXTS
from shared.rules import obligations
from shared.rules.profile_schema import GATES, OWNERS, PARTIES
from shared.rules.profiles import known_profiles, load_profile

GATES_PY = Path(__file__).parents[2] / "services/scheduling/domain/gates.py"
TOLD = (scheduling.ObligationChanged, compliance.ObligationRow)
REASONS = [code for row in TOLD for code in re.findall(r"\b[A-Z]{2}[A-Z_]+\b", row.__doc__.split("`reason`:")[1])]
GIVEN = re.findall(r'"([A-Z][A-Z_]{3,})"', Path(obligations.__file__).read_text("utf-8"))
TEMPLATES = sorted(Path(words.__file__).parent.glob("templates/*.html"))


def choices(message, field):
    found = message._declared_fields[field]
    return list(getattr(found, "inner", found).validate.choices)


STATES = {
    "an obligation": choices(ObligationRow, "state"),
    "a timetable": choices(scheduling_plan.Timetable, "state"),
    "a proposal": choices(scheduling.PlanProposed, "state"),
    "an approval": choices(scheduling_plan.ApprovalRequest, "state"),
    "a change in the frozen zone": [views.bypass_state(each) for each in choices(scheduling_plan.Bypass, "state")],
    "a plan": [views.plan_state(each) for each in ("draft", "placed", "approved", "cancelled")],
    "an exit": ["ordered", "countered", "confirmed", "placed", "cancelled"],
    "a deletion": [*FOLLOWED, *(state for state, _ in TRANSITIONS), *TRANSITIONS.values()],
    "a package": [*(state for state, _ in PACKAGE_STATES if state != "ordered"), *PACKAGE_STATES.values()],
    "an activity": ["completed", "waived", "not_chosen", "planned", "waiting", "due", "awaits_answer", "overdue",
                    "cancelled", "cancellation_requested"],
}  # fmt: skip


@pytest.mark.parametrize("what", STATES)
def test_every_state_has_its_words(what):
    assert set(STATES[what]) <= set(words.STATES)


def test_every_state_has_a_tone_that_has_a_mark_of_its_own():
    assert {tone for tone, *_ in words.STATES.values()} <= set(views.MARKS)
    assert len(set(views.MARKS.values())) == len(views.MARKS)


def test_every_gate_of_the_profiles_and_every_code_that_scheduling_names_has_its_words():
    named = re.findall(r"`([A-Z][A-Z0-9_]+)(?:\([^`]*\))?`", GATES_PY.read_text("utf-8").split('"""')[1])
    assert {"DATE", "PROPOSAL"} <= set(named) and set(named) <= set(words.WAITS)
    spoken = {"holds": "HOLD"}
    assert {spoken.get(gate, gate.upper()) for gate in GATES} <= set(words.WAITS)


def test_every_reason_of_an_obligation_has_its_words():
    assert "NOT_TRIGGERED" in GIVEN and set(REASONS) | set(GIVEN) == set(words.REASONS)


def test_every_event_has_its_words_and_no_word_is_left_over():
    assert set(words.FACTS) == set(EVENTS)


def test_every_kind_of_change_party_stage_and_role_has_its_words():
    assert set(choices(scheduling_plan.Change, "what")) == set(words.CHANGES)
    assert set(choices(scheduling.BypassChanged, "kind")) == set(words.BYPASSES)
    assert {*PARTIES, *OWNERS} <= set(words.PARTIES)
    assert {*STAGES, *ISSUED_STAGES} <= set(words.STAGES)
    assert set(EVERYONE) == set(views.TITLES_EN)


def test_every_notice_kind_of_the_contract_that_a_profile_gives_has_a_title_in_both_languages():
    kinds = [each for name in known_profiles() for each in load_profile(name).notices]
    assert {each.kind for each in kinds} <= set(orders_notices.NOTICES)
    assert all(each.title_da and each.title_en for each in kinds)


def test_every_group_of_obligations_has_a_heading_and_every_text_both_languages():
    assert {f"group_{state}" for state in duties.ORDER} <= set(TEXTS)
    assert all(len(both) == len(LANGUAGES) and all(both) for both in TEXTS.values())


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_every_text_that_a_template_names_is_there(template):
    named = re.findall(r"""\bt\(["'](\w+)["'][,)]""", template.read_text("utf-8"))
    assert set(named) <= set(TEXTS)


@pytest.mark.parametrize(
    ("code", "danish"),
    [
        ("B4", "B4 Databehov"),
        ("DATE(2026-06-01)", "datoen 01.06.2026"),
        ("ARCHIVE(booking)", "arkivbeslutning for booking"),
        ("HOLD(ALL)", "at slettestoppet for alle systemer ophæves"),
        ("OUTSIDE_SCOPE", "at fejlen OUTSIDE_SCOPE rettes"),
    ],
)
def test_what_is_waited_for_is_said_in_words(code, danish):
    assert views.waits_for(code, {"B4": "Databehov"}, "da") == danish


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "–"), ("2026-07-15", "15.07.2026"), ("2026-07-01 … 2026-07-15", "01.07.2026 … 15.07.2026"),
     ("not_chosen", "nej"), ("booking, morgenvagt", "booking, morgenvagt")],
)  # fmt: skip
def test_a_change_is_written_as_people_write_it(value, shown):
    assert views.changed_value(value, "da") == shown


def test_who_must_act_next_is_named_only_where_it_is_somebody_else():
    row = {"state": "planned", "manual": True, "responsible": ["supplier"], "next_actors": ["customer"]}
    assert views.next_actors(row, "en") == "The customer"
    assert views.next_actors({**row, "next_actors": ["supplier"]}, "en") == ""
    assert views.next_actors({**row, "state": "completed"}, "en") == ""
