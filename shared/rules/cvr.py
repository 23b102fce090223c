"""CVR numbers: eight digits with a mod-11 check digit; KOMBIT's two test authorities fail it and are named here."""

from __future__ import annotations

from stdnum.dk import cvr

TEST_NUMBERS = frozenset({"11111111", "99999999"})


def is_cvr(number: str, *, allow_test: bool) -> bool:
    """Tell whether `number` is a valid CVR; KOMBIT's test numbers only where `allow_test`."""
    return bool(cvr.is_valid(number)) or (allow_test and number in TEST_NUMBERS)
