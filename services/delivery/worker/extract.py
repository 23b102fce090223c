"""The extract: which places are read, slice by slice, each place a checkpoint; documents are copied as they are."""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from contracts.errors import Rejected, Unavailable
from services.delivery import descriptor, domain, store
from services.delivery.domain import Delivery
from services.delivery.tables import TableFile, Written, file_name
from services.delivery.worker.survey import opened, registered, survey
from shared.connectors.protocol import Connector
from shared.runtime.drops import write_atomically

SLICE_S, ROWS = 20.0, 2000


def plan(work: Any, delivery: Delivery, bag: store.Row) -> store.Row:
    """Fix which places are read; raise SPECIFICATION_OUTDATED or NOTHING_TO_DELIVER (the hand's rule 3)."""
    approved = json.loads(work.read(lambda unit: store.load_specification(unit, work.exit_id)))["places"]
    places = survey(registered(work, delivery), delivery)
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


def read_on(work: Any, delivery: Delivery, bag: store.Row, folder: Path) -> store.Row:
    """Read the places of one system until the slice's time is over; every place that is done is a checkpoint."""
    left = [position for position, place in enumerate(bag["places"]) if not place["done"]]
    if not left:
        return bag
    ends, places, system = time.monotonic() + SLICE_S, list(bag["places"]), bag["places"][left[0]]["system"]
    with opened(registered(work, delivery), system, delivery) as connector:
        for position in (position for position in left if places[position]["system"] == system):
            places[position] = _slice(connector, places[position], folder, ends)
            bag = bag | {"places": list(places)}
            if time.monotonic() >= ends:
                break
            work.transaction(partial(store.save_package, package=bag))
    return bag


def _slice(connector: Connector, place: store.Row, folder: Path, ends: float) -> store.Row:
    """Read rows and then documents of one place until `ends`; give the place with its checkpoint."""
    table = table_of(place, folder)
    if table.lost:
        place = place | {"after": None, "document": "", "rows_read": False}
    while not place.get("rows_read"):
        got = connector.read(place["place"], place["after"], ROWS)
        table.append(got.columns or _known_columns(place), got.rows)
        place = place | asdict(table.written) | {"after": got.after, "rows_read": got.after is None}
        if time.monotonic() >= ends:
            return place
    return _copy_documents(connector, place, folder, ends)


def table_of(place: store.Row, folder: Path) -> TableFile:
    """Give the file that a place is read into, as far as its checkpoint trusts it."""
    stem = folder / "tables" / file_name(place["system"]) / file_name(place["place"])
    return TableFile(stem, Written(tuple(place["columns"]), place["offset"], place["rows"]))


def _known_columns(place: store.Row) -> tuple[str, ...]:
    return tuple(field["name"] for field in place["specification"]["fields"]) or ("_id",)


def _copy_documents(connector: Connector, place: store.Row, folder: Path, ends: float) -> store.Row:
    for name, path in connector.documents(place["place"], place["document"]):
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
            write_atomically(target, lambda out: shutil.copyfileobj(file, out))
    except OSError as error:
        text = f"a document cannot be copied ({error.strerror or type(error).__name__})"
        raise Unavailable("DOCUMENT_UNREADABLE", text, remedy="look at the folder's rights") from None


def go_on(unit: Any, bag: store.Row) -> None:
    """Save the checkpoint and send the next slice, or the packing when every place is done."""
    store.save_package(unit, bag)
    body = {"exit_id": bag["exit_id"], "package_id": bag["_id"]}
    left = [position for position, place in enumerate(bag["places"]) if not place["done"]]
    if left:
        unit.send("delivery.extract.extract_place", body | {"position": left[0]})
    else:
        unit.send("delivery.extract.build_package", body)
