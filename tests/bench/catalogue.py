"""`catalogue`: 100,000 backup sets held against what their sources show, evaluated and drawn up as a curve."""

from __future__ import annotations

from datetime import date, timedelta

from services.deletion.domain import Backup
from services.deletion.domain import catalogue as rules
from services.deletion.domain.catalogue import Found
from shared.backups import Seen, Set
from tests.bench.figures import Figure, seconds, timed

SETS = 100_000
DELETED, TODAY = date(2026, 10, 1), date(2027, 1, 15)


def measure() -> Figure:
    """Evaluate every set: is it there, is it overdue, is it catalogued, and how many are left on each day."""
    known = [_known(number) for number in range(SETS)]
    found = [_found(number) for number in range(0, SETS, 2)]
    took = seconds(lambda: _evaluate(known, found))
    reference = seconds(lambda: sorted(each.expires_on for each in known))
    return timed("catalogue", f"{SETS:,} sets evaluated", took, "s", "their last days sorted", reference)


def _evaluate(known: list[Backup], found: list[Set]) -> None:
    seen = Seen(tuple(found), (), {})
    answers = seen.answers(Set(each.set_id, each.kind, each.taken_on, each.identity) for each in known)
    begun = {"plads": DELETED}
    stands = rules.evaluate(known, begun, TODAY)
    rows = (Found("plads", each.set_id, each.kind, each.taken_on, each.certain, each.identity) for each in found)
    findings = rules.findings(rows, known, begun)
    points = rules.curve(known, begun, TODAY)
    if (len(answers), len(stands), len(findings), points[0].planned) != (SETS, SETS, 0, SETS):
        raise AssertionError("the catalogue is not what it should be")


def _known(number: int) -> Backup:
    taken = DELETED - timedelta(number % 180)
    expires = DELETED + timedelta(number % 180)
    return Backup("e", "plads", f"s{number}", taken, expires, kind="postgresql", identity=(f"i{number}", f"m{number}"))


def _found(number: int) -> Set:
    return Set(f"renamed{number}", "postgresql", DELETED - timedelta(number % 180), (f"i{number}",), certain=True)
