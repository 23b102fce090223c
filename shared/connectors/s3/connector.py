"""The buckets of an account as a target, opened for one purpose; see the package and `protocol.Connector`."""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from operator import itemgetter
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from contracts.errors import Rejected
from contracts.system_map import MARKER_PLACE, System, check_live
from contracts.system_map.objects import owner_of
from shared.connectors import failures, probe
from shared.connectors.protocol import Access, Column, Inventory, Key, LivePlace, Marker, Rows
from shared.connectors.s3 import access, rights, settings
from shared.connectors.s3.batch import S3Batch
from shared.connectors.s3.listing import Item, Listing, where
from shared.connectors.s3.owners import Owners, foreign
from shared.connectors.s3.session import code_of, connect, translated

COLUMNS = ("object", "key", "version", "kind", "bytes", "modified", "current")
_WORD = re.compile(r"[0-9A-Za-zÆØÅæøå_-]{8,64}")


class S3Connector:
    """One tenant's objects in one account, opened for one purpose."""

    kind = "s3"

    def __init__(self, system: System, purpose: str, tenant: str) -> None:
        self.system, self._map, self._purpose, self._tenant = system.name, system, purpose, tenant
        self._client = connect(system, purpose)
        self._listing = Listing(self._client, system.name, purpose)
        self._settings: dict[str, settings.Settings] = {}
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def discover(self) -> Inventory:
        """List every bucket, and in those that the map divides every prefix; new settings change the tenants' ones."""
        places: list[LivePlace] = []
        for bucket in self._listing.buckets():
            mapped = [place for place in self._map.rules if place.startswith(f"{bucket}/")]
            names = sorted([*mapped, *self._listing.unmapped(bucket, mapped)]) if mapped else [bucket]
            places += [self._live(name) for name in names]
        whole = hashlib.sha256("\n".join(f"{place.name} {place.fingerprint}" for place in places).encode())
        return Inventory(self.system, tuple(places), whole.hexdigest())

    def order(self, inventory: Inventory) -> list[str]:
        """Give the owned places by name; refuse where copies go elsewhere, and, to whoever verifies, locked objects."""
        check_live(self._map, {name: () for name in inventory.columns()})
        known = {where(place).bucket for place in self._map.rules} | set(self._map.connection.get("copies") or ())
        for place in self._map.owned():
            settings.check(self.system, where(place).bucket, self._settings_of(where(place).bucket), known)
            self._check_tenant(place)
            if self._purpose == "verify":
                self._check_items(place)
        return self._map.owned()

    def count(self, place: str) -> int:
        """Count the tenant's versions, delete markers and unfinished uploads; none must be none in both listings."""
        kinds, start = Counter(item.kind for item in self._own(place)), self._start(place)
        if not kinds["version"] and self._listing.contradicts_itself(place, start):
            raise failures.unreachable(self.system, "shows an object in one listing and none in the other")
        return kinds.total()

    def total(self, place: str) -> int:
        """Count everybody's."""
        return sum(1 for _ in self._listing.items(place))

    def unowned(self, place: str) -> int:
        """Count what nothing says a tenant of."""
        return sum(1 for _, owner in self._owned(place) if not owner) if place in self._map.owned() else 0

    def read(self, place: str, after: Any | None, limit: int) -> Rows:
        """List the next page of the tenant's, with what each is; the cursor is where the store's next page begins."""
        cursor = json.loads(str(after)) if after else []
        found, more = self._listing.page(place, self._start(place), cursor, limit)
        rows = [_row(item) for item in found if self._is_own(place, item)]
        return Rows(COLUMNS, rows, None if more is None else json.dumps(more))

    def keys(self, place: str, limit: int, after: Key | None = None) -> list[Key]:
        """List the next keys; within a prefix of the tenant's own what is gone is not passed over anyway."""
        found: list[Key] = []
        behind = str(after[0]) if after and not self._start(place) else ""
        for item in self._own(place, behind):
            found.append(item.name)
            if len(found) >= limit:
                break
        return found

    def together(self, place: str, keys: Sequence[Key]) -> list[tuple[str, list[Key]]]:
        """Give the keys alone: nothing refers to them."""
        return [(place, list(keys))]

    def present(self, place: str, keys: Sequence[Key]) -> int:
        """Count the keys that the store still lists."""
        wanted = {(str(key[0]), str(key[1])) for key in keys}
        return sum(1 for item in self.between(place, keys) if item.name in wanted)

    @contextmanager
    def batch(self) -> Iterator[S3Batch]:
        """Choose what is to go; it is removed at `commit`, since the store knows no transactions."""
        self._need("delete")
        yield S3Batch(self, self._client)

    def probes(self, place: str, number: int, seed: bytes) -> list[str]:
        """Draw from the words of the tenant's keys."""
        others = (item for item, owner in self._owned(place) if owner != self._tenant)
        return probe.draw(seed, self._words(place, self._own(place)), self._words(place, others), number)

    def find(self, place: str, probes: Sequence[str], seed: bytes) -> int:
        """Search the words of every key of the place."""
        if not probes:
            return 0
        found = {probe.hashed(seed, word) for word in self._words(place, self._listing.items(place))}
        return len(found & set(probes))

    def can_write(self) -> bool:
        """Try in each of the tenants' places what our key may do."""
        with translated(self.system, self._purpose):
            return any(
                rights.can_write(self._client, where(place).bucket, where(place).prefix + self._start(place))
                for place in self._map.owned()
            )

    def access(self) -> Access:
        """Look at the principals that the map names, and at what is open to anybody."""
        with translated(self.system, self._purpose):
            return access.look(self._client, self._buckets(), self._map.roles)

    def freeze(self) -> None:
        """Deny the principals everything but reading, in the tenants' buckets."""
        self._deny(access.FROZEN)

    def close_access(self) -> None:
        """Deny the principals everything in the tenants' buckets, links that they have signed included."""
        self._deny(access.CLOSED)

    def marker(self) -> Marker | None:
        """Read the marker's object; it is one only where each of the tenants' buckets carries the same."""
        with translated(self.system, self._purpose):
            found = {self._marker_in(bucket) for bucket in self._buckets()}
        return found.pop() if len(found) == 1 else None

    def write_marker(self, marker: Marker) -> None:
        """Write the marker's object into each of the tenants' buckets."""
        self._need("prepare")
        body = json.dumps({"id": marker.id, "written_at": marker.written_at}).encode()
        with translated(self.system, self._purpose):
            for bucket in self._buckets():
                self._client.put_object(Bucket=bucket, Key=MARKER_PLACE, Body=body)

    def documents(self, place: str, after: str = "") -> Iterator[tuple[str, str]]:
        """Fetch every version to deliver behind `after`, one at a time; older ones are named after their ids."""
        path = Path(self._temporary()) / "one"
        for name, item in sorted(self._to_deliver(place, after), key=itemgetter(0)):
            with translated(self.system, self._purpose, place):
                self._fetch(where(place).bucket, item, str(path))
            yield name, str(path)
            path.unlink(missing_ok=True)

    def _to_deliver(self, place: str, after: str) -> Iterator[tuple[str, Item]]:
        """List what the listing alone can tell of the versions to deliver: a place's contents are never held."""
        at, start = where(place), self._start(place)
        for item in self._listing.items(place, start):
            name = at.below(item.key) + ("" if item.current else f".version-{item.id}")
            folder = item.key.endswith("/") and not item.bytes
            if item.kind == "version" and not folder and name > after and self._is_own(place, item):
                yield name, item

    def close(self) -> None:
        """Close the client, and remove what was fetched."""
        self._client.close()
        if self._folder is not None:
            self._folder.cleanup()

    def looked_up(self, place: str, keys: Sequence[Key]) -> Iterator[tuple[Item, bool]]:
        """Give what lies between these keys and whether it is the tenant's (for the batch).

        Raise OUTSIDE_SCOPE where one of them is not, OBJECT_LOCKED or OBJECT_LEGAL_HOLD where one is kept.
        """
        owners, wanted = self._owners(place), {(str(key[0]), str(key[1])) for key in keys}
        locks = settings.locks(self._settings_of(where(place).bucket))
        for item in self.between(place, keys):
            own = owners.of(item) == self._tenant
            if item.name in wanted and not own:
                raise foreign(self.system, place)
            if item.name in wanted and locks:
                owners.require_unlocked(place, item)
            yield item, own

    def between(self, place: str, keys: Sequence[Key]) -> Iterator[Item]:
        """Give what lies between the first and the last of these keys (for the batch); refuse one outside the place."""
        if not all(where(place).holds(str(key[0])) for key in keys):
            raise foreign(self.system, place)
        return self._listing.among(place, keys)

    def _owned(self, place: str, start: str = "", after: str = "") -> Iterator[tuple[Item, str]]:
        owners = self._owners(place)
        return ((item, owners.of(item)) for item in self._listing.items(place, start, after=after))

    def _own(self, place: str, after: str = "") -> Iterator[Item]:
        if place not in self._map.owned():
            return self._listing.items(place)
        self._check_tenant(place)
        return (item for item, owner in self._owned(place, self._start(place), after) if owner == self._tenant)

    def _is_own(self, place: str, item: Item) -> bool:
        return place not in self._map.owned() or self._owners(place).of(item) == self._tenant

    def _owners(self, place: str) -> Owners:
        rule = owner_of(self._map.rules[place].tenant_key)
        assert rule is not None  # the map was checked when it was loaded
        return Owners(self._listing, self.system, self._purpose, where(place), rule)

    def _start(self, place: str) -> str:
        rule = owner_of(self._map.rules[place].tenant_key) if place in self._map.rules else None
        return rule.start(self._tenant) if rule is not None else ""

    def _check_tenant(self, place: str) -> None:
        rule = owner_of(self._map.rules[place].tenant_key)
        if rule is not None and not rule.fits(self._tenant):
            raise Rejected(
                "TENANT_INVALID", f"{self.system}: the tenant's value cannot stand in the prefix of {place}",
                field=f"systems.{self.system}.tenant", remedy="give --tenant the value that stands in the keys",
                da=f"Lejerens værdi kan ikke stå i {place}.",
            )  # fmt: skip

    def _check_items(self, place: str) -> None:
        failures.require_tenants(self._map, place, self.unowned)
        if settings.locks(self._settings_of(where(place).bucket)):
            owners = self._owners(place)
            for item in self._own(place):
                owners.require_unlocked(place, item)

    def _settings_of(self, bucket: str) -> settings.Settings:
        if bucket not in self._settings:
            self._settings[bucket] = settings.read(self._client, self.system, self._purpose, bucket)
        return self._settings[bucket]

    def _live(self, name: str) -> LivePlace:
        said = self._settings_of(where(name).bucket) if name in self._map.owned() else {}
        columns = tuple(Column(column, "text") for column in COLUMNS)
        return LivePlace(name, columns, ("object",), fingerprint=settings.fingerprint(name, said), kind="bucket")

    def _words(self, place: str, items: Iterator[Item]) -> Iterator[str]:
        at = where(place)
        return (word for item in items for word in _WORD.findall(at.below(item.key)) if probe.worth(word))

    def _buckets(self) -> list[str]:
        return sorted({where(place).bucket for place in self._map.owned()})

    def _marker_in(self, bucket: str) -> Marker | None:
        try:
            body = json.loads(self._client.get_object(Bucket=bucket, Key=MARKER_PLACE)["Body"].read(4096))
            return Marker(str(body["id"]), float(body["written_at"]))
        except ClientError as error:
            if code_of(error) != "NoSuchKey":
                raise
        except (ValueError, KeyError, TypeError):
            pass
        return None

    def _fetch(self, bucket: str, item: Item, path: str) -> None:
        body = self._client.get_object(Bucket=bucket, **item.address)["Body"]
        with open(path, "wb") as file:
            for part in body.iter_chunks(1 << 20):
                file.write(part)

    def _temporary(self) -> str:
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="ophor-s3-")
        return self._folder.name

    def _deny(self, what: dict[str, Any]) -> None:
        self._need("access")
        with translated(self.system, self._purpose):
            for bucket in self._buckets() if self._map.roles else ():
                access.deny(self._client, bucket, self._map.roles, what)

    def _need(self, purpose: str) -> None:
        if self._purpose != purpose:
            raise failures.wrong_purpose(self.system, self._purpose, purpose)


def _row(item: Item) -> tuple[Any, ...]:
    kind = "uploadId" if item.kind == "upload" else "versionId"
    name = f"{item.key}?{kind}={item.id.removeprefix('upload:')}"
    return (name, item.key, item.id, item.kind, item.bytes, item.modified, item.current)
