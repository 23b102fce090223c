"""T10 in orders: storage that the customer's silence took is chosen as if by notice, and not later than a notice."""

from __future__ import annotations

from datetime import date

from services.orders import domain
from services.orders.domain import LIVE
from tests.unit.orders_parts import do, placed, told
from tests.unit.test_orders_domain import refusal

RETENTION = "S2-28.2-retention"
LAST, END = date(2026, 9, 29), date(2026, 9, 30)


def test_t10_storage_that_silence_took_stays_chosen_and_is_ended_by_a_notice() -> None:
    case = domain.keep_silence(placed(), "storage_option")
    assert domain.keep_silence(case, "storage_option") == case and case.exit.options == (RETENTION,)
    assert RETENTION in told(do(case, "choose_options", day=END), "options_confirmed")["options"]
    ended = do(case, "give_notice", day=date(2027, 2, 10), kind="retention_end", given_on="2027-02-10")
    assert told(ended, "notice_given")["outcome"] == "accepted" and ended.exit.option_ends == date(2027, 2, 25)


def test_t10_silence_that_means_deletion_takes_nothing_and_a_cancelled_exit_takes_nothing_more() -> None:
    case = placed()
    gone = do(case, "cancel_exit")
    assert domain.keep_silence(case, "delete_at_k15") == case and domain.keep_silence(gone, "storage_option") == gone
    assert gone.exit.state not in LIVE


def test_t10_storage_at_silence_is_instructed_in_time_for_its_notice() -> None:
    chosen = do(placed(), "choose_options", day=LAST, silence="storage_option")
    assert told(do(chosen, "choose_options", day=END, silence="storage_option"), "options_confirmed")
    late = refusal(lambda: do(placed(), "choose_options", day=END, silence="storage_option"))
    assert late == ("OPTION_LATE", "options")
