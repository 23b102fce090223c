"""What may be agreed, ordered and decided: pure rules. A decision takes a case and gives the next one, or refuses."""

from services.orders.domain.accords import propose, sign
from services.orders.domain.agreements import Agreement, approve_takeover, register
from services.orders.domain.capacity import Capacity, set_capacity
from services.orders.domain.case import Caller, Case
from services.orders.domain.exits import LIVE, TRANSITIONS, Exit, step
from services.orders.domain.matters import (
    answer_obligation,
    cancel,
    decide_archive,
    instruct,
    keep_silence,
    record_trigger,
)
from services.orders.domain.notices import check_notice, give_notice, read_calendar
from services.orders.domain.ordering import (
    answer_counter,
    answer_places,
    confirm_window,
    hold_meeting,
    order_window,
    place_final_order,
)
from services.orders.domain.preparing import (
    choose_options,
    confirm_dates,
    decide_pairs,
    instruct_transfer,
    name_contact,
    record_billing_run,
)
from services.orders.domain.refusals import already, unknown
from services.orders.domain.registers import list_equipment, list_sub_suppliers
from services.orders.domain.shown import cautions, exit_row

__all__ = [
    "LIVE",
    "TRANSITIONS",
    "Agreement",
    "Caller",
    "Capacity",
    "Case",
    "Exit",
    "already",
    "answer_counter",
    "answer_obligation",
    "answer_places",
    "approve_takeover",
    "cancel",
    "cautions",
    "check_notice",
    "choose_options",
    "confirm_dates",
    "confirm_window",
    "decide_archive",
    "decide_pairs",
    "exit_row",
    "give_notice",
    "hold_meeting",
    "instruct",
    "instruct_transfer",
    "keep_silence",
    "list_equipment",
    "list_sub_suppliers",
    "name_contact",
    "order_window",
    "place_final_order",
    "propose",
    "read_calendar",
    "record_billing_run",
    "record_trigger",
    "register",
    "set_capacity",
    "sign",
    "step",
    "unknown",
]
