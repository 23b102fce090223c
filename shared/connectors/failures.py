"""What goes wrong at a target, in the two families. No text carries what the target said: it may hold values."""

from __future__ import annotations

from collections.abc import Callable

from contracts.errors import Rejected, Unavailable
from contracts.system_map import System


def unreachable(system: str, why: str = "does not answer") -> Unavailable:
    """Make SYSTEM_UNREACHABLE: nobody answered, so nothing is known."""
    return Unavailable(
        "SYSTEM_UNREACHABLE",
        f"{system} {why}",
        field=f"systems.{system}.connection",
        remedy="see that the system runs and that its address in the map is right",
        da=f"Der er ikke forbindelse til {system}.",
    )


def busy(system: str, why: str) -> Unavailable:
    """Make TARGET_BUSY: the target gave the work up because of others' work; nothing of ours was kept."""
    return Unavailable("TARGET_BUSY", f"{system}: {why}", field=f"systems.{system}", remedy="it is tried again")


def refused(system: str, purpose: str) -> Rejected:
    """Make TARGET_REFUSED: the credentials of `purpose` may not do this."""
    return Rejected(
        "TARGET_REFUSED",
        f"{system} refuses this to the credentials of {purpose}",
        field=f"systems.{system}.credentials.{purpose}",
        remedy="give that user exactly the rights its purpose needs",
        da=f"{system} afviser handlingen for formålet {purpose}.",
    )


def wrong_purpose(system: str, purpose: str, needed: str) -> Rejected:
    """Make PURPOSE_REFUSED: a connector opened for one purpose is asked for another's work."""
    return Rejected(
        "PURPOSE_REFUSED",
        f"{system} was opened for {purpose}, this needs {needed}",
        field=f"systems.{system}.credentials.{needed}",
        remedy=f"open it for {needed}",
    )


def verifier_writes(system: str) -> Rejected:
    """Make VERIFIER_CAN_WRITE: whoever verifies must only be able to read."""
    return Rejected(
        "VERIFIER_CAN_WRITE",
        f"the user that verifies {system} may change data there",
        field=f"systems.{system}.credentials.verify",
        remedy="give verify a user that can only read",
        da=f"Den bruger, der efterprøver {system}, må kun kunne læse.",
    )


def outside(system: str, place: str, what: str) -> Rejected:
    """Make OUTSIDE_SCOPE: something of another tenant was, or would have been, touched."""
    return Rejected(
        "OUTSIDE_SCOPE",
        f"{system}: {what}",
        field=f"systems.{system}.places.{place}",
        remedy="nothing was kept; find the reference or trigger that reaches outside the customer's rows",
        da=f"{system}: sletningen ville have ramt data uden for kundens.",
    )


def second_session(system: str, count: int) -> Rejected:
    """Make SECOND_SESSION: somebody else is at the target with our credentials, whose changes nobody accounts for."""
    return Rejected(
        "SECOND_SESSION",
        f"{system}: {count} more sessions use the credentials of delete",
        field=f"systems.{system}.credentials.delete",
        remedy="nothing of this batch was kept; find out whose sessions they are and what they did, give delete a user"
        " that nobody else has, then preview and approve anew",
        da=f"{system}: andre er logget ind med sletningens bruger.",
    )


def require_tenants(system: System, place: str, unowned: Callable[[str], int]) -> None:
    """Raise ROWS_WITHOUT_TENANT where rows of a tenants' place are nobody's and the map does not say what they are."""
    if system.rules[place].without_tenant or not (count := unowned(place)):
        return
    raise Rejected(
        "ROWS_WITHOUT_TENANT",
        f"{system.name}: {count} rows of {place} belong to no tenant (its key is empty, or the path to it breaks off)",
        field=f"systems.{system.name}.places.{place}.without_tenant",
        remedy="give the rows their tenant, or say in the map what they are (without_tenant)",
        da=f"{count} rækker i {place} hører ikke til nogen lejer. Skriv i systemkortet, hvad de er.",
    )


def not_whole(system: str, place: str, what: str) -> Rejected:
    """Make PLACE_NOT_WHOLE: it is not proved that a place which should go as a whole is the customer's alone."""
    return Rejected(
        "PLACE_NOT_WHOLE",
        f"{system}: {place}: {what}",
        field=f"systems.{system}.places.{place}.whole",
        remedy="nothing was changed; take `whole` out of the map, so that only the customer's rows go",
        da=f"{place} kan ikke bevises at være kundens alene. Intet er ændret.",
    )


def place_referenced(system: str, place: str, by: str) -> Rejected:
    """Make PLACE_REFERENCED: something that stays refers to a place which should go as a whole."""
    return Rejected(
        "PLACE_REFERENCED",
        f"{system}: {place} is referred to by {by or 'something else in the system'}",
        field=f"systems.{system}.places.{place}.whole",
        remedy="nothing was changed; remove the reference, or take `whole` out of the map",
        da=f"Noget, der bliver, henviser til {place}. Intet er ændret.",
    )


def target_error(system: str, place: str, what: str) -> Rejected:
    """Make TARGET_ERROR: the target answered with an error of its own (its code only)."""
    return Rejected("TARGET_ERROR", f"{system}: {what}", field=f"systems.{system}.places.{place}" if place else "")
