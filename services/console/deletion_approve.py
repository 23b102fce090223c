"""`ophor deletion approve`: one person's word for exactly one plan (evidence §5).

Rules kept: the digest is given, not looked up, so that it comes over another channel than the plan it is held against;
at a terminal the plan is shown and a yes is asked for; what is sent is the digest that was given.
"""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from contracts.errors import Rejected
from contracts.roles import DELETION_OFFICER
from services.console import deletion_show as show
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
    speaking,
)
from services.console.deletion_words import say
from shared.words import deletion as told

Digest = Annotated[str, typer.Option(help="Planens hele kontrolsum. / The plan's whole digest.")]


def approve(
    exit_id: Exit,
    activity: Activity,
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

      ophor deletion approve x-1 D2 --digest 3f1c…

      ophor deletion approve x-1 D2 --digest 3f1c… --as kommune_godkender
    """
    with speaking(lang) as language, client_of(role, actor, customer) as client:
        job = client.call("deletion.read_job", {"exit_id": exit_id, "activity": activity})
        given = digest.strip().lower()
        _require_same(job, given)
        if sys.stdin.isatty():
            show.console(aside=as_json).print(show.preview(told.sight(job), None, (), language))
            typer.confirm(say("approve_sure", language), abort=True, err=as_json)
        data = {"exit_id": exit_id, "activity": activity, "job_id": job["job_id"], "plan_digest": given}
        answer = client.call("scheduling.approve", data, command_id or None)
        words = say("approve_done", language, given=answer["given"], needed=answer["needed"])
        answered(answer, words, as_json=as_json)


def _require_same(job: dict[str, Any], given: str) -> None:
    """Raise Rejected NOT_PREVIEWED or PLAN_DIGEST_DIFFERS."""
    if job["state"] != "previewed":
        raise Rejected(
            "NOT_PREVIEWED", f"the job is {job['state']}: there is no plan to approve", field="ACTIVITY",
            remedy="`ophor deletion status` shows what it waits for", da="Der er ingen plan at godkende nu.",
        )  # fmt: skip
    if job["plan_digest"] != given:
        raise Rejected(
            "PLAN_DIGEST_DIFFERS", "the plan is not the one of this digest; nothing was approved", field="--digest",
            remedy="look at it anew (`ophor deletion preview`) and compare with the other party",
            da="Planen har en anden kontrolsum. Intet er godkendt.",
        )  # fmt: skip
