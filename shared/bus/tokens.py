"""Bearer tokens of the bus (design §3.7): minted by an issuer, verified by a face before nameko sees the message.

Rules kept here, numbered as in `verify`:
1. Only EdDSA (Ed25519), by a key that the trust file lists for the issuer that the token names.
2. The audience is the one service that is called.
3. A token lives at most 5 minutes, by real time, never by the rules' clock.
4. An issuer grants only the roles that the trust file allows it; one role too many refuses the whole token.
5. The actor is an opaque id, never a name; customers are CVR numbers or `["*"]`.
Whatever is wrong, only `TokenRefused` leaves `verify`; it never quotes the token.

A caller uses a token for REUSED_S, and a face checks the same token for the same audience once: until it expires its
answer stands, under the keys it was found good with (at most MOST of them are remembered).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contracts.catalogue import COMMANDS
from contracts.errors import Rejected
from contracts.registry import Command

if TYPE_CHECKING:
    from shared.bus.trust import Trust

LIFETIME_S = 300
LEEWAY_S = 5
REUSED_S = 60
MOST = 1_000
ALL_CUSTOMERS = "*"
_ACTOR = re.compile(r"[\w.:\-]{1,80}")
_CUSTOMER = re.compile(r"[0-9]{8}|\*")
_CLAIMS = ["iss", "sub", "aud", "iat", "exp", "roles", "customers"]

Authorise = Callable[[str], str]


class TokenRefused(Exception):
    """The token proves nothing; `reason` is one of a few words, `proven` tells whether its signature was good."""

    def __init__(self, reason: str, *, proven: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.proven = reason, proven


@dataclass(frozen=True, slots=True)
class Actor:
    """Who calls: an opaque id, the roles that the issuer vouches for, and the customers (CVR, or `*` for all)."""

    id: str
    roles: frozenset[str] = frozenset()
    customers: frozenset[str] = frozenset()

    def role_for(self, command: Command | str) -> str:
        """Give the one role in which the actor may give `command`; raise Rejected where there is none or a choice."""
        declared = COMMANDS[command] if isinstance(command, str) else command
        fitting = sorted(self.roles & declared.roles)
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            raise Rejected(
                "ROLE_AMBIGUOUS", f"{declared.wire}: more than one role fits ({', '.join(fitting)})",
                remedy="sign in with one of these roles", da="Vælg én af rollerne.",
            )  # fmt: skip
        raise Rejected(
            "ROLE_MISSING", f"{declared.wire} is for {', '.join(sorted(declared.roles))}",
            remedy="ask somebody in one of these roles", da="Rollen giver ikke adgang til handlingen.",
        )  # fmt: skip

    def require_customer(self, cvr: str) -> None:
        """Raise Rejected unless the actor may act for the customer `cvr`."""
        if ALL_CUSTOMERS not in self.customers and cvr not in self.customers:
            raise Rejected(
                "CUSTOMER_NOT_IN_SCOPE", "the caller may not act for this customer",
                remedy="ask somebody of that customer", da="Der er ikke adgang til denne kunde.",
            )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Issuer:
    """Somebody who may mint tokens: the `name` and key that the trust file knows."""

    name: str
    key: Ed25519PrivateKey = field(repr=False)

    def mint(self, actor: Actor, audience: str, lifetime_s: int = LIFETIME_S) -> str:
        """Mint a token for `actor` to call the service `audience`, valid for `lifetime_s` seconds (at most 300)."""
        now = int(time.time())
        claims = {
            "iss": self.name, "sub": actor.id, "aud": audience, "iat": now, "exp": now + min(lifetime_s, LIFETIME_S),
            "roles": sorted(actor.roles), "customers": sorted(actor.customers),
        }  # fmt: skip
        return jwt.encode(claims, self.key, algorithm="EdDSA")

    def acting(self, actor_id: str, roles: Iterable[str], customers: Iterable[str] = (ALL_CUSTOMERS,)) -> Authorise:
        """Give a function that makes a token for an audience, to hand to `shared.bus.client.Client`."""
        actor = Actor(actor_id, frozenset(roles), frozenset(customers))
        made: dict[str, tuple[float, str]] = {}

        def token(audience: str) -> str:
            until, minted = made.get(audience, (0.0, ""))
            if time.time() >= until:
                until, minted = time.time() + REUSED_S, self.mint(actor, audience)
                made[audience] = until, minted
            return minted

        return token


def verify(token: str, trust: Trust, audience: str) -> Actor:
    """Give the actor that `token` proves to the service `audience`, or raise TokenRefused."""
    expires, actor = trust.proven.get((audience, token), (0, None))
    if actor is not None and time.time() < expires:
        return actor  # type: ignore[no-any-return]
    claims = _authentic(token, trust, audience)
    actor = _permitted(claims, trust)
    if len(trust.proven) >= MOST:
        trust.proven.clear()
    trust.proven[audience, token] = claims["exp"], actor
    return actor


def _permitted(claims: dict[str, Any], trust: Trust) -> Actor:
    if (
        not isinstance(claims["exp"], int)
        or not isinstance(claims["iat"], int)
        or claims["exp"] - claims["iat"] > LIFETIME_S
    ):  # 3
        raise TokenRefused("token-lifetime", proven=True)
    roles, customers = claims["roles"], claims["customers"]
    if not _strings(roles) or not set(roles) <= trust.roles_of(claims["iss"]):  # 4
        raise TokenRefused("token-roles", proven=True)
    if not _ACTOR.fullmatch(claims["sub"]) or not _strings(customers) or not all(map(_CUSTOMER.fullmatch, customers)):
        raise TokenRefused("token-claims", proven=True)  # 5
    return Actor(claims["sub"], frozenset(roles), frozenset(customers))


def _authentic(token: str, trust: Trust, audience: str) -> dict[str, Any]:
    try:
        issuer = jwt.decode(token, options={"verify_signature": False}).get("iss")
        keys = trust.issuer_keys(issuer) if isinstance(issuer, str) else ()
    except jwt.PyJWTError:
        raise TokenRefused("token-malformed") from None
    for key in keys:  # 1, 2, and 3 as far as `exp` goes
        try:
            return jwt.decode(
                token, key, ["EdDSA"], audience=audience, issuer=issuer, leeway=LEEWAY_S, options={"require": _CLAIMS}
            )
        except jwt.InvalidSignatureError:
            continue
        except jwt.ExpiredSignatureError:
            raise TokenRefused("token-expired", proven=True) from None
        except jwt.InvalidAudienceError:
            raise TokenRefused("token-audience", proven=True) from None
        except jwt.PyJWTError:
            raise TokenRefused("token-malformed") from None
    raise TokenRefused("token-forged")


def _strings(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
