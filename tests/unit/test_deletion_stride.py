"""A batch takes as many rows as the target bears quickly."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from services.deletion.worker import stride
from services.deletion.worker.stride import FIRST, LEAST, Stride

PLACE = ("maal", "sager")
Batch = Callable[[float], None]


@pytest.fixture
def walk() -> Stride:
    return Stride()


@pytest.fixture
def batch(walk: Stride, monkeypatch: pytest.MonkeyPatch) -> Batch:
    """Give what does a batch that takes so many seconds."""
    now = [0.0]
    monkeypatch.setattr(stride.time, "monotonic", lambda: now[0])

    def take(seconds: float) -> None:
        with walk.timed(PLACE):
            now[0] += seconds

    return take


def test_quick_batches_double_until_the_limit(walk: Stride, batch: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPHOR_BATCH", "3500")
    taken = []
    for _ in range(4):
        taken.append(walk.rows(PLACE))
        batch(0.2)
    assert taken == [FIRST, 2 * FIRST, 3500, 3500]


@pytest.mark.parametrize(("seconds", "rows"), [(2.0, FIRST), (9.0, FIRST // 4)])
def test_a_batch_that_is_not_quick_keeps_its_size_and_a_slow_one_is_quartered(
    walk: Stride, batch: Batch, seconds: float, rows: int
) -> None:
    batch(seconds)
    assert walk.rows(PLACE) == rows
    assert walk.rows(("maal", "noter")) == FIRST


def test_a_slow_batch_that_compares_the_neighbours_keeps_its_size(
    walk: Stride, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(stride.time, "monotonic", lambda: now[0])
    with walk.timed(PLACE, compares=True):
        now[0] += 60.0
    assert walk.rows(PLACE) == FIRST


def test_a_batch_that_fails_is_tried_again_with_fewer_rows_but_never_with_none(walk: Stride) -> None:
    for _ in range(9):
        with pytest.raises(TimeoutError), walk.timed(PLACE):
            raise TimeoutError
    assert walk.rows(PLACE) == LEAST


def test_the_limit_holds_from_the_first_batch_on(walk: Stride, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPHOR_BATCH", "3")
    assert walk.rows(PLACE) == 3
