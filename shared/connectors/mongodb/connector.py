"""A MongoDB database as a target, opened for one purpose; see the package and `protocol.Connector`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from bson import json_util
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from contracts.system_map import CLEAN, MARKER_PLACE, System, check_live
from shared.connectors import failures, probe
from shared.connectors.mongodb import physical, tenancy, values, whole
from shared.connectors.mongodb.batch import MongoBatch
from shared.connectors.mongodb.session import Document, connect, settled, translated
from shared.connectors.mongodb.whole import MongoWhole
from shared.connectors.physical import Stored
from shared.connectors.protocol import Access, Inventory, Key, LivePlace, Marker, Rows

_WRITES = {"insert", "update", "remove", "dropCollection", "dropDatabase"}


class MongoConnector:
    """One tenant's documents in one database, opened for one purpose."""

    kind = "mongodb"

    def __init__(self, system: System, purpose: str, tenant: str) -> None:
        self.system, self._map, self._purpose, self._tenant = system.name, system, purpose, tenant
        self._client = connect(system, purpose)
        self._base = self._client[str(system.connection["database"])]
        self._read: tuple[Sequence[Key], list[Any]] = ((), [])

    def discover(self) -> Inventory:
        """List every collection that holds documents (views hold none); new indexes or validators change it."""
        with translated(self.system, self._purpose):
            if self._purpose == "delete":
                whole.recover(self, [place for place in self._map.owned() if self._map.rules[place].whole])
            found = [row for row in self._base.list_collections() if row["type"] != "view"]
            places = tuple(
                LivePlace(row["name"], fingerprint=self._fingerprint(dict(row)), kind=tenancy.kind(row))
                for row in sorted(found, key=lambda row: str(row["name"]))
                if not row["name"].startswith("system.")
            )
        all_ = hashlib.sha256("\n".join(f"{place.name} {place.fingerprint}" for place in places).encode())
        return Inventory(self.system, places, all_.hexdigest())

    def order(self, inventory: Inventory) -> list[str]:
        """Give the owned collections by name: nothing that the server knows refers from one to another."""
        check_live(self._map, inventory.columns(), may_be_gone=True)
        there = [place for place in self._map.owned() if place in inventory.columns()]
        for place in there:
            if inventory.place(place).kind != "collection" and not self._map.rules[place].goes:
                what = f"a {inventory.place(place).kind} collection takes no part in transactions"
                raise tenancy.refused(
                    self.system, place, "PLACE_NOT_DELETABLE", what, "turn it into an ordinary one, or exclude it"
                )
        for place in there if self._purpose == "verify" else ():
            failures.require_tenants(self._map, place, self.unowned)
            if count := self._several(place):
                what = f"{count} documents name this tenant inside a list"
                raise tenancy.refused(self.system, place, "TENANT_AMBIGUOUS", what, "write one tenant in each document")
        return there

    def count(self, place: str) -> int:
        """Count the tenant's documents."""
        with translated(self.system, self._purpose, place):
            return self._base[place].count_documents(self._owner(place))

    def total(self, place: str) -> int:
        """Count all documents."""
        with translated(self.system, self._purpose, place):
            return self._base[place].count_documents({})

    def unowned(self, place: str) -> int:
        """Count the documents whose tenant key is missing, empty, or names nobody."""
        rule = self._map.rule(place)
        if rule is None or not rule.owned:
            return 0
        with translated(self.system, self._purpose, place):
            return self._base[place].count_documents(tenancy.unowned(rule.tenant_key))

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

    def keys(self, place: str, limit: int, after: Key | None = None) -> list[Key]:
        """List the next keys by the index that finds the tenant's; in the order of `_id` all others would pass by."""
        with translated(self.system, self._purpose, place):
            found = self._base[place].find(self._owner(place), {"_id": 1}, limit=limit, batch_size=limit + 1)
            return [(values.text(document["_id"]),) for document in found]

    def together(self, place: str, keys: Sequence[Key]) -> list[tuple[str, list[Key]]]:
        """Give the keys alone: nothing refers to them."""
        return [(place, list(keys))]

    def present(self, place: str, keys: Sequence[Key]) -> int:
        """Count the keys still there, once no batch of this user is open."""
        with translated(self.system, self._purpose, place), settled(self._client, self.system) as session:
            return self._base[place].count_documents({"_id": {"$in": self._ids(keys)}}, session=session)

    @contextmanager
    def batch(self) -> Iterator[MongoBatch]:
        """Open a snapshot transaction; only `commit` keeps it."""
        self._need("delete")
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

    def documents(self, place: str, after: str = "") -> Iterator[tuple[str, str]]:
        """Give nothing: a collection holds no files."""
        return iter(())

    def stored(self, place: str, asked: str) -> Stored:
        """Give the bytes of the place's files that hold nothing in use (`Physical`)."""
        with translated(self.system, self._purpose, place):
            return physical.stored(self._base[place])

    def clean(self, place: str, asked: str, *, patient: bool = True) -> str:
        """Compact the place (`Physical`)."""
        self._need(CLEAN)
        with translated(self.system, self._purpose, place):
            return physical.clean(self._base[place])

    def close(self) -> None:
        """Close the client."""
        self._client.close()

    def look_whole(self, place: str, going: Sequence[str]) -> None:
        """Look whether a collection is the tenant's alone, and no view shows it."""
        whole.look(self, place)

    @contextmanager
    def whole(self, place: str) -> Iterator[MongoWhole]:
        """Move a collection aside and prove it."""
        self._need("delete")
        opened = MongoWhole(self, place)
        with opened.taken():
            yield opened

    def left_whole(self, place: str) -> int | None:
        """Read the collections afresh; one that lies aside is named back first."""
        return self.total(place) if place in self.discover().columns() else None

    @property
    def base(self) -> Database[Document]:
        """Give the database (for what goes as a whole)."""
        return self._base

    @property
    def tenant(self) -> str:
        """Give the tenant's value (for what goes as a whole)."""
        return self._tenant

    def collection(self, place: str) -> Collection[Document]:
        """Give a place's collection (for the batch)."""
        return self._base[place]

    def owned(self, place: str, keys: Sequence[Key]) -> Document:
        """Give the query for these keys, the tenant's only, by either way of saying whose they are (for the batch)."""
        wanted = {"_id": {"$in": self._ids(keys)}}
        foreign = tenancy.foreign(self._map.rules[place].tenant_key, self._tenant)
        return {"$and": [wanted, self._owner(place), {"$nor": [foreign]}]}

    def others(self) -> dict[str, Document]:
        """Give per owned place the query for documents that do not name the tenant (for the batch)."""
        rules = self._map.rules
        return {place: tenancy.elsewhere(rules[place].tenant_key, self._tenant) for place in self._map.owned()}

    def owner(self, place: str) -> Document:
        """Give the query for the tenant's documents (for what goes as a whole)."""
        return self._owner(place)

    def tenant_field(self, place: str) -> str:
        """Give the field that says whose a document is (for what goes as a whole)."""
        return self._map.rules[place].tenant_key

    def _owner(self, place: str) -> Document:
        rule = self._map.rule(place)
        if rule is None or not rule.owned:
            return {}
        return tenancy.owner(rule.tenant_key, self._tenant)

    def _several(self, place: str) -> int:
        query = tenancy.among_several(self._map.rules[place].tenant_key, self._tenant)
        with translated(self.system, self._purpose, place):
            return self._base[place].count_documents(query)

    def _texts(self, place: str, query: Document) -> Iterator[str]:
        return (text for document in self._base[place].find(query) for text in values.texts(document))

    def _ids(self, keys: Sequence[Key]) -> list[Any]:
        """Read a batch's keys; it is asked for twice, once to delete them and once to count what is left."""
        if self._read[0] is not keys:
            self._read = keys, [values.value(key[0]) for key in keys]
        return self._read[1]

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
