"""An exit as ordered and decided, and the table of what each state takes.

A state is named by what it guarantees: `ordered` (the customer asked for a window), `countered` (the supplier proposed
other dates), `confirmed` (both want the same dates), `placed` (the window is reserved, the profiles are pinned),
`cancelled` (nothing more is taken). What the table does not list is refused (STATE_FORBIDS).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import date

from services.orders.domain.records import (
    Accord,
    Answer,
    ArchiveDecision,
    BillingRun,
    Contact,
    Counter,
    Cover,
    Equipment,
    FixedDate,
    Instruction,
    Meeting,
    Notice,
    Pair,
    Pin,
    Record,
    SubSupplier,
    System,
    Transfer,
    Trigger,
)
from services.orders.domain.refusals import refuse

LIVE = ("ordered", "countered", "confirmed", "placed")
_BEFORE_THE_ORDER = ("answer_places", "hold_meeting")
_AFTER_THE_ORDER = ("confirm_dates", "choose_options", "decide_pairs", "instruct_transfer", "record_billing_run")
_ALWAYS = (
    "list_equipment", "list_sub_suppliers", "name_contact", "instruct", "decide_archive", "propose_accord",
    "sign_accord", "give_notice", "record_trigger", "answer_obligation",
)  # fmt: skip

TRANSITIONS = {
    ("ordered", "confirm_window"): "confirmed",
    ("ordered", "confirm_window(countered)"): "countered",
    ("countered", "answer_counter(accepted)"): "confirmed",
    ("countered", "answer_counter(declined)"): "ordered",
    ("confirmed", "place_final_order"): "placed",
    **{(state, command): state for state in LIVE[:3] for command in _BEFORE_THE_ORDER},
    **{("placed", command): "placed" for command in _AFTER_THE_ORDER},
    **{(state, command): state for state in LIVE for command in _ALWAYS},
    **{(state, "cancel_exit"): "cancelled" for state in LIVE},
}


@dataclass(frozen=True, slots=True)
class Exit(Record):
    """One ordered exit and what was decided about it; `ends_on` is the end of a partial exit's services.

    A register that is None has not been given; an empty one has. `option_ends` is the day on which the look-up or
    retention option ends (O), once a notice or an accord of both fixed it; `moved`: other anchors that a notice fixed;
    `by_silence`: options that the customer's silence took.
    """

    exit_id: str
    agreement_id: str
    customer_cvr: str
    state: str
    go_live: date
    operations_end: date
    tenant: str
    map_digest: str
    systems: tuple[System, ...]
    places: dict[str, str]
    scope: str = "whole"
    services: tuple[str, ...] = ()
    ends_on: date | None = None
    fixed_dates: tuple[FixedDate, ...] = ()
    counter: Counter | None = None
    meeting: Meeting | None = None
    equipment: tuple[Equipment, ...] | None = None
    sub_suppliers: tuple[SubSupplier, ...] | None = None
    contacts: dict[str, Contact] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    covers: tuple[Cover, ...] = ()
    silence: str = ""
    by_silence: tuple[str, ...] = ()
    option_ends: date | None = None
    moved: dict[str, date] = field(default_factory=dict)
    pairs: tuple[Pair, ...] = ()
    transfer: Transfer | None = None
    billing: BillingRun | None = None
    instruction: Instruction | None = None
    archive: dict[str, ArchiveDecision] = field(default_factory=dict)
    accords: dict[str, Accord] = field(default_factory=dict)
    notices: tuple[Notice, ...] = ()
    triggers: dict[str, Trigger] = field(default_factory=dict)
    obligations: dict[str, Answer] = field(default_factory=dict)
    pinned: tuple[Pin, ...] = ()
    over_capacity: bool = False

    @property
    def live(self) -> bool:
        """Tell whether the exit still takes commands."""
        return self.state in LIVE

    @property
    def system_names(self) -> tuple[str, ...]:
        """Give the names of the order's systems."""
        return tuple(system.system for system in self.systems)


def opaque_id(kind: str, command_id: str) -> str:
    """Give the opaque id of what a command brings into the world: nothing but the command is in it."""
    return f"{kind}-" + hashlib.sha256(command_id.encode()).hexdigest()[:24]


def step(state: str, command: str) -> str:
    """Give the next state; raise Rejected STATE_FORBIDS for what the table does not list."""
    following = TRANSITIONS.get((state, command))
    if following is None:
        allowed = ", ".join(sorted(name for before, name in TRANSITIONS if before == state)) or "nothing more"
        raise refuse(
            "STATE_FORBIDS", "exit_id", f"an exit that is {state} does not take {command}", f"it takes {allowed}",
            f"Et exit i tilstanden {state} kan ikke tage imod {command}.",
        )  # fmt: skip
    return following
