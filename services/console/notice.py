"""`ophor notice check` and `ophor notice days`: what a notice brings, and the last day for each, without any server.

The profiles' data decide; nothing is kept. A verdict of any kind ends with exit code 0, a call that cannot be weighed
with 2. Where prices are given, a reduction (S2 15.6.2) and an emergency extension (27.1.1) also show the new fee.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Annotated, Any, NamedTuple

import typer
from rich.console import Console
from rich.table import Table

from contracts.errors import Rejected
from contracts.orders_notices import NOTICES
from services.console.plan import Lang
from services.console.terminal import english, tell
from shared.rules.fees import emergency_fee, kroner, price_cut
from shared.rules.notices import Asked, NoticeDay, Situation, Weighed, calendar, weigh
from shared.rules.plan import PlanFacts, check_options, make_plan
from shared.rules.profiles import Profile, load_profiles
from shared.rules.reminders import Reminder, due_reminders
from shared.rules.time import parse_date

app = typer.Typer(
    no_args_is_help=True, help="Varsler: rettidigt eller ej, og sidste dage. / Notices and their last days."
)

Kind = StrEnum("Kind", {name: name for name in NOTICES})  # type: ignore[misc]
WIDTH = 100


class Party(StrEnum):
    """The party that gives a notice."""

    customer = "customer"
    supplier = "supplier"


Profiles = Annotated[str, typer.Option(help="Profiler, adskilt af komma / profiles, comma-separated")]
End = Annotated[str, typer.Option(help="Kontraktophør K, ÅÅÅÅ-MM-DD / the agreement's last day")]
GoLive = Annotated[str | None, typer.Option(help="Skifte T / go-live of the successor's system")]
Takeover = Annotated[str | None, typer.Option(help="Overtagelsesdag / the takeover day")]
OptionEnd = Annotated[str | None, typer.Option(help="Opbevarings ophør O / end of the storage option")]
Options = Annotated[str, typer.Option(help="Tilvalgte optioner, adskilt af komma / options chosen")]
Numbers = Annotated[list[str] | None, typer.Option("--number", metavar="NAME=N", help="Bilagenes tal / of the annexes")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON i stedet / instead")]
Language = Annotated[Lang | None, typer.Option(help="Sprog / language")]


@app.command()
def check(
    profile: Profiles,
    kind: Annotated[Kind, typer.Option(help="Varslets art / kind of notice")],
    given: Annotated[str, typer.Option(help="Dagen, det gives / the day it is given")],
    agreement_end: End,
    effect: Annotated[str | None, typer.Option(help="Ønsket virkningsdag / wished day of effect")] = None,
    variant: Annotated[str | None, typer.Option(help="Grunden, f.eks. framework_ends / the ground")] = None,
    basis: Annotated[str | None, typer.Option(help="Grundens dag: påkrav, påbud … / the ground's day")] = None,
    months: Annotated[int | None, typer.Option(help="Forlængelsens måneder / months of an extension")] = None,
    milestone: Annotated[str | None, typer.Option(help="Milepæl: T eller aktivitet / T or an activity")] = None,
    drop: Annotated[str, typer.Option(help="Ydelser, der ophører, adskilt af komma / services that end")] = "",
    additional: Annotated[str, typer.Option(help="Funktionelle tillægsydelser / additional services")] = "",
    price_parts: Annotated[str, typer.Option(help="Kerneydelsers andel i procent / core services' percent")] = "",
    price: Annotated[str | None, typer.Option(help="Samlet pris i DKK, ellers 100 / total price, else 100")] = None,
    extensions: Annotated[int, typer.Option(help="Tidligere forlængelser / earlier extensions")] = 0,
    by: Annotated[Party, typer.Option(help="Hvem giver det / who gives it")] = Party.customer,
    go_live: GoLive = None,
    takeover: Takeover = None,
    option_end: OptionEnd = None,
    options: Options = "",
    number: Numbers = None,
    as_json: AsJson = False,
    lang: Language = None,
) -> None:
    """Vej et varsel: accepteret, senere, kræver begge, eller afvist. / Weigh a notice.

    Eksempler / examples:

      ophor notice check --profile ski-02-19 --kind termination --given 2026-07-03 --agreement-end 2026-09-30

      ophor notice check … --kind termination --variant framework_ends --basis 2026-08-31

      ophor notice check … --kind reduction --takeover 2021-08-31 --price-parts K1=35,K2=20,K3=30,K4=15 --drop K1
    """
    in_english = _in_english(lang)
    try:
        shares, dropped = _shares(price_parts), tuple(_listed(drop))
        profiles = load_profiles(tuple(_listed(profile)))
        dates = {"K": agreement_end, "T": go_live, "takeover": takeover, "O": option_end}
        facts = _facts(profiles, dates, _listed(options), number or [])
        services = {**dict.fromkeys(shares, "core"), **dict.fromkeys(_listed(additional), "additional")}
        asked = Asked(
            kind=kind.value, variant=variant, given_on=parse_date(given, "given"), effect_on=_day(effect, "effect"),
            basis_on=_day(basis, "basis"), months=months, milestone=milestone, services=dropped,
        )  # fmt: skip
        situation = Situation(facts, make_plan(profiles, facts), services, extensions, by.value)
        weighed = weigh(profiles, asked, situation)
        fee = _fee(weighed, kind, price, shares, dropped)
    except Rejected as error:
        tell(error, in_english=in_english)
        raise typer.Exit(2) from None
    if as_json:
        typer.echo(json.dumps(_body(weighed, fee), ensure_ascii=False, indent=2, default=str))
    else:
        typer.echo("\n".join(_lines(weighed, fee, _ENGLISH if in_english else _DANISH)))


@app.command()
def days(
    profile: Profiles,
    agreement_end: End,
    go_live: GoLive = None,
    takeover: Takeover = None,
    option_end: OptionEnd = None,
    options: Options = "",
    number: Numbers = None,
    as_json: AsJson = False,
    lang: Language = None,
) -> None:
    """Vis sidste dag for hvert varsel, og påmindelserne. / Show the last day for each notice, and the reminders.

    Eksempler / examples:

      ophor notice days --profile ski-02-19 --agreement-end 2026-09-30

      ophor notice days --profile ist-standard,ski-02-19 --agreement-end 2026-09-30 --go-live 2026-07-01 --lang en
    """
    in_english = _in_english(lang)
    try:
        profiles = load_profiles(tuple(_listed(profile)))
        dates = {"K": agreement_end, "T": go_live, "takeover": takeover, "O": option_end}
        facts = _facts(profiles, dates, _listed(options), number or [])
        rows = calendar(profiles, Situation(facts, make_plan(profiles, facts)))
        reminders = _reminders(profiles, facts)
    except Rejected as error:
        tell(error, in_english=in_english)
        raise typer.Exit(2) from None
    if as_json:
        body = {"days": [row._asdict() for row in rows], "reminders": [asdict(each) for each in reminders]}
        typer.echo(json.dumps(body, ensure_ascii=False, indent=2, default=str))
    else:
        _show(rows, reminders, _ENGLISH if in_english else _DANISH, in_english=in_english)


def _reminders(profiles: tuple[Profile, ...], facts: PlanFacts) -> tuple[Reminder, ...]:
    """List every reminder as it will be on its own day: with the notice that can still be given then."""
    days = sorted({each.on for each in due_reminders(profiles, facts, date.min, date.max)})
    return tuple(each for on in days for each in due_reminders(profiles, facts, on - timedelta(days=1), on))


def _facts(
    profiles: tuple[Profile, ...], dates: Mapping[str, str | None], options: list[str], numbers: list[str]
) -> PlanFacts:
    check_options(profiles, options)
    given = {name: parse_date(text, _ARGUMENTS[name]) for name, text in dates.items() if text}
    return PlanFacts(given, frozenset(options), numbers=_numbers(profiles, numbers))


def _numbers(profiles: tuple[Profile, ...], texts: list[str]) -> dict[str, int]:
    known = {name for profile in profiles for name in profile.parameters}
    pairs = [text.partition("=") for text in texts]
    wrong = [name for name, _, value in pairs if name not in known or not (value.isascii() and value.isdigit())]
    if wrong:
        raise Rejected(
            "NUMBER_INVALID",
            f"'{wrong[0]}' is no number of the annexes, or it has no value",
            field="number",
            remedy=f"write NAME=N with one of: {', '.join(sorted(known)) or 'none in these profiles'}",
            da=f"'{wrong[0]}' er ikke et af bilagenes tal, eller det har ingen værdi. Skriv NAVN=TAL.",
        )
    return {name: int(value) for name, _, value in pairs}


def _shares(text: str) -> dict[str, Decimal]:
    parts = [part.partition("=") for part in _listed(text)]
    return {name: _amount(share, "price_parts") for name, _, share in parts}


def _amount(text: str, field: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("nan")
    if not amount.is_finite():
        raise Rejected(
            "AMOUNT_INVALID",
            f"'{text}' is not an amount",
            field=field,
            remedy="write digits and a point, e.g. 35 or 12.50",
            da=f"'{text}' er ikke et beløb. Skriv cifre og punktum, f.eks. 35 eller 12.50.",
        )
    return amount


def _day(text: str | None, field: str) -> date | None:
    return parse_date(text, field) if text else None


class Fee(NamedTuple):
    """What the fee was, what it becomes, and the clause."""

    before: Decimal
    after: Decimal
    clause: str


def _fee(
    weighed: Weighed, kind: Kind, price: str | None, shares: Mapping[str, Decimal], ends: Sequence[str]
) -> Fee | None:
    """Give the new fee: of a reduction by the core services' shares, of an emergency extension by its supplement."""
    before = _amount(price or "100", "price")
    core = [service for service in ends if service in shares]
    cut = price_cut(before, shares, core) if core else None
    if weighed.outcome == "refused":
        return None
    if kind.value == "emergency_extension" and price:
        return Fee(before, emergency_fee(before), "S2 27.1.1")
    return None if cut is None else Fee(before, before - cut, "S2 15.6.2")


