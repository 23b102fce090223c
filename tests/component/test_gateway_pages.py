"""The pages as people meet them: login, roles, what is shown, and what happens when a service is silent."""

import re
from datetime import date

import pytest

from contracts.errors import Rejected, Unavailable
from services.gateway.app import create_app
from services.gateway.asking import COOKIE
from services.gateway.duties import groups as groups_of
from shared.runtime.logins import User
from tests.component.gateway_answers import DPO, OPERATOR, PASSWORD, PDF, Recorded

AUDITOR = User("monitor", "Overvågning", "p-mon", ("overvågning",), ("*",), PASSWORD)
TODAY = date(2026, 6, 10)
PAGES = ["/exits", "/exits/x-korsbaek", "/exits/x-korsbaek/calendar", "/exits/x-korsbaek/obligations",
         "/exits/x-korsbaek/data", "/exits/x-korsbaek/deletion", "/exits/x-korsbaek/deletion/D7a",
         "/exits/x-korsbaek/certificates", "/keys", "/accessibility"]  # fmt: skip


def _client(backend=None, https=False, today=lambda: TODAY):
    users = {user.login: user for user in (DPO, OPERATOR, AUDITOR)}
    app = create_app(backend or Recorded(), lambda: users, https=https, today=today)
    return app.test_client()


def _token(page):
    return re.search(r'name="token" value="([0-9a-f]+)"', page.text).group(1)


def _log_in(client, login="dpo", password="korsbaek", path="/login"):
    form = {"login": login, "password": password, "token": _token(client.get(path))}
    return client.post(path, data=form)


def _inside(backend=None, login="dpo", **more):
    client = _client(backend, **more)
    app = client.application
    client.set_cookie(COOKIE, app.extensions["sessions"].begin(app.extensions["users"]()[login]))
    return client


class _Gate(Recorded):
    """Answers the gate's question as it is told to."""

    def __init__(self, answer):
        super().__init__()
        self.answer = answer

    def ask(self, user, wire, data, command_id=""):
        assert (wire, user.roles) == ("deletion.restore_check", ("overvågning",))
        if isinstance(self.answer, Exception):
            raise self.answer
        return {"system": data["system"], "released": self.answer, "restores": [], "looked_on": None}


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        (True, 200, "RELEASED"),
        (False, 503, "NOT_RELEASED"),
        (Unavailable("NO_ANSWER", "deletion is silent"), 503, "NO_ANSWER"),
        (Rejected("SYSTEM_UNKNOWN", "no such system"), 404, "SYSTEM_UNKNOWN"),
    ],
)
def test_the_gate_is_open_only_where_deletion_says_so_and_tells_nobody_s_name(answer, status, said):
    told = _client(_Gate(answer)).get("/gate/plads/anvisning")
    assert told.status_code == status
    assert told.json == {"system": "plads/anvisning", "released": status == 200, "answer": said}
    assert _client(_Gate(True)).get("/gate/" + "x" * 201).status_code == 404


def test_whoever_is_not_logged_in_is_sent_to_the_login_and_afterwards_back():
    client = _client()
    answer = client.get("/exits/x-korsbaek/data")
    assert answer.status_code == 302 and answer.location.startswith("/login?next=")
    assert _log_in(client, path=answer.location).location == "/exits/x-korsbaek/data"


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:1", "//[",
                                    "/%09/evil.example", "/exits%0d%0aX: y"])  # fmt: skip
def test_nobody_is_sent_to_another_site_after_the_login(target):
    client = _client()
    assert _log_in(client, path=f"/login?next={target}").location == "/"


def test_a_wrong_password_and_an_unknown_user_get_the_same_answer():
    client = _client()
    wrong, unknown = _log_in(client, password="x"), _log_in(client, login="ingen")
    assert wrong.status_code == unknown.status_code == 401
    assert "Brugernavn eller adgangskode er forkert" in wrong.text and "Brugernavn eller adgangskode" in unknown.text


def test_too_many_wrong_tries_are_stopped_even_with_the_right_password():
    client = _client()
    for _ in range(5):
        assert _log_in(client, password="x").status_code == 401
    assert _log_in(client).status_code == 429


def test_a_form_without_its_token_is_refused_and_changes_nothing():
    client = _client()
    assert client.post("/login", data={"login": "dpo", "password": "korsbaek"}).status_code == 400
    inside = _inside()
    assert inside.post("/logout").status_code == 400
    assert inside.get("/exits").status_code == 200


