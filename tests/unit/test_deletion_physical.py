"""What the answer below the rows rests on: a first reading, the engine's word, the verifier's own look."""

from __future__ import annotations

from services.deletion import domain
from services.deletion.domain import Job, Place


def job() -> Job:
    places = tuple(
        Place("s", name, "deleted", None, True, count, count, deleted=count)
        for name, count in (("a", 3), ("b", 0), ("c", 0))
    )
    return Job("j", "e", "D2", ("s",), places=places, queue=(("s", "a"), ("s", "b"), ("s", "c"), ("s", "a")))


def listed() -> Job:
    asked = {("s", "a"): "clean", ("s", "b"): "none", ("s", "c"): "clean"}
    return domain.with_touched(job(), {("s", "b"): 2}, asked)


def test_places_that_lost_rows_now_or_earlier_are_listed_once_and_no_others() -> None:
    assert [(row["place"], row["answer"]) for row in listed().physical] == [("a", None), ("b", "NOT_ASKED")]


def test_a_step_is_done_when_every_place_has_an_answer() -> None:
    assert domain.uncleaned(listed()) == 0
    assert domain.uncleaned(domain.with_row(listed(), 0, answer="CLEANED")) == 2


def test_cleaning_is_believed_only_where_the_engines_own_record_has_changed() -> None:
    row = listed().physical[0] | {"answer": "CLEANED", "mark": "before", "before": 3}
    assert domain.seen(row, 0, "rows", "after", ("LOG",))["answer"] == "CLEANED"
    unchanged = domain.seen(row, 3, "rows", "before", ("LOG",))
    assert (unchanged["answer"], unchanged["reason"], unchanged["after"]) == ("ERROR", "EFFECT_NOT_SEEN", 3)


def test_what_the_verifier_could_not_look_at_is_no_success() -> None:
    for answer in ("CLEANED", "HELD"):
        row = domain.not_seen(listed().physical[0] | {"answer": answer}, "TARGET_REFUSED")
        assert (row["answer"], row["reason"]) == ("ERROR", "TARGET_REFUSED")
    failed = listed().physical[0] | {"answer": "ERROR", "reason": "HOLD_PLACED"}
    assert domain.not_seen(failed, "TARGET_REFUSED")["reason"] == "HOLD_PLACED"
