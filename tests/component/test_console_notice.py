"""`ophor notice` as a person runs it, offline."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from services.console import notice

CHECK = ["check", "--profile", "ski-02-19", "--agreement-end", "2026-09-30"]
DAYS = ["days", "--profile", "ist-standard,ski-02-19", "--agreement-end", "2026-09-30", "--go-live", "2026-07-01"]
REDUCTION = ["--kind", "reduction", "--given", "2026-04-01", "--takeover", "2021-08-31"]
PARTS = ["--price-parts", "K1=35,K2=20,K3=30,K4=15"]


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(notice.app, arguments)
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.parametrize(
    ("asked", "first"),
    [(["--kind", "termination", "--given", "2026-07-02", "--effect", "2026-09-30"], "ACCEPTERET"),
     (["--kind", "termination", "--given", "2026-07-03", "--effect", "2026-09-30"], "ACCEPTERET MED SENERE VIRKNING"),
     (["--kind", "postponement", "--given", "2026-04-03", "--go-live", "2026-07-01", "--effect", "2026-08-01"],
      "KRÆVER BEGGE PARTERS AFTALE"),
     (["--kind", "retention", "--given", "2026-09-30"], "AFVIST")],
)  # fmt: skip
def test_the_first_line_is_the_outcome_alone(asked: list[str], first: str) -> None:
    code, out, _ = run(*CHECK, *asked)
    assert (code, out.splitlines()[0]) == (0, first)
    assert out.splitlines()[1].startswith("S2 ")


def test_a_verdict_says_what_it_moves_and_chooses_and_is_english_on_request() -> None:
    out = run(*CHECK, "--kind", "termination", "--given", "2026-07-03", "--effect", "2026-09-30", "--lang", "en")[1]
    assert out.splitlines()[0] == "ACCEPTED WITH A LATER EFFECT"
    assert "the last day in time was 2026-07-02" in out
    assert "K becomes 2026-10-01." in out
    assert "Chooses A5." in out


def test_a_verdict_is_also_given_as_json() -> None:
    body = json.loads(run(*CHECK, "--kind", "termination", "--given", "2026-07-03", "--json")[1])
    assert (body["outcome"], body["effect_on"], body["clause"]) == ("accepted", "2026-10-01", "S2 27.2")
    assert body["moved"] == [{"anchor": "K", "on": "2026-10-01"}]


def test_a_reduction_shows_the_fee_less_its_percent_of_the_original_price() -> None:
    out = run(*CHECK, *REDUCTION, *PARTS, "--drop", "K3,K4")[1]
    assert "S2 15.6.2: vederlaget går fra DKK 100,00 til DKK 55,00 (-45,00)." in out
    body = json.loads(run(*CHECK, *REDUCTION, *PARTS, "--price", "12500", "--drop", "K1", "--json")[1])
    assert body["fee"] == {"before": "12.500,00", "after": "8.125,00", "clause": "S2 15.6.2"}


def test_an_emergency_extension_shows_the_fee_with_its_supplement() -> None:
    asked = ["--kind", "emergency_extension", "--given", "2026-09-16"]
    assert "S2 27.1.1: vederlaget går fra DKK 1.000,00 til DKK 1.100,00" in run(*CHECK, *asked, "--price", "1000")[1]
    assert "DKK" not in run(*CHECK, *asked)[1]


def test_a_reduction_that_is_refused_shows_no_fee() -> None:
    out = run(*CHECK, *REDUCTION, *PARTS, "--drop", "K1,K2,K3,K4")[1]
    assert "AFVIST" in out
    assert "DKK" not in out


@pytest.mark.parametrize(
    ("asked", "code"),
    [(["--kind", "immediate_end", "--given", "2026-07-01"], "NOTICE_VARIANT [variant]"),
     (["--kind", "termination", "--given", "1/7"], "DATE_INVALID [given]"),
     (["--kind", "exit_process", "--given", "2026-07-01"], "DATE_UNKNOWN [exit_process_start]"),
     (["--kind", "exit_process", "--given", "2026-07-01", "--number", "days=3"], "NUMBER_INVALID [number]"),
     (["--kind", "retention", "--given", "2026-07-01", "--options", "8.1"], "OPTION_UNKNOWN [options]"),
     ([*REDUCTION, "--price-parts", "K1=35,K2=x", "--drop", "K1"], "AMOUNT_INVALID [price_parts]"),
     ([*REDUCTION, "--price-parts", "K1=60,K2=50", "--drop", "K1"], "PRICE_PARTS_INVALID [price_parts]"),
     ([*REDUCTION, *PARTS, "--drop", "K9"], "NOTICE_SERVICE_UNKNOWN [services]")],
)  # fmt: skip
def test_what_cannot_be_weighed_is_refused_with_code_and_field_and_nothing_printed(asked: list[str], code: str) -> None:
    exit_code, out, err = run(*CHECK, *asked)
    assert (exit_code, out) == (2, "")
    assert f"\n{code}: " in err  # after the Danish line


def test_the_last_days_are_shown_with_the_reminders_in_danish_first() -> None:
    code, out, _ = run(*DAYS)
    assert code == 0
    assert "Sidste dag for varsler" in out
    assert "Påmindelser" in out
    assert "2026-07-02 │ 2026-07-01" in out  # termination, and read with clear days
    assert "Last days for notices" in run(*DAYS, "--lang", "en")[1]


def test_the_last_days_are_also_given_as_json() -> None:
    body = json.loads(run(*DAYS, "--number", "exit_process_days=30", "--json")[1])
    latest = {(row["kind"], row["variant"]): row["latest_on"] for row in body["days"]}
    assert latest["exit_process", "general"] == "2026-08-26"
    assert latest["retention", "general"] == "2026-09-29"
    assert [each["id"] for each in body["reminders"]] == ["archive", "K-30", "K-15", "K-5", "K-1", "status-letter"]
    assert [each["notice"] for each in body["reminders"]] == [None, *["retention"] * 4, None]


@pytest.mark.parametrize("command", ["check", "days"])
def test_the_help_has_examples(command: str) -> None:
    code, out, _ = run(command, "--help")
    assert code == 0
    assert f"ophor notice {command} --profile ski-02-19" in " ".join(out.split())
