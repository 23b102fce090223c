"""What is told of an order and what is shown of it: bodies as the contracts have them, without a name in any event."""

from __future__ import annotations

from services.orders.domain.case import Case
from services.orders.domain.records import Body


def window_fact(case: Case) -> Body:
    """Give the body of `window_ordered`: the order with its newest dates."""
    agreement, exit_ = case.agreement, case.exit
    of_agreement = ("agreement_id", "customer_cvr", "customer_type", "in_force_on", "takeover_day", "numbers")
    of_exit = ("exit_id", "go_live", "operations_end", "scope", "tenant", "map_digest")
    return {
        **{name: getattr(agreement, name) for name in of_agreement},
        **{name: getattr(exit_, name) for name in of_exit},
        "agreement_end": case.end,
        "profiles": list(agreement.profiles),
        "lawyer_confirmed": list(agreement.lawyer_confirmed),
        "systems": [system.body() for system in exit_.systems],
        "amendments": [amendment.body() for amendment in agreement.amendments],
    }


def order_fact(case: Case) -> Body:
    """Give the body of `order_placed`."""
    places = [{"line": line, "answer": answer} for line, answer in sorted(case.exit.places.items())]
    return window_fact(case) | {"pinned": [pin.body() for pin in case.exit.pinned], "places": places}