def test_the_session_cookie_is_out_of_scripts_reach_and_ends_with_the_logout():
    client = _client(https=True)
    cookie = _log_in(client).headers.get_all("Set-Cookie")[0]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Secure" in cookie
    inside = _inside()
    inside.post("/logout", data={"token": _token(inside.get("/exits"))})
    assert inside.get("/exits").status_code == 302


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("language", ["da", "en"])
def test_every_page_is_whole_in_both_languages(path, language):
    client = _inside()
    client.get(f"/language/{language}")
    answer = client.get(path)
    assert answer.status_code == 200
    assert f'<html lang="{language}">' in answer.text and 'class="skip"' in answer.text
    assert len(re.findall(r"<h1[ >]", answer.text)) == 1
    assert "Undefined" not in answer.text and "<script" not in answer.text
    for number, label in re.findall(r'<input id="(\w+)"[^>]*>()', answer.text):
        assert f'for="{number}"' in answer.text, label


def test_every_page_allows_no_script_and_no_third_party():
    headers = _inside().get("/exits").headers
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert headers["Cache-Control"] == "no-store" and headers["X-Content-Type-Options"] == "nosniff"


def test_the_plan_shows_the_phase_who_must_act_and_why_something_waits():
    page = _inside(login="operatoer").get("/exits/x-korsbaek").text
    assert 'aria-current="step"' in page and "Forberedelse" in page
    assert "B4 Databehov opgjort med ny leverandør" in page
    assert (
        "Venter på: at fejlen C2 rettes; B9 Forbindelsestest; datoen 01.06.2026; arkivbeslutning for booking; "
        "kundens instruks om at slette" in page
    )
    assert "mangler 1" in page and "Datoerne strider mod hinanden" in page
    assert "ikke før 30.10.2026, men senest 15.10.2026" in page


def test_the_plan_shows_a_proposed_change_with_its_difference_and_who_has_not_approved_it():
    page = _inside().get("/exits/x-korsbaek").text
    assert "Foreslået ændring af planen" in page and "Der blev givet varsel" in page
    assert "15.07.2027" in page and "K er flyttet (S2 27.1.1)" in page
    assert re.search(r'<strong>Leverandøren</strong>: <a href="#proposal">', page)


def test_the_plan_shows_slack_the_critical_path_next_actors_and_what_is_held_back():
    page = _inside().get("/exits/x-korsbaek").text
    assert "12 dages luft" in page and "ingen luft" in page
    assert re.findall(r'<li><a href="#row-(\w+)">', page.split('class="chain"')[1]) == ["B4", "C3", "D2"]
    assert "Næste: Kunden" in page
    assert "Holder tilbage: C, D, E, F, G, H og 1 til" in page
    assert "at slettestoppet for alle systemer ophæves" in page and "at fejlen OUTSIDE_SCOPE rettes" in page


def test_the_plan_shows_the_timetable_day_by_day_and_changes_in_the_frozen_zone():
    page = _inside().get("/exits/x-korsbaek").text
    assert "fredag 12.06.2026" in page and "Berigtigelse (GDPR art. 16)" in page
    assert "Afventer leverandørens svar" in page


def test_the_timeline_is_described_in_words_and_each_bar_tells_its_dates_and_state():
    page = _inside().get("/exits/x-korsbaek").text
    assert 'role="img" aria-labelledby="timeline-title timeline-text"' in page
    assert "<title>C3 Leverance af data: 01.06.2026–30.06.2026. Planlagt. På den kritiske vej</title>" in page
    assert "style=" not in page


def test_without_a_clock_the_plan_is_shown_without_today():
    def unset():
        raise Unavailable("CLOCK_NOT_SET", "the simulated clock has no instant")

    page = _inside(today=unset).get("/exits/x-korsbaek")
    assert page.status_code == 200 and "I dag" not in page.text


def test_the_calendar_shows_the_next_last_day_first_and_says_what_is_too_late():
    page = _inside().get("/exits/x-korsbaek/calendar").text
    assert page.index("Nødforlængelse") < page.index("Opbevaring efter ophør") < page.index("Opsigelse af aftalen")
    assert "Om 6 dage" in page and "For sent" in page
    assert "15.06.2026" in page and "Forsigtig læsning" in page


def test_obligations_are_shown_with_titles_states_in_words_and_reasons_the_worst_first():
    page = _inside().get("/exits/x-korsbaek/obligations").text
    assert page.index("Misligholdt (1)") < page.index("Løber (1)") < page.index("Ikke sat i gang (1)")
    assert "Fristen er overskredet, siden 01.06.2026" in page and "Intet har sat fristen i gang" in page
    assert "S2-DPA-a" in page and "Instruks: slet eller tilbagelever" in page
    assert "S2-13-a" in page.split("<details>")[1]


def _standing(number, state, reason=None, due=None, **more):
    row = {"id": number, "clause": "", "due": due, "state": state, "reason": reason, "evidence": [], **more}
    return [(group.state, group.duties[0].reason) for group in groups_of([row], ["ski-02-19", "no-such-profile"], [])]


