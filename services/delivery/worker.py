"""The hand `extract`: connection test, specification, the extract in slices, the package and its hand-over.

Rules kept here:
1. A slice ends after about 20 s of reading; what it wrote is on disk before the checkpoint that counts it is
   committed, and what lies beyond a checkpoint is cut off. Killed anywhere, it goes on without loss or repetition.
2. What the map excludes or marks `deliver: false` is never read; shared places are delivered whole.
3. The extract begins only while the live schema is what the specification says.
4. The package's digest is committed before the package can be seen in the drop; after a crash the same bytes are
   handed over again. Our plaintext is removed before the delivery is told.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from contracts.errors import Rejected, Unavailable
from contracts.system_map import System, SystemMap, check_live, load_registered
from services.delivery import descriptor, domain, package, store
from services.delivery.descriptor import Specification, Table
from services.delivery.domain import Delivery
from services.delivery.drops import drop_folders
from services.delivery.tables import TableFile, Written, file_name, sync_folder
from shared.bus.hands import Hand, task
from shared.connectors import open_connector
from shared.connectors.protocol import Connector

SLICE_S, ROWS = 20.0, 2000
OPEN_KINDS = ("mongodb", "files", "case_index")


class Extract(Hand):
    """Reads the customer's data and hands them over."""

    service, name = "delivery", "extract"

    @task
    def test_connection(self, work: Any) -> None:
        """Write, read and remove a probe in the drop (B9); what fails is a fact, not an error."""
        folder = drop_folders(work.settings.drops).get(work.data["drop"])
        code = package.probe(folder, work.data["recipient"]) if folder else "DROP_UNKNOWN"
        work.commit(lambda unit: _tested(unit, work, code))

    @task
    def specify(self, work: Any) -> None:
        """Draw up the data specification from the live schemas (B10)."""
        delivery: Delivery = work.read(lambda unit: store.load(unit, work.exit_id))
        systems = _map(work, delivery)
        places = _survey(systems, delivery)
        titles = {name: systems.system(name).title for name in delivery.needs or ()}
        text = descriptor.write_specification(delivery.exit_id, titles, places)
        work.commit(lambda unit: _specified(unit, delivery, text, len(places)))

    @task
    def extract_place(self, work: Any) -> None:
        """Read on from the first place that is not done, as far as this slice's time goes (C3)."""
        with _alone(work) as folder:
            delivery, bag = _load(work)
            if bag["state"] == "ordered":
                bag = _plan(work, delivery, bag)
            if bag["state"] == "extracting":
                bag = _read_on(work, delivery, bag, folder)
                work.commit(lambda unit: _go_on(unit, bag))

    @task
    def build_package(self, work: Any) -> None:
        """Seal the bag; in a message of its own, hand it over."""
        with _alone(work) as folder:
            delivery, bag = _load(work)
            if bag["state"] == "extracting":
                _seal(work, delivery, bag, folder)
            elif bag["state"] == "sealed":
                _deliver(work, delivery, bag, folder)


