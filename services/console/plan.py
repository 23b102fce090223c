"""`ophor plan`: an exit's plan, computed offline from profiles and dates, without any server.

Refused before anything is printed: unknown profiles, options and numbers, an option without its prefix, what is no
date, and dates out of order. A go-live after the agreement's end is warned of on stderr.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from contracts.errors import Rejected
from services.console.plan_explained import body_of, explained
from services.console.terminal import english, tell
from shared.rules.plan import Conflict, Owed, Plan, PlanFacts, Planned, as_json, make_plan
from shared.rules.profile_schema import PHASES
from shared.rules.profiles import Profile, load_profiles
from shared.rules.time import add_months, parse_date

LONGEST_OPTION = 60  # months after the agreement's end (S2 28.2)
WIDTH = 100


class Format(StrEnum):
    """How the plan is printed."""

    table = "table"
    json = "json"


class Lang(StrEnum):
    """The language of the table."""

    da = "da"
    en = "en"


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for, as texts."""

    profiles: list[str]
    dates: Mapping[str, str | None]
    options: list[str]
    numbers: list[str]


def plan(
    profile: Annotated[str, typer.Option(help="Profiler, adskilt af komma / profiles, comma-separated")],
    go_live: Annotated[str, typer.Option(help="Skifte T, ÅÅÅÅ-MM-DD / go-live of the successor's system")],
    agreement_end: Annotated[str, typer.Option(help="Kontraktophør K / the agreement's last day")],
    operations_end: Annotated[str | None, typer.Option(help="Driftsophør D; ellers dagen før T / else T-1")] = None,
    option_end: Annotated[str | None, typer.Option(help="Opslagsadgangs eller opbevarings ophør O / its end")] = None,
    options: Annotated[list[str] | None, typer.Option(help="Optioner, f.eks. S1-8.3 / options chosen")] = None,
    more: Annotated[list[str] | None, typer.Argument(hidden=True)] = None,
    number: Annotated[list[str] | None, typer.Option(metavar="NAME=N", help="Bilagenes tal / of the annexes")] = None,
    explain: Annotated[str | None, typer.Option(metavar="ID", help="Forklar én linjes datoer / explain one")] = None,
    format: Annotated[Format, typer.Option(help="table eller / or json")] = Format.table,
    lang: Annotated[Lang | None, typer.Option(help="Sprog / language")] = None,
    in_english: Annotated[bool, typer.Option("--english", hidden=True)] = False,
) -> None:
    """Beregn planen for et exit uden server. / Compute an exit's plan, without any server.

    Eksempler / examples:

      ophor plan --profile ist-standard,ski-02-19 --go-live 2026-07-01 --agreement-end 2026-09-30

      ophor plan … --options S1-8.3,S2-28.2-retention --option-end 2027-03-31

      ophor plan … --number exit_process_days=60 --explain S2-28.2-a

      ophor plan … --format json | jq '.activities[] | select(.id == "D2")'
    """
    in_english = lang is Lang.en or (lang is None and (in_english or english()))
    dates = {
        "go_live": go_live,
        "agreement_end": agreement_end,
        "operations_end": operations_end,
        "option_end": option_end,
    }
    try:
        asked = Asked(_listed([profile]), dates, _listed([*(options or ()), *(more or ())]), number or [])
        made = compute(asked)
        text = explained(made, explain, in_english=in_english) if explain else ""
        body = body_of(made, explain) if explain else as_json(made)
    except Rejected as error:
        tell(error, in_english=in_english)
        raise typer.Exit(2) from None
    _warn(asked, in_english=in_english)
    if format is Format.json:
        typer.echo(json.dumps(body, ensure_ascii=False, indent=2))
    elif explain:
        typer.echo(text)
    else:
        show(made, Console(width=WIDTH, highlight=False, soft_wrap=False), in_english=in_english)


def compute(asked: Asked) -> Plan:
    """Compute the plan; raise Rejected naming the argument."""
    given = {name: parse_date(text, name) for name, text in asked.dates.items() if text}
    _check_order(given)
    profiles = load_profiles(tuple(asked.profiles))
    anchors = {_ANCHORS[name]: day for name, day in given.items()}
    facts = PlanFacts(anchors, frozenset(asked.options), numbers=_numbers(profiles, asked.numbers))
    return make_plan(profiles, facts)


def _check_order(given: Mapping[str, date]) -> None:
    if "operations_end" in given and not given["operations_end"] < given["go_live"]:
        raise Rejected(
            "DATES_OUT_OF_ORDER",
            "operations end before the successor goes live",
            field="operations_end",
            remedy="give a day before go_live",
            da="Driftsophør skal ligge før skiftet.",
        )
    ends = given["agreement_end"]
    if "option_end" in given and not ends <= given["option_end"] <= add_months(ends, LONGEST_OPTION):
        raise Rejected(
            "DATES_OUT_OF_ORDER",
            "an option after the agreement's end lasts up to five years (S2 28.2)",
            field="option_end",
            remedy=f"give a day from {ends} to {add_months(ends, LONGEST_OPTION)}",
            da=f"En option efter kontraktophør løber højst 5 år (S2 28.2): {ends} til {add_months(ends, 60)}.",
        )


