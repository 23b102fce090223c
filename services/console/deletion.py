"""`ophor deletion`: look at a deletion, approve, pause and resume it, place, lift and override holds; as one role.

Exit codes: 0 done, 1 the world is wrong, or a followed job stopped or was cancelled, 2 the call is wrong.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from contracts.deletion_jobs import PAUSE_REASONS
from contracts.errors import Rejected, Unavailable
from contracts.roles import DELETION_OFFICER, MONITOR
from services.console import deletion_hold
from services.console import deletion_show as show
from services.console.deletion_approve import approve
from services.console.deletion_calls import (
    Activity,
    Actor,
    AsJson,
    CommandId,
    Customer,
    Exit,
    Language,
    Reader,
    answered,
    client_of,
    job_id_of,
    no_job,
    speaking,
)
from services.console.deletion_live import Follow
from services.console.deletion_words import say
from services.console.terminal import show_json
from shared.words import deletion as told
from shared.words.deletion import Sight
from shared.words.stops import STOPS, stop_words

if TYPE_CHECKING:
    from shared.bus.client import Client

app = typer.Typer(no_args_is_help=True, help="Sletninger: se, pause, slettestop. / Deletions: look, pause, holds.")
app.add_typer(deletion_hold.app, name="hold")
app.command()(approve)

PauseReason = StrEnum("PauseReason", {name: name for name in PAUSE_REASONS})  # type: ignore[misc]


@app.command()
def preview(
    exit_id: Exit,
    activity: Activity,
    role: Reader = MONITOR,
    actor: Actor = "",
    customer: Customer = None,
    as_json: AsJson = False,
    lang: Language = None,
) -> None:
    """Vis hvad der slettes, hvad der bliver, rækkefølge, tid og godkendelser. / What is deleted and what stays.

    Eksempler / examples:

      ophor deletion preview x-1 D2

      ophor deletion preview x-1 D2 --lang en

      ophor deletion preview x-1 D2 --json | jq .plan_digest
    """
    with speaking(lang) as language, client_of(role, actor, customer) as client:
        job = client.call("deletion.read_job", {"exit_id": exit_id, "activity": activity})
        requests = _requests(client, exit_id)
        found = client.call("deletion.list_holds", {"exit_id": exit_id})["holds"]
        consent, held = told.consent(job, requests or []), told.holds_on(found, told.systems_of(job))
        if as_json:
            asked = consent and {"request": consent.request, "missing": consent.missing, "expires": consent.expires_on}
            show_json({**job, "approval": asked, "approvals_known": requests is not None, "holds": held})
            return
        show.console().print(show.preview(told.sight(job), consent, held, language))
        if requests is None:
            typer.echo(say("approvals_unknown", language), err=True)


def _requests(client: Client, exit_id: str) -> list[dict[str, Any]] | None:
    """Give the plan's requests for approval, None where scheduling does not answer: the rest is worth seeing."""
    try:
        found: list[dict[str, Any]] = client.call("scheduling.read_plan", {"exit_id": exit_id}, timeout=3.0)[
            "approvals"
        ]
    except Unavailable:
        return None
    return found


@app.command()
def status(
    exit_id: Exit,
    activity: Annotated[str, typer.Argument(metavar="[ACTIVITY]", help="Kun denne. / Only this one.")] = "",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Følg den til den er slut. / To its end.")] = False,
    every: Annotated[float, typer.Option(min=0.2, help="Sekunder mellem hvert kig. / Seconds between looks.")] = 1.0,
    role: Reader = MONITOR,
    actor: Actor = "",
    customer: Customer = None,
    as_json: AsJson = False,
    lang: Language = None,
) -> None:
    """Vis hvor langt sletningerne er, og hvad der står i vejen. / How far deletions are and what stands in the way.

    Eksempler / examples:

      ophor deletion status x-1

      ophor deletion status x-1 D2 --follow
    """
    with speaking(lang) as language, client_of(role, actor, customer) as client:
        if follow:
            _follow(client, exit_id, activity, every, language, as_json=as_json)
            return
        jobs = client.call("deletion.list_jobs", {"exit_id": exit_id})["jobs"]
        names = [name for name in dict.fromkeys(job["activity"] for job in jobs) if activity in ("", name)]
        latest = [job for job in (told.latest(jobs, name) for name in names) if job is not None]
        if activity and not latest:
            raise no_job(activity)
        if as_json:
            show_json({"exit_id": exit_id, "jobs": latest})
            return
        show.console().print(show.status(exit_id, [told.sight(job) for job in latest], language))


