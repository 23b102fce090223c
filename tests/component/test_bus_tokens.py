"""Tokens prove who calls, for a short time, to one service, in roles that the issuer may grant."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contracts.errors import Rejected
from shared.bus.tokens import LEEWAY_S, Actor, Issuer, TokenRefused, verify
from tests.unit.bus_parts import CONSOLE, KEYS, TRUST
from tests.waiting import until


def minted(**claims: Any) -> str:
    now = int(time.time())
    body = {
        "iss": "console", "sub": "usr-1", "aud": "orders", "iat": now, "exp": now + 60, "roles": ["kommune_dpo"],
        "customers": ["12345678"], **claims,
    }  # fmt: skip
    kept = {name: value for name, value in body.items() if value is not None}
    return jwt.encode(kept, KEYS["console"], algorithm="EdDSA")


def test_a_minted_token_gives_back_its_actor() -> None:
    actor = Actor("usr-1", frozenset({"kommune_dpo"}), frozenset({"12345678"}))
    assert verify(CONSOLE.mint(actor, "orders"), TRUST, "orders") == actor


def test_a_token_never_lives_longer_than_five_minutes() -> None:
    claims = jwt.decode(CONSOLE.mint(Actor("u"), "orders", 9_999), options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == 300


@pytest.mark.parametrize(
    ("reason", "claims"),
    [
        ("token-expired", {"iat": 1_000, "exp": 1_100}),
        ("token-audience", {"aud": "deletion"}),
        ("token-audience", {"aud": ["deletion", "access"]}),
        ("token-lifetime", {"exp": int(time.time()) + 9_000}),
        ("token-malformed", {"iat": int(time.time()) + 90_000, "exp": int(time.time()) + 90_060}),
        ("token-malformed", {"exp": None}),
        ("token-malformed", {"roles": None}),
        ("token-malformed", {"sub": 7}),
        ("token-roles", {"roles": ["revisor"]}),
        ("token-roles", {"roles": "kommune_dpo"}),
        ("token-roles", {"roles": [["kommune_dpo"]]}),
        ("token-claims", {"sub": "Anders And"}),
        ("token-claims", {"customers": ["all"]}),
        ("token-claims", {"customers": [7]}),
        ("token-forged", {"iss": "nobody"}),
    ],
)
def test_a_wrong_claim_refuses_the_token(reason: str, claims: dict[str, Any]) -> None:
    with pytest.raises(TokenRefused) as refused:
        verify(minted(**claims), TRUST, "orders")
    assert refused.value.reason == reason


def test_a_token_by_another_key_is_forged() -> None:
    other = Issuer("console", Ed25519PrivateKey.generate())
    with pytest.raises(TokenRefused, match="token-forged"):
        verify(other.mint(Actor("u"), "orders"), TRUST, "orders")


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_another_algorithm_is_refused(algorithm: str) -> None:
    key = None if algorithm == "none" else "k" * 32
    token = jwt.encode({"iss": "console", "sub": "u"}, key, algorithm=algorithm)
    with pytest.raises(TokenRefused):
        verify(token, TRUST, "orders")


def test_the_role_of_a_command_is_the_one_that_fits() -> None:
    assert (
        Actor("u", frozenset({"kommune_projektleder", "kommune_dpo"})).role_for("orders.instruct")
        == "kommune_projektleder"
    )


def test_two_fitting_roles_are_refused_and_none_as_well() -> None:
    with pytest.raises(Rejected, match="ROLE_AMBIGUOUS"):
        Actor("u", frozenset({"kommune_godkender", "ist_sletteansvarlig"})).role_for("scheduling.approve")
    with pytest.raises(Rejected, match="ROLE_MISSING"):
        Actor("u", frozenset({"revisor"})).role_for("scheduling.approve")


def test_an_actor_acts_for_its_customers_only() -> None:
    Actor("u", customers=frozenset({"12345678"})).require_customer("12345678")
    Actor("u", customers=frozenset({"*"})).require_customer("12345678")
    with pytest.raises(Rejected, match="CUSTOMER_NOT_IN_SCOPE"):
        Actor("u", customers=frozenset({"87654321"})).require_customer("12345678")


def test_a_token_that_was_found_good_proves_nothing_elsewhere_and_nothing_once_it_has_expired() -> None:
    now = int(time.time())
    token = minted(iat=now - 200, exp=now - LEEWAY_S + 3)  # good for as long as machines' clocks may differ
    assert verify(token, TRUST, "orders") == verify(token, TRUST, "orders")
    with pytest.raises(TokenRefused, match="token-audience"):
        verify(token, TRUST, "deletion")

    def refused() -> bool:
        with suppress(TokenRefused):
            verify(token, TRUST, "orders")
            return False
        return True

    until(refused, "it has expired")


def test_a_caller_uses_one_token_for_a_while_and_another_for_each_service() -> None:
    authorise = CONSOLE.acting("usr-1", ["kommune_dpo"])
    assert authorise("orders") == authorise("orders") != authorise("deletion")
    assert verify(authorise("deletion"), TRUST, "deletion").id == "usr-1"
