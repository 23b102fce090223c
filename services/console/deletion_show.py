"""Deletion jobs and holds as a terminal shows them: from the wire's answers to what Rich prints.

Rules kept here: names from systems are shown as text, never as markup; nothing is told by colour alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from contracts.roles import TITLES_DA
from services.console.deletion_words import ROLES_EN, day, number, say, state
from shared.words import below
from shared.words import deletion as told
from shared.words.deletion import Consent, Sight, Step
from shared.words.stops import stop_words

WIDTH = 110
Row = Mapping[str, Any]


def console(*, aside: bool = False) -> Console:
    """Open the terminal, or a plain page of fixed width where the output goes to a file or a program.

    `aside`: beside the output, which is for a program."""
    here = Console(highlight=False, stderr=aside)
    return here if here.is_terminal else Console(highlight=False, width=WIDTH, stderr=aside)


def preview(sight: Sight, consent: Consent | None, held: Iterable[Row], language: str) -> Group:
    """Show what a job deletes and keeps, in which order, in which time, and who has approved it."""
    parts: list[RenderableType] = [_head(sight, language), _facts(sight, consent, language)]
    parts += notes(sight, held, language)
    if not sight.job["places"]:
        return Group(*parts, Text(say("none", language)))
    parts += [Text(), _places(sight, language), Text()]
    by_people = ", ".join(f"{row['place']} ({row['system']})" for row in sight.by_people)
    parts += [Text(say("by_people", language, places=by_people)), Text()] if by_people else []
    parts.append(_kept(sight, language) if sight.kept else Text(say("kept_none", language)))
    parts += [Text(), _unowned(sight, language)] if sight.unowned else []
    parts += [Text(), _below(sight, language)] if sight.job["physical"] else []
    return Group(*parts)


def _head(sight: Sight, language: str) -> Text:
    return Text(say("title", language, activity=sight.job["activity"], exit=sight.job["exit_id"]), style="bold")


def _facts(sight: Sight, consent: Consent | None, language: str) -> Table:
    job, grid = sight.job, Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    rows = [("job", job["job_id"]), ("state", state(job["state"], language))]
    if job["plan_digest"]:
        rows.append(("digest", job["plan_digest"]))
    if job["work"]:
        rows.append(("estimate", told.duration(job["estimated_seconds"], language)))
    if job["estimated_end"]:
        rows.append(("estimated_end", told.instant(job["estimated_end"], language)))
    rows.append(("approvals", _consent(consent, language)))
    for name, value in rows:
        grid.add_row(say(name, language), Text(value))
    return grid


def _consent(consent: Consent | None, language: str) -> str:
    if consent is None:
        return say("not_asked", language)
    lines = [
        say("approved", language, role=role(each["role"], language), actor=each["actor"],
            at=told.instant(each["at"], language))
        for each in consent.request["approvals"]
    ]  # fmt: skip
    lines += [say("missing", language, count=consent.missing)] * bool(consent.missing)
    lines += [say("expires", language, day=day(consent.expires_on, language))] * bool(consent.expires_on)
    return "\n".join(lines)


def role(name: str, language: str) -> str:
    """Give a role's title."""
    return TITLES_DA.get(name, name) if language == "da" else ROLES_EN.get(name, name)


def notes(sight: Sight, held: Iterable[Row], language: str) -> list[RenderableType]:
    """Say what stands in the way: a stop with its remedy, a pause, a window, holds, changes outside the scope."""
    job, found = sight.job, list[RenderableType]()
    if job["stopped_code"]:
        found.append(_stopped(job, language))
    if job["state"] == "paused":
        since, ends = day(job["paused_on"], language), day(told.pause_ends(job), language)
        party = told.word(told.PARTIES, job["paused_by"] or "supplier", language).lower()
        found.append(Text(f"‖ {say('paused', language, party=party, since=since, ends=ends)}", style="yellow"))
    if job["state"] == "executing" and job["waits_until"]:
        at = told.instant(job["waits_until"], language)
        found.append(Text(f"○ {say('window', language, at=at)}", style="yellow"))
    if job["outside"]:
        found.append(Text(f"! {say('outside', language, count=job['outside'])}", style="red"))
    return found + [Text(f"‖ {line}", style="yellow") for line in _held(held, language)]


def _held(held: Iterable[Row], language: str) -> Iterator[str]:
    for each in held:
        system = each["system"] or say("all_systems", language)
        basis = told.word(told.BASES, each["basis"], language)
        yield say("hold", language, hold=each["hold_id"], system=system, basis=basis)


def _stopped(job: Row, language: str) -> Text:
    what, todo, who = stop_words(job["stopped_code"], language)
    text = Text(f"! {say('stopped', language)}: {what} ", style="red")
    text.append(f"({say('code', language, code=job['stopped_code'])})\n", style="default")
    if job["stopped_field"]:
        text.append(f"  {say('where', language)}: {job['stopped_field']}\n", style="default")
    text.append(f"  {say('todo', language)}: {todo}\n  {say('who', language)}: {who}", style="default")
    return text


