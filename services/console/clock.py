"""`ophor clock show|set|advance`: the simulated clock of a demo or a test (design §4); production has none."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated

import typer

from contracts.errors import Rejected
from services.console import session
from services.console.rehearsing.quiet import Walk
from services.console.session import Session
from services.console.terminal import speaks

app = typer.Typer(
    no_args_is_help=True,
    help="Det simulerede ur. / The simulated clock (demo and test only).",
    context_settings={"ignore_unknown_options": True},
)


@app.command()
@speaks
def show() -> None:
    """Vis uret: UTC, og datoen i København. / Show the clock.

    Examples:

      ophor clock show
    """
    from shared.runtime.clock import legal_date

    now = instant(Session.here())
    typer.echo(f"{legal_date(now).isoformat()}\n{now.isoformat()}")


@app.command("set")
@speaks
def set_(when: Annotated[str, typer.Argument(metavar="DATE", help="ÅÅÅÅ-MM-DD, eller et tidspunkt med zone.")]) -> None:
    """Sæt uret uden at vente på noget; det går aldrig tilbage. / Set the clock and wait for nothing.

    Examples:

      ophor clock set 2026-03-02

      ophor clock set 2026-03-02T09:30:00+01:00
    """
    from shared.runtime.clock import set_clock

    here = Session.here()
    _refuse_production(here)
    set_clock(here.want("OPHOR_CLOCK_URI"), moment(when))
    typer.echo(moment(when).isoformat())


@app.command()
@speaks
def advance(
    to: Annotated[str | None, typer.Option("--to", metavar="DATE", help="Til og med. / Up to.")] = None,
    by: Annotated[str | None, typer.Option("--by", metavar="PERIOD", help="+10d, +6m, +10wd.")] = None,
    timeout: Annotated[float, typer.Option(help="Sekunder uden fremgang. / Seconds without progress.")] = 120.0,
) -> None:
    """Gå fra det ene forfald til det næste, og vent på ro ved hvert. / Walk from due time to due time.

    Examples:

      ophor clock advance --to 2026-09-01

      ophor clock advance --by +10d
    """
    here = Session.here()
    _refuse_production(here)
    goal = _goal(here, to, by)
    with here.client() as client:
        walk = Walk(client, _setter(here), _down, lambda text: typer.echo(text, err=True), timeout_s=timeout)
        stops = walk.advance(goal, lambda reached: typer.echo(reached.isoformat(), err=True))
    typer.echo(f"{goal.isoformat()} ({stops} stop)")


def instant(here: Session) -> datetime:
    """Give the clock's instant (aware, UTC); raise Unavailable CLOCK_NOT_SET, CLOCK_UNREACHABLE."""
    from shared.runtime.clock import clock_for

    clock = clock_for(here.mode, here.values.get("OPHOR_CLOCK_URI", ""))
    try:
        return clock.fresh()
    finally:
        clock.close()


def moment(text: str) -> datetime:
    """Read a date (00:00 in Copenhagen) or an instant with its offset; raise Rejected DATE_INVALID."""
    from shared.runtime.clock import midnight

    try:
        found = midnight(date.fromisoformat(text)) if len(text) == 10 else datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise Rejected(
            "DATE_INVALID",
            f"{text} is neither a date nor an instant with an offset",
            field="DATE",
            remedy="write YYYY-MM-DD, or YYYY-MM-DDTHH:MM:SS+01:00",
            da=f"{text} er ikke en dato.",
        )
    return found.astimezone(UTC)


def _goal(here: Session, to: str | None, by: str | None) -> datetime:
    if (to is None) == (by is None):
        raise Rejected(
            "ARGUMENTS_INVALID",
            "give either --to or --by",
            field="--to",
            remedy="ophor clock advance --help",
            da="Angiv enten --to eller --by.",
        )
    if to is not None:
        return moment(to)
    from shared.rules.time import parse_period, reckon
    from shared.runtime.clock import legal_date, midnight

    return midnight(reckon(legal_date(instant(here)), parse_period(str(by))).on)


def _setter(here: Session):  # type: ignore[no-untyped-def]
    from shared.runtime.clock import set_clock

    uri = here.want("OPHOR_CLOCK_URI")
    return lambda instant: set_clock(uri, instant)


def _down() -> list[str]:
    rows = session.stack().status()
    return [row.name for row in rows if not row.alive and (row.pid or row.kind != "part")]


def _refuse_production(here: Session) -> None:
    if here.mode == "production":
        raise Rejected(
            "CLOCK_SIMULATED",
            "production has no simulated clock",
            field="OPHOR_MODE",
            remedy="use it in mode demo or test",
            da="Produktion kører ikke med simuleret ur.",
        )
