"""What commands given in one role share (deletions, backups, restores, requests): options, client, language, answer."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from contracts.errors import OphorError, Rejected
from services.console.deletion_words import say
from services.console.plan import Lang
from services.console.session import Session
from services.console.terminal import english, show_json, tell

if TYPE_CHECKING:
    from shared.bus.client import Client

Exit = Annotated[str, typer.Argument(metavar="EXIT", help="Forløbets id. / The exit's id.")]
Activity = Annotated[str, typer.Argument(metavar="ACTIVITY", help="D2, D3b, D7a eller C7.")]
Reader = Annotated[str, typer.Option("--as", metavar="ROLE", help="Rollen. / The role.")]
Actor = Annotated[str, typer.Option(help="Uigennemskueligt id. / Opaque id.")]
Customer = Annotated[list[str] | None, typer.Option(help="CVR der må handles for. / CVR in scope.")]
CommandId = Annotated[str, typer.Option("--id", help="Kommandoens id ved gentagelse. / To repeat a command.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON i stedet. / JSON instead.")]
Language = Annotated[Lang | None, typer.Option(help="Sprog. / Language.")]


@contextmanager
def speaking(lang: Lang | None) -> Iterator[str]:
    """Give the language, and tell errors in it with their exit code."""
    language = lang.value if lang else "en" if english() else "da"
    try:
        yield language
    except OphorError as error:
        tell(error, in_english=language == "en")
        raise typer.Exit(2 if isinstance(error, Rejected) else 1) from None


@contextmanager
def client_of(role: str, actor: str, customers: list[str] | None) -> Iterator[Client]:
    """Open a client that calls as the person at this terminal, in `role`."""
    with Session.here().client(role, actor, tuple(customers or ("*",))) as client:
        yield client


def job_id_of(client: Client, exit_id: str, activity: str) -> str:
    """Give the id of an activity's latest job; raise Rejected JOB_NOT_KNOWN."""
    return str(client.call("deletion.read_job", {"exit_id": exit_id, "activity": activity})["job_id"])


def digest_of(document: Path | None, digest: str) -> str:
    """Give the document's SHA-256; raise Rejected DOCUMENT_MISSING or DOCUMENT_UNREADABLE."""
    if bool(document) == bool(digest):
        raise Rejected(
            "DOCUMENT_MISSING", "one document is needed, as a file or as its digest", field="--document",
            remedy="give either --document FILE or --digest SHA256", da="Angiv enten --document eller --digest.",
        )  # fmt: skip
    if document is None:
        return digest.strip().lower()
    try:
        with document.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise Rejected(
            "DOCUMENT_UNREADABLE", f"{document.name} cannot be read: {error.strerror}", field="--document",
            remedy="see that the file is there and may be read", da=f"{document.name} kan ikke læses.",
        ) from None  # fmt: skip


def answered(answer: dict[str, Any], words: str, *, as_json: bool) -> None:
    """Tell what came of a command."""
    if as_json:
        show_json(answer)
    else:
        typer.echo(words)


def no_job(activity: str) -> Rejected:
    """Make JOB_NOT_KNOWN for an activity without any deletion."""
    return Rejected(
        "JOB_NOT_KNOWN", say("no_job", "en", activity=activity), field="ACTIVITY", remedy=say("no_job_remedy", "en"),
        da=say("no_job", "da", activity=activity),
    )  # fmt: skip
