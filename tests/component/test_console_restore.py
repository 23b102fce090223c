"""`ophor restore` and `ophor restore-check`: what they say, and that nothing but 0 is a release."""

from __future__ import annotations

import json
from contextlib import nullcontext
from typing import Any

import pytest
from typer.testing import CliRunner

from contracts.catalogue import COMMANDS
from contracts.errors import OphorError, Rejected, Unavailable
from contracts.registry import check
from services.console import restore
from services.console.main import app
from tests.component.gateway_answers import DIGEST

PART = {"restore_id": "rst-1", "exit_id": "x-1", "activity": "D2", "cause": "ANNOUNCED", "state": "found",
        "set_id": "natlig", "since": "2026-11-20", "rows": 11, "job_id": None, "code": None}  # fmt: skip
ENTRY = {"exit_id": "x-1", "activity": "D2", "job_id": "x-1.D2.1", "plan_digest": DIGEST, "deleted_on": "2026-10-02",
         "needed": True, "places": [{"place": "sager", "predicate": "lejer = {tenant}", "whole": None}]}  # fmt: skip


class Answering:
    """Answers one call as it is told to, by the contract."""

    def __init__(self, answer: dict[str, Any] | OphorError) -> None:
        self.answer, self.asked = answer, []

    def call(self, wire: str, data: dict[str, Any], *_: Any) -> dict[str, Any]:
        check(COMMANDS[wire].request, data, wire)
        self.asked.append(data)
        if isinstance(self.answer, OphorError):
            raise self.answer
        check(COMMANDS[wire].answer, self.answer, wire)
        return self.answer


def run(monkeypatch: pytest.MonkeyPatch, answer: Any, *argv: str) -> tuple[int, str, Answering]:
    client = Answering(answer)
    monkeypatch.setattr(restore, "client_of", lambda *_: nullcontext(client))
    done = CliRunner().invoke(app, list(argv))
    return done.exit_code, done.output, client


def gate(released: bool, *parts: dict[str, Any]) -> dict[str, Any]:
    return {"system": "plads", "released": released, "restores": list(parts), "looked_on": "2026-11-19"}


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (gate(True), 0),
        (gate(False, PART), 1),
        (Unavailable("NO_ANSWER", "deletion is silent"), 1),
        (Rejected("SYSTEM_UNKNOWN", "no order names it"), 2),
    ],
)
def test_only_a_released_system_gives_zero(monkeypatch: pytest.MonkeyPatch, answer: Any, code: int) -> None:
    for more in ([], ["--json"]):
        assert run(monkeypatch, answer, "restore-check", "plads", *more)[0] == code
    assert run(monkeypatch, answer, "restore", "check", "plads")[0] == code


@pytest.mark.parametrize(("lang", "said"), [("da", "IKKE FRIGIVET"), ("en", "NOT RELEASED")])
def test_a_closed_gate_says_what_it_waits_for(monkeypatch: pytest.MonkeyPatch, lang: str, said: str) -> None:
    blind = PART | {"restore_id": "rst-2", "state": "looking", "code": "TARGET_REFUSED"}
    _, text, _ = run(monkeypatch, gate(False, PART, blind), "restore-check", "plads", "--lang", lang)
    assert said in text and "rst-1" in text and "(11)" in text and "natlig" in text and "TARGET_REFUSED" in text


def test_an_announcement_lists_what_must_be_deleted_again_and_what_to_do_then(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"restore_id": "rst-1", "system": "plads", "set_id": "natlig", "taken_on": None, "entries": [ENTRY]}
    argv = ("restore", "announce", "plads", "--set", "natlig", "--lang", "da")
    code, text, client = run(monkeypatch, told, *argv)
    assert code == 0 and "lejer = {tenant}" in text and "ophor restore replay rst-1" in text and "LUKKET" in text
    assert client.asked == [{"system": "plads", "set_id": "natlig", "taken_on": None}]
    assert json.loads(run(monkeypatch, told, *argv, "--json")[1])["entries"] == [ENTRY]
    assert "Intet er slettet der" in run(monkeypatch, told | {"entries": []}, *argv)[1]


@pytest.mark.parametrize(("state", "said"), [("looking", "set efter"), ("found", "godkend"), ("closed", "afsluttet")])
def test_a_replay_says_how_it_stands(monkeypatch: pytest.MonkeyPatch, state: str, said: str) -> None:
    answer = {"restore_id": "rst-1", "state": state}
    code, text, _ = run(monkeypatch, answer, "restore", "replay", "rst-1", "--lang", "da")
    assert code == 0 and said in text
