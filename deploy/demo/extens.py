"""Extens, the demo's machine that no connector reaches: what the supplier and the customer have said of it so far.

The machine is the customer's own and stays where it is (S2 3.1), with the data on it; programme and licence go. Its
folder holds attestations (`docs/system-map.md`), one folder for each place and tenant.
"""

from __future__ import annotations

import hashlib
import json
from datetime import date
from pathlib import Path

from deploy.demo.data import TENANTS

PLACE = "skole-pc"
SEEN = "Erklæring (demo): maskinen står hos kommunen, og ingen logger længere på.\n".encode()


def make(folder: Path, on: date) -> None:
    """Make the folder anew: of each tenant's machine it was attested that it is there and that nobody comes in."""
    said = {
        "version": 1, "party": "customer", "role": "projektleder", "on": on.isoformat(), "left": 1, "ways_in": 0,
        "method": "seen", "document": "set.txt", "sha256": hashlib.sha256(SEEN).hexdigest(),
    }  # fmt: skip
    for tenant in TENANTS:
        place = folder / PLACE / tenant.code
        place.mkdir(parents=True)
        (place / "set.txt").write_bytes(SEEN)
        (place / "set.json").write_text(json.dumps(said), encoding="utf-8")
