"""Reasons of stage DELIVERY: it says what was handed over and that the receiver's own receipt is for exactly that."""

from __future__ import annotations

from collections.abc import Iterator

from services.compliance.domain.refusals.base import Refusal
from services.compliance.evidence import Logged
from services.compliance.facts import Facts


def of_delivery(facts: Facts) -> Iterator[Refusal]:
    """Tell what is missing of the package, its way and its receipt (S1 B5, C4; §9 for a transfer)."""
    if facts.cancelled:
        yield Refusal("EXIT_CANCELLED", "the exit was cancelled")
    if facts.instruction is None and facts.dispatch is None:
        yield Refusal("INSTRUCTION_MISSING", "neither an instruction nor a way of dispatch is in the log")
    if facts.delivered is None:
        yield Refusal("DELIVERY_MISSING", "no package was delivered")
        return
    yield from _of_way(facts)
    yield from _of_package(facts, facts.delivered)
    yield from _of_receipt(facts, facts.delivered)


def _of_way(facts: Facts) -> Iterator[Refusal]:
    way = facts.dispatch
    if way is None:  # the log keeps no order between the two: they come from one service, over a bus that keeps none
        yield Refusal("DISPATCH_MISSING", "the log does not say how and to whom the package was sent")
    elif way.entry["to"] == "successor" and not way.entry["transfer_instruction_digest"]:
        yield Refusal("TRANSFER_NOT_INSTRUCTED", "handed to a successor without the customer's transfer instruction")


def _of_package(facts: Facts, delivered: Logged) -> Iterator[Refusal]:
    known = {line["system"] for line in facts.systems}
    places = delivered.entry["places"]
    for name in sorted({one["system"] for one in places} - known):
        yield Refusal("DELIVERED_UNKNOWN", f"{name}: was delivered and is no system of the order")
    rows = sum(one["rows"] for one in places)
    if rows != delivered.entry["rows"]:
        yield Refusal("DELIVERY_SUM_WRONG", f"{rows} rows by place, {delivered.entry['rows']} in the package")


def _of_receipt(facts: Facts, delivered: Logged) -> Iterator[Refusal]:
    package, receipt = delivered.entry, facts.accepted
    if facts.rejected and facts.rejected.entry["package_id"] == package["package_id"]:
        yield Refusal("DELIVERY_REJECTED", "the customer rejected the last package")
    if receipt is None or receipt.entry["package_id"] != package["package_id"]:
        yield Refusal("DELIVERY_NOT_ACCEPTED", "the receiver has given no receipt for the last package")
        return
    if receipt.entry["package_digest"] != package["package_digest"]:
        yield Refusal("RECEIPT_DIFFERS", "the receipt's digest is not the package's")
    if receipt.index < delivered.index:
        yield Refusal("ACCEPTED_BEFORE_DELIVERY", "the receipt is older than the last delivery of the package")