def _body(weighed: Weighed, fee: Fee | None) -> dict[str, Any]:
    moved = [{"anchor": anchor, "on": on} for anchor, on in weighed.moved]
    shown = {"before": kroner(fee.before), "after": kroner(fee.after), "clause": fee.clause} if fee else None
    return {**asdict(weighed), "moved": moved, "fee": shown}


def _lines(weighed: Weighed, fee: Fee | None, words: Mapping[str, str]) -> list[str]:
    """Give the outcome alone, then its reason, what it moves, and what becomes of the fee."""
    lines = [words[weighed.outcome], weighed.message_en if words is _ENGLISH else weighed.message_da]
    lines += [words["moves"].format(anchor=anchor, on=on) for anchor, on in weighed.moved]
    lines += [words["chooses"].format(option=option) for option in weighed.options]
    if fee:
        before, after, change = kroner(fee.before), kroner(fee.after), kroner(fee.after - fee.before)
        lines.append(words["fee"].format(clause=fee.clause, before=before, after=after, change=change))
    return lines


def _show(
    rows: tuple[NoticeDay, ...], reminders: tuple[Reminder, ...], words: Mapping[str, str], *, in_english: bool
) -> None:
    console = Console(width=WIDTH, highlight=False)
    table = _table(words["days"], words["columns"])
    for row in rows:
        title = row.title_en if in_english else row.title_da
        table.add_row(title, str(row.latest_on or "–"), str(row.clear_on or "–"), row.clause)
    console.print(table)
    table = _table(words["reminders"], words["reminded"])
    for each in reminders:
        table.add_row(each.title_en if in_english else each.title_da, str(each.on), each.clause)
    if reminders:
        console.print(table)


