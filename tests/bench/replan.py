"""`replan`: a profile changes, and 100 exits get a proposed plan with its difference, against 100 plans alone."""

from __future__ import annotations

from shared.rules.difference import difference
from shared.rules.plan import Plan, make_plan
from shared.rules.profiles import FOLDER, parse_profile
from tests.bench.figures import Figure, seconds, timed
from tests.bench.plan import PROFILES, facts

EXITS = 100
NAME = "ist-standard"


def measure() -> Figure:
    """Read the changed text, plan every exit anew and compare it with the plan that it has."""
    text = (FOLDER / f"{NAME}.yaml").read_text(encoding="utf-8").replace("T -2m", "T -3m")
    standing = _plan_all()
    reference = seconds(_plan_all)
    took = seconds(lambda: _propose_all(text, standing))
    return timed("replan", f"{EXITS} re-plans proposed", took, "s", f"{EXITS} plans made", reference)


def _plan_all() -> list[Plan]:
    return [make_plan(PROFILES, facts(number)) for number in range(EXITS)]


def _propose_all(text: str, standing: list[Plan]) -> None:
    changed = (parse_profile(text, f"{NAME}.yaml"), PROFILES[1])
    for number, before in enumerate(standing):
        after = make_plan(changed, facts(number))
        if not difference(before, after) or before.digest == after.digest:
            raise RuntimeError("the changed profile moved nothing")