@contextmanager
def _alone(work: Any) -> Iterator[Path]:
    """Hold the package's work folder; whoever else was given the same work waits (a killed process holds nothing)."""
    folder = Path(work.settings.work.resolve() / file_name(work.data["package_id"]))
    folder.mkdir(mode=0o700, exist_ok=True)
    with (folder / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


def _load(work: Any) -> tuple[Delivery, store.Row]:
    delivery: Delivery = work.read(lambda unit: store.load(unit, work.exit_id))
    bag = work.read(lambda unit: store.load_package(unit, work.data["package_id"]))
    if bag is None:
        raise domain.unknown_package()
    return delivery, bag


def _map(work: Any, delivery: Delivery) -> SystemMap:
    return load_registered(work.settings.maps, delivery.require_order().map_digest)


@contextmanager
def _opened(systems: SystemMap, name: str, delivery: Delivery) -> Iterator[Connector]:
    order = delivery.require_order()
    connector = open_connector(systems, name, purpose="extract", tenant=order.tenant, cvr=order.customer_cvr)
    try:
        yield connector
    finally:
        connector.close()


# --- B9, B10: test and specification


def _tested(unit: Any, work: Any, code: str) -> None:
    """Tell the test's outcome, unless another dispatch was set meanwhile (its own test follows)."""
    delivery = store.load(unit, work.exit_id)
    if delivery.dispatch == domain.Dispatch(work.data["drop"], work.data["recipient"]):
        store.save(unit, replace(delivery, connection=code))
        told = {"exit_id": work.exit_id, "ok": code == "OK", "code": code}
        unit.emit("delivery.connection_tested", work.exit_id, told)


def _specified(unit: Any, surveyed: Delivery, text: str, places: int) -> None:
    """Tell the specification, unless other needs were submitted meanwhile (their own specification follows)."""
    delivery = store.load(unit, surveyed.exit_id)
    if delivery.needs == surveyed.needs:
        digest = sha256(text.encode()).hexdigest()
        store.save_specification(unit, delivery.exit_id, text)
        store.advance(unit, replace(delivery, specification=digest))
        told = {"exit_id": delivery.exit_id, "digest": digest, "places": places}
        unit.emit("delivery.specification_made", delivery.exit_id, told)


def _survey(systems: SystemMap, delivery: Delivery) -> list[Specification]:
    """Describe every place that is delivered, from the live schemas (rule 2)."""
    places: list[Specification] = []
    for name in delivery.needs or ():
        system = systems.system(name)
        dispositions = _dispositions(system)
        if not dispositions:
            continue
        with _opened(systems, name, delivery) as connector:
            live = connector.discover()
        open_schema = system.kind in OPEN_KINDS
        check_live(system, {name: () if open_schema else columns for name, columns in live.columns().items()})
        places += [
            descriptor.specify(name, disposition, live.place(place), open_schema=open_schema)
            for place, disposition in dispositions.items()
        ]
    return places


def _dispositions(system: System) -> dict[str, str]:
    delivered = (rule for _, rule in sorted(system.rules.items()) if rule.deliver and not rule.excluded)
    return {rule.place: "tenant" if rule.owned else "shared" for rule in delivered}


# --- C3: the extract


def _plan(work: Any, delivery: Delivery, bag: store.Row) -> store.Row:
    """Fix which places are read, after comparing the live schema with the specification (rule 3)."""
    approved = json.loads(work.read(lambda unit: store.load_specification(unit, work.exit_id)))["places"]
    places = _survey(_map(work, delivery), delivery)
    descriptor.check_against(approved, places)
    if not places:
        raise Rejected(
            "NOTHING_TO_DELIVER", "the map delivers no place of the systems that the needs name",
            field="systems", remedy="correct the map or the data needs",
        )  # fmt: skip
    fresh = {"columns": [], "offset": 0, "rows": 0, "after": None, "document": "", "done": False}
    planned = bag | {
        "state": domain.next_package_state(bag["state"], "plan"),
        "places": [
            {name: place[name] for name in ("system", "place", "disposition")} | {"specification": place} | fresh
            for place in places
        ],
    }
    work.transaction(lambda unit: store.save_package(unit, planned))
    return planned


def _read_on(work: Any, delivery: Delivery, bag: store.Row, folder: Path) -> store.Row:
    """Read the places of one system until the slice's time is over; every place that is done is a checkpoint."""
    left = [position for position, place in enumerate(bag["places"]) if not place["done"]]
    if not left:
        return bag
    ends, places, system = time.monotonic() + SLICE_S, list(bag["places"]), bag["places"][left[0]]["system"]
    with _opened(_map(work, delivery), system, delivery) as connector:
        for position in (position for position in left if places[position]["system"] == system):
            places[position] = _slice(connector, places[position], folder, ends)
            bag = bag | {"places": list(places)}
            if time.monotonic() >= ends:
                break
            work.transaction(partial(store.save_package, package=bag))
    return bag


def _slice(connector: Connector, place: store.Row, folder: Path, ends: float) -> store.Row:
    """Read rows and then documents of one place until `ends`; give the place with its checkpoint."""
    table = _table(place, folder)
    if table.lost:
        place = place | {"after": None, "document": "", "rows_read": False}
    while not place.get("rows_read"):
        got = connector.read(place["place"], place["after"], ROWS)
        table.append(got.columns or _known_columns(place), got.rows)
        place = place | asdict(table.written) | {"after": got.after, "rows_read": got.after is None}
        if time.monotonic() >= ends:
            return place
    return _copy_documents(connector, place, folder, ends)


def _table(place: store.Row, folder: Path) -> TableFile:
    stem = folder / "tables" / file_name(place["system"]) / file_name(place["place"])
    return TableFile(stem, Written(tuple(place["columns"]), place["offset"], place["rows"]))


def _known_columns(place: store.Row) -> tuple[str, ...]:
    return tuple(field["name"] for field in place["specification"]["fields"]) or ("_id",)


def _copy_documents(connector: Connector, place: store.Row, folder: Path, ends: float) -> store.Row:
    for name, path in sorted(connector.documents(place["place"])):
        if name <= place["document"]:
            continue
        _copy(Path(path), document_path(folder, place, name))
        place = place | {"document": name}
        if time.monotonic() >= ends:
            return place
    return place | {"done": True}


def document_path(folder: Path, place: store.Row, name: str) -> Path:
    """Give where a document lies in the payload: never outside, whatever its name."""
    parts = [file_name(part) for part in name.split("/") if part]
    return folder.joinpath("documents", file_name(place["system"]), file_name(place["place"]), *parts)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with source.open("rb") as file:
            package.write_atomically(target, lambda out: shutil.copyfileobj(file, out))
    except OSError as error:
        text = f"a document cannot be copied ({error.strerror or type(error).__name__})"
        raise Unavailable("DOCUMENT_UNREADABLE", text, remedy="look at the folder's rights") from None


def _go_on(unit: Any, bag: store.Row) -> None:
    """Save the checkpoint and send the next slice, or the packing when every place is done."""
    store.save_package(unit, bag)
    body = {"exit_id": bag["exit_id"], "package_id": bag["_id"]}
    left = [position for position, place in enumerate(bag["places"]) if not place["done"]]
    if left:
        unit.send("delivery.extract.extract_place", body | {"position": left[0]})
    else:
        unit.send("delivery.extract.build_package", body)


# --- C3: the package


def _seal(work: Any, delivery: Delivery, bag: store.Row, folder: Path) -> None:
    for place in bag["places"]:
        if _table(place, folder).lost:
            place["done"] = False
    if not all(place["done"] for place in bag["places"]):
        return work.commit(lambda unit: _go_on(unit, bag))
    payload = _assemble(work, delivery, bag, folder)
    package.make_bag(payload, _bag_info(work, bag))
    dispatch = delivery.dispatch or domain.Dispatch("", "")
    sealed = package.seal(payload, dispatch.recipient, folder / "sealed.age", work.today)
    shutil.rmtree(payload)
    kept = bag | {"state": domain.next_package_state(bag["state"], "seal"), "sealed": asdict(sealed)}
    return work.commit(lambda unit: _go_on(unit, kept))


def _bag_info(work: Any, bag: store.Row) -> dict[str, str]:
    return {
        "Bagging-Date": work.today.isoformat(),
        "Bag-Software-Agent": "Ophør (bagit-python)",
        "External-Identifier": bag["_id"],
        "Bag-Group-Identifier": bag["exit_id"],
    }


def _assemble(work: Any, delivery: Delivery, bag: store.Row, folder: Path) -> Path:
    """Lay the payload out anew: links to what was read, and what describes it."""
    payload = folder / bag["name"].removesuffix(".tar.age")
    shutil.rmtree(payload, ignore_errors=True)
    payload.mkdir()
    tables = [_lay(place, folder, payload) for place in bag["places"]]
    if (folder / "documents").is_dir():
        shutil.copytree(folder / "documents", payload / "documents", copy_function=os.link)
    specification = work.read(lambda unit: store.load_specification(unit, work.exit_id))
    titles = {row["system"]: row["title"] for row in json.loads(specification)["systems"]}
    title = f"Data fra exit {bag['exit_id']}"
    body = descriptor.data_package(bag["_id"], title, work.today, tables)
    _write(payload / "datapackage.json", body)
    _write(payload / "counts.json", descriptor.counts(bag["exit_id"], bag["_id"], bag["places"]))
    (payload / "dictionary.da.md").write_text(descriptor.dictionary(title, titles, tables), encoding="utf-8")
    (payload / "dataspecifikation.json").write_text(specification, encoding="utf-8")
    return payload


def _lay(place: store.Row, folder: Path, payload: Path) -> Table:
    source = _table(place, folder).path
    with source.open("r+b") as file:
        file.truncate(place["offset"])
    path = descriptor.table_path(place["system"], place["place"])
    target = payload / path
    target.parent.mkdir(parents=True, exist_ok=True)
    os.link(source, target)
    digest, columns = package.digest_of(target), tuple(place["columns"])
    return Table(place["specification"], columns, path, place["offset"], digest, place["rows"])


def _write(path: Path, body: dict[str, Any]) -> None:
    path.write_text(json.dumps(body, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _deliver(work: Any, delivery: Delivery, bag: store.Row, folder: Path) -> None:
    """Hand the sealed package over, remove our copies, then tell (rule 4)."""
    dispatch = delivery.dispatch or domain.Dispatch("", "")
    drop = drop_folders(work.settings.drops).get(dispatch.drop)
    if drop is None:
        raise Unavailable("DROP_UNKNOWN", "the drop is not configured any more", field="OPHOR_DROPS", remedy="add it")
    try:
        package.hand_over(folder / "sealed.age", bag["sealed"]["digest"], drop / bag["name"])
    except Unavailable as error:
        if error.code != "SEALED_LOST":
            raise
        return work.commit(lambda unit: _again(unit, bag))
    package.destroy(folder)
    sync_folder(drop)
    return work.commit(lambda unit: _delivered(unit, bag))


def _again(unit: Any, bag: store.Row) -> None:
    """Read everything again: the sealed package was lost with the work folder and never lay in the drop."""
    places = [place | {"done": False} for place in bag["places"]]
    _go_on(unit, bag | {"state": domain.next_package_state("sealed", "lose"), "sealed": None, "places": places})


def _delivered(unit: Any, bag: store.Row) -> None:
    store.save_package(unit, bag | {"state": domain.next_package_state(bag["state"], "deliver")})
    places = [{name: place[name] for name in ("system", "place", "rows", "disposition")} for place in bag["places"]]
    unit.emit(
        "delivery.package_delivered",
        bag["exit_id"],
        {
            "exit_id": bag["exit_id"],
            "package_id": bag["_id"],
            "package_digest": bag["sealed"]["digest"],
            "package_bytes": bag["sealed"]["size"],
            "files": bag["sealed"]["files"],
            "rows": sum(place["rows"] for place in places),
            "places": places,
            "on": unit.today,
        },
    )


HANDS = {"extract": Extract}
