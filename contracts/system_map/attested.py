"""What the map says of things in which people act: whose a machine is, what is attested of it, who else processes.

A machine's data stay "in the customer's possession" only where the customer owns it (S2 3.1, T12); sub-processors form
chains, each confirming through the one that it works for (S2 7.3, 12.2).
"""

from __future__ import annotations

from typing import Any

from contracts.system_map.model import rejected

_OF_SUBPROCESSOR = ("SUBPROCESSOR_CONFIRMED",)
_BY_OWNER = {
    "supplier": ("MEDIA_SANITISED",),
    "subprocessor": ("MEDIA_SANITISED",),
    "customer": ("SOFTWARE_REMOVED", "LICENCE_WITHDRAWN", "DATA_LEFT_WITH_CUSTOMER"),
}
"""What has to be attested where the map does not say (S1 D7b, T12): by whose machine or medium it is."""


def attested(source: str, at: str, body: dict[str, Any]) -> dict[str, Any]:
    """Give owner and methods of an attested place, as said or as its party has them; refuse what cannot be (T12)."""
    party, methods = body["attested"], tuple(body["methods"])
    owner = body["owner"] or party
    if not party and (body["owner"] or methods):
        said = "owner" if body["owner"] else "methods"
        raise rejected(source, "MAP_FIELD_INVALID", f"{at}.{said}", "only an attested place has it", "take it out")
    if not party:
        return {"owner": "", "methods": ()}
    methods = methods or (_OF_SUBPROCESSOR if party == "subprocessor" else _BY_OWNER[owner])
    if "DATA_LEFT_WITH_CUSTOMER" in methods and owner != "customer":
        raise rejected(
            source, "MAP_FIELD_INVALID", f"{at}.owner", "data stay with the customer on the customer's machine only",
            "let the machine be collected and its media be sanitised (MEDIA_SANITISED), or correct the owner (S2 3.1)",
        )  # fmt: skip
    return {"owner": owner, "methods": methods}


def subprocessors(source: str, where: str, body: dict[str, Any]) -> dict[str, str]:
    """Give each sub-processor with the one that it confirms through; refuse an unknown one and a ring (S2 12.2)."""
    chain = {name: str(each["through"]) for name, each in body["subprocessors"].items()}
    for name in chain:
        seen, at = {name}, chain[name]
        while at:
            if at in seen or at not in chain:
                raise rejected(
                    source, "MAP_FIELD_INVALID", f"{where}.subprocessors.{name}.through",
                    "the chain ends in no sub-processor of this system", "name one that is listed, without a ring",
                )  # fmt: skip
            seen, at = seen | {at}, chain[at]
    return chain
