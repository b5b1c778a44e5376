"""A file is the old one or the new one, never half of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from recsysops.tables.atomic import write_atomically


def test_writes_and_replaces_making_folders(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b" / "file.txt"
    write_atomically(target, lambda path: path.write_text("one"))
    write_atomically(target, lambda path: path.write_text("two"))
    assert target.read_text() == "two"
    assert [path.name for path in target.parent.iterdir()] == ["file.txt"]


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt])
def test_a_failing_writer_leaves_the_old_file_and_nothing_else(tmp_path: Path, failure: type[BaseException]) -> None:
    target = tmp_path / "file.txt"
    target.write_text("old")

    def writer(path: Path) -> None:
        path.write_text("half")
        raise failure

    with pytest.raises(failure):
        write_atomically(target, writer)
    assert [path.name for path in tmp_path.iterdir()] == ["file.txt"]
    assert target.read_text() == "old"
