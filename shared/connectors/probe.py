"""Probes: which values are worth searching for, and the only form in which they leave a target.

Only high-entropy values count (UUID, case number, CPR, file name), and only SHA-256(seed ‖ value) is kept; without the
seed, which the verifier drops afterwards, it says nothing about a person.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

UUID = r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"
CASE_NUMBER = r"^(?=.*[0-9]{5})[0-9A-Za-zÆØÅæøå][0-9A-Za-zÆØÅæøå./_-]{7,60}$"
CPR = r"^[0-3][0-9][01][0-9]{3}-?[0-9]{4}$"
_HELD, _LONG = 5_000, 64
_WORTH = re.compile(f"{UUID}|{CASE_NUMBER}|{CPR}")


def hashed(seed: bytes, value: str) -> str:
    """Give the form in which a value is kept: SHA-256(seed ‖ UTF-8 of value), hexadecimal."""
    return hashlib.sha256(seed + value.encode("utf-8")).hexdigest()


def worth(value: object) -> bool:
    """Tell whether `value` is rare enough to be searched for."""
    return isinstance(value, str) and len(value) < _LONG and _WORTH.match(value) is not None


def draw(seed: bytes, own: Iterable[str], others: Iterable[str], number: int) -> list[str]:
    """Draw up to `number` of the hashed values that only the tenant has; the seed decides which.

    However many values there are, no more than a few thousand are held: those whose hashes come first.
    """
    mine: set[str] = set()
    for value in own:
        mine.add(hashed(seed, value))
        if len(mine) > 2 * _HELD:
            mine = set(sorted(mine)[:_HELD])
    for value in others:
        mine.discard(hashed(seed, value))
    return sorted(mine)[:number]
