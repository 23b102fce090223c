"""Notices: each kind and variant on both sides of its limit, and that an earlier notice is never worse."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.errors import Rejected
from contracts.orders_notices import NOTICES, OUTCOMES
from shared.rules.notices import Asked, Situation, Weighed, calendar, weigh
from shared.rules.plan import PlanFacts, make_plan
from shared.rules.profiles import FOLDER, load_profiles, parse_profile

PROFILES = load_profiles(("ist-standard", "ski-02-19"))
RETENTION = "S2-28.2-retention"
K = date(2026, 9, 30)
FACTS = PlanFacts(
    {"T": date(2026, 7, 1), "K": K, "takeover": date(2020, 11, 5)},  # by itself it ends on 2026-11-05 (27.1)
    frozenset({RETENTION}),
    numbers={"exit_process_days": 30},
)
SERVICES = {"K1": "core", "K2": "core", "X1": "additional"}


def day(text: str) -> date:
    return date.fromisoformat(f"2026-{text}" if len(text) == 5 else text)


def situation(facts: PlanFacts = FACTS, **changes: Any) -> Situation:
    return Situation(facts, make_plan(PROFILES, facts), **{"services": SERVICES, **changes})


def weighed(
    kind: str, given_on: str, variant: str | None = None, where: Situation | None = None, **asked: Any
) -> Weighed:
    dates = {name: day(value) for name, value in asked.items() if name.endswith("_on")}
    whole = Asked(kind=kind, variant=variant, given_on=day(given_on), **{**asked, **dates})
    return weigh(PROFILES, whole, where or situation())


class Case(NamedTuple):
    """A notice on its last day in time, and what it brings a day later."""

    kind: str
    variant: str
    last: str
    effect: str
    late: str
    late_effect: str | None
    asked: dict[str, Any]

    def by(self) -> str:
        return "supplier" if self.kind == "supplier_end" else "customer"


_END = {"effect_on": "09-30"}
CASES = [
    Case("termination", "general", "07-02", "09-30", "accepted_later", "10-01", _END),
    Case("termination", "customer_ceases", "08-31", "09-30", "accepted_later", "10-01", _END),
    Case("termination", "section_185_1_1", "08-31", "09-30", "accepted_later", "10-01", _END),
    Case("termination", "section_185_1_2_3", "09-30", "09-30", "accepted_later", "10-01", _END),
    Case("termination", "framework_ends", "08-31", "09-14", "accepted_later", "09-15",
         {"effect_on": "09-14", "basis_on": "09-01"}),
    Case("annulment", "award_annulled", "08-31", "09-30", "accepted_later", "10-01", _END),
    Case("annulment", "illegal_tender", "09-30", "09-30", "accepted_later", "10-01", _END),
    Case("annulment", "ineffective", "08-15", "08-15", "accepted_later", "08-16", {"basis_on": "08-15"}),
    Case("immediate_end", "material_breach", "09-30", "09-30", "accepted_later", "10-01", _END),
    Case("immediate_end", "guarantee_failure", "06-02", "06-02", "accepted_later", "06-03",
         {"effect_on": "06-02", "basis_on": "05-01"}),
    Case("immediate_end", "third_party_rights", "09-30", "09-30", "accepted_later", "10-01", _END),
    Case("immediate_end", "force_majeure", "09-02", "09-02", "accepted_later", "09-03",
         {"effect_on": "09-02", "basis_on": "05-29"}),
    Case("immediate_end", "no_appropriation", "09-30", "09-30", "accepted_later", "10-01", _END),
    Case("supplier_end", "payment_default", "07-15", "07-15", "accepted_later", "07-16",
         {"effect_on": "07-15", "basis_on": "05-29"}),
    Case("reduction", "general", "04-01", "05-01", "accepted_later", "05-02",
         {"effect_on": "05-01", "services": ("K1",)}),
    Case("reduction", "basic_data", "04-01", "05-01", "accepted_later", "05-02",
         {"effect_on": "05-01", "services": ("K1",)}),
    Case("extension", "general", "08-01", "10-01", "refused", None, {}),
    Case("emergency_extension", "general", "09-16", "10-01", "refused", None, {"months": 12}),
    Case("emergency_end", "general", "08-01", "08-15", "accepted_later", "08-16",
         {"effect_on": "08-15", "basis_on": "06-01"}),
    Case("postponement", "general", "04-02", "08-01", "agreement_needed", None, {"effect_on": "08-01"}),
    Case("exit_process", "general", "08-26", "08-31", "refused", None, {}),
    Case("retention", "general", "09-29", "10-01", "refused", None, {}),
    Case("retention_end", "general", "2027-02-10", "2027-02-25", "accepted_later", "2027-02-26",
         {"effect_on": "2027-02-25"}),
    Case("standard_copy", "general", "09-15", "09-30", "accepted", "09-30", _END),
]  # fmt: skip


def test_every_kind_and_variant_of_the_profile_is_in_the_table() -> None:
    there = [(kind.kind, variant.id) for profile in PROFILES for kind in profile.notices for variant in kind.variants]
    assert [(case.kind, case.variant) for case in CASES] == there
    assert list(dict.fromkeys(case.kind for case in CASES)) == list(NOTICES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.kind}-{case.variant}")
def test_a_notice_is_in_time_on_its_last_day_and_late_on_the_next(case: Case) -> None:
    where = situation(customer_party=case.by())
    last = weighed(case.kind, case.last, case.variant, where, **case.asked)
    assert (last.outcome, last.code, last.effect_on) == ("accepted", None, day(case.effect))
    assert last.latest_on == day(case.last)
    after = (day(case.last) + timedelta(days=1)).isoformat()
    late = weighed(case.kind, after, case.variant, where, **case.asked)
    assert (late.outcome, late.effect_on) == (case.late, day(case.late_effect) if case.late_effect else None)
    assert late.latest_on == day(case.last)
    assert late.code in ("NOTICE_LATE", "NOTICE_OTHER_CLAUSE")


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.kind}-{case.variant}")
def test_every_verdict_names_its_clause_in_both_languages(case: Case) -> None:
    for given_on in (case.last, "2027-09-01"):
        found = weighed(case.kind, given_on, case.variant, situation(customer_party=case.by()), **case.asked)
        assert found.message_da != found.message_en
        assert all(text.startswith("S2 ") and len(text) <= 500 for text in (found.message_da, found.message_en))


@settings(deadline=None)
@given(
    case=st.sampled_from(CASES),
    start=st.dates(date(2025, 1, 1), date(2027, 12, 31)),
    later=st.integers(0, 400),
    wished=st.none() | st.dates(date(2025, 6, 1), date(2027, 12, 31)),
)
def test_an_earlier_notice_never_has_a_worse_outcome_or_a_later_effect(
    case: Case, start: date, later: int, wished: date | None
) -> None:
    where = situation(customer_party=case.by())
    asked = {name: day(value) if name.endswith("_on") else value for name, value in case.asked.items()}
    if wished and "effect_on" in asked:
        asked["effect_on"] = wished
    early, late = (
        weigh(PROFILES, Asked(kind=case.kind, variant=case.variant, given_on=given_on, **asked), where)
        for given_on in (start, start + timedelta(days=later))
    )
    assert OUTCOMES.index(early.outcome) <= OUTCOMES.index(late.outcome)
    assert not (early.effect_on and late.effect_on) or early.effect_on <= late.effect_on


# ---- what may not be preceded, and what ends by itself


@pytest.mark.parametrize(
    ("kind", "variant", "basis", "wished", "first"),
    [("termination", "framework_ends", "09-15", "09-14", "09-15"),
     ("immediate_end", "guarantee_failure", "05-01", "05-31", "06-01"),
     ("immediate_end", "force_majeure", "05-29", "08-24", "08-25"),
     ("supplier_end", "payment_default", "05-29", "06-28", "06-29"),
     ("emergency_end", "general", "09-01", "08-31", "09-01")],
)  # fmt: skip
def test_a_notice_has_no_effect_before_its_ground_allows(
    kind: str, variant: str, basis: str, wished: str, first: str
) -> None:
    where = situation(customer_party="supplier" if kind == "supplier_end" else "customer")
    early = weighed(kind, "05-01", variant, where, effect_on=wished, basis_on=basis)
    assert (early.outcome, early.effect_on, early.latest_on) == ("accepted_later", day(first), None)
    assert early.code == "NOTICE_NOT_BEFORE"
    assert weighed(kind, "05-01", variant, where, effect_on=first, basis_on=basis).outcome == "accepted"


def test_a_ground_on_record_is_not_brought_forward_by_the_day_that_a_notice_names() -> None:
    facts = replace(FACTS, anchors={**FACTS.anchors, "framework_end": day("09-20")})
    found = weighed("termination", "05-01", "framework_ends", situation(facts), basis_on="06-01", effect_on="06-01")
    assert found.effect_on == day("09-20")


def test_an_end_takes_effect_at_the_latest_when_the_agreement_ends_by_itself() -> None:
    assert weighed("termination", "08-07", effect_on="11-05").outcome == "accepted"
    refused = weighed("termination", "08-08", effect_on="11-05")
    assert (refused.outcome, refused.code, refused.latest_on) == ("refused", "NOTICE_AFTER_END", day("08-07"))


def test_what_has_ended_is_not_ended_again() -> None:
    where = situation(replace(FACTS, anchors={"T": day("07-01"), "K": K}))  # the takeover day is not known
    assert weighed("termination", "09-30", where=where).outcome == "accepted"
    assert weighed("termination", "10-01", where=where).code == "NOTICE_AFTER_END"


def test_an_order_that_makes_the_agreement_ineffective_sets_the_day_itself() -> None:
    found = weighed("annulment", "08-01", "ineffective", basis_on="08-15", effect_on="09-30")
    assert found.effect_on == day("08-15")


# ---- reduction


@pytest.mark.parametrize(
    ("variant", "services", "effect"),
    [("general", ("K1",), "2026-11-05"), ("general", ("X1",), "2026-07-01"), ("general", ("K1", "X1"), "2026-11-05"),
     ("basic_data", ("K1",), "2026-07-01")],
)  # fmt: skip
def test_a_core_service_stays_twelve_months_unless_replaced_by_the_basic_data_programme(
    variant: str, services: tuple[str, ...], effect: str
) -> None:
    facts = replace(FACTS, anchors={"T": day("2027-07-01"), "K": day("2027-09-30"), "takeover": day("2025-11-05")})
    found = weighed("reduction", "06-01", variant, situation(facts), services=services, effect_on="07-01")
    assert found.effect_on == day(effect)


def test_at_least_one_core_service_is_left() -> None:
    assert weighed("reduction", "04-01", services=("K1", "X1")).outcome == "accepted"
    refused = weighed("reduction", "04-01", services=("K1", "K2"))
    assert (refused.outcome, refused.code, refused.moved) == ("refused", "NOTICE_LAST_CORE", ())


def test_an_end_in_part_moves_the_services_end_and_never_the_agreement_s() -> None:
    part = weighed("termination", "04-01", services=("K1",))
    assert part.moved == (("reduction", day("06-30")),)
    assert weighed("termination", "04-01").moved == (("K", day("06-30")),)


@pytest.mark.parametrize("variant", ["customer_ceases", "section_185_1_1", "section_185_1_2_3"])
def test_grounds_for_the_whole_agreement_take_no_single_services(variant: str) -> None:
    assert weighed("termination", "04-01", variant, services=("K1",)).code == "NOTICE_WHOLE_ONLY"


# ---- extension, options, milestones, copies


def test_the_agreement_is_extended_twice_by_two_years_at_most() -> None:
    first = weighed("extension", "08-01")
    assert first.moved == (("K", day("2028-09-30")),)
    assert weighed("extension", "08-01", where=situation(extensions=1)).outcome == "accepted"
    assert weighed("extension", "08-01", where=situation(extensions=2)).code == "NOTICE_TOO_OFTEN"
    assert weighed("extension", "08-01", months=25).code == "NOTICE_TOO_LONG"


def test_t17_an_emergency_extension_moves_the_end_by_a_year_at_most_and_opens_its_own_end() -> None:
    found = weighed("emergency_extension", "09-16")
    assert found.moved == (("K", day("2027-09-30")), ("emergency", day("2026-10-01")))
    assert weighed("emergency_extension", "09-16", months=13).code == "NOTICE_TOO_LONG"
    moved = replace(FACTS, anchors={**FACTS.anchors, **dict(found.moved)})
    ended = weighed("emergency_end", "2027-01-10", where=situation(moved))
    assert (ended.outcome, ended.moved) == ("accepted", (("K", day("2027-01-24")),))


def test_storage_lasts_five_years_at_most() -> None:
    assert weighed("retention", "09-29", effect_on="2031-09-30").moved == (("O", day("2031-09-30")),)
    assert weighed("retention", "09-29", effect_on="2031-10-01").code == "NOTICE_TOO_LONG"
    assert weighed("retention", "09-29").options == (RETENTION,)


def test_storage_that_is_not_chosen_cannot_be_ended() -> None:
    where = situation(replace(FACTS, options=frozenset()))
    assert weighed("retention_end", "2027-02-10", where=where).code == "NOTICE_NOT_OPEN"
    assert weighed("retention_end", "2027-02-10").effect_on == day("2027-02-25")


@pytest.mark.parametrize(("milestone", "last"), [("T", "04-02"), ("C3", "04-01"), ("B1", "01-01")])
def test_t7_a_milestone_moves_alone_with_ninety_days_and_later_takes_both(milestone: str, last: str) -> None:
    asked = {"milestone": milestone, "effect_on": "08-15"}
    assert weighed("postponement", last, **asked).moved == ((milestone, day("08-15")),)
    late = weighed("postponement", (day(last) + timedelta(days=1)).isoformat(), **asked)
    assert (late.outcome, late.moved, late.latest_on) == ("agreement_needed", (), day(last))


def test_a_milestone_is_postponed_and_not_brought_forward() -> None:
    assert weighed("postponement", "01-05", effect_on="06-30").code == "NOTICE_NOT_LATER"


@pytest.mark.parametrize(
    ("delivery", "asked_on", "clause"),
    [("07-02", "06-17", "S2 28.1"), ("07-02", "06-18", "S2 3.2"), ("07-01", "06-01", "S2 3.2"),
     ("09-30", "09-15", "S2 28.1"), ("10-01", "09-01", "S2 3.2")],
)  # fmt: skip
def test_t18_a_copy_is_owed_under_28_1_inside_the_last_ninety_days_and_else_under_3_2(
    delivery: str, asked_on: str, clause: str
) -> None:
    found = weighed("standard_copy", asked_on, effect_on=delivery)
    assert (found.outcome, found.clause, found.effect_on) == ("accepted", clause, day(delivery))
    assert ("90" in found.message_da) == (clause == "S2 3.2")  # the reading is printed where it decides


# ---- parties, calls that cannot be weighed


def test_the_supplier_cannot_terminate_and_the_customer_cannot_end_for_the_supplier() -> None:
    assert weighed("termination", "04-01", where=situation(customer_party="supplier")).code == "NOTICE_PARTY"
    assert weighed("supplier_end", "07-15", basis_on="05-29").code == "NOTICE_PARTY"
    both = {"variant": "force_majeure", "basis_on": "05-29"}
    assert weighed("immediate_end", "09-02", where=situation(customer_party="supplier"), **both).outcome == "accepted"


@pytest.mark.parametrize(
    ("kind", "asked", "code", "field"),
    [("notice", {}, "NOTICE_UNKNOWN", "kind"), ("termination", {"variant": "x"}, "NOTICE_VARIANT", "variant"),
     ("immediate_end", {}, "NOTICE_VARIANT", "variant"),
     ("termination", {"variant": "framework_ends"}, "NOTICE_BASIS_MISSING", "basis_on"),
     ("reduction", {}, "NOTICE_SERVICES_MISSING", "services"),
     ("reduction", {"services": ("K9",)}, "NOTICE_SERVICE_UNKNOWN", "services"),
     ("postponement", {}, "NOTICE_EFFECT_MISSING", "effect_on"),
     ("postponement", {"effect_on": "08-01", "milestone": "D2"}, "NOTICE_NOT_A_MILESTONE", "milestone"),
     ("postponement", {"effect_on": "08-01", "milestone": "Z1"}, "NOTICE_NOT_A_MILESTONE", "milestone")],
)  # fmt: skip
def test_a_call_that_cannot_be_weighed_names_its_field_and_the_remedy(
    kind: str, asked: dict[str, Any], code: str, field: str
) -> None:
    with pytest.raises(Rejected) as refused:
        weighed(kind, "04-01", **asked)
    assert (refused.value.code, refused.value.field) == (code, field)
    assert refused.value.da and refused.value.remedy


def test_a_date_that_nothing_gives_is_named() -> None:
    with pytest.raises(Rejected, match="exit_process_start") as refused:
        weighed("exit_process", "04-01", where=situation(replace(FACTS, numbers={})))
    assert refused.value.code == "DATE_UNKNOWN"


def test_a_new_variant_needs_no_code() -> None:
    text = (FOLDER / "ski-02-19.yaml").read_text(encoding="utf-8")
    more = "      - {id: new, clause: S2 27.9, period: +10wd, title_da: ny, title_en: new}\n"
    kind = text.index("  - kind: annulment")
    profile = parse_profile(text[:kind] + more + text[kind:], "ski-02-19.yaml")
    asked = Asked(kind="termination", variant="new", given_on=date(2026, 5, 29))
    found = weigh((profile,), asked, Situation(FACTS, make_plan((profile,), FACTS)))
    assert (found.outcome, found.effect_on, found.clause) == ("accepted", date(2026, 6, 15), "S2 27.9")


# ---- the calendar


def test_the_calendar_shows_each_last_day_and_the_reading_with_clear_days() -> None:
    days = {(row.kind, row.variant): (row.latest_on, row.clear_on) for row in calendar(PROFILES, situation())}
    assert days["termination", "general"] == (day("07-02"), day("07-01"))
    assert days["extension", "general"] == (day("08-01"), day("07-31"))
    assert days["emergency_extension", "general"] == (day("09-16"), day("09-15"))
    assert days["postponement", "general"] == (day("04-02"), day("04-01"))
    assert days["exit_process", "general"] == (day("08-26"), day("08-25"))
    assert days["retention", "general"] == (day("09-29"), None)  # "the day before" has no other reading
    assert days["termination", "section_185_1_2_3"] == (K, None)
    assert days["termination", "framework_ends"] == (None, None)
    assert ("supplier_end", "payment_default") not in days


def test_on_the_last_day_the_verdict_warns_of_the_reading_with_clear_days() -> None:
    assert "2026-07-01" in weighed("termination", "07-02", effect_on="09-30").message_da
    assert "2026-07-01" not in weighed("termination", "07-01", effect_on="09-30").message_da


def test_the_supplier_s_calendar_has_only_what_the_supplier_can_give() -> None:
    rows = calendar(PROFILES, situation(customer_party="supplier"))
    assert {(row.kind, row.variant) for row in rows} == {
        ("immediate_end", "force_majeure"), ("immediate_end", "no_appropriation"), ("supplier_end", "payment_default"),
    }  # fmt: skip
