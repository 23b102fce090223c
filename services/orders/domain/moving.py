"""Moving an exit's dates after the final order: the anchors that change, and the window that moves with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from services.orders.domain import capacity as windows
from services.orders.domain.case import Case
from services.orders.domain.dates import usual_end
from services.orders.domain.refusals import refuse


def reserve_again(case: Case, *, by_right: bool) -> Case:
    """Reserve the window of a go-live day that moved; a right of the customer is not refused for capacity."""
    wanted = windows.window_of(case.profiles, case.exit.exit_id, case.exit.go_live)
    full = windows.full_day(case.capacity, wanted, case.today)
    if full and not by_right and not windows.owes_assistance(case.profiles):
        raise windows.no_window(full)
    case = case.put(over_capacity=full is not None)
    return replace(case, capacity=windows.reserve(case.capacity, wanted, case.today))


def moved_with(case: Case, moved: Mapping[str, date]) -> dict[str, date]:
    """Give what moves when these anchors move: D with T where it hung on it, and D never after K."""
    moves, exit_ = dict(moved), case.exit
    end, go_live = moves.get("K", case.end), moves.get("T", exit_.go_live)
    usual = usual_end(case.profiles, exit_.go_live, case.end) == exit_.operations_end
    hangs = "T" in moves and (usual or exit_.operations_end >= go_live)
    if "D" not in moves and (hangs or exit_.operations_end > end):
        moves["D"] = usual_end(case.profiles, go_live, end)
    return moves


def check_placed(case: Case, field: str) -> None:
    """Refuse MILESTONE_NOT_AGREED: before the final order there is no agreed milestone to move (S1 §4, S2 15.4)."""
    if case.exit.state != "placed":
        raise refuse(
            "MILESTONE_NOT_AGREED", field, "a milestone is agreed by the final order (S1 §4, S2 15.4)",
            "counter-propose, or cancel and order again", "En milepæl er først aftalt ved endelig bestilling (S1 §4).",
        )  # fmt: skip


def move(case: Case, moved: Mapping[str, date], *, by_right: bool) -> Case:
    """Give the exit, and its agreement, the new dates; the window of a placed exit moves with T."""
    days = dict(moved)
    end, go_live = days.pop("K", None), days.pop("T", case.exit.go_live)
    case = case.put(
        operations_end=days.pop("D", case.exit.operations_end),
        option_ends=days.pop("O", case.exit.option_ends),
        moved={**case.exit.moved, **days},
    )
    if end:
        case = case.put(ends_on=end) if case.exit.scope == "partial" else case.agree(agreement_end=end)
    if go_live == case.exit.go_live:
        return case
    case = case.put(go_live=go_live)
    return reserve_again(case, by_right=by_right) if case.exit.state == "placed" else case
