"""How orders refuses: every refusal names code, field, message, remedy and the Danish text; the clause stands in both.

No text quotes a name, an address or another free text of the caller: ids, codes and dates only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date

from contracts.errors import Rejected


def refuse(code: str, field: str, message: str, remedy: str, da: str) -> Rejected:
    """Make a refusal with all its texts."""
    return Rejected(code, message, field=field, remedy=remedy, da=da)


def unknown(kind: str) -> Rejected:
    """Make the refusal of an agreement or exit that is not there."""
    return refuse(
        f"{kind.upper()}_UNKNOWN", f"{kind}_id", f"there is no such {kind}", "check the id", "Id'et findes ikke."
    )


def already(code: str, field: str, message: str, da: str) -> Rejected:
    """Make the refusal of what is there already."""
    return refuse(code, field, message, "use the one that is there", da)


def wrong_party(field: str, message: str, da: str) -> Rejected:
    """Make the refusal of what only the other party may do."""
    return refuse("WRONG_PARTY", field, message, "let the other party do it", da)


def in_order(name: str, first: date, other: str, second: date, *, strict: bool = False, field: str = "") -> None:
    """Refuse DATES_OUT_OF_ORDER, naming the later one's field (or `field`)."""
    if first < second or (first == second and not strict):
        return
    sign, words = ("<", "skal ligge før") if strict else ("≤", "må ikke ligge efter")
    raise refuse(
        "DATES_OUT_OF_ORDER", field or other, f"{name} {first} {sign} {other} {second} does not hold",
        "correct the date", f"{name} ({first}) {words} {other} ({second}).",
    )  # fmt: skip


def not_ahead(field: str, day: date, today: date) -> None:
    """Refuse DATES_OUT_OF_ORDER for what cannot have happened yet."""
    in_order(field.rpartition(".")[2], day, "today", today, field=field)


def each_once(code: str, field: str, key: str, names: Sequence[str]) -> None:
    """Refuse `code` for the first name that is there twice, at its place in the list `field` (at its `key`, if any)."""
    for number, name in enumerate(names):
        if name in names[:number]:
            where = ".".join(part for part in (field, str(number), key) if part)
            raise refuse(code, where, f"{name} is there twice", "name it once", f"{name} står der to gange.")


def among(code: str, field: str, name: str, known: Collection[str]) -> None:
    """Refuse `code` for a name that is not known, listing those that are."""
    if name not in known:
        listed = ", ".join(sorted(known)) or "–"
        raise refuse(
            code, field, f"'{name}' is not known here", f"use one of: {listed}",
            f"'{name}' kendes ikke her. Brug en af: {listed}.",
        )  # fmt: skip


def all_among(code: str, field: str, names: Iterable[str], known: Collection[str]) -> None:
    """Refuse `code` for the first name that is not known, at its place in the list `field`."""
    for number, name in enumerate(names):
        among(code, f"{field}.{number}", name, known)
