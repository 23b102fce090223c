"""What `ophor deletion` shows, at a terminal and in a file, and how it follows a job."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import nullcontext
from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console, RenderableType
from typer.testing import CliRunner

from services.console import deletion, deletion_approve
from services.console import deletion_show as show
from services.console.deletion_live import Follow, Pace
from services.console.deletion_words import STATES, WORDS
from services.console.rehearsing.progress import Progress
from services.deletion.domain import TRANSITIONS
from shared.words import deletion as told
from shared.words.deletion import Sight
from tests.component.deletion_answers import ASKED, FIRST, OTHER, PLACES, hold, job, physical, place, request, under_way
from tests.component.gateway_answers import DIGEST


def shown(*parts: RenderableType, width: int = 110) -> str:
    out = StringIO()
    console = Console(file=out, width=width, highlight=False)
    for part in parts:
        console.print(part)
    return out.getvalue()


def test_a_preview_shows_order_limits_time_what_stays_approvals_and_holds() -> None:
    row = job()
    text = shown(show.preview(told.sight(row), told.consent(row, [request(FIRST)]), [hold()], "da"))
    assert text.index("foraeldre") < text.index("barn") and DIGEST in text
    assert all(part in text for part in ("31.010", "6 min.", "51.000", "Lovkrav", "Udskudt af tilvalget S1-8.3"))
    assert all(part in text for part in ("Kommunens godkender (p-93fa)", "mangler 1", "bortfalder 15.07.2026"))
    assert "Slettestop x-korsbaek.H1 på booking" in text
    english = shown(show.preview(told.sight(row), None, [], "en"))
    assert "nobody is asked" in english and "Shared codes" in english and "31,010" in english


def test_a_preview_tells_of_whole_places_rows_without_a_tenant_and_what_was_done_below_the_rows() -> None:
    places = (place("barn", 20, method="drop", unowned=3, unowned_reason="NOT_CUSTOMER_DATA"),)
    said = physical("barn", "CLEANED", unit="bytes", before=7_600_000, after=32_000, remains=["LOG", "REPLICAS"])
    text = shown(show.preview(told.sight(job("cleaned", places, physical=[said])), None, [], "da"), width=160)
    for part in ("stedet selv fjernes", "Ikke kundens data", "10–30", "7.600.000 → 32.000 ledige bytes", "replikaer"):
        assert part in text


@pytest.mark.parametrize("width", [80, 110])
def test_names_are_shown_whole_and_never_as_markup(width: int) -> None:
    name = "tabel_[bold]med_et_meget_langt_navn_og_historik"
    row = job(places=[place(name, 123_456_789)])
    text = shown(show.preview(told.sight(row), None, [], "da"), width=width)
    squeezed = "".join(line.split("│")[3].strip() for line in text.splitlines() if line.count("│") > 5)
    assert name in squeezed and "123.456.789" in text
    assert max(map(len, text.splitlines())) <= width


def test_sixty_places_and_none_are_shown_too() -> None:
    many = [place(f"tabel_{number}", number) for number in range(60)]
    assert shown(show.preview(told.sight(job(places=many)), None, [], "da")).count("tabel_") == 60
    nothing = told.sight(job("requested", [], plan_digest=None, estimated_end=None))
    assert "ingen forhåndsvisning" in shown(show.preview(nothing, None, [], "da"))
    assert "ingen sletninger" in shown(show.status("x-1", [], "da")) and "ingen slettestop" in shown(
        show.holds("x-1", [], "da")
    )


def test_status_says_what_stands_in_the_way_below_the_table() -> None:
    stopped = under_way("stopped", stopped_code="COUNT_EXCEEDS_PREVIEW", stopped_field="systems.booking.places.barn")
    paused = under_way("paused", activity="D7a", paused_by="customer", paused_on="2026-07-02")
    text = shown(show.status("x-korsbaek", [told.sight(stopped), told.sight(paused)], "da"))
    assert "Der er flere rækker end" in text and "Første skridt: De to godkendere" in text
    assert "systems.booking.places.barn" in text and "slutter af sig selv 16.07.2026" in text
    assert "lovens krav" in " ".join(shown(show.holds("x", [hold(override=ASKED)], "da")).split())


def test_a_job_is_followed_in_plain_lines_each_said_once() -> None:
    rows = [job("permitted"), under_way(), under_way(), under_way(waits_until="2026-07-01T20:00:00+00:00"),
            job("verified", [{**each, "deleted": each["before"]} for each in PLACES[:2]])]  # fmt: skip
    left, out, waited = iter(rows), StringIO(), []
    follow = Follow(Console(file=out, width=110), "da", lambda: told.sight(next(left)))
    follow.wait = waited.append
    assert follow.run(0.5).job["state"] == "verified"
    lines = [line for line in out.getvalue().splitlines() if line.startswith("D2")]
    assert [line.split("  ")[1] for line in lines] == ["tilladelse udstedt", "sletter", "slettet og efterprøvet"]
    assert "100 %" in lines[-1] and waited == [0.5] * 4


def _followed(rows: Iterable[Sight], language: str) -> str:
    left, out = iter(rows), StringIO()
    follow = Follow(Console(file=out, width=80, force_terminal=True), language, lambda: next(left))
    follow.wait = lambda seconds: None
    follow.run(1)
    return out.getvalue()


def test_at_a_terminal_the_last_picture_stays() -> None:
    stopped = told.sight(under_way("stopped", stopped_code="HOLD_PLACED", stopped_field="systems.booking"))
    text = _followed([told.sight(under_way()), stopped], "en")
    assert "A hold stands on one of the systems." in text and "60 %" in text


def test_the_rate_is_what_was_seen_in_the_last_half_minute() -> None:
    pace = Pace()
    assert pace.rate == 0
    for at, deleted in ((0, 0), (10, 10_000), (50, 10_400), (60, 10_500)):
        pace.see(at, deleted)
    assert pace.rate == pytest.approx(10)
    follow = Follow(Console(), "da", lambda: told.sight(under_way()))
    assert "tid tilbage: 4 min." in follow.figures(told.sight(under_way()))
    follow.pace.see(0, 0)
    follow.pace.see(10, 1_000)
    assert {"100 rækker/s", "tid tilbage: 4 min."} <= set(follow.figures(told.sight(under_way())))


def test_the_demos_progress_stands_in_eighty_columns_and_speaks_danish() -> None:
    progress = Progress(Console(), "Korsbæk Kommune")
    progress.jobs = [under_way(), under_way("stopped", stopped_code="HOLD_PLACED")]
    text = shown(progress._draw(), width=80)
    assert "31.000 af 51.000 rækker" in text and "standset" in text and "executing" not in text


def test_what_a_code_means_is_told_without_any_server() -> None:
    run = CliRunner().invoke(deletion.app, ["explain", "OUTSIDE_SCOPE", "--lang", "en"])
    assert run.exit_code == 0 and "not the customer's" in run.stdout and "deletion officer" in run.stdout
    rows = json.loads(CliRunner().invoke(deletion.app, ["explain", "--json"]).stdout)
    assert {"code", "what", "todo", "who"} == set(rows[0]) and len(rows) > 50
    wrong = CliRunner().invoke(deletion.app, ["explain", "X"])
    assert wrong.exit_code == 2 and "CODE_UNKNOWN" in wrong.stderr


@pytest.mark.parametrize("command", [["preview"], ["status"], ["pause"], ["resume"], ["explain"], ["hold", "place"],
                                     ["hold", "lift"], ["hold", "override"], ["hold", "list"]])  # fmt: skip
def test_every_command_has_help_with_examples(command: list[str]) -> None:
    run = CliRunner().invoke(deletion.app, [*command, "--help"])
    assert run.exit_code == 0 and "Eksempler / examples" in run.stdout and "ophor deletion" in run.stdout


def test_every_state_and_text_has_both_languages() -> None:
    assert {state for state, _ in TRANSITIONS} | set(TRANSITIONS.values()) <= set(STATES)
    assert all(len(both) == 2 and all(both) for both in [*WORDS.values(), *STATES.values()])


@pytest.mark.parametrize(
    ("seconds", "danish", "english"),
    [
        (1, "højst 1 min.", "1 min at most"), (61, "2 min.", "2 min"), (7_260, "2 t 1 min.", "2 h 1 min"),
        (180_000, "2 d 2 t", "2 d 2 h"),
    ],
)  # fmt: skip
def test_a_time_span_is_told_in_its_two_largest_units(seconds: int, danish: str, english: str) -> None:
    assert (told.duration(seconds, "da"), told.duration(seconds, "en")) == (danish, english)


def test_an_instant_is_told_in_copenhagens_time_winter_and_summer() -> None:
    assert told.instant("2026-07-01T20:00:00Z", "da") == "01.07.2026 kl. 22.00"
    assert told.instant("2026-12-01T20:00:00+00:00", "en") == "01 Dec 2026 21:00"
    assert OTHER not in told.instant(None, "da")


class Wire:
    """Answers as deletion and scheduling do, and keeps what was sent."""

    def __init__(self, row: dict[str, Any]) -> None:
        self.row, self.sent = row, list[tuple[str, dict[str, Any]]]()

    def call(self, wire: str, data: dict[str, Any], command_id: str | None = None) -> dict[str, Any]:
        self.sent.append((wire, data))
        return self.row if wire == "deletion.read_job" else {"activity": "D2", "given": 1, "needed": 2}


@pytest.mark.parametrize(
    ("state", "given", "expected", "told_so"),
    [
        ("previewed", DIGEST.upper(), 0, "Godkendt (1 af 2)"),
        ("previewed", DIGEST[:12], 2, "PLAN_DIGEST_DIFFERS"),
        ("executing", DIGEST, 2, "NOT_PREVIEWED"),
    ],
)
def test_only_exactly_the_plan_whose_digest_is_given_is_approved(
    monkeypatch: pytest.MonkeyPatch, state: str, given: str, expected: int, told_so: str
) -> None:
    wire = Wire(job(state))
    monkeypatch.setattr(deletion_approve, "client_of", lambda *whose: nullcontext(wire))
    done = CliRunner().invoke(deletion.app, ["approve", "x-korsbaek", "D2", "--digest", given, "--lang", "da"])
    assert done.exit_code == expected and told_so in done.output
    approved = [data for name, data in wire.sent if name == "scheduling.approve"]
    plan = {"exit_id": "x-korsbaek", "activity": "D2", "job_id": "x-korsbaek.D2.1", "plan_digest": DIGEST}
    assert approved == ([plan] if expected == 0 else [])


def test_what_a_program_reads_is_json_alone_at_a_terminal_and_while_a_job_is_followed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wire = Wire(job("previewed"))
    monkeypatch.setattr(deletion_approve, "client_of", lambda *whose: nullcontext(wire))
    monkeypatch.setattr(deletion_approve, "sys", SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: True)))
    given = ["approve", "x-korsbaek", "D2", "--digest", DIGEST, "--json"]
    done = CliRunner().invoke(deletion.app, given, input="y\n")
    typed, _, out = done.stdout.partition("\n")  # the runner echoes what a terminal would
    assert typed.strip() == "y" and json.loads(out)["given"] == 1 and DIGEST in done.stderr
    monkeypatch.setattr(deletion, "client_of", lambda *whose: nullcontext(Wire(job("verified"))))
    ended = CliRunner().invoke(deletion.app, ["status", "x-korsbaek", "D2", "--follow", "--json"])
    assert [each["state"] for each in json.loads(ended.stdout)["jobs"]] == ["verified"] and "D2" in ended.stderr
