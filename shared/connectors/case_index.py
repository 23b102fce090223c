"""A case index over HTTP as a target (see `protocol.Connector`): the place is `sager`, a key the case's UUID.

Rules it keeps (Sags- og Dokumentindekset): only explicit UUIDs are removed, never a search's result on the server;
a UUID whose owner is not the customer, or whose sender is not our own system, is refused before anything is sent;
answers come per object, and what is gone is seen by searching, not by an answer. A 404 is not an absence.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx

from contracts.errors import Rejected
from contracts.system_map import System, check_live
from shared.connectors import failures, probe
from shared.connectors.protocol import Access, Column, Inventory, Key, LivePlace, Marker, Rows

PAGE, REMOVALS = 500, 100
COLUMNS = ("uuid", "ejer_cvr", "master", "afsender")
DONE, GONE = {20}, {44, 49}

Case = dict[str, str]


class CaseIndexConnector:
    """One customer's cases, as our own system sent them, opened for one purpose."""

    kind = "case_index"

    def __init__(self, system: System, purpose: str, tenant: str) -> None:
        self.system, self._map, self._purpose, self._tenant = system.name, system, purpose, tenant
        self._own = str(system.connection["afsender"])
        _, token = system.secret(purpose)
        self._client = httpx.Client(
            base_url=str(system.connection["url"]), headers={"Authorization": f"Bearer {token}"}, timeout=10.0,
            trust_env=False,
        )  # fmt: skip

    def discover(self) -> Inventory:
        """Ask which kinds of object the index keeps."""
        names = sorted(self._call("GET", "/schema")["places"])
        columns = tuple(Column(name, "text") for name in COLUMNS)
        places = tuple(
            LivePlace(name, columns, ("uuid",), fingerprint=hashlib.sha256(name.encode()).hexdigest(), kind="index")
            for name in names
        )
        return Inventory(self.system, places, hashlib.sha256("\n".join(names).encode()).hexdigest())

    def order(self, inventory: Inventory) -> list[str]:
        """Give the owned places."""
        check_live(self._map, inventory.columns())
        return self._map.owned()

    def count(self, place: str) -> int:
        """Count the customer's cases."""
        return self._search(self._tenant, 0, 1)[0]

    def total(self, place: str) -> int:
        """Count all cases that our system sent."""
        return self._search(None, 0, 1)[0]

    def unowned(self, place: str) -> int:
        """Give none: a case has its owner."""
        return 0

    def read(self, place: str, after: Any | None, limit: int) -> Rows:
        """Read the next cases; the cursor is how many were read."""
        start = int(after or 0)
        cases = self._search(self._tenant, start, limit)[1]
        rows = [tuple(case[name] for name in COLUMNS) for case in cases]
        return Rows(COLUMNS, rows, start + len(cases) if len(cases) == limit else None)

    def keys(self, place: str, limit: int, after: Key | None = None) -> list[Key]:
        """List the next UUIDs."""
        return [(case["uuid"],) for case in self._search(self._tenant, 0, min(limit, PAGE))[1]]

    def together(self, place: str, keys: Sequence[Key]) -> list[tuple[str, list[Key]]]:
        """Give the keys alone: nothing refers to them."""
        return [(place, list(keys))]

    def present(self, place: str, keys: Sequence[Key]) -> int:
        """Count the UUIDs that a search of the customer's cases still finds."""
        still = {case["uuid"] for case in self.cases(self._tenant)}
        return sum(1 for key in keys if key[0] in still)

    @contextmanager
    def batch(self) -> Iterator[CaseIndexBatch]:
        """Collect removals; they are sent at `commit`, since the index knows no transactions."""
        self._need("delete")
        yield CaseIndexBatch(self, self._tenant)

    def probes(self, place: str, number: int, seed: bytes) -> list[str]:
        """Draw UUIDs of the customer's cases."""
        return probe.draw(seed, (case["uuid"] for case in self.cases(self._tenant)), (), number)

    def find(self, place: str, probes: Sequence[str], seed: bytes) -> int:
        """Search all cases that our system sent, whoever owns them."""
        wanted = set(probes)
        return len({probe.hashed(seed, case["uuid"]) for case in self.cases(None)} & wanted)

    def can_write(self) -> bool:
        """Tell nothing: the index does not say what a token may do."""
        return False

    def access(self) -> Access:
        """Look at the customer's agreement with the index."""
        state = str(self._call("GET", f"/agreement/{self._tenant}")["state"])
        return Access(grants=int(state != "ended"), writable=state == "active", open=state != "ended")

    def freeze(self) -> None:
        """Stop imports for the customer."""
        self._set_agreement("read_only")

    def close_access(self) -> None:
        """End the customer's agreement."""
        self._set_agreement("ended")

    def marker(self) -> Marker | None:
        """Read the simulator's marker; a real index has none and can never be rehearsed on."""
        try:
            body = self._call("GET", "/marker")
        except Rejected as error:
            if error.code == "TARGET_ERROR":
                return None
            raise
        return Marker(str(body["id"]), float(body["written_at"])) if body.get("id") else None

    def write_marker(self, marker: Marker) -> None:
        """Write the simulator's marker."""
        self._need("prepare")
        self._call("PUT", "/marker", {"id": marker.id, "written_at": marker.written_at})

    def documents(self, place: str, after: str = "") -> Iterator[tuple[str, str]]:
        """Give nothing: the index holds no files."""
        return iter(())

    def close(self) -> None:
        """Close the client."""
        self._client.close()

    def cases(self, owner: str | None) -> Iterator[Case]:
        """Give every case of `owner` (None = anybody) that our system sent, page by page, as many as announced."""
        offset = 0
        while True:
            announced, cases = self._search(owner, offset, PAGE)
            yield from cases
            offset += len(cases)
            if len(cases) < PAGE and offset < announced:
                raise failures.unreachable(self.system, "announced more cases than it gave")
            if len(cases) < PAGE:
                return

    def remove(self, uuids: Sequence[str]) -> dict[str, int]:
        """Remove these cases and give the index's answer per UUID (for the batch)."""
        answer = self._call("POST", "/fjern", {"sag_uuid": list(uuids)})
        return {str(row["uuid"]): int(row["statuskode"]) for row in answer["retur"]}

    def _search(self, owner: str | None, offset: int, limit: int) -> tuple[int, list[Case]]:
        body = {"ejer_cvr": owner, "afsender": self._own, "offset": offset, "limit": limit}
        answer = self._call("POST", "/search", body)
        if not isinstance(answer.get("antal"), int) or not isinstance(answer.get("sager"), list):
            raise failures.unreachable(self.system, "gave no answer to a search")
        for case in answer["sager"]:
            if case["afsender"] != self._own or owner not in {None, case["ejer_cvr"]}:
                raise failures.outside(self.system, "sager", "the index answered with cases that were not asked for")
        return answer["antal"], answer["sager"]

    def _set_agreement(self, state: str) -> None:
        self._need("access")
        self._call("PUT", f"/agreement/{self._tenant}", {"state": state})

    def _need(self, purpose: str) -> None:
        if self._purpose != purpose:
            raise failures.wrong_purpose(self.system, self._purpose, purpose)

    def _call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        try:
            response = self._client.request(method, path, json=body)
            if response.status_code in {401, 403}:
                raise failures.refused(self.system, self._purpose)
            if response.status_code >= 500:
                raise failures.unreachable(self.system, f"answers {response.status_code}")
            if response.status_code >= 400:
                raise failures.target_error(self.system, "", f"{method} {path.split('/')[1]}: {response.status_code}")
            answer: dict[str, Any] = response.json()
            return answer
        except (httpx.HTTPError, ValueError):
            raise failures.unreachable(self.system) from None


