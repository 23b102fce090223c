"""Sessions, passwords, the users file and the brake, with a clock of the test's own."""

import json

import pytest

from contracts.errors import Rejected
from services.gateway.auth import Brake, Sessions, log_in
from shared.runtime.logins import User, fits, hash_password, load_users, write_users

MADS = {"login": "dpo", "name": "Mads", "actor": "p-1", "roles": ["kommune_dpo"], "customers": ["11111111"]}


class Ticking:
    now = 0.0

    def __call__(self):
        return self.now


def _user():
    return User("dpo", "Mads", "p-1", ("kommune_dpo",), ("11111111",), hash_password("rigtig"))


def test_a_password_is_kept_as_scrypt_with_a_salt_of_its_own():
    one, two = hash_password("rigtig"), hash_password("rigtig")
    assert one != two and "rigtig" not in one
    assert fits("rigtig", one) and fits("rigtig", two) and not fits("forkert", one)


def test_only_the_right_password_of_a_known_user_lets_in():
    users = {"dpo": _user()}
    assert log_in(users, "dpo", "rigtig") == users["dpo"]
    assert log_in(users, "dpo", "forkert") is None and log_in(users, "ingen", "rigtig") is None


def test_a_session_ends_when_unused_for_half_an_hour_and_after_eight_hours_in_all():
    clock = Ticking()
    sessions = Sessions(clock)
    idle, busy = sessions.begin(_user()), sessions.begin(_user())
    for minutes in range(0, 8 * 60, 20):
        clock.now = minutes * 60.0
        assert sessions.user(busy) is not None
    assert sessions.user(idle) is None
    clock.now = 8 * 60 * 60.0
    assert sessions.user(busy) is None


def test_an_ended_session_and_an_invented_cookie_are_nobody():
    sessions = Sessions()
    cookie = sessions.begin(_user())
    sessions.end(cookie)
    assert sessions.user(cookie) is None and sessions.user("invented") is None and sessions.user(None) is None


def test_a_form_token_belongs_to_one_cookie():
    sessions = Sessions()
    one, two = sessions.begin(_user()), sessions.begin(_user())
    assert sessions.form_fits(one, sessions.form_token(one))
    assert not sessions.form_fits(two, sessions.form_token(one)) and not sessions.form_fits(one, "ø")
    assert not sessions.form_fits(None, "") and not sessions.form_fits(one, None)


def test_the_brake_lets_go_after_five_minutes_and_holds_one_login_not_its_neighbour():
    clock = Ticking()
    brake = Brake(clock)
    for _ in range(5):
        brake.failed("dpo", "10.0.0.1")
    assert brake.wait("dpo", "10.0.0.1") > 0 and brake.wait("dpo", "10.0.0.2") == 0
    assert brake.wait("operatoer", "10.0.0.1") == 0
    clock.now = 301.0
    assert brake.wait("dpo", "10.0.0.1") == 0


def test_one_address_that_tries_many_logins_is_stopped_for_all():
    brake = Brake(Ticking())
    for number in range(20):
        brake.failed(f"user-{number}", "10.0.0.1")
    assert brake.wait("dpo", "10.0.0.1") > 0


def test_a_users_file_is_written_hashed_for_its_owner_only_and_read_back(tmp_path):
    path = tmp_path / "users.json"
    write_users(path, [{**MADS, "password": "rigtig"}])
    assert path.stat().st_mode & 0o777 == 0o600 and "rigtig" not in path.read_text()
    assert log_in(load_users(path), "dpo", "rigtig").roles == ("kommune_dpo",)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"roles": ["konge"]}, "users.0.roles"),
        ({"customers": ["1"]}, "users.0.customers"),
        ({"password": "klartekst"}, "users.0.password"),
    ],
)
def test_a_wrong_users_file_is_refused_with_the_field(tmp_path, change, field):
    path = tmp_path / "users.json"
    path.write_text(json.dumps({"version": 1, "users": [{**MADS, "password": hash_password("x"), **change}]}))
    with pytest.raises(Rejected) as caught:
        load_users(path)
    assert caught.value.code == "USERS_INVALID" and field in caught.value.message


def test_a_missing_users_file_is_refused(tmp_path):
    with pytest.raises(Rejected):
        load_users(tmp_path / "none.json")
