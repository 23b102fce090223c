"""One undisturbed `ophor demo`, from the order to BACKUP-EXPIRED, looked at from outside.

Targets are counted as their administrators and as the tenants who stayed, never by what the product says of them; the
certificates are judged by the verifier and by `pdfsig`, as a stranger would.
"""

from __future__ import annotations

import base64
import re
import sqlite3
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import httpx
import psycopg
import pytest
from typer.testing import CliRunner

from deploy.demo import data, pladsanvisning
from deploy.demo.world import World
from deploy.stack.processes import PRODUCT
from services.console.main import app
from tests.e2e import searching
from tests.e2e.exits import Exit, Reference
from tests.waiting import until

STAGES = ("ACTIVE-DELETED", "BACKUP-EXPIRED")
FORMS = ("pdf", "bundle")
FLIPS, SEED = 6, 1128
WRITTEN_ON = {("pladsanvisning", "ansoegning"), ("morgenvagt", "fremmoede"), ("booking", "aftaler")}
WRITTEN_ON |= {("sagsindeks", "sager")}
Counts = Counter[tuple[str, str]]


@pytest.fixture(scope="module")
def finished(reference: Reference) -> Exit:
    return reference.exit


@pytest.fixture(scope="module")
def running(reference: Reference) -> Exit:
    return reference.open()


@pytest.fixture(scope="module")
def summary(finished: Exit) -> dict[str, Any]:
    return finished.summary()


@pytest.fixture(scope="module")
def world(finished: Exit) -> World:
    return finished.world


def certificate(summary: dict[str, Any], stage: str) -> dict[str, Any]:
    (found,) = [row for row in summary["certificates"] if row["stage"] == stage]
    return found


def made(world: World, tenant: data.Tenant) -> Counts:
    """Give how many rows of a tenant were made, by system and place."""
    places = world.rows[tenant.cvr]
    return Counter({(system, place): rows for system in places for place, rows in places[system].items()})


# The summary.


def test_the_summary_has_the_shape_that_was_promised(summary: dict[str, Any]) -> None:
    assert set(summary) == {"systems", "attested", "changes_outside_scope", "log", "certificates", "seconds"}
    for row in summary["systems"]:
        assert set(row) == {"system", "place", "delivered", "deleted", "remaining", "classes"}
        assert set(row["classes"]) == {
            "both",
            "deleted_not_delivered",
            "delivered_not_deleted",
            "changed_after_extract",
        }
        assert all(isinstance(row[name], int) and row[name] >= 0 for name in ("delivered", "deleted", "remaining"))
    assert set(summary["log"]) == {"size", "root"} and summary["log"]["size"] > 100
    assert len(base64.b64decode(summary["log"]["root"], validate=True)) == 32
    for row in summary["certificates"]:
        assert set(row) == {"stage", "number", "pdf", "bundle"}
        assert Path(row["pdf"]).is_file() and Path(row["bundle"]).is_file()
    assert summary["seconds"] > 0


def test_both_stages_are_certified_in_their_order(summary: dict[str, Any]) -> None:
    assert tuple(row["stage"] for row in summary["certificates"]) == STAGES
    assert len({row["number"] for row in summary["certificates"]}) == 2


def test_at_least_25_000_rows_of_the_placement_solution_are_delivered(summary: dict[str, Any]) -> None:
    assert sum(row["delivered"] for row in summary["systems"] if row["system"] == "pladsanvisning") >= 25_000


def test_nothing_remains_and_nothing_outside_the_scope_changed(summary: dict[str, Any]) -> None:
    assert {(row["system"], row["place"]) for row in summary["systems"] if row["remaining"]} == set()
    assert summary["changes_outside_scope"] == 0


def test_what_people_act_on_is_attested_and_not_counted(summary: dict[str, Any]) -> None:
    said = {(row["system"], row["place"] or row["subprocessor"]): row["answer"] for row in summary["attested"]}
    assert set(said) == {("extens", "skole-pc"), ("pladsanvisning", "driftscenter")} and all(said.values())
    assert "extens" not in {row["system"] for row in summary["systems"]}


def test_every_row_that_was_made_for_the_leaving_tenant_is_deleted_and_no_other(
    summary: dict[str, Any], world: World
) -> None:
    deleted = Counter({(row["system"], row["place"]): row["deleted"] for row in summary["systems"]})
    assert +deleted == +made(world, data.LEAVING)