def _numbers(profiles: tuple[Profile, ...], texts: list[str]) -> dict[str, int]:
    known = sorted({name for profile in profiles for name in profile.parameters})
    numbers: dict[str, int] = {}
    for text in texts:
        name, _, value = text.partition("=")
        if name not in known or not (value.isascii() and value.isdigit()):
            raise Rejected(
                "NUMBER_INVALID",
                f"'{text}' is not NAME=N with a number of the annexes",
                field="number",
                remedy=f"use one of: {', '.join(known) or 'none in these profiles'}",
                da=f"'{text}' er ikke NAVN=TAL. Kendte tal: {', '.join(known) or 'ingen i disse profiler'}.",
            )
        numbers[name] = int(value)
    return numbers


def _warn(asked: Asked, *, in_english: bool) -> None:
    """Warn of a go-live more than a day after the agreement's end."""
    go_live, ends = (date.fromisoformat(asked.dates[name] or "") for name in ("go_live", "agreement_end"))
    if go_live > ends + timedelta(days=1):
        words = _ENGLISH if in_english else _DANISH
        typer.echo(words["gap"].format(go_live=go_live, ends=ends), err=True)


def show(made: Plan, console: Console, *, in_english: bool = False) -> None:
    """Print activities by phase, dated obligations and conflicts."""
    words = _ENGLISH if in_english else _DANISH
    console.print(_activities(made, words, in_english=in_english))
    owed = _table(words["obligations"], words["owed"].split("|"))
    for each in made.obligations:
        if each.due or each.earliest:
            owed.add_row(each.id, _days(each), each.clause, _rule(each, in_english=in_english))
    if owed.row_count:
        console.print(owed)
    for conflict in made.conflicts:
        console.print(_said(conflict, words))


def _activities(made: Plan, words: Mapping[str, str], *, in_english: bool) -> Table:
    table = _table(words["activities"], words["columns"].split("|"))
    for phase in PHASES:
        table.add_section()
        for each in made.activities:
            if each.activity.phase == phase:
                table.add_row(*_row(each, words, in_english=in_english), style=None if each.chosen else "dim")
    return table


def _row(each: Planned, words: Mapping[str, str], *, in_english: bool) -> tuple[str, ...]:
    title = each.activity.title_en if in_english else each.activity.title_da
    name = title if each.chosen else f"{title} ({words['not_chosen']})"
    who = ", ".join(words[party] for party in each.activity.responsible)
    return each.id, name, _days(each), who, each.clause, " ".join(each.activity.after)


def _rule(each: Owed, *, in_english: bool) -> str:
    bounds = [bound for bound in (each.dates.earliest, each.dates.due) if bound]
    return "; ".join(bound.rule_en if in_english else bound.rule for bound in bounds)


def _said(conflict: Conflict, words: Mapping[str, str]) -> str:
    word = words["warning"] if conflict.warns else words["conflict"]
    ids, clauses = ", ".join(conflict.ids), " / ".join(conflict.clauses)
    return word.format(ids=ids, clauses=clauses, early=conflict.not_before, late=conflict.not_after)


def _table(title: str, columns: list[str]) -> Table:
    table = Table(title=title, title_justify="left", padding=(0, 1), pad_edge=False)
    for number, column in enumerate(columns):
        table.add_column(column, overflow="fold", no_wrap=number == 0, min_width=22 if column in _WHEN else None)
    return table


def _days(item: Planned | Owed) -> str:
    mark = "*" if item.dates.provisional else ""
    if item.earliest and item.due and item.earliest != item.due:
        return f"{item.earliest}…{item.due}{mark}"
    if item.earliest and not item.due:
        return f"{item.earliest}…{mark}"
    return f"{item.due or '–'}{mark}"


def _listed(texts: list[str]) -> list[str]:
    return " ".join(texts).replace(",", " ").split()


_WHEN = ("Hvornår", "When")
_ANCHORS = {"go_live": "T", "agreement_end": "K", "operations_end": "D", "option_end": "O"}
_DANISH = {
    "activities": "Aktiviteter (* = foreløbig, – = ingen beregnet dato)",
    "columns": "Id|Aktivitet|Hvornår|Ansvarlig|Hjemmel|Efter",
    "obligations": "Forpligtelser med dato",
    "owed": "Id|Hvornår|Hjemmel|Regel",
    "not_chosen": "ikke valgt",
    "customer": "Kunde",
    "supplier": "Lev.",
    "successor": "Ny lev.",
    "conflict": "KONFLIKT {ids}: tidligst {early}, senest {late} ({clauses})",
    "warning": "ADVARSEL {ids}: tidligst {early}, senest {late} ({clauses})",
    "gap": "Advarsel: skiftet {go_live} ligger mere end en dag efter kontraktophør {ends}.",
}
_ENGLISH = {
    "activities": "Activities (* = provisional, – = no computed date)",
    "columns": "Id|Activity|When|Who|Clause|After",
    "obligations": "Obligations with a date",
    "owed": "Id|When|Clause|Rule",
    "not_chosen": "not chosen",
    "customer": "cust.",
    "supplier": "supp.",
    "successor": "succ.",
    "conflict": "CONFLICT {ids}: not before {early}, not after {late} ({clauses})",
    "warning": "WARNING {ids}: not before {early}, not after {late} ({clauses})",
    "gap": "Warning: go-live {go_live} is more than a day after the agreement's end {ends}.",
}
