"""The pages of deletion as people meet them: what is shown in each state, who may do what, and what is sent."""

from __future__ import annotations

import html
import re
from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient

from contracts.deletion_holds import OVERRIDE_REASONS
from contracts.deletion_jobs import PAUSE_REASONS
from contracts.errors import Rejected, Unavailable
from services.deletion.domain import OVERRIDES
from services.gateway.app import create_app
from services.gateway.asking import COOKIE
from services.gateway.deletion_pages import DONE
from services.gateway.texts import TEXTS
from shared.runtime.logins import User
from shared.words import deletion as told
from tests.component.deletion_answers import (
    ASKED,
    FIRST,
    OTHER,
    PLACES,
    hold,
    job,
    physical,
    place,
    recorded,
    request,
    under_way,
)
from tests.component.gateway_answers import DIGEST, DPO, OPERATOR, PASSWORD, Recorded

OFFICER = User("slet", "Oluf Lund", "p-1f6d", ("ist_sletteansvarlig",), ("*",), PASSWORD)
LEAD = User("lead", "Karla Friis", "p-7c1e", ("kommune_projektleder",), ("11111111",), PASSWORD)
APPROVER = User("godkender", "Ulla Jacobsen", "p-93fa", ("kommune_godkender",), ("11111111",), PASSWORD)
USERS = {user.login: user for user in (DPO, OPERATOR, OFFICER, LEAD, APPROVER)}
HERE = "/exits/x-korsbaek/deletion"
LINE = {
    "system": "papir", "place": "arkivskab", "subprocessor": None, "through": None, "method": "MEDIA_SANITISED",
    "by": "supplier", "owner": None, "answer": None, "media_class": None, "digest": None, "done_on": None, "role": None,
}  # fmt: skip


def inside(backend: Recorded, user: User = OFFICER, language: str = "da") -> FlaskClient:
    app = create_app(backend, lambda: USERS, today=lambda: date(2026, 7, 3))
    client = app.test_client()
    client.set_cookie(COOKIE, app.extensions["sessions"].begin(user))
    client.get(f"/language/{language}")
    return client


def page(backend: Recorded, path: str = "/D2", user: User = OFFICER, language: str = "da") -> str:
    answer = inside(backend, user, language).get(HERE + path)
    assert answer.status_code == 200
    return html.unescape(answer.text)


def form(text: str, action: str) -> dict[str, str]:
    """Read a form's hidden fields from a page."""
    (body,) = re.findall(rf'<form[^>]*action="{re.escape(action)}"[^>]*>(.*?)</form>', text, re.S)
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', body))


def sent(backend: Recorded, wire: str) -> list[tuple[str, dict[str, Any], str]]:
    return [(actor, data, command) for actor, asked, data, command in backend.asked if asked == wire]


def test_the_preview_shows_what_goes_in_its_order_what_stays_and_why() -> None:
    text = page(recorded([job()], [request(FIRST)]))
    assert text.index("foraeldre") < text.index(">barn<")
    assert all(part in text for part in ("31.000", "31.010", "6 min.", "51.000", "Fælles koder", "Lovkrav", "S1-8.3"))
    assert DIGEST in text and "01.07.2026 kl. 22.08" in text
    assert "<svg" in text and "51.000 rækker slettes, 57 rækker bliver." in text


def test_the_band_has_two_ends_and_a_place_that_goes_as_a_whole_says_so() -> None:
    text = page(recorded([job(places=(place("barn", 20_000, method="truncate"),))]))
    assert "19.990–20.010" in text and "tømmes under ét" in text


def test_rows_without_a_tenant_are_named_with_what_the_map_says_of_them() -> None:
    text = page(recorded([job(places=(place("noter", 7, unowned=3, unowned_reason="NOT_CUSTOMER_DATA"),))]))
    part = text[text.index('id="unowned"') :]
    assert "noter" in part and "Ikke kundens data" in part and ">3<" in part
    assert 'id="unowned"' not in page(recorded([job()]))


def test_what_was_done_below_the_rows_is_told_in_words_with_the_engines_figures() -> None:
    rows = [
        physical("barn", "CLEANED", unit="rows", before=20_000, after=0, remains=["FREE_SPACE", "LOG"]),
        physical("noter", "HELD", "OPEN_SNAPSHOT", unit="rows", before=5, after=5, remains=["LOG"]),
        physical("kort", "ERROR", "TARGET_REFUSED"), physical("arkiv", "NOT_OFFERED"),
    ]  # fmt: skip
    text = page(recorded([job("cleaned", physical=rows)]))
    for said in (
        "Renset<", "20.000 → 0 døde rækker", "ledig plads i filen, databasens log", "holdes fast: en åben transaktion",
        "Ikke renset: ", "Kan ikke renses herfra",
    ):  # fmt: skip
        assert said in text
    assert "TARGET_REFUSED" not in text and "Cleaned" in page(recorded([job(physical=rows)]), language="en")