def test_every_row_is_delivered_but_logs_and_what_the_case_index_derives(summary: dict[str, Any], world: World) -> None:
    not_delivered = {("pladsanvisning", "login_log"), ("sagsindeks", "sager")}
    places = made(world, data.LEAVING)
    delivered = {(row["system"], row["place"]): row["delivered"] for row in summary["systems"]}
    assert {place: delivered[place] for place in places} == {
        place: 0 if place in not_delivered else rows for place, rows in places.items()
    }


def test_shared_codes_are_delivered_and_kept(summary: dict[str, Any]) -> None:
    codes = [row for row in summary["systems"] if row["place"].startswith("kode_")]
    assert len(codes) >= 3
    assert all(row["delivered"] == row["classes"]["delivered_not_deleted"] > 0 for row in codes)
    assert all(row["deleted"] == 0 for row in codes)


def test_the_classes_add_up_to_what_was_deleted_and_what_was_delivered(summary: dict[str, Any]) -> None:
    for row in summary["systems"]:
        classes = row["classes"]
        assert classes["changed_after_extract"] == 0, row  # access was frozen before the extract
        assert classes["both"] + classes["deleted_not_delivered"] == row["deleted"], row
        assert classes["both"] + classes["delivered_not_deleted"] == row["delivered"], row


# What the run left running, and its files.


def test_nothing_of_the_stack_runs_when_the_demo_has_ended(reference: Reference) -> None:
    assert reference.left_running == []


def test_the_files_that_were_promised_lie_in_the_folder(finished: Exit) -> None:
    assert len(list(finished.out.glob("certificates/*.pdf"))) == len(list(finished.out.glob("bundles/*.zip"))) == 2
    assert len((finished.out / "users.txt").read_text("utf-8").splitlines()) == 6
    assert (finished.out / "users.txt").stat().st_mode & 0o077 == 0


def test_the_table_at_the_end_tells_what_the_summary_tells(reference: Reference, summary: dict[str, Any]) -> None:
    assert f"Bevislog: {summary['log']['size']} poster, rod {summary['log']['root']}" in reference.text
    assert "Ændringer uden for kundens data: 0" in reference.text
    for row in summary["certificates"]:
        assert row["pdf"] in reference.text


# The certificates, judged by others.


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("stage", STAGES)
def test_a_certificate_verifies_as_a_rehearsal_with_the_keys_of_keys_txt(
    finished: Exit, summary: dict[str, Any], stage: str, form: str
) -> None:
    ended = finished.run("verify", "--rehearsal", certificate(summary, stage)[form], *finished.keys)
    assert ended.code == 0, ended.text


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("stage", STAGES)
def test_a_certificate_of_a_rehearsal_is_not_accepted_as_a_real_one(
    finished: Exit, summary: dict[str, Any], stage: str, form: str
) -> None:
    assert finished.run("verify", certificate(summary, stage)[form], *finished.keys).code == 3


@pytest.mark.parametrize("stage", STAGES)
def test_a_certificate_is_not_accepted_without_keys_from_outside(
    finished: Exit, summary: dict[str, Any], stage: str
) -> None:
    assert finished.run("verify", "--rehearsal", certificate(summary, stage)["bundle"]).code == 3


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("stage", STAGES)
def test_a_copy_with_one_byte_changed_is_rejected(
    finished: Exit, summary: dict[str, Any], tmp_path: Path, stage: str, form: str
) -> None:
    true, draw = Path(certificate(summary, stage)[form]).read_bytes(), Random(f"{SEED} {stage} {form}")
    for _ in range(FLIPS):
        at, copy = draw.randrange(len(true)), tmp_path / f"copy.{form}"
        copy.write_bytes(true[:at] + bytes([true[at] ^ (1 << draw.randrange(8))]) + true[at + 1 :])
        ended = CliRunner().invoke(app, ["verify", "--rehearsal", str(copy), *finished.keys])
        assert ended.exit_code in (1, 2), f"byte {at}: {ended.exit_code}\n{ended.output}"
        assert isinstance(ended.exception, SystemExit), f"byte {at}: {ended.exception}"


@pytest.mark.parametrize("stage", STAGES)
def test_pdfsig_finds_the_seal_valid_and_over_the_whole_document(summary: dict[str, Any], stage: str) -> None:
    told = subprocess.run(["pdfsig", certificate(summary, stage)["pdf"]], capture_output=True, text=True, check=False)
    assert "Signature Validation: Signature is Valid." in told.stdout, told.stdout + told.stderr
    assert "Total document signed" in told.stdout


# The targets, asked directly.


