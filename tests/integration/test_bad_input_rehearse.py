"""Bad input to `ophor rehearse`: one clear error with code, field and remedy, before anything is started or changed."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner, Result

from contracts import system_map
from deploy.stack.ports import Ports
from services.console import rehearsal
from services.console.main import app
from tests.integration import rehearse_targets as targets
from tests.parts import Parts

Change = Callable[[targets.Content], Any]


class Shop:
    """The marked target, its part of a map, and `ophor` in a home where nothing has been started."""

    def __init__(self, uri: str, content: targets.Content, folder: Path) -> None:
        self.uri, self.content, self.folder, self.home = uri, content, folder, folder / "home"

    def rehearse(self, *words: str, change: Change = lambda content: None, **said: str) -> Result:
        content = copy.deepcopy(self.content)
        change(content)
        options = {"systems": str(targets.write_map(self.folder, butik=content)), "tenant": targets.LEAVING}
        options |= {"out": str(self.folder / "out")} | said
        given = [word for name, value in options.items() for word in (f"--{name}", value)]
        return CliRunner().invoke(app, ["rehearse", *given, *(words or ("--yes-delete", "butik"))])

    def rows(self) -> int:
        with psycopg.connect(self.uri) as connection:
            row = connection.execute(
                "SELECT (SELECT count(*) FROM ordrelinje) + (SELECT count(*) FROM hold)"
            ).fetchone()
        return int(row[0]) if row else -1

    def execute(self, statement: str) -> None:
        with psycopg.connect(self.uri, autocommit=True) as connection:
            connection.execute(statement.encode())


@pytest.fixture(scope="module")
def made(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("kort")
    with targets.shop(parts.postgres_uri, folder) as (uri, content):
        yield Shop(uri, content, folder)


@pytest.fixture
def shop(made: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.setenv("OPHOR_HOME", str(made.home))
    rehearsal.mark(system_map.load(targets.write_map(made.folder, butik=made.content)), ["butik"])
    before = made.rows()
    yield made
    assert made.rows() == before, "rows were changed"
    assert not (made.home / "stack.json").exists(), "a stack was begun"


def refused(result: Result, code: str, *texts: str, exit_code: int = 2) -> None:
    """See that the error is told in Danish first, with its code, and ends with the right exit code."""
    assert result.exit_code == exit_code, result.output
    assert ("Traceback" not in result.output and result.exception is None) or isinstance(result.exception, SystemExit)
    danish, *english = result.stderr.strip().splitlines()
    assert not danish.startswith(code), danish
    assert english and english[-1].startswith(code), result.stderr
    for text in texts:
        assert text in result.stderr, result.stderr


def put(path: str, value: Any) -> Change:
    def change(content: targets.Content) -> None:
        *folders, last = path.split(".")
        for name in folders:
            content = content[name]
        content[last] = value

    return change


def without(path: str) -> Change:
    def change(content: targets.Content) -> None:
        *folders, last = path.split(".")
        for name in folders:
            content = content[name]
        del content[last]

    return change


def exchange_deleter_and_verifier(content: targets.Content) -> None:
    users = content["credentials"]
    users["delete"], users["verify"] = users["verify"], users["delete"]


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        (put("places.findes_ikke", {"tenant_key": "kunde_nr"}), "MAP_UNKNOWN_PLACE", "places.findes_ikke"),
        (without("places.hold"), "PLACE_NOT_MAPPED", "systems.butik.places.hold"),
        (put("places.hold", {}), "MAP_TENANT_KEY_MISSING", "systems.butik.places.hold"),
        (put("places.hold.tenant_key", "kunde"), "MAP_UNKNOWN_COLUMN", "places.hold.tenant_key"),
        (put("places.ordrelinje.tenant_path", ["tekst", "kunde_nr"]), "TENANT_PATH_BROKEN", "ordrelinje.tenant_path.0"),
        (put("places.hold.deliverd", True), "MAP_UNKNOWN_FIELD", "places.hold.deliverd"),
        (put("slet", True), "MAP_UNKNOWN_FIELD", "systems.butik.slet"),
        (put("deletion", 3), "MAP_FIELD_INVALID", "systems.butik.deletion"),
        (put("kind", "oracle"), "MAP_FIELD_INVALID", "systems.butik.kind"),
        (put("connection.port", "fem"), "MAP_FIELD_INVALID", "connection.port"),
        (put("connection.password", "x"), "MAP_UNKNOWN_FIELD", "connection.password"),
        (put("connection.sslmode", "ja"), "MAP_FIELD_INVALID", "connection.sslmode"),
        (without("connection.host"), "MAP_FIELD_MISSING", "connection.host"),
        (put("credentials.extract.password_file", "secrets/væk"), "MAP_SECRET_MISSING", "extract.password_file"),
        (without("credentials.extract"), "MAP_CREDENTIAL_MISSING", "credentials.extract"),
        (put("access", {"roles": ["butik_app"]}), "MAP_CREDENTIAL_MISSING", "credentials.access"),
        (put("credentials.extract", {"user": "x", "password_env": "HOME"}), "MAP_SECRET_IN_ENVIRONMENT", "extract"),
        (put("credentials.extract.user", "ukendt"), "TARGET_REFUSED", "credentials.extract"),
        (exchange_deleter_and_verifier, "VERIFIER_CAN_WRITE", "credentials.verify"),
        (put("backups", {"folder": "findes/ikke"}), "BACKUPS_UNREADABLE", "backups.folder"),
    ],
)  # fmt: skip
def test_a_wrong_map_is_refused_before_anything_is_changed(shop: Shop, change: Change, code: str, field: str) -> None:
    refused(shop.rehearse(change=change), code, field, " — ")


@pytest.mark.parametrize(
    "body", ["{[", "version: 1", "- liste", "\t", "a: &a [*a]", "[" * 3000, "a: 1\na: 2", "!!python/x {}"]
)
def test_a_file_that_is_no_map_is_refused(shop: Shop, body: str) -> None:
    path = shop.folder / "forkert.yaml"
    path.write_text(body)
    refused(shop.rehearse(systems=str(path)), "MAP_")


def test_a_map_that_is_not_there_is_refused(shop: Shop) -> None:
    refused(shop.rehearse(systems=str(shop.folder / "væk.yaml")), "MAP_UNREADABLE", "væk.yaml")


@pytest.mark.parametrize(
    ("said", "code", "field"),
    [
        ({"cvr": "12345678"}, "CVR_INVALID", "--cvr"),
        ({"cvr": "11-11"}, "CVR_INVALID", "--cvr"),
        ({"tenant": "9999"}, "TENANT_MATCHES_NOTHING", "--absent"),
        ({"tenant": "syv"}, "TENANT_INVALID", "systems.butik.tenant"),
        ({"tenant": ""}, "TENANT_INVALID", "systems.butik.tenant"),
        ({"out": "/dev/null/her"}, "OUT_NOT_WRITABLE", "--out"),
    ],
)
def test_a_wrong_word_is_refused_before_anything_is_changed(
    shop: Shop, said: dict[str, str], code: str, field: str
) -> None:
    refused(shop.rehearse(**said), code, field, " — ")


@pytest.mark.parametrize(
    "words", [("--yes-delete", "butikken"), ("--yes-delete", "butik", "--yes-delete", "x"), ("--absent",)]
)
def test_nothing_begins_without_the_system_s_own_name(shop: Shop, words: tuple[str, ...]) -> None:
    refused(shop.rehearse(*words), "NAME_NOT_CONFIRMED")


def test_a_system_that_does_not_answer_is_named_with_its_address(shop: Shop) -> None:
    with Ports() as ports:
        port = ports.choose()
        result = shop.rehearse(change=put("connection.port", port))
    refused(result, "SYSTEM_UNREACHABLE", f"127.0.0.1:{port}", "systems.butik.connection", exit_code=1)


def test_a_database_that_is_not_there_is_not_taken_for_an_empty_one(shop: Shop) -> None:
    result = shop.rehearse(change=put("connection.database", "findes_ikke"))
    refused(result, "SYSTEM_UNREACHABLE", "findes_ikke", exit_code=1)


def test_a_target_without_a_marker_is_refused_whatever_is_typed(shop: Shop) -> None:
    shop.execute("DROP TABLE ophor_rehearsal_copy")
    refused(shop.rehearse(), "TARGET_NOT_MARKED", "ophor rehearsal prepare")


def test_a_marker_of_more_than_seven_days_is_refused(shop: Shop) -> None:
    shop.execute("UPDATE ophor_rehearsal_copy SET written_at = written_at - 7 * 86400 - 60")
    refused(shop.rehearse(), "MARKER_TOO_OLD", "ophor rehearsal prepare")


def test_a_cycle_that_nothing_breaks_is_refused_with_its_place(shop: Shop) -> None:
    shop.execute("ALTER TABLE hold ALTER leder SET NOT NULL")
    try:
        refused(shop.rehearse(), "CYCLE_NOT_BREAKABLE", "systems.butik.places.")
    finally:
        shop.execute("ALTER TABLE hold ALTER leder DROP NOT NULL")


def test_prepare_tells_a_missing_secret_and_an_unconfirmed_name_like_rehearse(shop: Shop) -> None:
    path = str(targets.write_map(shop.folder, butik=shop.content))
    refused(CliRunner().invoke(app, ["rehearsal", "prepare", path]), "NAME_NOT_CONFIRMED")
    (shop.folder / "secrets" / "tom").write_text("")
    content = copy.deepcopy(shop.content)
    content["credentials"]["prepare"]["password_file"] = "secrets/tom"
    path = str(targets.write_map(shop.folder, butik=content))
    refused(CliRunner().invoke(app, ["rehearsal", "prepare", path, "--yes", "butik"]), "MAP_SECRET_MISSING", "prepare")


def test_a_rehearsal_s_folder_that_cannot_be_read_is_not_begun_anew(shop: Shop) -> None:
    out = shop.folder / "ødelagt"
    out.mkdir(exist_ok=True)
    (out / "rehearsal.json").write_text("{")
    refused(shop.rehearse(out=str(out)), "OUT_UNREADABLE", "--out")
