"""The part of deletion's face that people answer: what they must attest, their word, and when they are reminded."""

from __future__ import annotations

from datetime import date
from typing import Any

from services.deletion import asking, store
from services.deletion.calling import owned
from services.deletion.domain import attestation
from services.deletion.domain.attestation import Line, Word
from shared.bus.faces import command, on, query

WAITING = "cleaned"


class Attesting:
    """What people attest (S1 D7b, D8; S2 7.3, 12.2)."""

    @command
    def request_attestations(self, unit: Any, call: Any) -> dict[str, Any]:
        """Have every line of the exit's systems asked for now, by a day."""
        exit_ = owned(unit, call)
        ask(unit, exit_.exit_id, list(exit_.systems), call.data["due_on"])
        open_ = attestation.left(store.lines_of(unit, exit_.exit_id))
        return {"exit_id": exit_.exit_id, "state": "asked", "left": len(open_)}

    @command
    def attest(self, unit: Any, call: Any) -> dict[str, Any]:
        """Take one attestation; whoever verifies looks again once a job waits for nobody's word any more."""
        exit_ = owned(unit, call)
        data, role = call.data, call.actor.role_for("deletion.attest")
        store.claim_exit(unit, exit_.exit_id)
        lines = store.lines_of(unit, exit_.exit_id)
        where = (data["system"], data["place"], data["subprocessor"])
        method = attestation.answered_by(data["method"], lines, where)
        word = Word(data["method"], data["media_class"], data["digest"], data["done_on"], call.actor.id, role)
        line = attestation.attest(lines, (*where, method), word, unit.today)
        if line not in lines:
            lines = [line if each.key == line.key else each for each in lines]
            store.save_lines(unit, exit_.exit_id, lines)
            _tell(unit, exit_.exit_id, line, word)
            _verify_waiting(unit, exit_.exit_id, lines)
        return {"exit_id": exit_.exit_id, "state": "attested", "left": len(attestation.left(lines))}

    @query
    def read_attestations(self, unit: Any, call: Any) -> dict[str, Any]:
        """Tell of every line, and what was attested of it."""
        exit_ = owned(unit, call)
        lines = store.lines_of(unit, exit_.exit_id)
        due = min((line.due_on for line in attestation.left(lines) if line.due_on), default=None)
        return {"exit_id": exit_.exit_id, "due_on": due, "lines": [_row(line) for line in lines]}

    @on("deletion.attestations_look_due")
    def attestations_look_due(self, unit: Any, told: Any) -> None:
        """Remind of open lines near their day, escalate those past it, and have what waited for none verified."""
        exit_ = store.load_exit(unit, told.data["exit_id"])
        lines = store.lines_of(unit, exit_.exit_id)
        _verify_waiting(unit, exit_.exit_id, lines)
        if exit_.cancelled:
            return
        for (due_on, state), open_ in attestation.open_on(lines, unit.today).items():
            asking.tell(unit, exit_.exit_id, state, due_on, open_)
        asking.look_later(unit, exit_.exit_id, lines)


def ask(unit: Any, exit_id: str, systems: list[str], due_on: date | None) -> None:
    """Have the map read for what must be attested of these systems; it lies with whoever verifies."""
    due = due_on or unit.today + asking.WITHIN
    unit.send("deletion.verify.ask_attestations", {"exit_id": exit_id, "systems": systems, "due_on": due})


def _tell(unit: Any, exit_id: str, line: Line, word: Word) -> None:
    said = {"answer": word.answer, "media_class": word.media_class, "digest": word.digest, "done_on": word.done_on}
    told = {"exit_id": exit_id, **asking.line_row(line), **said, "actor": word.actor, "role": word.role}
    unit.emit("deletion.attestation_given", exit_id, told | {"on": unit.today})


def _verify_waiting(unit: Any, exit_id: str, lines: list[Line]) -> None:
    """Have the jobs verified that have done their work and waited for people's word."""
    for job in store.jobs_of(unit, exit_id):
        places = [each for each in job.places if each.disposition == "attested"]
        if job.state == WAITING and places and all(attestation.attested(lines, p.system, p.place) for p in places):
            unit.send("deletion.verify.verify", {"exit_id": exit_id, "job_id": job.job_id})


def _row(line: Line) -> dict[str, Any]:
    word = line.word
    return {
        **asking.line_row(line), "answer": word.answer if word else None,
        "media_class": word.media_class if word else None, "digest": word.digest if word else None,
        "done_on": word.done_on if word else None, "role": word.role if word else None,
    }  # fmt: skip