def test_who_has_approved_who_is_missing_and_when_it_lapses_is_shown() -> None:
    text = page(recorded([job()], [request(FIRST)]))
    assert "Godkendt 01.07.2026 kl. 10.00" in text and "Kommunens godkender" in text
    assert "mangler 1" in text and "bortfalder 15. juli 2026" in text


def test_an_approval_of_another_plan_is_not_shown_as_one_of_this() -> None:
    text = page(recorded([job()], [request(FIRST, digest=OTHER)]))
    assert "Der er ikke bedt om godkendelse" in text and "Godkend sletningen" not in text


@pytest.mark.parametrize(
    ("user", "offered"), [(OFFICER, "form"), (APPROVER, "Du har godkendt"), (LEAD, ""), (OPERATOR, "")]
)
def test_only_who_may_still_approve_is_offered_to(user: User, offered: str) -> None:
    text = page(recorded([job()], [request(FIRST)]), user=user)
    assert ("Godkend sletningen" in text) == (offered == "form")
    assert ("Du har godkendt denne plan" in text) == (offered == "Du har godkendt")


def test_an_approval_carries_the_digest_that_was_shown_and_twice_the_same_form_is_one_command() -> None:
    backend = recorded([job()], [request(FIRST)])
    client = inside(backend)
    given = form(client.get(f"{HERE}/D2").text, f"{HERE}/D2/approve") | {"seen": "1"}
    for _ in range(2):
        assert client.post(f"{HERE}/D2/approve", data=given).location == f"{HERE}/D2?done=approve"
    data = {"exit_id": "x-korsbaek", "activity": "D2", "job_id": "x-korsbaek.D2.1", "plan_digest": DIGEST}
    assert sent(backend, "scheduling.approve") == [("p-1f6d", data, given["command_id"])] * 2
    assert "Din godkendelse er modtaget." in client.get(f"{HERE}/D2?done=approve").text


def test_nothing_is_approved_without_the_tick_or_the_token() -> None:
    backend = recorded([job()], [request(FIRST)])
    client = inside(backend)
    given = form(client.get(f"{HERE}/D2").text, f"{HERE}/D2/approve")
    answer = client.post(f"{HERE}/D2/approve", data=given)
    assert answer.status_code == 400 and "Sæt kryds" in answer.text and given["command_id"] in answer.text
    assert client.post(f"{HERE}/D2/approve", data=given | {"seen": "1", "token": "x"}).status_code == 400
    assert not sent(backend, "scheduling.approve")


class Refusing(Recorded):
    """Refuses one command as its service would."""

    error: Any = None
    wire = ""

    def ask(self, user: User, wire: str, data: dict[str, Any], command_id: str = "") -> dict[str, Any]:
        if wire == self.wire:
            raise self.error
        return super().ask(user, wire, data, command_id)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Rejected("PLAN_DIGEST_DIFFERS", "another plan", remedy="look again", da="Planen er en anden nu."), 400),
        (Unavailable("NO_ANSWER", "no answer", remedy="repeat", da="Intet svar inden fristen."), 503),
    ],
)
def test_what_a_service_refuses_is_told_where_it_was_sent_from(error: Any, status: int) -> None:
    backend = Refusing()
    backend.answers |= recorded([job()], [request(FIRST)]).answers
    backend.error, backend.wire = error, "scheduling.approve"
    client = inside(backend)
    given = form(client.get(f"{HERE}/D2").text, f"{HERE}/D2/approve") | {"seen": "1"}
    answer = client.post(f"{HERE}/D2/approve", data=given)
    assert answer.status_code == status and error.da in answer.text and 'role="alert"' in answer.text
    assert f'value="{given["command_id"]}"' in answer.text


