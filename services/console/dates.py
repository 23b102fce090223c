"""`ophor dates FROM PERIOD`: one date, computed as the agreements count, with the rule that gave it.

The first line printed is the ISO date alone; the explanation follows, in Danish or (`--english`) English.
"""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from contracts.errors import Rejected
from services.console.terminal import tell
from shared.rules.time import Reckoning, parse_date, parse_period, reckon

SETTINGS = {"ignore_unknown_options": True}  # so that -90d is a period, not an option


def dates(
    start: Annotated[str, typer.Argument(metavar="FROM", help="Dato, ÅÅÅÅ-MM-DD / a date, YYYY-MM-DD")],
    period: Annotated[str, typer.Argument(metavar="PERIOD", help="+10wd, -90d, +6m, -1.5m, +5y, expires+20d")],
    english: Annotated[bool, typer.Option("--english", help="Explain in English")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead")] = False,
) -> None:
    """Beregn en dato efter aftalernes regler (Arbejdsdage, Dage, måneder). / Compute a date as the agreements count.

    Første linje er datoen alene. / The first line is the date alone. Eksempler / examples:

      ophor dates 2026-05-29 +20wd              # 20 Arbejdsdage efter / working days after

      ophor dates 2026-07-01 -90d               # 90 Dage før / days before

      ophor dates 2026-05-29 expires+20d        # når 20 Dage er udløbet / when 20 days have expired
    """
    try:
        reckoning = reckon(parse_date(start, "FROM"), parse_period(period))
    except Rejected as error:
        tell(error, in_english=english)
        raise typer.Exit(2) from None
    if as_json:
        typer.echo(json.dumps(describe(reckoning), ensure_ascii=False, indent=2))
    else:
        typer.echo("\n".join(explain(reckoning, english=english)))


def explain(reckoning: Reckoning, *, english: bool = False) -> list[str]:
    """Give the lines to print: the ISO date alone, then rule, basis and what else a reader should know."""
    words = _ENGLISH if english else _DANISH
    lines = [
        reckoning.on.isoformat(),
        f"{words['rule']}: {reckoning.rule_en if english else reckoning.rule_da}",
        f"{words['basis']}: {reckoning.basis}",
    ]
    if reckoning.skipped:
        lines.append(f"{words['skipped']}: " + ", ".join(f"{day} ({name})" for day, name in reckoning.skipped))
    if reckoning.clear_days:
        lines.append(words["clear"].format(day=reckoning.clear_days))
    if reckoning.internal_target != reckoning.on:
        lines.append(words["target"].format(day=reckoning.internal_target))
    return lines


def describe(reckoning: Reckoning) -> dict[str, Any]:
    """Give the reckoning as JSON primitives."""
    return {
        "date": reckoning.on.isoformat(),
        "from": reckoning.start.isoformat(),
        "period": str(reckoning.period),
        "rule_da": reckoning.rule_da,
        "rule_en": reckoning.rule_en,
        "basis": reckoning.basis,
        "skipped": [{"date": day.isoformat(), "name": name} for day, name in reckoning.skipped],
        "clear_days": reckoning.clear_days.isoformat() if reckoning.clear_days else None,
        "internal_target": reckoning.internal_target.isoformat(),
    }


_DANISH = {
    "rule": "Regel",
    "basis": "Hjemmel",
    "skipped": "Ikke Arbejdsdage undervejs (ud over weekender)",
    "clear": "Som varsel er det seneste dag; regnes der med hele dage imellem, er det {day}.",
    "target": "Dagen er ikke en Arbejdsdag, og fristen flyttes ikke; intern måldato {day}.",
}
_ENGLISH = {
    "rule": "Rule",
    "basis": "Basis",
    "skipped": "No working days on the way (beside weekends)",
    "clear": "As a notice this is the latest day; a reading with clear days would want {day}.",
    "target": "The day is no working day and the deadline does not move; internal target {day}.",
}
