"""A task that went through JSON, done by the worker's function and sent back as bytes, is the same counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from whole_logs import count_log, stored, write_log

from recsysops.engines import spark_worker
from recsysops.engines.scan_task import ScanTask
from recsysops.engines.spark_runner import _answer
from recsysops.engines.task_codec import SharedUnit, encode_task, encode_unit
from recsysops.errors import RecSysOpsError, SourceError
from recsysops.profiles.profile import Profile


class ByWire:
    """Does tasks as a worker would, and remembers how many."""

    def __init__(self, root: Path, spill: Path) -> None:
        self.root, self.spill = root, spill
        self.n_done: dict[str, int] = {}

    def __call__(self, tasks: Sequence[ScanTask]) -> Iterator[Profile | RecSysOpsError]:
        if not tasks:
            return
        unit = SharedUnit(encode_unit(tasks, self.root))
        self.n_done[tasks[0].unit.name] = len(tasks)
        for task in tasks:
            yield _answer(spark_worker.work(unit, encode_task(task), self.spill))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("log")
    write_log(folder)
    return folder


def test_counts_are_equal_byte_for_byte(root: Path, tmp_path: Path) -> None:
    here = count_log(root, tmp_path / "here")
    wire = ByWire(root, tmp_path / "spill")
    there = count_log(root, tmp_path / "there", wire)
    assert stored(tmp_path / "here") == stored(tmp_path / "there")
    assert len(stored(tmp_path / "here")) > 25
    assert {"candidates", "outcomes", "outcomes+candidates", "items", "requests", "impressions"} <= set(wire.n_done)
    assert there == here


def test_what_cannot_be_read_is_the_same_error(root: Path, tmp_path: Path) -> None:
    summary = count_log(root, tmp_path / "there", ByWire(root, tmp_path / "spill"))
    damaged = [one.reason for one in summary.skipped if "part-05" in one.reason]
    assert damaged
    assert all("expected" in reason for reason in damaged)


def test_only_what_changed_is_sent(root: Path, tmp_path: Path) -> None:
    count_log(root, tmp_path / "there", ByWire(root, tmp_path / "spill"))
    again = ByWire(root, tmp_path / "spill")
    count_log(root, tmp_path / "there", again)
    assert again.n_done == {"candidates": 1}, "only the damaged one is tried again"


def test_an_error_of_ours_is_no_skipped_partition() -> None:
    kind, told = spark_worker.work(SharedUnit("{}"), "{}", Path())
    assert kind == "broken"
    with pytest.raises(RuntimeError, match=r"(?s)a task on a worker.*KeyError"):
        _answer((kind, told))
    error = SourceError("a.parquet", found="x", expected="y", next_step="z")
    sent = b'["SourceError", "a.parquet", "x", "y", "z"]'
    assert str(_answer(("refused", sent))) == str(error)
