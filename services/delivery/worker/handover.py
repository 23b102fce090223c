"""The package: laid out from what was read, sealed, handed over, our plaintext removed, and only then told."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

from contracts.errors import Unavailable
from services.delivery import descriptor, domain, package, store
from services.delivery.descriptor import Table
from services.delivery.domain import Delivery
from services.delivery.worker.extract import go_on, table_of
from shared.runtime.drops import digest_of, drop_folders, sync_folder


def seal(work: Any, delivery: Delivery, bag: store.Row, folder: Path) -> None:
    """Lay the bag out, seal it and commit its digest; what the work folder has lost is read again first."""
    for place in bag["places"]:
        if table_of(place, folder).lost:
            place["done"] = False
    if not all(place["done"] for place in bag["places"]):
        return work.commit(lambda unit: go_on(unit, bag))
    payload = _assemble(work, delivery, bag, folder)
    package.make_bag(payload, _bag_info(work, bag))
    sealed = package.seal(payload, _dispatch(delivery).recipient, folder / "sealed.age", work.today)
    shutil.rmtree(payload)
    kept = bag | {"state": domain.next_package_state(bag["state"], "seal"), "sealed": asdict(sealed)}
    return work.commit(lambda unit: go_on(unit, kept))


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
    source = table_of(place, folder).path
    with source.open("r+b") as file:
        file.truncate(place["offset"])
    path = descriptor.table_path(place["system"], place["place"])
    target = payload / path
    target.parent.mkdir(parents=True, exist_ok=True)
    os.link(source, target)
    digest, columns = digest_of(target), tuple(place["columns"])
    return Table(place["specification"], columns, path, place["offset"], digest, place["rows"])


def _write(path: Path, body: dict[str, Any]) -> None:
    path.write_text(json.dumps(body, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def deliver(work: Any, delivery: Delivery, bag: store.Row, folder: Path) -> None:
    """Hand the sealed package over, remove our copies, then tell (rule 4); to the successor only under instruction."""
    drop = _drop(work, delivery)
    domain.require_instruction(delivery, _dispatch(delivery))
    try:
        package.hand_over(folder / "sealed.age", bag["sealed"]["digest"], drop / bag["name"])
    except Unavailable as error:
        if error.code != "SEALED_LOST":
            raise
        return work.commit(lambda unit: _again(unit, bag))
    package.destroy(folder)
    sync_folder(drop)
    kept = bag | {"drop": _dispatch(delivery).drop, "drop_number": drop.stat().st_ino}
    return work.commit(lambda unit: _delivered(unit, kept))


def stop(work: Any, delivery: Delivery, bag: store.Row, folder: Path) -> None:
    """Stop a package after the exit was cancelled (rule 5)."""
    if bag["state"] == "sealed" and package.handed_over(bag["sealed"]["digest"], _drop(work, delivery) / bag["name"]):
        return deliver(work, delivery, bag, folder)
    package.destroy(folder)
    if (bag["state"], "stop") not in domain.PACKAGE_STATES:
        return None
    stopped = bag | {"state": domain.next_package_state(bag["state"], "stop"), "sealed": None}
    return work.commit(lambda unit: store.save_package(unit, stopped))


def _dispatch(delivery: Delivery) -> domain.Dispatch:
    """Give how data go: C3 is not sent before that is known."""
    assert delivery.dispatch is not None
    return delivery.dispatch


def _drop(work: Any, delivery: Delivery) -> Path:
    drop = drop_folders(work.settings.drops).get(_dispatch(delivery).drop)
    if drop is None:
        raise Unavailable("DROP_UNKNOWN", "the drop is not configured any more", field="OPHOR_DROPS", remedy="add it")
    return drop


def _again(unit: Any, bag: store.Row) -> None:
    """Read everything again: the sealed package was lost with the work folder and never lay in the drop."""
    places = [place | {"done": False} for place in bag["places"]]
    go_on(unit, bag | {"state": domain.next_package_state("sealed", "lose"), "sealed": None, "places": places})


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
