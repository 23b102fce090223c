"""From a system of the map to the readers of its backup sets; and the one answer of all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from contracts.errors import OphorError
from contracts.system_map import System
from contracts.system_map.backups import Source
from shared.backups.catalogue import Catalogue
from shared.backups.disk import Folder
from shared.backups.dumps import MariaDumps, MongoDumps
from shared.backups.model import Answer, Reader, Set, not_listed
from shared.backups.pgbackrest import PgBackRest
from shared.backups.postgresql import BaseBackups
from shared.backups.snapshots import Snapshots
from shared.backups.streams import Binlogs, InfoWal, Oplog, Stream, WalArchive


def readers_of(system: System) -> list[tuple[Source, Reader]]:
    """Make a reader for every source of a system."""
    sources = system.sources or ((Source("catalogue", folder=system.backups),) if system.backups else ())
    return [(source, _MAKERS[source.kind](system, source)) for source in sources]


def listed(system: System) -> list[Set]:
    """List every set of a system, with the day that its source promises; raise where one cannot be listed."""
    return [_promised(source, each) for source, reader in readers_of(system) for each in reader.sets()]


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look into all sources of a system gave; a `failed` one (its kind and its error's code) said nothing."""

    found: tuple[Set, ...]
    failed: tuple[tuple[str, str], ...]
    streams: Mapping[str, Stream]

    def answers(self, wanted: Iterable[Set], catalogued: Iterable[Set] = ()) -> dict[str, Answer]:
        """Say of each set whether it was met, by name or content; gone only where every source could be looked into.

        Content that lies under the name of another `catalogued` set which has it too is that one's own, and will go
        with it: two copies of what did not change between them are two sets.
        """
        names, same = {each.set_id for each in self.found}, self._elsewhere({one.set_id: one for one in catalogued})
        missing = Answer.ERROR if self.failed else Answer.GONE
        return {
            each.set_id: self._stream(each)
            if each.stream
            else Answer.PRESENT
            if each.set_id in names or not same.isdisjoint(each.identity)
            else missing
            for each in wanted
        }

    def _elsewhere(self, catalogued: Mapping[str, Set]) -> set[str]:
        """Give the contents met under a name that the catalogue does not know with that content."""
        own = (each for each in self.found if each.set_id in catalogued and each.same_content(catalogued[each.set_id]))
        mine = {each.set_id for each in own}
        return {one for each in self.found if each.set_id not in mine for one in each.identity}

    def _stream(self, wanted: Set) -> Answer:
        reader = self.streams.get(wanted.kind)
        return reader.look(wanted) if reader else Answer.ERROR


def see(system: System) -> Seen:
    """Look once into every source of a system."""
    return seen(readers_of(system))


def seen(readers: Sequence[tuple[Source, Reader]]) -> Seen:
    """Look once into every one of these sources; streams are asked about one set at a time."""
    found: list[Set] = []
    failed: list[tuple[str, str]] = []
    for source, reader in readers:
        try:
            found += [] if source.stream else [_promised(source, each) for each in reader.everything()]
        except OphorError as error:
            failed.append((source.kind, error.code))
    if not readers:
        failed.append(("none", "BACKUPS_NOT_LISTED"))
    return Seen(
        tuple(found), tuple(failed), {source.kind: reader for source, reader in readers if isinstance(reader, Stream)}
    )


def own_copies(system: System, on: date) -> list[Set]:
    """List the streams that a deletion wrote into until now, as sets of the day `on` (evidence.md §5)."""
    made = []
    for source, reader in readers_of(system):
        if isinstance(reader, Stream):
            position = (str(reader.now()),)
            expires = on + timedelta(days=source.retention_days)
            name = f"{source.kind}-{on:%Y%m%d}"
            made.append(Set(name, source.kind, on, position, expires, stream=True, certain=True))
    return made


