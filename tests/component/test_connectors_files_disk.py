"""A batch of files that was committed is finished wherever it was cut off, and leaves no directory that counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.connectors.files import disk


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
