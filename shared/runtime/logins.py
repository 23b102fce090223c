"""The file of the pages' users (`OPHOR_GATEWAY_USERS`): who may log in, in which roles, for which customers.

Set-up and the rehearsal write it, the gateway reads it. Passwords are kept as scrypt only, each with its own salt; the
file is its owner's alone. It is JSON: `{"version": 1, "users": [{login, name, actor, roles, customers, password}]}`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from contracts.errors import Rejected, first_path
from contracts.fields import Cvr, Id, Many, Text
from contracts.roles import EVERYONE

_N, _R, _P = 2**14, 8, 1


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may log in: `actor` is the opaque id that tokens carry, `name` is for the pages only."""

    login: str
    name: str
    actor: str
    roles: tuple[str, ...]
    customers: tuple[str, ...]
    password: str = field(repr=False, default="")


class _User(Schema):
    class Meta:
        unknown = RAISE

    login = Id()
    name = Text(200)
    actor = Id()
    roles = Many(fields.String(validate=validate.OneOf(sorted(EVERYONE))), validate=validate.Length(min=1))
    customers = Many(fields.String(validate=lambda value: value == "*" or Cvr().deserialize(value)))
    password = fields.String(required=True, validate=validate.Regexp(r"^scrypt\$\d+\$\d+\$\d+\$[0-9a-f]+\$[0-9a-f]+$"))


class _Users(Schema):
    class Meta:
        unknown = RAISE

    version = fields.Integer(required=True, validate=validate.Equal(1))
    users = fields.List(fields.Nested(_User), required=True)


def load_users(path: Path) -> dict[str, User]:
    """Read the users file, login → user; raise Rejected USERS_INVALID naming the field."""
    try:
        rows = _Users().load(json.loads(path.read_text(encoding="utf-8")))["users"]
    except ValidationError as error:
        messages = error.normalized_messages()  # type: ignore[no-untyped-call]
        raise _invalid(f"users: {first_path(messages)} is not valid") from None
    except (OSError, ValueError):
        raise _invalid("the users file cannot be read") from None
    return {
        row["login"]: User(**{**row, "roles": tuple(row["roles"]), "customers": tuple(row["customers"])})
        for row in rows
    }


def _invalid(message: str) -> Rejected:
    return Rejected(
        "USERS_INVALID",
        message,
        field="OPHOR_GATEWAY_USERS",
        remedy="write the users file again",
        da="Filen med brugere kan ikke bruges.",
    )


def hash_password(password: str) -> str:
    """Give the scrypt text that the users file keeps (`scrypt$N$r$p$salt$hash`, hexadecimal)."""
    salt = secrets.token_bytes(16)
    digest = hashlib.scrypt(password.encode(), salt=salt, n=_N, r=_R, p=_P, dklen=32)
    return f"scrypt${_N}${_R}${_P}${salt.hex()}${digest.hex()}"


def fits(password: str, kept: str) -> bool:
    """Tell whether `password` is the one kept as scrypt text, in constant time."""
    _, n, r, p, salt, digest = kept.split("$")
    found = hashlib.scrypt(
        password.encode(), salt=bytes.fromhex(salt), n=int(n), r=int(r), p=int(p), dklen=len(digest) // 2
    )
    return hmac.compare_digest(found.hex(), digest)


def write_users(path: Path, users: list[dict[str, Any]]) -> None:
    """Write a users file from rows with a plain `password` each (hashed here); mode 0600."""
    rows = [{**row, "password": hash_password(row["password"])} for row in users]
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump({"version": 1, "users": rows}, file, ensure_ascii=False, indent=1)
    fresh.replace(path)
