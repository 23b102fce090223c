"""The page of requests and of the report: what is shown, who may ask, what is sent, and the download in parts."""

from __future__ import annotations

import base64
import html
import re
from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient

from contracts.errors import Rejected
from services.gateway.app import create_app
from services.gateway.asking import COOKIE
from services.gateway.request_pages import CHOICES, choice
from shared.runtime.logins import User
from tests.component.gateway_answers import DIGEST, DPO, OPERATOR, Recorded

HERE = "/exits/x-korsbaek/requests"
ANSWER: dict[str, Any] = {
    "form": "STATUS", "on": "2026-10-06", "automatic": True, "stage": "ACTIVE-DELETED", "permanent": False,
    "certificates": ["crt-1"], "document_digest": None, "evidence": [17, 22], "reason": None, "unmet": [],
    "owed": "OPEN", "said_da": "Data er ikke permanent slettet.", "said_en": "Data are not permanently deleted.",
}  # fmt: skip
ROW: dict[str, Any] = {
    "request_id": "req-1", "exit_id": "x-korsbaek", "what": "CERTIFICATE", "basis": "S2-28.1-d", "clause": "S2 28.1",
    "stage": "BACKUP-EXPIRED", "subject": None, "state": "status_given", "made_on": "2026-10-06", "due": "2026-10-20",
    "rule_da": "10. Arbejdsdag efter 2026-10-06", "rule_en": "working day no. 10 after 2026-10-06",
    "owner": "ist_sletteansvarlig", "by": "kommune_dpo", "late": False, "reminded_on": [], "answers": [ANSWER],
}  # fmt: skip
LATE = ROW | {"request_id": "req-2", "what": "DOCUMENTATION", "subject": "ACCESS", "stage": None, "state": "overdue",
              "late": True, "answers": []}  # fmt: skip
PAPER: dict[str, Any] = {
    "paper_id": "pap-1", "what": "report", "state": "made", "name": "dpo-x-korsbaek-æ.pdf", "size": 6,
    "digest": DIGEST, "exits": ["x-korsbaek"], "reasons": [],
}  # fmt: skip


class Answers(Recorded):
    """The recorded answers, with requests and a paper of two parts."""

    def __init__(self, rows: list[dict[str, Any]], state: str = "made", refused: bool = False) -> None:
        super().__init__()
        self.refused = refused
        self.answers |= {
            "compliance.list_requests": {"exit_id": "x-korsbaek", "requests": rows},
            "compliance.make_request": ROW, "compliance.draw_report": PAPER | {"state": "requested", "digest": None},
            "compliance.read_paper": PAPER | {"state": state},
        }  # fmt: skip

    def ask(self, user: User, wire: str, data: dict[str, Any], command_id: str = "") -> dict[str, Any]:
        if self.refused and wire == "compliance.make_request":
            raise Rejected("REQUEST_INVALID", "it does not bind", field="basis", da="Det binder ikke.")
        if wire == "compliance.read_paper_part":
            whole, at = b"%PDF-1", data["offset"]
            part = {"part": base64.b64encode(whole[at : at + 4]).decode(), "next_offset": 4 if at == 0 else None}
            self.answers[wire] = {"paper_id": "pap-1", "name": PAPER["name"], "size": 6, **part}
        return super().ask(user, wire, data, command_id)


def inside(backend: Answers, user: User = DPO, language: str = "da") -> FlaskClient:
    app = create_app(backend, lambda: {user.login: user}, today=lambda: date(2026, 10, 8))
    client = app.test_client()
    client.set_cookie(COOKIE, app.extensions["sessions"].begin(user))
    client.get(f"/language/{language}")
    return client


def field(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', page)
    assert found
    return found[1]


@pytest.mark.parametrize(("language", "words"), [
    ("da", ["Endeligt slettebevis, også for backup (BACKUP-EXPIRED)", "Status givet, bevis følger",
            "Data er ikke permanent slettet.", "10. Arbejdsdag efter 06.10.2026",
            "Fristen er overskredet", "lukning af adgange", "17, 22"]),
    ("en", ["Final deletion certificate, backups too (BACKUP-EXPIRED)", "Status given, certificate follows",
            "not permanently deleted",
            "Overdue", "closing of access"]),
])  # fmt: skip
def test_requests_stand_with_their_clock_and_their_answers(language: str, words: list[str]) -> None:
    page = html.unescape(inside(Answers([ROW, LATE]), language=language).get(HERE).text)
    assert [word for word in words if word not in page] == []
    assert "/certificates/crt-1/pdf" in page


def test_a_request_is_sent_once_with_what_was_chosen() -> None:
    backend = Answers([])
    client = inside(backend)
    page = client.get(HERE).text
    form = {"token": field(page, "token"), "command_id": "cmd-1", "choice": "DOCUMENTATION:ACCESS", "basis": "S2-13-a"}
    answer = client.post(HERE, data=form)
    assert answer.status_code == 303 and answer.location.endswith("sent=1")
    sent = [(data, command) for _, wire, data, command in backend.asked if wire == "compliance.make_request"]
    wanted = {"exit_id": "x-korsbaek", "what": "DOCUMENTATION", "basis": "S2-13-a", "subject": "ACCESS"}
    assert sent == [(wanted, "cmd-1")]


def test_what_is_refused_is_told_on_the_page_and_a_form_without_a_token_is_not_taken() -> None:
    client = inside(Answers([], refused=True))
    token = field(client.get(HERE).text, "token")
    answer = client.post(HERE, data={"token": token, "choice": "STATUS:", "basis": "S2-13-a"})
    assert answer.status_code == 400 and "Det binder ikke." in answer.text
    assert client.post(HERE, data={"choice": "STATUS:"}).status_code == 400


def test_who_may_not_ask_is_offered_no_form() -> None:
    page = inside(Answers([ROW]), OPERATOR).get(HERE).text
    assert 'name="choice"' not in page and "/report" not in page


def test_the_report_is_drawn_in_the_page_s_language_and_downloaded_in_parts() -> None:
    backend = Answers([])
    client = inside(backend, language="en")
    page = client.get(HERE).text
    answer = client.post("/exits/x-korsbaek/report", data={"token": field(page, "token"), "command_id": "cmd-2"})
    assert answer.location.endswith("paper=pap-1")
    assert next(data for _, wire, data, _ in backend.asked if wire == "compliance.draw_report")["language"] == "en"
    assert "/papers/pap-1" in client.get(answer.location).text
    paper = client.get("/papers/pap-1")
    assert (paper.data, paper.mimetype, paper.content_length) == (b"%PDF-1", "application/pdf", 6)


@pytest.mark.parametrize("state", ["requested", "failed"])
def test_a_report_that_is_not_there_is_no_download(state: str) -> None:
    assert "/papers/" not in inside(Answers([], state)).get(f"{HERE}?paper=pap-1").text


def test_everything_that_can_be_asked_for_has_words() -> None:
    assert len({choice(value, "da") for value in CHOICES}) == len(CHOICES)
    assert len({choice(value, "en") for value in CHOICES}) == len(CHOICES)