def test_of_what_nothing_was_told_the_profile_says_whether_it_runs_waits_or_was_a_right():
    assert _standing("S2-13-a", "pending", "WAITING") == [("not_started", "NOT_TRIGGERED")]
    assert _standing("S2-24-a", "pending", "WAITING") == [("pending", "WAITING")]
    assert _standing("S2-8.3-a", "pending", "WAITING") == [("not_started", "NOT_TRIGGERED")]  # the option is not taken
    assert _standing("S2-27.2-a", "at_risk", "OVERDUE", "2026-03-02") == [("lapsed", "LAPSED")]
    assert _standing("S2-16.4-a", "at_risk", "OVERDUE", "2026-03-02") == [("at_risk", "OVERDUE")]
    assert _standing("S2-27.2-a", "pending", "LAPSED", "2026-03-02", since="2026-03-03") == [("lapsed", "LAPSED")]


def test_an_obligation_without_a_reason_and_one_that_no_profile_knows_are_shown_all_the_same():
    assert _standing("S9-1-a", "met") == [("met", "")]


def test_a_state_is_never_shown_by_colour_alone():
    page = _inside().get("/exits/x-korsbaek/data").text
    for badge in re.findall(r'<span class="badge [a-z]+">(.*?)</span>\s*([^<]*)</span>', page, re.S):
        assert badge[1].strip()
    assert "Fejl" in page


def test_a_silent_service_costs_one_section_not_the_page():
    page = _inside(Recorded("delivery")).get("/exits/x-korsbaek/data")
    assert page.status_code == 200
    assert "Afsnittet kan ikke vises lige nu" in page.text and "Lukket" in page.text


def test_when_orders_is_silent_the_page_says_so_and_offers_to_try_again():
    answer = _inside(Recorded("orders")).get("/exits")
    assert answer.status_code == 503
    assert "Ophør kan ikke svare lige nu" in answer.text and "NO_ANSWER" in answer.text and "Prøv igen" in answer.text


def test_an_unknown_exit_is_not_found_and_a_missing_role_forbidden():
    assert _inside().get("/exits/x-other").status_code == 404
    assert _inside(login="monitor").get("/exits/x-korsbaek").status_code == 403
    assert _inside().get("/nowhere").status_code == 404


@pytest.mark.parametrize(
    ("seal", "said"),
    [
        ({}, ("PAdES B-LTA: tidsstemplet 4. juli 2026 af CN=Korsbæk TSA.", "til og med 3. juli 2031")),
        (
            {"seal": "B-B", "seal_holds": {"until": "2036-07-03", "stamped_by": None, "stamped_on": None}},
            ("PAdES B-B: uden tidsstempel.", "til og med 3. juli 2036"),
        ),
        ({"seal": "B-B", "seal_holds": None}, ("PAdES B-B: uden tidsstempel.",)),
    ],
)
def test_the_certificate_s_page_says_the_seal_s_level_who_stamped_it_and_until_when_it_holds(seal, said):
    backend = Recorded()
    rows = [backend.answers["compliance.list_certificates"]["certificates"][0] | seal]
    backend.answers["compliance.list_certificates"] = {"exit_id": "x-korsbaek", "certificates": rows}
    shown = _inside(backend).get("/exits/x-korsbaek/certificates").text
    assert all(words in shown for words in said)
    assert ("bedømmes af filen alene" in shown) == (len(said) == 2)


def test_the_dpo_downloads_the_certificate_whole_although_it_comes_in_parts():
    answer = _inside().get("/certificates/c-1/pdf")
    assert answer.data == PDF
    assert answer.headers["Content-Type"] == "application/pdf" and answer.content_length == len(PDF)
    assert "slettebevis-%C3%B8velse.pdf" in answer.headers["Content-Disposition"]


def test_the_dpo_requests_a_certificate_and_the_same_form_twice_is_one_command():
    backend = Recorded()
    client = _inside(backend)
    page = client.get("/exits/x-korsbaek/certificates")
    command = re.search(r'name="command_id" value="([^"]+)"', page.text).group(1)
    form = {"token": _token(page), "command_id": command, "stage": "BACKUP-EXPIRED"}
    for _ in range(2):
        assert client.post("/exits/x-korsbaek/certificates", data=form).location.endswith("certificates?sent=1")
    sent = [
        (actor, data, given) for actor, wire, data, given in backend.asked if wire == "compliance.request_certificate"
    ]
    assert sent == [("p-20b9", {"exit_id": "x-korsbaek", "stage": "BACKUP-EXPIRED"}, command)] * 2


def test_only_who_may_request_a_certificate_is_offered_the_form():
    assert "Send anmodning" in _inside().get("/exits/x-korsbaek/certificates").text
    assert "Send anmodning" not in _inside(login="operatoer").get("/exits/x-korsbaek/certificates").text


def test_the_keys_come_one_a_line():
    assert _inside().get("/keys.txt").text == "ophor.example/evidence+1a2b3c4d+AQID\nx509-sha256:9f86d081\n"


def test_live_and_ready_need_no_login():
    assert _client().get("/live").json == {"process": "gateway", "live": True}
    assert _client().get("/ready").status_code == 200
    assert _client(Recorded("orders")).get("/ready").status_code == 503
