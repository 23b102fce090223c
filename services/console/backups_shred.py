"""`ophor backups shred`: sets that end with their keys: the plan, one person's approval of it, and how far it is.

The digest is given, not looked up (as for `ophor deletion approve`): it comes over another channel than the plan.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from contracts.deletion_keys import ACTIVITY
from contracts.errors import Rejected
from contracts.roles import DELETION_OFFICER, MONITOR
from services.console.deletion_calls import (
    Actor,
    AsJson,
    CommandId,
    Customer,
    Exit,
    Language,
    Reader,
    answered,
    client_of,
    speaking,
)
from services.console.terminal import show_json

app = typer.Typer(no_args_is_help=True, help="Backupsæt der ender med deres nøgle. / Sets that end with their key.")
Digest = Annotated[str, typer.Option(help="Planens hele kontrolsum. / The plan's whole digest.")]
_STATES = {
    "none": ("ingen plan", "no plan"), "requested": ("planen lægges", "being planned"),
    "planned": ("venter på to godkendelser", "waits for two approvals"), "refused": ("afvist", "refused"),
    "permitted": ("tilladelse givet", "permitted"), "destroying": ("nøgler destrueres", "keys are being destroyed"),
    "asked": ("ikke set destrueret endnu", "not seen to be destroyed yet"), "destroyed": ("destrueret", "destroyed"),
    "stopped": ("stoppet", "stopped"), "cancelled": ("annulleret", "cancelled"),
}  # fmt: skip


@app.command()
def plan(
    exit_id: Exit,
    by: Annotated[str, typer.Option(metavar="DATE", help="Senest denne dag. / No later than this day.")] = "",
    role: Reader = DELETION_OFFICER,
    actor: Actor = "",
    customer: Customer = None,
    command_id: CommandId = "",
    as_json: AsJson = False,
    lang: Language = None,
) -> None:
    """Læg planen på ny; tidligere godkendelser bortfalder. / Plan anew; what was approved before is void.

    Uden dette lægges planen af sig selv, når D9 er aktuel. / Without it the plan is made when D9 is due.

    Eksempler / examples:

      ophor backups shred plan x-1

      ophor backups shred plan x-1 --by 2026-10-15
    """
    with speaking(lang) as language, client_of(role, actor, customer) as client:
        data = {"exit_id": exit_id, "by": by or None}
        answer = client.call("deletion.plan_shredding", data, command_id or None)
        said = "being planned: `ophor backups shred show`" if language == "en" else "lægges: `ophor backups shred show`"
        answered(answer, f"{answer['job_id']} {said}", as_json=as_json)


@app.command()
def show(
    exit_id: Exit, role: Reader = MONITOR, actor: Actor = "", customer: Customer = None, as_json: AsJson = False,
    lang: Language = None,
) -> None:  # fmt: skip
    """Vis planen, og hvor langt hver nøgle er. / Show the plan, and how far each key is.

    Eksempler / examples:

      ophor backups shred show x-1
    """
    with speaking(lang) as language, client_of(role, actor, customer) as client:
        told = client.call("deletion.read_shredding", {"exit_id": exit_id})
        if as_json:
            show_json(told)
            return
        for line in lines(told, english=language == "en"):
            typer.echo(line)


@app.command()
def approve(
    exit_id: Exit,
    digest: Digest,
    role: Reader = DELETION_OFFICER,
    actor: Actor = "",
    customer: Customer = None,
    command_id: CommandId = "",
    as_json: AsJson = False,
    lang: Language = None,
) -> None:
    """Godkend netop den plan, hvis kontrolsum er givet. / Approve exactly the plan of this digest.

    To forskellige personer i to roller skal gøre det. / Two different people in two roles have to.

    Eksempler / examples:

      ophor backups shred approve x-1 --digest 3f1c… --as kommune_godkender
    """
    with speaking(lang) as language, client_of(role, actor, customer) as client:
        told, given = client.call("deletion.read_shredding", {"exit_id": exit_id}), digest.strip().lower()
        if told["state"] != "planned" or told["plan_digest"] != given:
            raise Rejected(
                "PLAN_DIGEST_DIFFERS", f"no plan of this digest waits ({told['state']}); nothing was approved",
                field="--digest", remedy="look at it anew (`ophor backups shred show`)",
                da="Ingen plan med den kontrolsum venter på godkendelse. Intet er godkendt.",
            )  # fmt: skip
        data = {"exit_id": exit_id, "activity": ACTIVITY, "job_id": told["job_id"], "plan_digest": given}
        answer = client.call("scheduling.approve", data, command_id or None)
        said = "approvals given" if language == "en" else "godkendelser givet"
        answered(answer, f"{answer['given']}/{answer['needed']} {said}", as_json=as_json)


def lines(told: dict[str, Any], *, english: bool) -> list[str]:
    """Write a plan line by line: its state and digest, each key's last day, each refusal's reasons."""
    head = f"{told['job_id'] or told['exit_id']}: {_STATES[told['state']][english]}"
    written = [head + (f" ({told['stopped_code']})" if told["stopped_code"] else "")]
    if told["plan_digest"]:
        written.append(f"  {told['plan_digest']}")
    for row in told["sets"]:
        ask = ("bed senest", "ask by")[english] + f" {row['ask_on']} (+{row['waits_days']} d)"
        late = "" if row["in_time"] else ("  FOR SENT", "  TOO LATE")[english]
        seen = ", ".join(f"{one['copy']} {one['state']}" for one in row["seen"])
        written.append(f"  {row['system']}/{row['set_id']}  {row['answer']}  {ask}{late}  {seen}".rstrip())
    written += [f"  {row['system']}/{row['set_id']}  {', '.join(row['reasons'])}" for row in told["refused"]]
    return written