def _table(title: str, columns: str) -> Table:
    table = Table(title=title, title_justify="left")
    for column in columns.split("|"):
        table.add_column(column, overflow="fold")
    return table


def _in_english(lang: Lang | None) -> bool:
    return lang is Lang.en or (lang is None and english())


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


_ARGUMENTS = {"K": "agreement_end", "T": "go_live", "takeover": "takeover", "O": "option_end"}
_DANISH = {
    "accepted": "ACCEPTERET",
    "accepted_later": "ACCEPTERET MED SENERE VIRKNING",
    "agreement_needed": "KRÆVER BEGGE PARTERS AFTALE",
    "refused": "AFVIST",
    "moves": "{anchor} bliver {on}.",
    "chooses": "Vælger {option}.",
    "fee": "{clause}: vederlaget går fra DKK {before} til DKK {after} ({change}).",
    "days": "Sidste dag for varsler",
    "columns": "Varsel|Senest|Med hele dage|Hjemmel",
    "reminders": "Påmindelser",
    "reminded": "Påmindelse|Dag|Hjemmel",
}
_ENGLISH = {
    "accepted": "ACCEPTED",
    "accepted_later": "ACCEPTED WITH A LATER EFFECT",
    "agreement_needed": "BOTH PARTIES HAVE TO AGREE",
    "refused": "REFUSED",
    "moves": "{anchor} becomes {on}.",
    "chooses": "Chooses {option}.",
    "fee": "{clause}: the fee goes from DKK {before} to DKK {after} ({change}).",
    "days": "Last days for notices",
    "columns": "Notice|Latest|Clear days|Clause",
    "reminders": "Reminders",
    "reminded": "Reminder|Day|Clause",
}
