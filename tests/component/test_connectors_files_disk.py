"""A batch of files that was committed is finished wherever it was cut off, and leaves no directory that counts; a link
in the place of the tenant's folder is never followed."""

from __future__ import annotations

from pathlib import Path

import pytest

from contracts.errors import Rejected
from contracts.system_map import parse
from shared.connectors.files import FilesConnector, disk
from shared.connectors.protocol import Connector

MAP = b"""
version: 1
systems:
  arkiv:
    title: Arkiv
    kind: files
    deletion: 1
    tenant: "{tenant}"
    connection: {folder: arkiv}
    places: {breve: {tenant_key: folder}}
"""


def _committed(mine: Path) -> Path:
    """Lay down what a batch leaves at the moment of its commit: two files aside, their directories empty."""
    done = mine / ".ophor-done-1"
    for name in ("breve/2024/a.txt", "breve/b.txt"):
        (done / name).parent.mkdir(parents=True, exist_ok=True)
        (done / name).write_text("x")
    (mine / "breve" / "2024").mkdir(parents=True)
    return done


def test_directories_that_a_batch_left_empty_are_removed_and_the_tenants_folder_last(tmp_path: Path) -> None:
    mine = tmp_path / "991"
    disk.finish(_committed(mine), mine)
    assert not mine.exists()


def test_directories_with_other_files_stay(tmp_path: Path) -> None:
    mine = tmp_path / "991"
    done = _committed(mine)
    (mine / "breve" / "c.txt").write_text("x")
    disk.finish(done, mine)
    assert [path.relative_to(mine).as_posix() for path in disk.entries(mine)] == ["breve/c.txt"]


@pytest.mark.parametrize("cut", ["before the directories", "before the files"])
def test_a_batch_that_was_cut_off_after_its_commit_leaves_nothing_that_counts(tmp_path: Path, cut: str) -> None:
    mine = tmp_path / "991"
    done = _committed(mine)
    if cut == "before the files":
        (mine / "breve" / "2024").rmdir()
        (mine / "breve").rmdir()
    disk.finish(done, mine)
    assert not mine.exists()


def test_a_link_in_the_place_of_the_tenants_folder_is_refused_and_what_it_leads_to_stays(tmp_path: Path) -> None:
    theirs = tmp_path / "arkiv" / "breve" / "992"
    (theirs / ".ophor-batch-1").mkdir(parents=True)  # the neighbour's own deletion is under way
    (theirs / ".ophor-batch-1" / "a.txt").write_text("x")
    (theirs / "b.txt").write_text("x")
    (theirs.parent / "991").symlink_to(theirs)
    system = parse(MAP, "map.yaml", tmp_path).system("arkiv")

    def delete(connector: Connector) -> None:
        with connector.batch() as batch:
            batch.delete("breve", [("b.txt",)])
            batch.commit()

    for purpose, act in (("verify", lambda each: each.count("breve")), ("delete", delete)):
        with pytest.raises(Rejected, match="OUTSIDE_SCOPE"):
            act(FilesConnector(system, purpose, "991"))
    assert sorted(path.relative_to(theirs).as_posix() for path in disk.entries(theirs)) == [
        ".ophor-batch-1/a.txt", "b.txt",
    ]  # fmt: skip