def _promised(source: Source, found: Set) -> Set:
    if found.expires_on is not None or found.taken_on is None or not source.retention_days:
        return found
    return replace(found, expires_on=found.taken_on + timedelta(days=source.retention_days))


def _folder(source: Source) -> Folder:
    return Folder(Path(source.folder), source.anchor)


def _wal(system: System, source: Source) -> Reader:
    def server() -> int:
        return _wal_position(system)

    if source.info:
        return InfoWal(Path(source.info), source.stanza, server)
    return WalArchive(_folder(source), server)


def _wal_position(system: System) -> int:
    """Ask the server where it writes, as the verifier; raise BACKUPS_NOT_LISTED where it does not say."""
    import psycopg

    where = system.connection
    user, secret = system.secret("verify")
    address: dict[str, Any] = {"host": str(where["host"]), "port": int(where["port"]), "dbname": str(where["database"])}
    if where.get("sslmode"):
        address["sslmode"] = str(where["sslmode"])
    try:
        with psycopg.connect(**address, user=user, password=secret, connect_timeout=10) as at:
            row = at.execute("SELECT (pg_current_wal_lsn() - '0/0'::pg_lsn)::bigint").fetchone()
    except psycopg.Error:
        raise not_listed("wal", "the server does not say where it writes") from None
    return int(row[0]) if row else 0


def _oplog(system: System, _: Source) -> Reader:
    def first() -> int:
        return _oplog_began(system)

    return Oplog(first)


def _oplog_began(system: System) -> int:
    """Ask for the oldest entry of the oplog, as the verifier (who needs `read` on `local`)."""
    from pymongo import MongoClient
    from pymongo.errors import PyMongoError

    where = system.connection
    user, secret = system.secret("verify")
    options: dict[str, Any] = {
        "authSource": where.get("auth_source") or where["database"],
        "tls": bool(where.get("tls")),
    }
    if where.get("replica_set"):
        options["replicaSet"] = where["replica_set"]
    try:
        with MongoClient[dict[str, Any]](
            str(where["host"]), int(where["port"]), username=user, password=secret,
            serverSelectionTimeoutMS=10_000, **options,
        ) as client:  # fmt: skip
            row = client.local["oplog.rs"].find_one({}, {"ts": 1}, sort=[("$natural", 1)])
    except PyMongoError:
        raise not_listed("oplog", "the server does not show its oplog") from None
    if row is None:
        raise not_listed("oplog", "there is no oplog")
    return int(row["ts"].time)


def _objects(system: System, source: Source) -> Reader:
    from shared.backups import objects  # its driver is loaded where a map names a bucket

    try:
        return objects.opened(system, source)
    except OphorError:
        return _Closed()


class _Closed:
    """A source that there is no key to."""

    def sets(self) -> list[Set]:
        raise not_listed("s3", "the secret that the map refers to is not there")

    everything = sets


_MAKERS: dict[str, Callable[[System, Source], Reader]] = {
    "catalogue": lambda _, source: Catalogue(_folder(source)),
    "postgresql": lambda _, source: BaseBackups(_folder(source)),
    "pgbackrest": lambda _, source: PgBackRest(Path(source.info), source.stanza),
    "mongodump": lambda _, source: MongoDumps(_folder(source)),
    "mariadb": lambda _, source: MariaDumps(_folder(source)),
    "snapshots": lambda _, source: Snapshots(_folder(source), source.pattern),
    "wal": _wal,
    "binlog": lambda _, source: Binlogs(_folder(source)),
    "oplog": _oplog,
    "s3": _objects,
}


def uncatalogued(found: Iterable[Set], known: Sequence[Set]) -> list[Set]:
    """List what is there and not in the catalogue, streams aside: a stream is catalogued by the deletion itself."""
    names = {each.set_id for each in known}
    same = {one for each in known for one in each.identity}
    return [
        each
        for each in found
        if each.set_id and not each.stream and each.set_id not in names and same.isdisjoint(each.identity)
    ]
