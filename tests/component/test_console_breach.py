"""`ophor breach`: what is sent is what the contract takes, and what was declared is shown in both languages."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from services.console import breach
from shared.runtime.logins import User
from tests.component.gateway_answers import Recorded

EXIT = "x-korsbaek"
AWARE, NOTICE = "2026-10-05T09:30:00Z", "2026-10-05T14:00:00Z"
ROW = {
    "breach_id": "brc-1", "answer": "BREACH", "aware_at": AWARE, "notified_at": NOTICE, "hours": 4, "on": "2026-10-05",
    "natures": ["INTEGRITY"], "subjects": "UP_TO_10", "records": "UNKNOWN", "about": [41], "evidence": [44, 47],
}  # fmt: skip
PLAIN = {
    **ROW, "breach_id": "brc-2", "answer": "NONE_KNOWN", "aware_at": None, "notified_at": None, "hours": None,
    "natures": [], "subjects": None, "records": None, "about": [], "evidence": [51],
}  # fmt: skip


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Recorded:
    backend = Recorded()
    backend.answers |= {
        "compliance.list_breaches": {"exit_id": EXIT, "breaches": [ROW, PLAIN], "unanswered": [60]},
        "compliance.declare_breach": {"exit_id": EXIT, "breach_id": "brc-1"},
    }

    def client(role: str) -> Any:
        user = User("", "", "p-1", (role,), ("*",))
        return nullcontext(SimpleNamespace(call=lambda name, body: backend.ask(user, name, body)))

    monkeypatch.setattr(breach.Session, "here", lambda: SimpleNamespace(client=client))
    return backend


def said(*argv: str, language: str = "da") -> tuple[int, str]:
    done = CliRunner(env={"COLUMNS": "200", "OPHOR_LANG": language}).invoke(breach.app, [*argv])
    return done.exit_code, done.output


def test_each_verb_sends_its_declaration_in_the_supplier_s_role(wire: Recorded) -> None:
    bands = ("--nature", "INTEGRITY", "--subjects", "UP_TO_10", "--records", "UNKNOWN")
    for argv in (
        ("none", EXIT),
        ("assess", EXIT, "--about", "41"),
        ("declare", EXIT, "--aware", AWARE, *bands, "--about", "41"),
        ("declare", EXIT, "--breach", "brc-1", "--aware", AWARE, "--notified", NOTICE, *bands),
    ):
        assert said(*argv) == (0, "Modtaget: brc-1\n")
    sent = [data for _, name, data, _ in wire.asked if name == "compliance.declare_breach"]
    assert [one["answer"] for one in sent] == ["NONE_KNOWN", "NO_BREACH", "BREACH", "BREACH"]
    assert [one.get("about") for one in sent] == [None, [41], [41], []]
    assert (sent[3]["breach_id"], sent[3]["notified_at"], sent[2]["notified_at"]) == ("brc-1", NOTICE, None)


def test_a_customer_declares_nothing_and_a_band_that_is_none_is_refused(wire: Recorded) -> None:
    code, told = said("none", EXIT, "--as", "kommune_dpo")
    assert code == 2 and "ROLE_MISSING" in told
    wrong = ("--nature", "INTEGRITY", "--subjects", "17", "--records", "UNKNOWN")
    assert said("declare", EXIT, "--aware", AWARE, *wrong)[0] == 2


@pytest.mark.parametrize(
    ("language", "parts"),
    [
        ("da", ("højst 10", "brud (integritet)", "4 t. efter", "intet brud kendes", "44, 47", "Ubesvaret")),
        ("en", ("up to 10", "breach (integrity)", "4 h later", "no breach known", "44, 47", "Unanswered")),
    ],
)
def test_what_was_declared_is_shown_with_what_nobody_has_answered(
    wire: Recorded, monkeypatch: pytest.MonkeyPatch, language: str, parts: tuple[str, ...]
) -> None:
    monkeypatch.setattr(breach, "WIDTH", 240)
    code, told = said("list", EXIT, language=language)
    assert code == 0 and all(part in told for part in parts), told
    assert '"unanswered": [' in said("list", EXIT, "--json")[1]
