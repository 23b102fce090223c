"""`ophor`, the command line: every command in a module of its own, imported only when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

COMMANDS = {
    "up": ("services.console.stack:up", "Start stakken. / Start the local stack."),
    "down": ("services.console.stack:down", "Stop stakken. / Stop it."),
    "status": ("services.console.stack:status", "Processer, køer, ur. / Processes, queues, clock."),
    "logs": ("services.console.stack:logs", "En proces' log. / A process's log."),
    "run": ("services.console.stack:run", "En proces her i forgrunden. / A process in the foreground."),
    "demo": ("services.console.demo:demo", "Eksempeldata og et helt exit. / Sample data and a whole exit."),
    "rehearse": ("services.console.rehearse:rehearse", "Et helt exit på kopier. / A whole exit on copies."),
    "rehearsal": ("services.console.rehearsal:app", "Mærk kopier. / Mark copies."),
    "systems": ("services.console.systems:app", "Systemkort. / System maps."),
    "attest": ("services.console.attest:app", "Erklæringer. / What people attest."),
    "verify": ("services.console.verify:verify", "Kontrollér et certifikat. / Verify a certificate."),
    "prove-record": ("services.console.prove_record:prove_record", "Er én post slettet? / Was one record deleted?"),
    "evidence": ("services.console.evidence:app", "Bevisloggen. / The evidence log."),
    "witness": ("services.console.evidence:witness", "Et vidne. / A witness of the log."),
    "dates": ("services.console.dates:dates", "Beregn en dato. / Compute a date."),
    "plan": ("services.console.plan:plan", "Vis en plan. / Show a plan."),
    "notice": ("services.console.notice:app", "Varsler og sidste dage. / Notices, last days."),
    "deletion": ("services.console.deletion:app", "Sletninger og slettestop. / Deletions and holds."),
    "backups": ("services.console.backups:app", "Backupsæt. / Backup sets."),
    "restore": ("services.console.restore:app", "Genskabelser. / Restores."),
    "restore-check": ("services.console.restore:restore_check", "Må systemet åbnes? / May it serve?"),
    "drill": ("services.console.drill:app", "Øv en genskabelse. / Drill a restore."),
    "request": ("services.console.request:app", "Anmodninger. / A DPO's requests."),
    "breach": ("services.console.breach:app", "Brud (art. 33(2)). / Personal data breaches."),
    "report": ("services.console.papers:report", "Rapport til DPO. / Report to the DPO."),
    "audit": ("services.console.papers:app", "Revisionseksport. / Audit export."),
    "call": ("services.console.call:call", "Kald en tjeneste. / Call a service."),
    "clock": ("services.console.clock:app", "Det simulerede ur. / The simulated clock."),
    "topology": ("services.console.topology:app", "Brokerens køer. / The broker's queues."),
    "dlq": ("services.console.dlq:app", "Døde beskeder. / Dead letters."),
    "outbox": ("services.console.outbox:app", "Udbakker. / Outboxes."),
}


class Later(TyperCommand):
    """A command by its name and one-line help; the real one is imported when a call of it begins."""

    def __init__(self, name: str, target: str, help: str) -> None:
        super().__init__(name, help=help)
        self.target = target

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Import the real command and begin its call."""
        return load(self.name or "", self.target).make_context(info_name, args, parent, **extra)


class Lazy(TyperGroup):
    """A group of commands that are imported when they are called."""

    def list_commands(self, ctx: Any) -> list[str]:
        """List the commands in the table's order."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Give a command by its name, None for an unknown one."""
        return Later(cmd_name, *COMMANDS[cmd_name]) if cmd_name in COMMANDS else None


def load(name: str, target: str) -> Any:
    """Import a command: `module:function`, or `module:app` for a group."""
    module, _, attribute = target.partition(":")
    found = getattr(import_module(module), attribute)
    if not isinstance(found, typer.Typer):
        single = typer.Typer(add_completion=False)
        single.command(name, context_settings=getattr(import_module(module), "SETTINGS", None))(found)
        found = single
    found._add_completion = False  # completion is the whole command's business, not each one's
    return get_command(found)


app = typer.Typer(
    cls=Lazy,
    no_args_is_help=True,
    add_completion=False,
    help="Ophør: exit fra en SaaS-løsning, med bevis. / A customer's exit, with proof.",
)


@app.callback()
def ophor() -> None:
    """Ophør: exit fra en SaaS-løsning, med bevis. / A customer's exit, with proof."""


if __name__ == "__main__":
    app()
