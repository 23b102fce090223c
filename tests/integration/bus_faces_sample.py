"""A little face for the bus's tests: `python -m tests.integration.bus_faces_sample SERVICE [ordered]`.

What a handler does is told by the first word of the id that it gets: `slow-…` waits until the test says go, `tell-…`
tells an event. The services are `orders`, `scheduling` and `deletion`.
"""

import sys
import warnings

warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
import eventlet  # noqa: E402

eventlet.monkey_patch()

import dataclasses  # noqa: E402
import time  # noqa: E402
from typing import Any  # noqa: E402

from contracts.catalogue import EVENTS  # noqa: E402
from contracts.errors import Rejected, Unavailable  # noqa: E402
from shared.bus import faces  # noqa: E402
from shared.bus.faces import Face, command, on, query  # noqa: E402
from shared.runtime.logging import set_up  # noqa: E402


def behave(face: str, unit: Any, name: str) -> None:
    """Do what the first word of `name` says; every run is noted outside of the transaction."""
    unit.db.runs.insert_one({"face": face, "name": name})
    match name.partition("-")[0]:
        case "slow":
            while (said := unit.db.control.find_one({"_id": name})) is None:
                time.sleep(0.02)
            if said.get("reject"):
                raise Rejected("SAMPLE_REJECTED", "no", field="reference")
        case "bug":
            raise RuntimeError(f"a secret about {name}")
        case "rejected":
            raise Rejected("SAMPLE_REJECTED", "no", field="reference")
        case "unavailable":
            raise Unavailable("SAMPLE_UNAVAILABLE", "not now")


class Orders(Face):
    name = "orders"

    @command
    def register_agreement(self, unit: Any, call: Any) -> dict[str, Any]:
        call.actor.require_customer(call.data["customer"]["cvr"])
        behave("orders", unit, call.data["reference"])
        if call.data["reference"].startswith("tell-"):
            unit.emit("orders.window_confirmed", call.data["reference"], {"exit_id": call.data["reference"]})
        unit.db.agreements.insert_one({"_id": call.id, "day": call.data["takeover_day"]}, session=unit.session)
        return {"agreement_id": f"agr-{call.id}"}

    @command
    def confirm_window(self, unit: Any, call: Any) -> dict[str, Any]:
        unit.emit("orders.window_confirmed", call.data["exit_id"], {"exit_id": call.data["exit_id"]})
        return {"exit_id": call.data["exit_id"], "state": 7}  # not what the contract says

    @query
    def list_exits(self, unit: Any, call: Any) -> dict[str, Any]:
        return {"exits": []}


class Scheduling(Face):
    name = "scheduling"

    @on("orders.window_confirmed")
    def window_confirmed(self, unit: Any, told: Any) -> None:
        behave("scheduling", unit, told.data["exit_id"])
        row = {"id": told.id, "exit_id": told.subject, "seq": told.seq, "data": told.data, "at": time.monotonic_ns()}
        unit.db.told.insert_one(row, session=unit.session)


class Deletion(Face):
    name = "deletion"

    @command
    def lift_hold(self, unit: Any, call: Any) -> dict[str, Any]:
        exit_id = call.data["exit_id"]
        unit.emit("deletion.backups_look_due", exit_id, {"exit_id": exit_id, "on": unit.today})
        return {"exit_id": exit_id, "hold_id": call.data["hold_id"], "state": "lifted"}

    @on("deletion.backups_look_due")
    def look(self, unit: Any, told: Any) -> None:
        unit.send("deletion.delete.delete_batch", {"exit_id": told.data["exit_id"], "job_id": "j-1", "batch": 1})


if __name__ == "__main__":
    if "ordered" in sys.argv:
        wire = "orders.window_confirmed"
        EVENTS[wire] = dataclasses.replace(EVENTS[wire], ordered=True)
    set_up(f"{sys.argv[1]} sample")
    sys.exit(faces.run({face.name: face for face in (Orders, Scheduling, Deletion)}[sys.argv[1]]))
