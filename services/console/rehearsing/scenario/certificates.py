"""The DPO's certificates: each is asked for when its time has come (anew where one was refused), and waited for."""

from __future__ import annotations

import time
from typing import Any

from contracts.errors import Rejected, Unavailable
from services.console.rehearsing import people
from services.console.rehearsing.scenario.stage import Stage

PATIENCE_S = 300.0
PAUSE_S, LONGEST_PAUSE_S = 0.1, 0.5


def obtain(stage: Stage, exit_id: str, name: str) -> None:
    """Have the certificate of stage `name` issued; raise CERTIFICATE_REFUSED, CERTIFICATE_FAILED, CERTIFICATE_LATE."""
    asked = _asked(stage, exit_id, name)
    ends, pause = time.monotonic() + PATIENCE_S, PAUSE_S
    while (row := _read(stage, asked["certificate_id"]))["state"] != "issued":
        if row["state"] in ("failed", "refused"):
            raise Rejected("CERTIFICATE_" + row["state"].upper(), refusals(row), field="stage")
        if time.monotonic() > ends:
            raise Unavailable("CERTIFICATE_LATE", f"{name} is {row['state']}", remedy="ophor status")
        stage.progress.wait(f"slettebevis {name}: {row['state']}")
        time.sleep(pause)
        pause = min(LONGEST_PAUSE_S, pause * 1.2)
    stage.certificates.append(row)
    stage.progress.certificates.append(f"{name} {row['number']}")


def _asked(stage: Stage, exit_id: str, name: str) -> dict[str, Any]:
    """Give the certificate that is issued or under way, asked for now (anew) where there is none."""
    listed = stage.read("compliance.list_certificates", {"exit_id": exit_id})["certificates"]
    mine = [row for row in listed if row["stage"] == name]
    alive: list[dict[str, Any]] = [row for row in mine if row["state"] not in ("failed", "refused")]
    if alive:
        return alive[-1]
    stage.progress.say(f"DPO beder om slettebevis {name}")
    step, wanted = f"certificate:{name}:{len(mine) + 1}", {"exit_id": exit_id, "stage": name}
    return stage.desk.do(people.DPO, "compliance.request_certificate", step, wanted)


def _read(stage: Stage, certificate_id: str) -> dict[str, Any]:
    return stage.desk.ask(people.DPO, "compliance.read_certificate", {"certificate_id": certificate_id})


def refusals(row: dict[str, Any]) -> str:
    """Write a certificate's refusals, one after the other."""
    return "; ".join(f"{reason['code']}: {reason['detail']}" for reason in row["refusals"]) or row["state"]
