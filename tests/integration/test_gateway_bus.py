"""The gateway as a process of its own, over the real bus: login, an empty list, a silent service, a clean stop."""

import json
import re
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from shared.runtime.logins import write_users
from shared.store import mongo as store_mongo
from tests.integration.bus_store_parts import free_ports
from tests.integration.delivery_parts import Stage, stage
from tests.parts import Parts
from tests.waiting import LONGEST_S, until

USER = {"login": "dpo", "name": "Mads Skjern", "actor": "p-20b9", "roles": ["kommune_dpo"], "customers": ["11111111"]}


@pytest.fixture(scope="module")
def world(parts: Parts) -> Iterator[Stage]:
    with stage(parts, ("files",)) as made:
        store_mongo.make_indexes(store_mongo.database(made.mongo, "orders"))
        yield made


def answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/live").status_code == 200
    except httpx.HTTPError:
        return False


def token(page: httpx.Response) -> str:
    found = re.search(r'name="token" value="([0-9a-f]+)"', page.text)
    assert found
    return found.group(1)


def test_a_user_made_after_the_start_logs_in_and_sees_what_the_services_answer(world):
    users = world.root / "users.json"
    users.write_text(json.dumps({"version": 1, "users": []}))
    port, health = free_ports(2)
    address = f"http://127.0.0.1:{port}"
    gateway = world.start(
        "gateway", OPHOR_GATEWAY_PORT=str(port), OPHOR_GATEWAY_USERS=str(users), OPHOR_HEALTH_PORT=str(health)
    )
    until(lambda: answers(address), "the gateway answers")
    until(lambda: answers(f"http://127.0.0.1:{health}"), "its health port answers")
    write_users(users, [{**USER, "password": "korsbaek"}])

    with httpx.Client(base_url=address, timeout=LONGEST_S) as browser:
        form = {"login": "dpo", "password": "korsbaek", "token": token(browser.get("/login"))}
        assert browser.post("/login", data=form).status_code == 302
        with ThreadPoolExecutor(2) as pool:  # each waits for who does not answer
            silent, unready = pool.map(browser.get, ("/exits", "/ready"))
        assert silent.status_code == unready.status_code == 503 and "Ophør kan ikke svare lige nu" in silent.text

        world.start("face", "orders")
        until(lambda: browser.get("/ready").status_code == 200, "orders answers")
        page = browser.get("/exits")
        assert page.status_code == 200 and "Der er ingen exitforløb endnu." in page.text
        assert browser.get("/exits/x-unknown").status_code == 404
        assert browser.get("/metrics").status_code == 404  # this port is for everybody
    told = httpx.get(f"http://127.0.0.1:{health}/metrics").text
    assert 'ophor_call_seconds_count{outcome="ok",wire="orders.status"}' in told

    gateway.send_signal(signal.SIGTERM)
    assert gateway.wait(LONGEST_S) == 0
    assert "korsbaek" not in (world.root / "log").read_text("utf-8")