class CaseIndexBatch:
    """Removals collected and checked; `commit` sends them in small lists (see `protocol.Batch`)."""

    def __init__(self, target: CaseIndexConnector, tenant: str) -> None:
        self._target, self._tenant = target, tenant
        self._uuids: dict[str, list[str]] = {}

    def delete(self, place: str, keys: Sequence[Key]) -> int:
        """Take in UUIDs after looking each up among all cases that our system sent; refuse one of another owner."""
        owners = {case["uuid"]: case["ejer_cvr"] for case in self._target.cases(None)}
        wanted = [str(key[0]) for key in keys]
        if any(owners.get(uuid, self._tenant) != self._tenant for uuid in wanted):
            raise failures.outside(self._target.system, place, "a case of another owner is among the keys")
        known = [uuid for uuid in wanted if uuid in owners]
        self._uuids.setdefault(place, []).extend(known)
        return len(known)

    def planned(self) -> dict[str, int]:
        """Give how many removals were taken in."""
        return {place: len(uuids) for place, uuids in self._uuids.items() if uuids}

    def effects(self) -> dict[str, int]:
        """Give the same: the index removes object by object, nothing cascades to another case."""
        return self.planned()

    def neighbours(self) -> dict[str, int]:
        """Count the other owners' cases."""
        counts = {place: 0 for place in self._uuids} or {"sager": 0}
        mine, everybody = self._target.count("sager"), self._target.total("sager")
        return {place: everybody - mine for place in counts}

    def commit(self) -> None:
        """Send the removals; an answer other than removed or gone leaves the case to the next batch."""
        for uuids in self._uuids.values():
            for start in range(0, len(uuids), REMOVALS):
                answers = self._target.remove(uuids[start : start + REMOVALS])
                if not answers:
                    raise failures.unreachable(self._target.system, "gave no answer per object")
