"""Forks share what is never written in place, and nothing done in a fork is seen in the original."""

from __future__ import annotations

import errno
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from small_service import Holes, SmallService, SmallSize

from recsysops import Workspace
from recsysops.drills.fault import Planted
from recsysops.drills.scorecard.fork import fork
from recsysops.errors import SourceError
from recsysops.incidents.state import State


def contents(folder: Path) -> dict[str, bytes]:
    """Every file but those that SQLite makes while it is looked at."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix not in {".db-wal", ".db-shm"}
    }


@pytest.fixture
def original(tmp_path: Path) -> tuple[Path, Path]:
    """A workspace of a few judged days, and the service's checkpoint."""
    workspace, checkpoint = tmp_path / "original", tmp_path / "checkpoint"
    checkpoint.mkdir()
    service = SmallService.begin(workspace, SmallSize(n_requests=60), 3)
    for _ in range(8):
        service.run_day()
    Workspace(workspace).detect()
    service.save(checkpoint)
    return workspace, checkpoint


def test_days_run_and_judged_in_a_fork_leave_the_original_as_it_was(
    original: tuple[Path, Path], tmp_path: Path
) -> None:
    workspace, checkpoint = original
    before = contents(workspace)
    copy = tmp_path / "fork"
    fork(workspace, copy)
    service = SmallService.resume(checkpoint, copy)
    report = None
    for _ in range(2):
        day = service.run_day([Planted(Holes(0.8), service.next_day, 1)])
        report = Workspace(copy).detect()
        assert report.days == (day,)  # what was judged is known, what was counted is not counted again
        assert report.n_rows_read == 240
    assert report is not None
    assert any(one.entity == "candidates.age" for one in report.incidents)
    assert contents(workspace) == before


def test_a_fork_goes_on_as_the_original_would(original: tuple[Path, Path], tmp_path: Path) -> None:
    workspace, checkpoint = original
    copy = tmp_path / "fork"
    fork(workspace, copy)
    for folder in (copy, workspace):
        SmallService.resume(checkpoint, folder).run_day()
        Workspace(folder).detect()
    with State(Workspace(copy).state) as one, State(Workspace(workspace).state) as other:
        assert one.judged_days() == other.judged_days()
        assert one.incidents() == other.incidents()
    newest = sorted((copy / "logs" / "candidates").iterdir())[-1].relative_to(copy) / "part-0.parquet"
    assert (copy / newest).read_bytes() == (workspace / newest).read_bytes()


def test_logs_and_profiles_are_links_everything_else_is_a_copy(original: tuple[Path, Path], tmp_path: Path) -> None:
    workspace, _ = original
    (workspace / "logs" / ".half-written.parquet").write_bytes(b"x")
    copy = tmp_path / "fork"
    fork(workspace, copy)
    linked = {path.relative_to(copy) for path in copy.rglob("*.parquet")}
    assert len(linked) > 16
    for path in linked:
        assert (copy / path).samefile(workspace / path)
    for path in copy.rglob("*"):
        if path.is_file() and path.suffix != ".parquet":
            assert path.stat().st_nlink == 1, path
    assert not (copy / "logs" / ".half-written.parquet").exists()
    assert not (copy / ".recsysops" / "lock").exists()


def test_what_is_still_in_the_write_ahead_log_is_copied(tmp_path: Path) -> None:
    workspace = tmp_path / "w"
    workspace.mkdir()
    with closing(sqlite3.connect(workspace / "state.db")) as open_elsewhere:
        open_elsewhere.execute("PRAGMA journal_mode=WAL")
        open_elsewhere.execute("CREATE TABLE t (x)")
        open_elsewhere.execute("INSERT INTO t VALUES (7)")
        open_elsewhere.commit()
        assert (workspace / "state.db-wal").stat().st_size > 0
        fork(workspace, tmp_path / "copy")
    with closing(sqlite3.connect(tmp_path / "copy" / "state.db")) as copied:
        assert copied.execute("SELECT x FROM t").fetchall() == [(7,)]


def test_where_there_are_no_links_files_are_copied_with_their_age(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EXDEV, "another file system")

    workspace = tmp_path / "w"
    workspace.mkdir()
    (workspace / "a.parquet").write_bytes(b"rows")
    os.utime(workspace / "a.parquet", ns=(5_000_000_007, 5_000_000_007))
    monkeypatch.setattr(os, "link", refuse)
    fork(workspace, tmp_path / "copy")
    status = (tmp_path / "copy" / "a.parquet").stat()
    assert (status.st_nlink, status.st_mtime_ns) == (1, 5_000_000_007)


def test_links_out_of_the_folder_are_not_followed(tmp_path: Path) -> None:
    workspace, outside = tmp_path / "w", tmp_path / "outside"
    workspace.mkdir()
    outside.mkdir()
    (outside / "secret.parquet").write_bytes(b"x")
    (workspace / "way-out").symlink_to(outside)
    (workspace / "one.parquet").symlink_to(outside / "secret.parquet")
    fork(workspace, tmp_path / "copy")
    assert list((tmp_path / "copy").iterdir()) == []


def test_a_fork_needs_an_original_and_a_new_place(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="a workspace to fork"):
        fork(tmp_path / "nothing", tmp_path / "copy")
    with pytest.raises(SourceError, match="expected a new one"):
        fork(tmp_path, tmp_path)
