"""`ophor dates` and `ophor plan` as a person runs them."""

from __future__ import annotations

import json

import pytest
import typer
from typer.testing import CliRunner

from services.console import dates, plan

APP = typer.Typer()
APP.command("dates", context_settings=dates.SETTINGS)(dates.dates)
APP.command("plan")(plan.plan)
PLAN = ["plan", "--profile", "ist-standard,ski-02-19", "--go-live", "2026-07-01", "--agreement-end", "2026-09-30"]
AFTER_END = ("S1-8.3", "S2-28.2-retention")


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(APP, arguments)
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.parametrize(
    ("start", "period", "expected"),
    [("2026-05-29", "+20wd", "2026-06-29"), ("2026-07-01", "-90d", "2026-04-02"), ("2026-07-01", "-1.5m", "2026-05-17"),
     ("2020-01-10", "expires+20d", "2020-01-31"), ("2024-08-31", "+6m", "2025-02-28")],
)  # fmt: skip
def test_the_first_line_is_the_iso_date_alone(start: str, period: str, expected: str) -> None:
    code, out, _ = run("dates", start, period)
    assert (code, out.splitlines()[0]) == (0, expected)
    assert "Regel: " in out


def test_the_explanation_is_english_on_request() -> None:
    assert "Rule: working day no. 20 after 2026-05-29" in run("dates", "2026-05-29", "+20wd", "--english")[1]


def test_the_date_is_also_given_as_json() -> None:
    body = json.loads(run("dates", "2026-05-29", "+20wd", "--json")[1])
    assert body["date"] == "2026-06-29"
    assert body["skipped"] == [{"date": "2026-06-05", "name": "Grundlovsdag"}]


@pytest.mark.parametrize(
    ("start", "period", "named"), [("2026-13-01", "+1d", "DATE_INVALID"), ("2026-01-01", "1d", "PERIOD_INVALID")]
)
def test_what_cannot_be_read_is_refused_with_code_and_nothing_printed(start: str, period: str, named: str) -> None:
    code, out, err = run("dates", start, period)
    assert (code, out) == (2, "")
    assert f"\n{named} " in err  # after the Danish line


def test_the_plan_as_json_has_the_documented_shape() -> None:
    body = json.loads(run(*PLAN, "--format", "json")[1])
    row = next(row for row in body["activities"] if row["id"] == "D2")
    assert {"id", "earliest", "due", "rule", "clause", "responsible", "obligatory", "chosen", "after"} <= row.keys()
    assert (row["earliest"], row["due"], row["chosen"]) == ("2026-10-01", "2026-10-15", True)
    assert {"id", "clause", "earliest", "due", "rule"} <= body["obligations"][0].keys()
    assert body["conflicts"] == []


def test_a_date_is_null_only_where_the_arguments_do_not_determine_it() -> None:
    rows = json.loads(run(*PLAN, "--format", "json")[1])["activities"]
    assert {row["id"] for row in rows if row["due"] is None} == {"A1", "A2", "A3", "A4", "B13", "D4", "D5", "D6", "D8"}
    late = {row["id"] for row in rows if row["earliest"] is None and row["id"][0] in "CD"}
    assert late == {"D4", "D5", "D6", "D8"}
    assert {row["id"] for row in rows if row["earliest"] and row["id"][0] in "AB"} == {"B13"}


def test_the_plan_as_a_table_names_activities_in_danish_and_marks_what_is_provisional() -> None:
    code, out, _ = run(*PLAN)
    assert code == 0
    assert "Aktiviteter" in out
    assert "Driftsophør" in out
    assert "ikke valgt" in out


@pytest.mark.parametrize("asked", [["--lang", "en"], ["--english"]])
def test_the_table_is_readable_in_a_hundred_columns_and_english_on_request(asked: list[str]) -> None:
    out = run(*PLAN, *asked)[1]
    assert max(map(len, out.splitlines())) <= 100
    assert "End of operations" in out
    assert "not chosen" in out


@pytest.mark.parametrize("given", [[",".join(AFTER_END)], [" ".join(AFTER_END)], list(AFTER_END)])
def test_options_are_separated_by_commas_or_spaces(given: list[str]) -> None:
    out = run(*PLAN, "--option-end", "2027-02-25", "--options", *given, "--format", "json")[1]
    row = next(row for row in json.loads(out)["activities"] if row["id"] == "D7a")
    assert (row["earliest"], row["due"]) == ("2027-02-26", "2027-03-12")


def test_a_bare_number_of_an_option_is_refused_naming_both_it_may_mean() -> None:
    code, out, err = run(*PLAN, "--options", "8.1")
    assert (code, out) == (2, "")
    assert "S1-8.1" in err
    assert "S2-8.1" in err


def test_a_number_of_the_annexes_gives_the_dates_that_need_it() -> None:
    out = run(*PLAN, "--number", "exit_process_days=60", "--explain", "S2-28.2-a", "--format", "json")[1]
    body = json.loads(out)
    assert body["due"] == "2026-07-27"
    (bound,) = body["bounds"]
    assert (bound["direction"], bound["inputs"]) == ("not_after", {"exit_process_start": "2026-08-01"})


def test_one_activity_is_explained_with_every_bound_its_clause_and_its_effect() -> None:
    code, out, _ = run(*PLAN, "--profile", "ist-standard,ski-02-19,data-act", "--explain", "D2")
    assert code == 0
    assert "senest K +15d: 15 Dage efter 2026-09-30, dagen ikke medregnet (S2 28.1) – gælder" in out
    assert "(S1 §7) – viger for en strengere" in out
    assert "(Rfo. 2023/2854 art. 25) – advarer kun" in out
    assert "ADVARSEL: S2 28.1 / Rfo. 2023/2854 art. 25" in out


def test_t5_a_go_live_after_the_agreements_end_is_warned_of_beside_the_plan() -> None:
    code, out, err = run(*PLAN, "--agreement-end", "2026-06-29", "--format", "json")
    assert code == 0
    assert json.loads(out)["activities"]
    assert "2026-07-01" in err
    assert run(*PLAN, "--agreement-end", "2026-06-30")[2] == ""


def test_the_help_has_examples() -> None:
    assert "--options S1-8.3,S2-28.2-retention" in run("plan", "--help")[1]


def test_a_conflict_is_printed_with_both_clauses() -> None:
    _, out, _ = run(*PLAN, "--options", "S1-8.3")
    assert "KONFLIKT D7, D7a" in out
    assert "S2 28.1 / S1 §7" in out


@pytest.mark.parametrize(
    ("changed", "code"),
    [(["--profile", "ski-1"], "PROFILE_UNKNOWN"), (["--go-live", "1/7"], "DATE_INVALID"),
     (["--options", "8.1"], "OPTION_UNKNOWN"), (["--operations-end", "2026-07-02"], "DATES_OUT_OF_ORDER"),
     (["--option-end", "2026-09-29"], "DATES_OUT_OF_ORDER"), (["--option-end", "2031-10-01"], "DATES_OUT_OF_ORDER"),
     (["--number", "days=5"], "NUMBER_INVALID"), (["--number", "takeover_days=-5"], "NUMBER_INVALID"),
     (["--explain", "X9"], "ID_UNKNOWN")],
)  # fmt: skip
def test_bad_arguments_are_refused_with_a_stable_code(changed: list[str], code: str) -> None:
    exit_code, out, err = run(*PLAN, *changed)
    assert (exit_code, out) == (2, "")
    assert f"\n{code} " in err  # after the Danish line
