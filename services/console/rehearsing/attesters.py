"""The parties of a rehearsal who attest: what people delete by hand, and what sub-processors confirm (S1 D7b, S2 7.3).

Rules kept: the document is a stand-in that says so in its first word, and what is attested is the SHA-256 of exactly
that document; it lies in the tenant's folder before anybody attests it; nothing of it is counted or called verified.
Only folders that carry a rehearsal's marker are written in (`guard` saw them).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from contracts.system_map import System, SystemMap
from services.console.rehearsing import results
from services.console.rehearsing.scenario.stage import digest, document

DONE = {"MEDIA_SANITISED": "destroyed", "SOFTWARE_REMOVED": "uninstalled", "LICENCE_WITHDRAWN": "uninstalled",
        "SUBPROCESSOR_CONFIRMED": "erased", "DATA_LEFT_WITH_CUSTOMER": "seen"}  # fmt: skip
ROLE = "øvelsesdeltager"


class Attesters:
    """They act on the manual systems of a map, for one tenant."""

    def __init__(self, systems: SystemMap, tenant: str, cvr: str) -> None:
        self._systems, self._whose = systems, (tenant, cvr)

    def begin(self, on: date) -> None:
        """Say of each place of which nobody has said anything that it was seen and that nobody comes in any more."""
        for system in self._systems.systems.values():
            for place, rule in system.rules.items():
                folder = self._folder(system, place)
                if rule.attested and not any(folder.glob("*.json")):
                    self._write(folder, "set", f"{system.name}/{place} set", _paper(rule.attested, on, 1, "seen"))

    def sign(self, line: Mapping[str, Any], text: str, on: date) -> None:
        """Lay the document that says `text` beside what is attested of a place; a sub-processor has no folder."""
        if line["place"] is None:
            return
        system = self._systems.system(line["system"])
        rule, folder = system.rules[line["place"]], self._folder(system, line["place"])
        left = 1 if "DATA_LEFT_WITH_CUSTOMER" in rule.methods else 0
        self._write(folder, line["method"], text, _paper(rule.attested, on, left, DONE[line["method"]]))

    def _folder(self, system: System, place: str) -> Path:
        return Path(str(system.connection.get("folder", ""))) / place / system.tenant_value(*self._whose)

    def _write(self, folder: Path, name: str, text: str, paper: Mapping[str, Any]) -> None:
        signed = f"øvelse-{name}.txt"
        results.save(folder / signed, document(text))
        said = {**paper, "document": signed, "sha256": digest(text)}
        results.save(folder / f"{signed}.json", json.dumps(said, ensure_ascii=False).encode())


def _paper(party: str, on: date, left: int, method: str) -> dict[str, Any]:
    return {
        "version": 1, "party": party, "role": ROLE, "on": on.isoformat(), "left": left, "ways_in": 0, "method": method,
    }  # fmt: skip