def test_a_running_job_shows_how_far_it_is_what_it_waits_for_and_refreshes_only_when_asked_to() -> None:
    backend = recorded([under_way(waits_until="2026-07-01T20:00:00+00:00")])
    client = inside(backend)
    quiet, live = client.get(f"{HERE}/D2"), client.get(f"{HERE}/D2?live=1")
    assert "31.000 af 51.000 rækker slettet (60 %)" in quiet.text and 'max="51000" value="31000"' in quiet.text
    assert "tidligst 01.07.2026 kl. 22.00" in quiet.text and "4 min." in quiet.text
    assert "Refresh" not in quiet.headers and live.headers["Refresh"] == "5"
    over = inside(recorded([under_way("verified")])).get(f"{HERE}/D2?live=1")
    assert "Refresh" not in over.headers


def test_what_is_left_is_told_only_after_the_verifier_has_counted() -> None:
    assert 'data-label="Tilbage" class="num">–<' in page(recorded([under_way()]))
    assert 'data-label="Tilbage" class="num">0<' in page(recorded([under_way("verified")]))


@pytest.mark.parametrize("user", [OFFICER, LEAD, OPERATOR])
def test_a_job_is_paused_with_a_reason_of_the_list_by_who_may(user: User) -> None:
    backend = recorded([under_way()])
    client = inside(backend, user)
    text = client.get(f"{HERE}/D2").text
    if user is OPERATOR:
        assert "Sæt på pause" not in text
        return
    assert all(f'value="{reason}"' in text for reason in PAUSE_REASONS)
    given = form(text, f"{HERE}/D2/pause") | {"reason": "INCIDENT"}
    assert client.post(f"{HERE}/D2/pause", data=given).location == f"{HERE}/D2?done=pause"
    ((_, data, _),) = sent(backend, "deletion.pause_job")
    assert data == {"exit_id": "x-korsbaek", "job_id": "x-korsbaek.D2.1", "reason": "INCIDENT"}


@pytest.mark.parametrize(("user", "offered"), [(OFFICER, False), (LEAD, True)])
def test_what_the_customer_paused_only_the_customer_is_offered_to_resume(user: User, *, offered: bool) -> None:
    backend = recorded([under_way("paused", paused_by="customer", paused_on="2026-07-02")])
    text = page(backend, user=user)
    assert "af kunden siden 02.07.2026" in text and "16.07.2026" in text
    assert ("Genoptag sletningen" in text) == offered


@pytest.mark.parametrize("language", ["da", "en"])
def test_a_stopped_job_says_why_what_to_do_and_who_begins(language: str) -> None:
    stopped = under_way("stopped", stopped_code="SCHEMA_CHANGED", stopped_field="systems.booking.places.barn")
    text = page(recorded([job("stopped", job_id="x-korsbaek.D2.0", stopped_code="TARGET_ERROR"), stopped]),
                language=language)  # fmt: skip
    words = {
        "da": ("Skemaet er ikke det", "Leverandørens operatør", "Intet er gået tabt", "Systemet svarede med en"),
        "en": ("The schema is not the one", "The supplier's operator", "Nothing is lost", "The system answered"),
    }
    assert all(each in text for each in words[language]) and "systems.booking.places.barn" in text
    assert "SCHEMA_CHANGED" in text and "Godkend sletningen" not in text


def test_an_activity_without_a_job_and_a_job_without_places_have_pages_of_their_own() -> None:
    assert "Aktiviteten har ingen sletning endnu" in page(recorded())
    empty = page(recorded([job("requested", [], plan_digest=None, estimated_end=None)]))
    assert "Der er ingen forhåndsvisning endnu" in empty and "<svg" not in empty


def test_names_from_systems_are_shown_as_text_in_table_and_picture() -> None:
    places = [place("<script>alert(1)</script>", 3), place("x" * 200, 4, system="y" * 200)]
    answer = inside(recorded([job(places=places)])).get(f"{HERE}/D2")
    assert answer.status_code == 200 and "<script" not in answer.text and "x" * 200 in answer.text


@pytest.mark.parametrize("silent", ["deletion", "scheduling"])
def test_a_silent_service_costs_its_part_of_the_job_page(silent: str) -> None:
    backend = recorded([job()], [request(FIRST)])
    backend.silent = (silent,)
    text = page(backend)
    assert "Afsnittet kan ikke vises lige nu" in text and ("31.000" in text) == (silent == "scheduling")


def test_holds_are_shown_with_basis_party_and_what_was_asked() -> None:
    text = page(recorded(holds=[hold(override=ASKED), hold(2, system=None, state="lifted", lifted_by=OTHER)]), "")
    assert "Lov eller retskendelse" in text and "Leverandøren har bedt om at sætte det til side" in text
    assert OTHER in text and "alle systemer" in text and "Ophævet" in text
    assert "Slettestop for systemerne" in page(recorded([job()], holds=[hold()]))


