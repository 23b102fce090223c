"""What people attested of one system, opened for one purpose; see the package and `protocol.Connector`."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from contracts.errors import Rejected
from contracts.system_map import MARKER_PLACE, System, check_live
from shared.connectors import failures
from shared.connectors.manual import attestation
from shared.connectors.protocol import Access, Batch, Inventory, Key, LivePlace, Marker, Rows


class ManualConnector:
    """One tenant's attestations, opened for one purpose; it acts on nothing."""

    kind = "manual"

    def __init__(self, system: System, purpose: str, tenant: str) -> None:
        self.system, self._map, self._purpose, self._tenant = system.name, system, purpose, tenant
        self._root = Path(str(system.connection["folder"]))

    def discover(self) -> Inventory:
        """List the places for which there is a folder."""
        with self._reading():
            names = sorted(entry.name for entry in os.scandir(self._root) if entry.is_dir(follow_symlinks=False))
        places = tuple(LivePlace(name, fingerprint=_digest(name), kind="attested") for name in names)
        return Inventory(self.system, places, _digest("\n".join(names)))

    def order(self, inventory: Inventory) -> list[str]:
        """Give nothing to delete: people do it."""
        check_live(self._map, inventory.columns())
        return []

    def count(self, place: str) -> int:
        """Give how many are left of the tenant's, as attested last."""
        return int(self._newest(place, self._tenant)["left"])

    def document(self, place: str) -> str:
        """Give the SHA-256 of the signed document of the newest attestation."""
        return str(self._newest(place, self._tenant)["sha256"])

    def total(self, place: str) -> int:
        """Give how many are left of everybody's of whom something was attested; at least of the tenant's."""
        with self._reading():
            tenants = {entry.name for entry in os.scandir(self._root / place) if entry.is_dir(follow_symlinks=False)}
        return sum(int(self._newest(place, tenant)["left"]) for tenant in tenants | {self._tenant})

    def unowned(self, place: str) -> int:
        """Give none: an attestation is of somebody's."""
        return 0

    def read(self, place: str, after: Any | None, limit: int) -> Rows:
        """Refuse: people hand it over."""
        raise self._by_people("read")

    def keys(self, place: str, limit: int, after: Key | None = None) -> list[Key]:
        """Refuse: nothing here can be named, so nothing can be meant."""
        raise self._by_people("listed")

    def together(self, place: str, keys: Sequence[Key]) -> list[tuple[str, list[Key]]]:
        """Refuse, as `keys`."""
        raise self._by_people("listed")

    def present(self, place: str, keys: Sequence[Key]) -> int:
        """Refuse, as `keys`."""
        raise self._by_people("listed")

    def batch(self) -> AbstractContextManager[Batch]:
        """Refuse: nothing is deleted by us."""
        raise self._by_people("deleted")

    def probes(self, place: str, number: int, seed: bytes) -> list[str]:
        """Draw none: nothing can be searched."""
        return []

    def find(self, place: str, probes: Sequence[str], seed: bytes) -> int:
        """Find none of none; refuse to search."""
        if probes:
            raise self._by_people("searched")
        return 0

    def can_write(self) -> bool:
        """Tell nothing: a folder has no user for each purpose."""
        return False

    def access(self) -> Access:
        """Give the ways in as attested last, over all places that somebody attests."""
        places = [name for name, rule in sorted(self._map.rules.items()) if rule.attested]
        ways = {place: int(self._newest(place, self._tenant)["ways_in"]) for place in places}
        number = sum(ways.values())
        return Access(number, number > 0, number > 0, {"attested": len(places)})

    def freeze(self) -> None:
        """Refuse: people do it."""
        raise self._by_people("frozen")

    def close_access(self) -> None:
        """Refuse: people do it."""
        raise self._by_people("closed")

    def marker(self) -> Marker | None:
        """Read the file of the marker's name in the folder."""
        with self._reading():
            if MARKER_PLACE not in os.listdir(self._root):
                return None
            try:
                body = json.loads((self._root / MARKER_PLACE).read_bytes())
                return Marker(str(body["id"]), float(body["written_at"]))
            except (ValueError, KeyError, TypeError):
                return None

    def write_marker(self, marker: Marker) -> None:
        """Write the file of the marker's name."""
        if self._purpose != "prepare":
            raise failures.wrong_purpose(self.system, self._purpose, "prepare")
        with self._reading():
            body = json.dumps({"id": marker.id, "written_at": marker.written_at})
            (self._root / MARKER_PLACE).write_text(body)

    def documents(self, place: str, after: str = "") -> Iterator[tuple[str, str]]:
        """Give nothing: what is attested is not the tenant's data."""
        return iter(())

    def close(self) -> None:
        """Nothing is held open."""

    def _newest(self, place: str, tenant: str) -> dict[str, Any]:
        rule = self._map.rule(place)
        with self._reading():
            os.scandir(self._root).close()
            return attestation.newest(
                self.system, place, self._root / place / tenant, rule.attested if rule is not None else ""
            )

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except PermissionError:
            raise failures.refused(self.system, self._purpose) from None
        except OSError as error:
            raise failures.unreachable(self.system, f"cannot be read (errno {error.errno})") from None

    def _by_people(self, what: str) -> Rejected:
        return Rejected(
            "DONE_BY_PEOPLE",
            f"{self.system}: nothing in it is {what} by us",
            field=f"systems.{self.system}",
            remedy="let the party that the map names do it and attest it",
            da=f"{self.system} håndteres af mennesker, som erklærer, hvad de har gjort.",
        )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
