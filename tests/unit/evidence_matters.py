"""What happens to the small exit of `evidence_events` on its way, and the histories that may not be certified."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from tests.unit.evidence_events import (
    DAYS,
    EXIT,
    PLACES,
    SCOPES,
    Event,
    deleted_exit,
    destruction,
    place,
    plan,
    sha,
)


def hold(system: str | None = None, *, lifted: bool = False) -> list[Event]:
    by = {"hold_id": "hold-1", "digest": sha("hold"), "actor": "usr-dpo", "role": "kommune_dpo", "on": "2026-10-01"}
    placed = {"exit_id": EXIT, **by, "system": system, "basis": "DATA_SUBJECT_REQUEST"}
    end = [("deletion.hold_lifted", {"exit_id": EXIT, **by, "on": "2026-10-02"})] if lifted else []
    return [("deletion.hold_placed", placed), *end]


def proposal(state: str = "proposed") -> Event:
    told = {"proposal_id": "prp-1", "proposal_digest": sha("proposal"), "cause": "notice_given", "changes": 2}
    return "scheduling.plan_proposed", {"exit_id": EXIT, **told, "conflicts": 0, "state": state, "on": "2026-09-01"}


def notice(end: str, *, outcome: str = "accepted", notice_id: str = "ntc-1") -> Event:
    """An emergency extension that moves the agreement's end."""
    return "orders.notice_given", {
        "exit_id": EXIT, "notice_id": notice_id, "kind": "emergency_extension", "variant": None, "by": "customer",
        "outcome": outcome, "code": None, "given_on": "2026-09-10", "effect_on": "2026-09-30",
        "latest_on": "2026-09-16", "clause": "S2 27.1.1", "milestone": None, "services": [],
        "moved": [{"anchor": "K", "on": end}], "options": [], "digest": sha("notice"),
    }  # fmt: skip


def silence(on: str = "2026-10-15") -> Event:
    return "scheduling.silence_applied", {"exit_id": EXIT, "silence": "delete_at_k15", "on": on}


def obligation(name: str, state: str, reason: str, on: str, **more: Any) -> Event:
    told = {"obligation": name, "clause": "S2 13", "state": state, "reason": reason, "due": None, "met_on": None}
    return "scheduling.obligation_changed", {"exit_id": EXIT, **told, "on": on} | more


def cancelled(activity: str) -> Event:
    job = {"activity": activity, "job_id": f"job-{activity}"}
    return "deletion.deletion_cancelled", {"exit_id": EXIT, **job, "on": DAYS[activity]}


def silent_exit(*, applied: bool = True) -> list[Event]:
    """Delivered, never answered; the customer's instruction is to delete then, applied or not."""
    events = [one for one in deleted_exit() if one[0] != "delivery.delivery_accepted"]
    events = [
        (wire, data | {"silence": "delete_at_k15"} if wire == "orders.options_confirmed" else data)
        for wire, data in events
    ]
    at = next(n for n, (wire, _) in enumerate(events) if wire == "access.access_attested")
    return [*events[:at], *([silence()] if applied else []), *events[at:]]


def rejection() -> Event:
    told = {"package_id": "pkg-1", "reason": "incomplete", "digest": sha("rejected"), "actor": "usr-lead"}
    return "delivery.delivery_rejected", {"exit_id": EXIT, **told, "role": "kommune_projektleder", "on": "2026-09-25"}


def late_silence() -> list[Event]:
    """The instruction for silence was applied after the first intent."""
    events = silent_exit(applied=False)
    at = next(n for n, (wire, data) in enumerate(events) if wire.endswith("begun") and data["activity"] == "D2")
    return [*events[:at], silence(), *events[at:]]


def beyond_scope() -> list[Event]:
    """The first deletion also deleted in a system that is the last deletion's."""
    events = deleted_exit()
    mine = [n for n, (_, data) in enumerate(events) if data.get("job_id") == "job-D2"]
    more = destruction("D2", [*PLACES["D2"], place("pladsanvisning", "ekstra", 2)])
    return [*events[: mine[0]], *more, *events[mine[-1] + 1 :]]


def plan_again(**changes: Any) -> Callable[[], list[Event]]:
    return lambda: [*deleted_exit(), plan(2, **changes)]


def instructed_exit(on: str = "2026-09-25") -> list[Event]:
    """Delivered, never accepted; that day the customer instructed once more that it be deleted."""
    events = [one for one in deleted_exit() if one[0] != "delivery.delivery_accepted"]
    first = next(data for wire, data in events if wire == "orders.instruction_given")
    at = next(n for n, (wire, _) in enumerate(events) if wire == "access.access_attested")
    return [*events[:at], ("orders.instruction_given", first | {"given_on": on}), *events[at:]]


