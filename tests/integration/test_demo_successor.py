"""The successor opens packages: whole ones, and ones of which something does not hold."""

from __future__ import annotations

import hashlib
import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bagit
import pyrage
import pytest

from contracts.errors import Rejected, Unavailable
from deploy.demo.successor import receive

IDENTITY = pyrage.x25519.Identity.generate()
TABLES = {
    "barn": ("id,navn,plads", ["1,Åse,7", '2,"Ib ""Bo"", junior",', '3,"to\r\nlinjer",8']),
    "plads": ("id,barn", ["7,1", "8,3"]),
}
KEYS = {
    "barn": [{"fields": ["plads"], "reference": {"resource": "plads", "fields": ["id"]}}],
    "plads": [{"fields": ["barn"], "reference": {"resource": "barn", "fields": ["id"]}}],
}

Change = Callable[[Path], None]


def lay_out(folder: Path) -> None:
    """Write the payload: two tables that refer to each other, the descriptor and the counts."""
    (folder / "tables").mkdir(parents=True)
    for name, (head, rows) in TABLES.items():
        (folder / f"tables/{name}.csv").write_bytes("".join(f"{line}\r\n" for line in (head, *rows)).encode())
    describe(folder)


def describe(folder: Path) -> None:
    """Write descriptor and counts of the tables as they are now."""
    resources = [resource(folder, name) for name in TABLES]
    (folder / "datapackage.json").write_text(json.dumps({"name": "p", "resources": resources}))
    (folder / "counts.json").write_text(json.dumps({"rows": sum(each["ophor:rows"] for each in resources)}))


def resource(folder: Path, name: str) -> dict[str, Any]:
    content = (folder / f"tables/{name}.csv").read_bytes()
    head, rows = TABLES[name]
    return {
        "name": name, "path": f"tables/{name}.csv", "bytes": len(content), "ophor:rows": len(rows),
        "hash": f"sha256:{hashlib.sha256(content).hexdigest()}",
        "schema": {
            "fields": [{"name": each, "type": "string"} for each in head.split(",")],
            "primaryKey": ["id"], "foreignKeys": KEYS[name],
        },
    }  # fmt: skip


def pack(home: Path, before: Change = lambda folder: None, after: Change = lambda folder: None) -> Path:
    """Make a package; `before` changes the payload before it is bagged, `after` the bag before it is sealed."""
    bag = home / "11111111-exit-1.bag"
    lay_out(bag)
    before(bag)
    bagit.make_bag(str(bag), checksums=["sha256", "sha512"])
    after(bag)
    with tarfile.open(home / "bag.tar", "w") as tar:
        tar.add(bag, arcname=bag.name)
    package = home / "package.tar.age"
    package.write_bytes(pyrage.encrypt((home / "bag.tar").read_bytes(), [IDENTITY.to_public()]))
    (home / "key.txt").write_text(f"{IDENTITY}\n")
    shutil.rmtree(bag)
    return package


def refusal(package: Path) -> str:
    with pytest.raises(Rejected) as refused:
        receive(package, package.parent / "key.txt")
    assert refused.value.code == "PACKAGE_REFUSED"
    return f"{refused.value.field}: {refused.value.message}"


def test_a_whole_package_gives_the_digest_of_what_lay_in_the_drop(tmp_path: Path) -> None:
    package = pack(tmp_path)
    receipt = receive(package, tmp_path / "key.txt")
    assert receipt.package_digest == hashlib.sha256(package.read_bytes()).hexdigest()
    assert (receipt.rows, receipt.files, receipt.tables) == (5, 4, {"barn": 3, "plads": 2})


def test_a_package_for_somebody_else_is_refused(tmp_path: Path) -> None:
    package = pack(tmp_path)
    (tmp_path / "key.txt").write_text(str(pyrage.x25519.Identity.generate()))
    assert "decryption" in refusal(package)


def test_a_changed_byte_is_refused(tmp_path: Path) -> None:
    package = pack(tmp_path)
    content = bytearray(package.read_bytes())
    content[-40] ^= 1
    package.write_bytes(bytes(content))
    assert "decryption" in refusal(package)


def test_a_missing_package_may_still_come(tmp_path: Path) -> None:
    pack(tmp_path)
    with pytest.raises(Unavailable, match="PACKAGE_MISSING"):
        receive(tmp_path / "other.age", tmp_path / "key.txt")


def edit(name: str, change: Callable[[str], str], *, anew: bool = False) -> Change:
    def run(folder: Path) -> None:
        path = next(folder.rglob(name))
        path.write_bytes(change(path.read_bytes().decode()).encode())
        if anew:
            describe(folder)

    return run


@pytest.mark.parametrize(
    ("before", "field", "why"),
    [
        (edit("plads.csv", lambda text: text + "9,1\r\n"), "plads", "another size"),
        (edit("plads.csv", lambda text: text.replace("8,3", "8,1")), "plads", "hash"),
        (edit("plads.csv", lambda text: text + "9,1\r\n", anew=True), "plads", "3 rows instead of 2"),
        (edit("plads.csv", lambda text: text.replace("8,3", "7,3"), anew=True), "plads", "primary key"),
        (edit("plads.csv", lambda text: text.replace("8,3", "8,4"), anew=True), "plads", "lead nowhere"),
        (edit("plads.csv", lambda text: text.replace("8,3", "8,3,5"), anew=True), "plads", "3 fields instead of 2"),
        (edit("plads.csv", lambda text: text.replace("id,barn", "id,child"), anew=True), "plads", "header"),
        (edit("counts.json", lambda text: text.replace("5", "6")), "counts.json", "6 rows instead of 5"),
    ],
)
def test_tables_that_are_not_what_the_descriptor_says_are_refused(
    tmp_path: Path, before: Change, field: str, why: str
) -> None:
    found = refusal(pack(tmp_path, before=before))
    assert found.startswith(field)
    assert why in found


def test_a_bag_with_a_file_that_no_manifest_lists_is_refused(tmp_path: Path) -> None:
    found = refusal(pack(tmp_path, after=lambda bag: (bag / "data/extra.txt").write_text("x") and None))
    assert found.startswith("bag")


def test_a_bag_with_a_changed_file_is_refused(tmp_path: Path) -> None:
    assert refusal(pack(tmp_path, after=edit("barn.csv", lambda text: text.replace("Åse", "Ase")))).startswith("bag")


def test_a_tar_that_reaches_outside_is_refused(tmp_path: Path) -> None:
    package = pack(tmp_path)
    (tmp_path / "evil").write_text("x")
    with tarfile.open(tmp_path / "bag.tar", "a") as tar:
        tar.add(tmp_path / "evil", arcname="../../evil-outside")
    package.write_bytes(pyrage.encrypt((tmp_path / "bag.tar").read_bytes(), [IDENTITY.to_public()]))
    assert refusal(package).startswith("tar")


def test_a_tar_with_a_link_in_it_is_refused(tmp_path: Path) -> None:
    package = pack(tmp_path)
    link = tarfile.TarInfo("11111111-exit-1.bag/data/link")
    link.type, link.linkname = tarfile.SYMTYPE, "datapackage.json"
    with tarfile.open(tmp_path / "bag.tar", "a") as tar:
        tar.addfile(link)
    package.write_bytes(pyrage.encrypt((tmp_path / "bag.tar").read_bytes(), [IDENTITY.to_public()]))
    assert refusal(package).startswith("tar")