def in_postgres(exit_: Exit, user: str, password: str) -> Counts:
    """Count the rows that a user of the placement solution sees, by place."""
    address = exit_.world.servers["pladsanvisning"]
    with psycopg.connect(
        host=address["host"], port=address["port"], dbname=address["database"], user=user, password=password
    ) as base:
        return Counter({
            ("pladsanvisning", place): base.execute(f"SELECT count(*) FROM {place}").fetchone()[0]  # type: ignore[index]
            for place in pladsanvisning.tenant_places()
        })  # fmt: skip


def in_mongodb(exit_: Exit, tenant: data.Tenant) -> Counts:
    with exit_.documents() as client:
        base = client.morgenvagt
        return Counter({
            ("morgenvagt", place): base[place].count_documents({"kommune": tenant.code})
            for place in exit_.world.rows[tenant.cvr]["morgenvagt"]
        })  # fmt: skip


def in_booking(exit_: Exit, tenant: data.Tenant) -> Counts:
    folder = exit_.world.folder / "booking"
    return Counter({
        ("booking", place): sum(1 for _ in (folder / place).glob(f"{tenant.code}/*"))
        for place in exit_.world.rows[tenant.cvr]["booking"]
    })  # fmt: skip


def in_case_index(exit_: Exit, tenant: data.Tenant, sender: str = data.OWN_SYSTEM) -> Counts:
    with closing(sqlite3.connect(exit_.world.folder / "case-index" / "index.sqlite")) as base:
        query = "SELECT count(*) FROM sag WHERE ejer_cvr = ? AND afsender = ? AND NOT removed"
        return Counter({("sagsindeks", "sager"): base.execute(query, (tenant.cvr, sender)).fetchone()[0]})


def kept(exit_: Exit, tenant: data.Tenant) -> Counts:
    """Count what a tenant that stayed has, in every place."""
    user = pladsanvisning.app_user(tenant)
    return (
        in_postgres(exit_, user, exit_.world.secret(user))
        + in_mongodb(exit_, tenant) + in_booking(exit_, tenant) + in_case_index(exit_, tenant)
    )  # fmt: skip


@pytest.mark.parametrize("tenant", data.STAYING, ids=lambda tenant: tenant.slug)
def test_a_neighbour_still_has_every_row_where_nothing_was_written_and_no_fewer_where_it_wrote(
    running: Exit, world: World, tenant: data.Tenant
) -> None:
    before, now = made(world, tenant), kept(running, tenant)
    assert {place: now[place] for place in before if place not in WRITTEN_ON} == {
        place: rows for place, rows in before.items() if place not in WRITTEN_ON
    }
    assert all(now[place] >= before[place] for place in WRITTEN_ON)


@pytest.mark.parametrize("tenant", data.STAYING, ids=lambda tenant: tenant.slug)
def test_a_neighbours_rows_grew_while_the_exit_ran(running: Exit, world: World, tenant: data.Tenant) -> None:
    assert kept(running, tenant).total() > made(world, tenant).total()


def test_nothing_of_the_leaving_tenant_is_left_in_any_target(running: Exit) -> None:
    codes = [tenant.code for tenant in data.STAYING]
    with running.placement() as base:
        everything = Counter({
            ("pladsanvisning", place): base.execute(f"SELECT count(*) FROM {place}").fetchone()[0]  # type: ignore[index]
            for place in pladsanvisning.tenant_places()
        })  # fmt: skip
        others = base.execute("SELECT count(*) FROM ansoegning WHERE NOT kommunekode = ANY(%s)", (codes,)).fetchone()
    users = [pladsanvisning.app_user(tenant) for tenant in data.STAYING]
    neighbours = sum((in_postgres(running, user, running.world.secret(user)) for user in users), Counter())
    for counts in (everything, neighbours):  # applications come and go while we count: they are asked for by code
        del counts["pladsanvisning", "ansoegning"]
    assert (everything, others) == (neighbours, (0,))
    left = in_mongodb(running, data.LEAVING) + in_booking(running, data.LEAVING)
    assert +(left + in_case_index(running, data.LEAVING)) == Counter()


def test_cases_that_another_system_sent_to_the_case_index_are_left_alone(running: Exit) -> None:
    assert in_case_index(running, data.LEAVING, data.OTHER_SYSTEM).total() > 0


def test_the_leaving_tenants_way_in_is_closed(running: Exit) -> None:
    user = pladsanvisning.app_user(data.LEAVING)
    with pytest.raises(psycopg.OperationalError, match="not permitted to log in"):
        in_postgres(running, user, running.world.secret(user))