def another_package(events: list[Event], before: str = "") -> list[Event]:
    """Hand over a package that takes the accepted one's place, before an event or at last; nobody accepts it."""
    sent = next(data for wire, data in events if wire == "delivery.package_delivered")
    looked = copy.deepcopy(next(one for one in events if one[0] == "delivery.own_copies_looked"))
    looked[1]["rows"] = [one | {"name": "pkg-2"} if one["kind"] == "PACKAGE" else one for one in looked[1]["rows"]]
    at = next((n for n, (wire, _) in enumerate(events) if wire == before), len(events))
    return [*events[:at], ("delivery.package_delivered", sent | {"package_id": "pkg-2"}), *events[at:], looked]


def changed(name: str, **changes: Any) -> Callable[[], list[Event]]:
    """The exit with one kind of its events changed."""
    return lambda: [(wire, data | changes if wire == name else data) for wire, data in deleted_exit()]


def opened(system: str) -> Event:
    line = {"system": system, "state": "frozen", "grants": 1, "verified": True, "on": "2026-10-06"}
    return "access.access_frozen", {"exit_id": EXIT, "activity": "C2", "systems": [line], "on": "2026-10-06"}


def returned_after() -> list[Event]:
    """The customer's last word is to return, not to delete."""
    told = next(data for wire, data in deleted_exit() if wire == "orders.instruction_given")
    return [*deleted_exit(), ("orders.instruction_given", told | {"kind": "return", "given_on": "2026-10-06"})]


FORBIDDEN: list[tuple[str, Callable[[], list[Event]], set[str], int, str]] = [
    ("a later package not accepted", lambda: another_package(deleted_exit(), "deletion.deletion_begun"),
     {"DELIVERY_NOT_ACCEPTED", "DELETED_BEFORE_DELIVERY"}, 14, "before the delivery was accepted"),
    ("deleted before it was instructed", changed("orders.instruction_given", given_on="2026-10-06"),
     {"DELETED_BEFORE_INSTRUCTION"}, 14,
     "before deleting was instructed"),
    ("the index deleted before operations ended", changed("access.access_attested", on="2026-10-01"),
     {"OPERATIONS_NOT_ENDED"}, 14, "before operations ended"),
    ("deleted before the archive had decided", changed("orders.archive_decided", decided_on="2026-10-06"),
     {"ARCHIVE_UNDECIDED"}, 14, "before the archive had decided"),
    ("access open again", lambda: [*deleted_exit(), opened("morgenvagt")], {"ACCESS_NOT_CLOSED"}, 16,
     "not shown to be closed"),
    ("told to return afterwards", returned_after, {"INSTRUCTION_MISSING"}, 14, "no instruction to delete"),
    ("every system held", lambda: [*deleted_exit(), *hold()], {"HELD"}, 15, "held"),
    ("one system held", lambda: [*deleted_exit(), *hold("morgenvagt")], {"HELD"}, 15, "held"),
    ("a proposal open", lambda: [*deleted_exit(), proposal()], {"PROPOSAL_OPEN"}, 15, "waits for its answer"),
    ("a conflict open", plan_again(conflicts=1), {"CONFLICT_OPEN"}, 15, "conflicts"),
    ("the exit cancelled", lambda: [*deleted_exit(), ("orders.exit_cancelled", {
        "exit_id": EXIT, "reason": "withdrawn", "digest": sha("cancel"), "on": "2026-10-06",
    })], {"EXIT_CANCELLED"}, 15, "was cancelled"),
    ("a notice not followed", lambda: [*deleted_exit(), notice("2027-03-31")], {"PLAN_BEHIND"}, 15, "not followed"),
    ("the delivery rejected", lambda: [*deleted_exit(), rejection()], {"DELIVERY_REJECTED"}, 15, "rejected"),
    ("silence never applied", lambda: silent_exit(applied=False), {"SILENCE_NOT_APPLIED"}, 14, "silence"),
    ("silence applied late", late_silence, {"SILENCE_NOT_APPLIED"}, 14, "silence"),
    ("a cancelled job destroyed", lambda: [*deleted_exit(), cancelled("D2")], {"DESTROYED_AFTER_CANCELLATION"}, 14,
     "after its cancellation"),
    ("a system in no scope", plan_again(scopes=SCOPES | {"D2": ()}), {"SYSTEM_NOT_IN_PLAN"}, 12, "no deletion of the"),
    ("a system of another scope", plan_again(scopes={"C7": ("sagsindeks",), "D2": ("morgenvagt", "pladsanvisning")}),
     {"SYSTEM_NOT_INVENTORIED"}, 12, "no place"),
    ("more than the scope", beyond_scope, {"SYSTEM_OUT_OF_SCOPE"}, 12, "not in scope"),
]  # fmt: skip
"""Histories that may not be certified: name, events, the service's reasons, the verifier's check and its words."""
