"""Of two decisions that replace one another the last one told counts, whichever is heard last (design: the bus, 5)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from services.scheduling.domain.heard import Told, heard
from tests.unit.scheduling_play import ACCORD, DIGEST, NOTICE, PROFILES, RETENTION, K, Play, T

LATER = date(2027, 3, 31)
OPTIONS: dict[str, Any] = {"options": [], "covers": [], "silence": "delete_at_k15"}
KEPT = OPTIONS | {"options": [RETENTION]}
INSTRUCTION = {"basis": "INSTRUCTION", "erase_early": False, "digest": DIGEST}
ENDS = NOTICE | {"kind": "termination", "given_on": date(2026, 4, 1), "moved": [{"anchor": "K", "on": K}]}
STAYS = NOTICE | {"kind": "extension", "given_on": date(2026, 4, 2), "moved": [{"anchor": "K", "on": LATER}]}
PAIRS: list[tuple[str, dict[str, Any], str, dict[str, Any]]] = [
    ("orders.options_confirmed", OPTIONS, "orders.options_confirmed", KEPT),
    ("orders.instruction_given", INSTRUCTION | {"kind": "delete", "given_on": date(2026, 1, 15)},
     "orders.instruction_given", INSTRUCTION | {"kind": "return", "given_on": date(2026, 1, 15)}),
    ("delivery.dispatch_set", {"to": "customer"}, "delivery.dispatch_set", {"to": "successor"}),
    ("orders.notice_given", ENDS, "orders.notice_given", STAYS),
    ("orders.dates_confirmed", {"go_live": T, "operations_end": date(2026, 6, 30)},
     "orders.accord_signed", ACCORD | {"kind": "milestone", "subject": "T", "on": LATER, "signed_on": T}),
    ("orders.obligation_answered", {"obligation": "S2-3.2-d", "answer": "met", "on": T},
     "orders.obligation_answered", {"obligation": "S2-3.2-d", "answer": "failed", "on": T}),
]  # fmt: skip


@pytest.mark.parametrize(("first", "said", "second", "said_then"), PAIRS)
def test_the_decision_that_was_told_last_counts_whichever_is_heard_last(
    first: str, said: dict[str, Any], second: str, said_then: dict[str, Any]
) -> None:
    told = [(first, said, 7), (second, said_then, 8)]
    ends = []
    for order in (told, told[::-1]):
        play = Play().order()
        for wire, data, seq in order:
            play.learn(heard(play.exit, Told(wire, data, PROFILES, play.today, seq)))
        left = play.exit
        ends.append((left.inputs, left.silence, left.instructed_on, left.dispatch_to, left.answered, left.done.keys()))
    assert ends[0] == ends[1]
