"""`ophor plan`: an exit's plan, computed offline from profiles and dates, without any server."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from contracts.errors import Rejected
from services.console.terminal import tell
from shared.rules.plan import PlanFacts, as_json, make_plan
from shared.rules.profiles import load_profiles
from shared.rules.time import parse_date


class Format(StrEnum):
    """How the plan is printed."""

    table = "table"
    json = "json"


def plan(
    profile: Annotated[str, typer.Option(help="Profiler, adskilt af komma / profiles, comma-separated")],
    go_live: Annotated[str, typer.Option(help="Skifte T, ÅÅÅÅ-MM-DD / go-live")],
    agreement_end: Annotated[str, typer.Option(help="Kontraktophør K, ÅÅÅÅ-MM-DD / the agreement's end")],
    operations_end: Annotated[str | None, typer.Option(help="Driftsophør D; ellers dagen før skiftet")] = None,
    options: Annotated[str, typer.Option(help="Tilvalgte optioner, adskilt af komma / options")] = "",
    format: Annotated[Format, typer.Option(help="table eller json")] = Format.table,
    english: Annotated[bool, typer.Option("--english", help="Titles in English")] = False,
) -> None:
    """Beregn planen for et exit uden server. / Compute an exit's plan, without any server.

    Eksempel / example:

      ophor plan --profile ist-standard,ski-02-19 --go-live 2026-07-01 --agreement-end 2026-09-30
    """
    try:
        given = {"T": go_live, "K": agreement_end} | ({"D": operations_end} if operations_end else {})
        body = compute(_listed(profile), given, _listed(options))
    except Rejected as error:
        tell(error, in_english=english)
        raise typer.Exit(2) from None
    if format is Format.json:
        typer.echo(json.dumps(body, ensure_ascii=False, indent=2))
    else:
        show(body, Console(), english=english)


def compute(profiles: list[str], given: dict[str, str], options: list[str]) -> dict[str, Any]:
    """Compute the plan as JSON primitives from dates by anchor; raise Rejected naming the argument."""
    anchors = {name: parse_date(text, _ARGUMENTS[name]) for name, text in given.items()}
    if "D" in anchors and not anchors["D"] < anchors["T"]:
        raise Rejected(
            "DATES_OUT_OF_ORDER",
            "operations end before the successor goes live",
            field="operations_end",
            remedy="give a day before go_live",
            da="Driftsophør skal ligge før skiftet.",
        )
    return as_json(make_plan(load_profiles(tuple(profiles)), PlanFacts(anchors, frozenset(options))))


def show(body: dict[str, Any], console: Console, *, english: bool = False) -> None:
    """Print activities, dated obligations and conflicts as tables."""
    words = _ENGLISH if english else _DANISH
    title = "title_en" if english else "title_da"
    table = _table(words["activities"], words["columns"])
    for row in body["activities"]:
        style = None if row["chosen"] else "dim"
        name = row[title] if row["chosen"] else f"{row[title]} ({words['not_chosen']})"
        table.add_row(row["id"], name, _days(row), row["clause"], ", ".join(row["after"]), style=style)
    console.print(table)
    owed = _table(words["obligations"], words["owed"])
    for row in body["obligations"]:
        if row["due"] or row["earliest"]:
            owed.add_row(row["id"], _days(row), row["clause"], row["rule"])
    if owed.row_count:
        console.print(owed)
    for conflict in body["conflicts"]:
        word = words["warning"] if conflict["warns"] else words["conflict"]
        console.print(
            word.format(ids=", ".join(conflict["ids"]), clauses=" / ".join(conflict["clauses"]), **_between(conflict))
        )


def _between(conflict: dict[str, Any]) -> dict[str, str]:
    return {"early": conflict["not_before"], "late": conflict["not_after"]}


def _table(title: str, columns: tuple[str, ...]) -> Table:
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _days(row: dict[str, Any]) -> str:
    mark = " *" if row["provisional"] else ""
    if row["earliest"] and row["due"] and row["earliest"] != row["due"]:
        return f"{row['earliest']} … {row['due']}{mark}"
    if row["earliest"] and not row["due"]:
        return f"{row['earliest']} …{mark}"
    return f"{row['due'] or '–'}{mark}"


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


_ARGUMENTS = {"T": "go_live", "K": "agreement_end", "D": "operations_end"}
_DANISH: dict[str, Any] = {
    "activities": "Aktiviteter (* = foreløbig)",
    "columns": ("Id", "Aktivitet", "Hvornår", "Hjemmel", "Efter"),
    "obligations": "Forpligtelser med dato",
    "owed": ("Id", "Hvornår", "Hjemmel", "Regel"),
    "not_chosen": "ikke valgt",
    "conflict": "KONFLIKT {ids}: tidligst {early}, senest {late} ({clauses})",
    "warning": "ADVARSEL {ids}: tidligst {early}, senest {late} ({clauses})",
}
_ENGLISH: dict[str, Any] = {
    "activities": "Activities (* = provisional)",
    "columns": ("Id", "Activity", "When", "Clause", "After"),
    "obligations": "Obligations with a date",
    "owed": ("Id", "When", "Clause", "Rule"),
    "not_chosen": "not chosen",
    "conflict": "CONFLICT {ids}: not before {early}, not after {late} ({clauses})",
    "warning": "WARNING {ids}: not before {early}, not after {late} ({clauses})",
}