def test_the_backups_that_held_the_leaving_tenants_rows_are_gone(finished: Exit, world: World) -> None:
    left = {each.set_id for each in world.sets if (world.backups / each.system / each.set_id).exists()}
    assert len(world.sets) >= 9 and left == set()


# The pages, after `ophor up`.


@pytest.fixture
def browser(running: Exit) -> Iterator[httpx.Client]:
    address = f"http://127.0.0.1:{running.stack.state.ports['pages']}"
    with httpx.Client(base_url=address, timeout=60, follow_redirects=True) as client:
        yield client


def log_in(browser: httpx.Client, exit_: Exit, login: str) -> httpx.Response:
    lines = (line.split() for line in (exit_.out / "users.txt").read_text("utf-8").splitlines())
    (password,) = [words[1] for words in lines if words[0] == login]
    token = re.search(r'name="token" value="([0-9a-f]+)"', browser.get("/login").text)
    assert token
    return browser.post("/login", data={"login": login, "password": password, "token": token.group(1)})


def test_after_ophor_up_everything_runs_again(running: Exit) -> None:
    assert set(PRODUCT) <= {row.name for row in running.stack.status()}
    until(lambda: all(row.ready for row in running.stack.status()), "every process is ready")


@pytest.mark.parametrize("login", ["dpo", "operatoer"])
def test_a_user_of_users_txt_sees_the_exit_in_the_pages(browser: httpx.Client, running: Exit, login: str) -> None:
    page = log_in(browser, running, login)
    assert page.status_code == 200 and page.url.path == "/exits"
    assert data.LEAVING.name in page.text or data.LEAVING.cvr in page.text


def test_the_dpo_downloads_the_very_files_that_lie_in_the_folder(
    browser: httpx.Client, running: Exit, summary: dict[str, Any]
) -> None:
    page = log_in(browser, running, "dpo")
    exits = set(re.findall(r'href="(/exits/[^"/]+)', page.text))
    assert len(exits) == 1
    listed = browser.get(f"{exits.pop()}/certificates")
    links = re.findall(r'class="button (?:primary|secondary)" href="([^"]+)"', listed.text)
    found = {browser.get(link).content for link in links}
    assert found > {Path(row[form]).read_bytes() for row in summary["certificates"] for form in FORMS}
    assert len(found) == len(links) == (len(STAGES) + 1) * len(FORMS)  # the status letter went out by itself


def test_the_pages_tell_plan_notices_and_obligations_of_the_finished_exit(browser: httpx.Client, running: Exit) -> None:
    listed = log_in(browser, running, "dpo").text
    (exit_,) = set(re.findall(r'href="(/exits/[^"/]+)', listed))
    plan = browser.get(exit_).text
    assert 'class="timeline"' in plan and "Tidsplan for exitvinduet" in plan and "Plan godkendt" in plan
    assert "Over fristen</span>" not in plan and "Foreslået ændring" not in plan
    assert "Option på opbevaring" in browser.get(f"{exit_}/calendar").text
    obligations = browser.get(f"{exit_}/obligations").text
    assert "S2-28.1-d" in obligations and "Opfyldt (" in obligations


def test_one_person_does_not_get_in_with_anothers_password(browser: httpx.Client, running: Exit) -> None:
    token = re.search(r'name="token" value="([0-9a-f]+)"', browser.get("/login").text)
    assert token
    wrong = browser.post("/login", data={"login": "dpo", "password": "korsbaek", "token": token.group(1)})
    assert wrong.status_code == 401


# Nothing of the leaving customer's people is left in anything of ours.


def test_the_search_finds_what_is_there(running: Exit) -> None:
    staying, drop = searching.probes(data.STAYING[0]), running.out / "world"
    assert any(searching.in_file(path, staying) for path in searching.files(drop))


def test_no_byte_of_the_leaving_customers_people_is_in_a_collection(running: Exit) -> None:
    found, looked = searching.in_collections(running, searching.probes(data.LEAVING))
    assert looked > 1_000
    assert found == set()


def test_no_byte_of_the_leaving_customers_people_is_in_a_queue_a_log_or_a_file(running: Exit) -> None:
    wanted, names, found = searching.probes(data.LEAVING), set(), set()
    for path in searching.ours(running):
        names.add(path.name)
        found |= searching.in_file(path, wanted)
    assert {"deletion-delete.log", "rabbitmq.log"} <= names
    assert found == set()


def test_the_package_is_not_in_the_drop_any_more(running: Exit) -> None:
    assert list((running.out / "successor").rglob("*.bag.tar.age")) == []