@pytest.mark.parametrize(("user", "lifts", "places"), [(OFFICER, 0, 1), (DPO, 1, 1), (OPERATOR, 0, 0)])
def test_who_may_place_and_lift_a_hold_is_offered_it(user: User, lifts: int, places: int) -> None:
    text = page(recorded(holds=[hold()]), "", user)
    assert text.count("/lift") == lifts and text.count('/holds"') == places


def test_a_hold_is_placed_lifted_and_overridden_with_a_digest_as_people_paste_it() -> None:
    backend = recorded(holds=[hold(party="supplier")])
    backend.answers["deletion.override_hold"] = {
        "exit_id": "x-korsbaek", "hold_id": "x-korsbaek.H1", "state": "requested", "code": None,
    }  # fmt: skip
    client, holds = inside(backend), "/exits/x-korsbaek/holds"
    text = client.get(HERE).text
    pasted = {"digest": f" {OTHER.upper()} "}
    for action, more, done in (
        (holds, {"basis": "LAW", "system": ""}, "hold"), (f"{holds}/x-korsbaek.H1/lift", {}, "lift"),
        (f"{holds}/x-korsbaek.H1/override", {"reason": "LAW_LAPSED"}, "requested"),
    ):  # fmt: skip
        assert client.post(action, data=form(text, action) | more | pasted).location == f"{HERE}?done={done}"
    ((_, placed, _),) = sent(backend, "deletion.place_hold")
    assert placed == {"exit_id": "x-korsbaek", "basis": "LAW", "system": None, "digest": OTHER}
    assert sent(backend, "deletion.override_hold")[0][1]["digest"] == OTHER


def test_a_refused_override_is_told_in_words() -> None:
    backend = recorded(holds=[hold()])
    backend.answers["deletion.override_hold"] = {
        "exit_id": "x-korsbaek", "hold_id": "x-korsbaek.H1", "state": "refused", "code": "SAME_PARTY",
    }  # fmt: skip
    client, action = inside(backend), "/exits/x-korsbaek/holds/x-korsbaek.H1/override"
    given = form(client.get(HERE).text, action) | {"reason": "LAW_LAPSED", "digest": OTHER}
    answer = client.post(action, data=given)
    assert answer.status_code == 400 and "Din egen part har bedt om det" in answer.text


def test_what_must_be_attested_is_listed_and_attested_by_its_own_party() -> None:
    answers = {"exit_id": "x-korsbaek", "due_on": "2026-07-15", "lines": [LINE, {**LINE, "place": "bånd",
               "answer": "MEDIA_SANITISED", "media_class": "PURGE", "digest": OTHER, "done_on": "2026-07-02",
               "role": "ist_sletteansvarlig"}]}  # fmt: skip
    backend = recorded(deletion__read_attestations=answers)
    backend.answers["deletion.attest"] = {"exit_id": "x-korsbaek", "state": "attested", "left": 0}
    text = page(backend, "")
    assert "1 af 2 mangler." in text and "15. juli 2026" in text and "PURGE" in text
    assert "/attestations" not in page(backend, "", LEAD)
    client, action = inside(backend), "/exits/x-korsbaek/attestations"
    given = form(client.get(HERE).text, action)
    given |= {"method": "MEDIA_SANITISED", "media_class": "PURGE", "digest": OTHER, "done_on": "2026-07-03"}
    assert client.post(action, data=given).location == f"{HERE}?done=attest"
    ((_, data, _),) = sent(backend, "deletion.attest")
    assert (data["place"], data["subprocessor"], data["media_class"]) == ("arkivskab", None, "PURGE")


def test_what_people_delete_is_named_and_never_told_as_kept() -> None:
    text = page(recorded([job(places=[*PLACES[:2], place("arkivskab", 0, disposition="attested")])]))
    assert "arkivskab (booking)" in text and "Intet bliver tilbage i systemerne" in text


def test_every_reason_basis_and_answer_has_its_words() -> None:
    assert set(told.PAUSES) == set(PAUSE_REASONS) and set(told.OVERRIDES) == set(OVERRIDE_REASONS)
    assert {basis: tuple(reasons) for basis, reasons in OVERRIDES.items()} == told.OVERRIDES_OF
    assert {f"done_{each}" for each in DONE} <= set(TEXTS) and len(PLACES) == 5