def _places(sight: Sight, language: str) -> Table:
    """Show places in their order; what was deleted and what is left only once there is something to tell of it."""
    table = _table(say("places", language), say("columns", language), right=(0, 3, 4, 5))
    more = [("deleted", sight.deleted)] if sight.job["batches"] else []
    more += [("residual", sum(int(step.row["residual"]) for step in sight.steps))] if sight.looked_again else []
    for name, _ in more:
        table.add_column(say("left_column" if name == "residual" else name, language), justify="right", no_wrap=True)
    for step in sight.steps:
        row = step.row
        table.add_row(
            str(step.turn or "–"), Text(row["system"]), _place(step, language), number(row["before"], language),
            below.band(row, language),
            told.duration(step.seconds, language) if step.turn else "–",
            *(number(row[name], language) for name, _ in more),
        )  # fmt: skip
    table.add_section()
    whole = told.duration(sight.job["estimated_seconds"], language) if sight.job["work"] else "–"
    sums = (number(total, language) for _, total in more)
    table.add_row("", say("total", language), "", number(sight.planned, language), "", whole, *sums)
    return table


def _place(step: Step, language: str) -> Text:
    whole = below.whole(step.method, language)
    return Text(f"{step.row['place']}\n({whole})" if whole else step.row["place"])


def _unowned(sight: Sight, language: str) -> Table:
    table = _table(say("unowned", language), say("kept_columns", language), right=(3,))
    for row in sight.unowned:
        why = told.word(told.KEPT, row.get("unowned_reason") or "–", language)
        table.add_row(Text(row["system"]), Text(row["place"]), Text(why), number(row["unowned"], language))
    return table


def _below(sight: Sight, language: str) -> Table:
    """Show what was done below the rows, with the engine's figures and where bytes may still lie (ADR 0011)."""
    table = _table(say("below", language), say("below_columns", language))
    for row in sight.job["physical"]:
        said = (below.answer(row, language), below.figures(row, language) or "–", below.remains(row, language) or "–")
        table.add_row(Text(row["system"]), Text(row["place"]), *said)
    return table


def _kept(sight: Sight, language: str) -> Table:
    table = _table(say("kept", language), say("kept_columns", language), right=(3,))
    for row in sight.kept:
        why = told.word(told.KEPT, row["reason"], language) if row["reason"] else "–"
        table.add_row(Text(row["system"]), Text(row["place"]), Text(why), number(row["before"], language))
    return table


def status(exit_id: str, sights: Sequence[Sight], language: str) -> Group | Text:
    """Show every activity's latest job, a line each, and below what stands in the way."""
    if not sights:
        return Text(say("no_jobs", language))
    table = _table(say("jobs", language, exit=exit_id), say("jobs_columns", language), right=(2, 3))
    below: list[RenderableType] = []
    for sight in sights:
        job = sight.job
        done, planned = number(sight.deleted, language), number(sight.planned, language)
        table.add_row(job["activity"], state(job["state"], language), done, planned)
        if found := notes(sight, (), language):
            below += [
                Text(),
                Text(say("title", language, activity=job["activity"], exit=exit_id), style="bold"),
                *found,
            ]
    return Group(table, *below)


def holds(exit_id: str, found: Sequence[Row], language: str) -> Table | Text:
    """Show an exit's holds."""
    if not found:
        return Text(say("no_holds", language))
    table = _table(say("holds", language, exit=exit_id), say("holds_columns", language))
    for each in found:
        asked, note = each["override"], ""
        if asked and each["state"] == "placed":
            reason = told.word(told.OVERRIDES, asked["reason"], language).lower()
            note = say("asked", language, party=told.word(told.PARTIES, asked["party"], language), reason=reason)
        table.add_row(
            each["hold_id"], Text(each["system"] or say("all_systems", language)), state(each["state"], language),
            told.word(told.BASES, each["basis"], language), told.word(told.PARTIES, each["party"], language), note,
        )  # fmt: skip
    return table


def bar(sight: Sight, words: str) -> Table:
    """Draw how far a job is."""
    grid = Table.grid(padding=(0, 2))
    grid.add_row(drawn(sight.planned, sight.deleted, stopped=bool(sight.job["stopped_code"])), Text(words))
    return grid


def drawn(total: int, done: int, *, stopped: bool = False, width: int = 30) -> ProgressBar:
    """Draw a bar: blue while it goes, green when it is full, red where it stopped."""
    going = "red" if stopped else "blue"
    return ProgressBar(
        total=max(total, 1), completed=min(done, total), width=width, complete_style=going, finished_style="green"
    )


def _table(title: str, columns: str, right: Sequence[int] = ()) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", padding=(0, 1), pad_edge=False)
    for at, column in enumerate(columns.split("|")):
        table.add_column(column, justify="right" if at in right else "left", no_wrap=at in right, overflow="fold")
    return table
