"""The two registers that the final order needs: equipment (S2 3.1) and the whole chain of sub-suppliers (S2 12.2, 7.3).

Each is given whole; an empty one is an answer. The digest that is told is over opaque content, never over names.
"""

from __future__ import annotations

from collections.abc import Sequence

from services.orders.domain.case import Case
from services.orders.domain.records import Body, Equipment, SubSupplier
from services.orders.domain.refusals import each_once
from shared.rules.profiles import digest_of


def list_equipment(case: Case, data: Body) -> Case:
    """Take the whole register (S2 3.1); raise Rejected ITEM_TWICE or SYSTEM_UNKNOWN."""
    case = case.step("list_equipment")
    items = tuple(map(Equipment.of, data["items"]))
    each_once("ITEM_TWICE", "items", "item", [each.item for each in items])
    for number, each in enumerate(items):
        if each.system is not None:
            case.check_system(f"items.{number}.system", each.system)
    machines = [each for each in items if each.owner == "supplier" and each.kind == "decentral_machine"]
    told = {"digest": _digest([each.body() for each in items]), "items": len(items), "on": case.today}
    return case.put(equipment=items).tell("equipment_listed", told | {"supplier_machines": len(machines)})


def list_sub_suppliers(case: Case, data: Body) -> Case:
    """Take the whole chain (S2 12.2, 7.3); raise Rejected SUB_SUPPLIER_TWICE."""
    case = case.step("list_sub_suppliers")
    chain = tuple(map(SubSupplier.of, data["sub_suppliers"]))
    each_once("SUB_SUPPLIER_TWICE", "sub_suppliers", "sub_supplier", [each.sub_supplier for each in chain])
    holding = [each for each in chain if each.holds_data]
    nameless = [{name: value for name, value in each.body().items() if name != "name"} for each in chain]
    told = {"digest": _digest(nameless), "sub_suppliers": len(chain), "holding_data": len(holding), "on": case.today}
    without = sum(each.dpa_digest is None for each in holding)
    return case.put(sub_suppliers=chain).tell("sub_suppliers_listed", told | {"without_dpa": without})


def _digest(rows: Sequence[Body]) -> str:
    """Give the digest of the rows, in whichever order they came."""
    return digest_of(sorted(rows, key=digest_of))