def _follow(client: Client, exit_id: str, activity: str, every: float, language: str, *, as_json: bool) -> None:
    if not activity:
        raise Rejected(
            "ACTIVITY_MISSING", "one activity is followed at a time", field="ACTIVITY",
            remedy="name it: ophor deletion status EXIT ACTIVITY --follow", da="Nævn den aktivitet, der skal følges.",
        )  # fmt: skip

    def ask() -> Sight:
        return told.sight(client.call("deletion.read_job", {"exit_id": exit_id, "activity": activity}))

    ended = Follow(show.console(aside=as_json), language, ask).run(every).job
    if as_json:
        show_json({"exit_id": exit_id, "jobs": [ended]})
    if ended["state"] != "verified":
        raise typer.Exit(1)


@app.command()
def pause(
    exit_id: Exit,
    activity: Activity,
    reason: Annotated[PauseReason, typer.Option(help="Grunden. / The reason.")],
    role: Reader = DELETION_OFFICER,
    actor: Actor = "",
    customer: Customer = None,
    command_id: CommandId = "",
    as_json: AsJson = False,
    lang: Language = None,
) -> None:
    """Sæt en sletning på pause mellem to bunker. / Pause a deletion between two batches.

    Skal den vente af en juridisk grund, så brug `ophor deletion hold place`. / For a legal reason place a hold.

    Eksempler / examples:

      ophor deletion pause x-1 D2 --reason INCIDENT

      ophor deletion pause x-1 D2 --reason CUSTOMER_REQUEST --as kommune_projektleder
    """
    with speaking(lang) as language, client_of(role, actor, customer) as client:
        data = {"exit_id": exit_id, "job_id": job_id_of(client, exit_id, activity), "reason": reason.value}
        answer = client.call("deletion.pause_job", data, command_id or None)
        answered(answer, say("paused_done", language), as_json=as_json)


@app.command()
def resume(
    exit_id: Exit,
    activity: Activity,
    role: Reader = DELETION_OFFICER,
    actor: Actor = "",
    customer: Customer = None,
    command_id: CommandId = "",
    as_json: AsJson = False,
    lang: Language = None,
) -> None:
    """Genoptag en sletning. / Let a paused deletion go on.

    Det, kunden har sat på pause, genoptager kun kunden. / What the customer paused only the customer resumes.

    Eksempler / examples:

      ophor deletion resume x-1 D2
    """
    with speaking(lang) as language, client_of(role, actor, customer) as client:
        data = {"exit_id": exit_id, "job_id": job_id_of(client, exit_id, activity)}
        answer = client.call("deletion.resume_job", data, command_id or None)
        ended = answer["state"] == "stopped"
        answered(answer, say("resumed_ended" if ended else "resumed_done", language), as_json=as_json)
        if ended:
            raise typer.Exit(1)


@app.command()
def explain(
    code: Annotated[str, typer.Argument(metavar="[CODE]", help="Koden, ellers alle. / The code, else all.")] = "",
    as_json: AsJson = False,
    lang: Language = None,
) -> None:
    """Sig hvad en stopkode betyder, og hvad der skal gøres; uden server. / What a stop code means; no server.

    Eksempler / examples:

      ophor deletion explain SCHEMA_CHANGED

      ophor deletion explain --lang en
    """
    with speaking(lang) as language:
        if code and code not in STOPS:
            raise Rejected(
                "CODE_UNKNOWN", f"no job stops with {code}", field="CODE", remedy="`ophor deletion explain` lists them",
                da=f"Ingen sletning standser med {code}.",
            )  # fmt: skip
        rows = [dict(zip(("code", "what", "todo", "who"), (name, *stop_words(name, language)), strict=True))
                for name in ([code] if code else sorted(STOPS))]  # fmt: skip
        if as_json:
            show_json(rows)
            return
        for row in rows:
            typer.echo(f"{row['code']}: {row['what']}\n  → {row['todo']} ({row['who']})")
