"""A MongoDB database as a target, opened for one purpose; see the package and `protocol.Connector`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from bson import json_util
from pymongo.collection import Collection
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from contracts.system_map import MARKER_PLACE, System, check_live
from shared.connectors import failures, probe
from shared.connectors.mongodb import values
from shared.connectors.mongodb.batch import MongoBatch
from shared.connectors.mongodb.session import Document, connect, translated
from shared.connectors.protocol import Access, Inventory, Key, LivePlace, Marker, Rows

_WRITES = {"insert", "update", "remove", "dropCollection", "dropDatabase"}


class MongoConnector:
    """One tenant's documents in one database, opened for one purpose."""

    kind = "mongodb"

    def __init__(self, system: System, purpose: str, tenant: str) -> None:
        self.system, self._map, self._purpose, self._tenant = system.name, system, purpose, tenant
        self._client = connect(system, purpose)
        self._base = self._client[str(system.connection["database"])]

    def discover(self) -> Inventory:
        """List every collection that holds documents (views hold none); new indexes or validators change it."""
        with translated(self.system, self._purpose):
            found = [row for row in self._base.list_collections() if row["type"] != "view"]
            places = tuple(
                LivePlace(row["name"], fingerprint=self._fingerprint(dict(row)), kind="collection")
                for row in sorted(found, key=lambda row: str(row["name"]))
                if not row["name"].startswith("system.")
            )
        whole = hashlib.sha256("\n".join(f"{place.name} {place.fingerprint}" for place in places).encode())
        return Inventory(self.system, places, whole.hexdigest())

    def order(self, inventory: Inventory) -> list[str]:
        """Give the owned collections by name: nothing refers from one to another."""
        check_live(self._map, inventory.columns())
        for place in self._map.owned() if self._purpose == "verify" else ():
            if not self._map.rules[place].without_tenant and (count := self.unowned(place)):
                raise failures.without_tenant(self.system, place, count)
        return self._map.owned()

    def count(self, place: str) -> int:
        """Count the tenant's documents."""
        with translated(self.system, self._purpose, place):
            return self._base[place].count_documents(self._owner(place))

    def total(self, place: str) -> int:
        """Count all documents."""
        with translated(self.system, self._purpose, place):
            return self._base[place].count_documents({})

    def unowned(self, place: str) -> int:
        """Count the documents without the tenant key, or with an empty one."""
        rule = self._map.rule(place)
        if rule is None or not rule.owned:
            return 0
        with translated(self.system, self._purpose, place):
            return self._base[place].count_documents({rule.tenant_key: None})

    def read(self, place: str, after: Any | None, limit: int) -> Rows:
        """Read the next documents in `_id` order."""
        names = self._fields(place)
        query = dict(self._owner(place))
        if after is not None:
            query = {"$and": [query, {"_id": {"$gt": values.value(after)}}]}
        with translated(self.system, self._purpose, place):
            found = list(self._base[place].find(query).sort("_id", 1).limit(limit))
        rows = [tuple(values.plain(document.get(name)) for name in names) for document in found]
        return Rows(names, rows, values.text(found[-1]["_id"]) if len(found) == limit else None)

    def keys(self, place: str, limit: int) -> list[Key]:
        """List the next keys."""
        with translated(self.system, self._purpose, place):
            found = self._base[place].find(self._owner(place), {"_id": 1}).limit(limit)
            return [(values.text(document["_id"]),) for document in found]

    def together(self, place: str, keys: Sequence[Key]) -> list[tuple[str, list[Key]]]:
        """Give the keys alone: nothing refers to them."""
        return [(place, list(keys))]

    def present(self, place: str, keys: Sequence[Key]) -> int:
        """Count the keys still there."""
        with translated(self.system, self._purpose, place):
            return self._base[place].count_documents({"_id": {"$in": [values.value(key[0]) for key in keys]}})

    @contextmanager
    def batch(self) -> Iterator[MongoBatch]:
        """Open a snapshot transaction; only `commit` keeps it."""
        if self._purpose != "delete":
            raise failures.wrong_purpose(self.system, self._purpose, "delete")
        with translated(self.system, self._purpose), self._client.start_session() as session:
            session.start_transaction(ReadConcern("snapshot"), WriteConcern("majority", j=True))
            try:
                yield MongoBatch(self, session)
            finally:
                if session.in_transaction:
                    session.abort_transaction()

    def probes(self, place: str, number: int, seed: bytes) -> list[str]:
        """Draw from the texts of the tenant's documents, nested ones too."""
        owner = self._owner(place)
        with translated(self.system, self._purpose, place):
            return probe.draw(seed, self._texts(place, owner), self._texts(place, {"$nor": [owner]}), number)

    def find(self, place: str, probes: Sequence[str], seed: bytes) -> int:
        """Search the texts of every document of the collection."""
        wanted = set(probes)
        with translated(self.system, self._purpose, place):
            return len({one for text in self._texts(place, {}) if (one := probe.hashed(seed, text)) in wanted})

    def can_write(self) -> bool:
        """Ask the engine what the user's roles add up to."""
        with translated(self.system, self._purpose):
            said = self._base.command("connectionStatus", showPrivileges=True)
        return any(_WRITES & set(row["actions"]) for row in said["authInfo"]["authenticatedUserPrivileges"])

    def access(self) -> Access:
        """Look at the users that the map names, with what their roles add up to."""
        with translated(self.system, self._purpose):
            users = [user for name in self._map.roles for user in self._user(name, showPrivileges=True)]
        writable = any(
            _WRITES & set(privilege["actions"]) for user in users for privilege in user.get("inheritedPrivileges", ())
        )
        grants = sum(len(user["roles"]) for user in users)
        return Access(grants, writable, bool(users), {"users": len(users), "roles": grants})

    def freeze(self) -> None:
        """Leave the users nothing but reading."""
        self._need("access")
        for name, roles in self._roles():
            kept = {"role": "read", "db": self._base.name}
            self._command("grantRolesToUser", name, roles=[kept])
            if gone := [role for role in roles if role != kept]:
                self._command("revokeRolesFromUser", name, roles=gone)

    def close_access(self) -> None:
        """Drop the users; the server ends what their open sessions may do at once."""
        self._need("access")
        for name, _ in self._roles():
            self._command("dropUser", name)

    def marker(self) -> Marker | None:
        """Read the marker collection's newest document."""
        with translated(self.system, self._purpose):
            found = self._base[MARKER_PLACE].find_one(sort=[("written_at", -1)])
        return Marker(str(found["id"]), float(found["written_at"])) if found else None

    def write_marker(self, marker: Marker) -> None:
        """Write the marker collection."""
        self._need("prepare")
        document = {"id": marker.id, "written_at": marker.written_at}
        with translated(self.system, self._purpose):
            self._base[MARKER_PLACE].replace_one({"_id": "marker"}, document, upsert=True)

    def documents(self, place: str) -> Iterator[tuple[str, str]]:
        """Give nothing: a collection holds no files."""
        return iter(())

    def close(self) -> None:
        """Close the client."""
        self._client.close()

    def collection(self, place: str) -> Collection[Document]:
        """Give a place's collection (for the batch)."""
        return self._base[place]

    def owned(self, place: str, keys: Sequence[Key]) -> Document:
        """Give the query for these keys, the tenant's only, by either way of saying whose they are (for the batch)."""
        wanted = {"_id": {"$in": [values.value(key[0]) for key in keys]}}
        return {"$and": [wanted, self._owner(place), {"$nor": [self._foreign(place)]}]}

    def others(self) -> dict[str, Document]:
        """Give per owned place the query for the other tenants' documents (for the batch)."""
        return {place: self._foreign(place) for place in self._map.owned()}

    def _owner(self, place: str) -> Document:
        rule = self._map.rule(place)
        if rule is None or not rule.owned:
            return {}
        values: list[Any] = [self._tenant]
        if self._tenant.isascii() and self._tenant.isdigit():
            values.append(int(self._tenant))
        return {rule.tenant_key: {"$in": values}}

    def _texts(self, place: str, query: Document) -> Iterator[str]:
        return (text for document in self._base[place].find(query) for text in values.texts(document))

    def _foreign(self, place: str) -> Document:
        """Say which documents are not the tenant's, apart from `_owner`: a mistake in the one is not in the other."""
        number = [int(self._tenant)] if re.fullmatch("[0-9]+", self._tenant) else []
        return {self._map.rules[place].tenant_key: {"$nin": [self._tenant, *number]}}

    def _fields(self, place: str) -> tuple[str, ...]:
        names: list[Document] = [
            {"$match": self._owner(place)},
            {"$project": {"names": {"$map": {"input": {"$objectToArray": "$$ROOT"}, "in": "$$this.k"}}}},
            {"$unwind": "$names"},
            {"$group": {"_id": "$names"}},
        ]
        with translated(self.system, self._purpose, place):
            found = {str(row["_id"]) for row in self._base[place].aggregate(names)}
        return ("_id", *sorted(found - {"_id"})) if found else ("_id",)

    def _fingerprint(self, row: Document) -> str:
        indexes = sorted(self._base[row["name"]].list_indexes(), key=lambda index: str(index["name"]))
        body = json_util.dumps([row["type"], row.get("options", {}), indexes], sort_keys=True)
        return hashlib.sha256(body.encode()).hexdigest()

    def _user(self, name: str, **options: Any) -> list[Document]:
        answer = self._base.command("usersInfo", {"user": name, "db": self._base.name}, **options)
        return list(answer["users"])

    def _roles(self) -> list[tuple[str, list[Document]]]:
        with translated(self.system, self._purpose):
            return [(name, user["roles"]) for name in self._map.roles for user in self._user(name)]

    def _command(self, command: str, name: str, **options: Any) -> None:
        with translated(self.system, self._purpose):
            self._base.command(command, name, **options)

    def _need(self, purpose: str) -> None:
        if self._purpose != purpose:
            raise failures.wrong_purpose(self.system, self._purpose, purpose)
