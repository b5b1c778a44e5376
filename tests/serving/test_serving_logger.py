"""What is not logged is counted, what is written is whole, nothing is raised."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from threading import Event, Thread
from typing import Any

import numpy as np
import pytest
from served_requests import NOON, files, logger, request, request_ids, rows, settings

from recsysops import serving
from recsysops.serving import Rule, SamplingPlan, ServedRequest, read_counts
from recsysops.serving.counters import Counts
from recsysops.serving.log_folder import LogFolder
from recsysops.serving.log_writer import CHUNK


@pytest.fixture
def stalled(monkeypatch: pytest.MonkeyPatch) -> Event:
    """The writer stands still until the event is set."""
    go = Event()
    add: Callable[..., int] = LogFolder.add

    def waits(self: LogFolder, kept: Any) -> int:
        go.wait(30)
        return add(self, kept)

    monkeypatch.setattr(LogFolder, "add", waits)
    return go


def test_accepted_and_dropped_are_all_that_was_offered(tmp_path: Path, stalled: Event) -> None:
    log = logger(tmp_path, settings=settings(queue_size=40))

    def offer(start: int) -> None:
        for number in range(start, start + 500):
            log.log(request(number))

    threads = [Thread(target=offer, args=[start]) for start in range(0, 2000, 500)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts = log.counts
    assert counts.n_offered == 2000
    assert counts.n_accepted + counts.n_dropped == 2000
    assert 40 <= counts.n_accepted <= 40 + CHUNK + len(threads), "the queue, the writer's hands, one a thread"
    stalled.set()
    log.close()
    assert log.counts.n_written == counts.n_accepted
    assert len(request_ids(tmp_path)) == counts.n_accepted
    log.log(request(1))
    assert log.counts.n_dropped == counts.n_dropped + 1, "offered to a closed logger"


BAD: list[Any] = [
    None,
    {"request_id": "r-1"},
    ServedRequest(7, ["i"]),  # type: ignore[arg-type]
    ServedRequest("r", None),  # type: ignore[arg-type]
    ServedRequest("r", ["i"], score=["high"]),  # type: ignore[list-item]
    ServedRequest("r", ["i"], score=[1, 2]),
    ServedRequest("r", ["i", "j"], position=[1]),
    ServedRequest("r", ["i"], final_rank=5),  # type: ignore[arg-type]
    ServedRequest("r", ["i"], candidate_source="taste"),
    ServedRequest("r", ["i"], candidate_source=["taste", "new"]),
    ServedRequest("r", ["i"], labels={"genre": ["a", "b"]}),
    ServedRequest("r", ["i"], labels=None),  # type: ignore[arg-type]
    ServedRequest("r", ["i"], features=np.zeros((2, 2), np.float32)),
    ServedRequest("r", ["i"], features=np.zeros((1, 3), np.float32)),
    ServedRequest("r", ["i"], features=np.zeros((1, 2), np.float64)),
    ServedRequest("r", ["i"], features=np.zeros((1, 2), object)),
    ServedRequest("r", ["i"], features=np.zeros((1, 2), np.float32), absent=np.zeros((1, 1), bool)),
    ServedRequest("r", ["i"], member_id=5),  # type: ignore[arg-type]
    ServedRequest("r", ["i"], context=None),  # type: ignore[arg-type]
    ServedRequest("r", ["i"], context={"market": 5}),  # type: ignore[dict-item]
    ServedRequest("r", ["i"], ts=datetime(2026, 11, 22)),  # noqa: DTZ001
    ServedRequest("r", ["i"], ts="now"),  # type: ignore[arg-type]
    ServedRequest("r", ["i"], seed=2**64),
    ServedRequest("r", ["i"], latency_ms="12 ms"),  # type: ignore[arg-type]
    ServedRequest("r \ud800", ["i"]),
    ServedRequest("r", ["i \udfff"]),
]


@pytest.mark.parametrize("file_format", ["parquet", "jsonl"])
def test_what_cannot_be_logged_is_counted_and_the_rest_is_logged(tmp_path: Path, file_format: str) -> None:
    log = logger(tmp_path, settings=settings(file_format=file_format))
    for number, bad in enumerate(BAD):
        log.log(request(number, ts=NOON))
        log.log(bad)
    assert log.flush()
    counts = log.counts
    assert counts.n_offered == 2 * len(BAD)
    assert counts.n_waiting == counts.n_pending == counts.n_dropped == 0
    assert log.latest_problem
    log.close()
    assert counts.n_malformed + counts.n_unwritable == len(BAD)
    assert request_ids(tmp_path) == sorted(f"r-{number}" for number in range(len(BAD)))


def test_odd_but_sound_requests(tmp_path: Path) -> None:
    odd = [
        ServedRequest("", [], score=[], ts=NOON),
        ServedRequest("'; DROP TABLE x; --\x1b[2J", ["../../i"], score=[0.0], ts=NOON),
        ServedRequest(
            "r" * 10_000, ["i"] * 3, score=np.array([1, 2, 3], np.float16), raw_rank=[math.inf, -1, 1e300], ts=NOON
        ),
        ServedRequest("r-1", np.arange(3), features=[[1, 2]] * 3, ts=NOON),  # type: ignore[arg-type]
        ServedRequest("r-2", ["i"], ts=NOON.replace(year=1969)),
    ]
    with logger(tmp_path) as log:
        for one in odd:
            log.log(one)
    assert log.counts.n_written == len(odd)
    found = rows(tmp_path).to_pylist()
    assert [row["item_id"] for row in found if row["request_id"] == "r-1"] == ["0", "1", "2"]
    assert [row["raw_rank"] for row in found if len(row["request_id"]) > 1000] == [None] * 3


def test_a_folder_that_cannot_be_written_stops_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("in the way")
    with caplog.at_level(logging.WARNING, "recsysops.serving"):
        log = logger(tmp_path / "file" / "log")
        for number in range(10):
            log.log(request(number))
        assert log.flush()
        log.log(request(11))
        log.close()
    assert log.counts == Counts(n_offered=11, n_accepted=11, n_unwritable=11)
    assert "NotADirectoryError" in log.latest_problem
    assert len(caplog.records) == 1, "said once a minute at most"


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    log = logger(tmp_path)
    log.log(request(1))
    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", broken)
        assert log.flush()
    log.log(request(2))
    log.close()
    assert log.counts.n_unwritable == log.counts.n_written == 1
    assert request_ids(tmp_path) == ["r-2"]
    assert not list(tmp_path.glob("**/.*"))


def test_files_are_rotated_by_rows_and_by_age(tmp_path: Path) -> None:
    with logger(tmp_path / "rows", settings=settings(rotate_rows=30)) as log:
        for number in range(100):
            log.log(request(number))
        assert log.flush()
        assert len(files(tmp_path / "rows")) >= 3
    with logger(tmp_path / "age", settings=settings(rotate_seconds=0.0)) as log:
        log.log(request(1))
        for _ in range(400):
            if log.counts.n_written:
                break
            Event().wait(0.05)
    assert request_ids(tmp_path / "age") == ["r-1"]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"plan": SamplingPlan((Rule("a", 1, when={"planet": ["Mars"]}),))}, "found the dimension 'planet'"),
        ({"settings": settings(file_format="xlsx")}, "found 'xlsx', expected parquet or jsonl"),
    ],
)
def test_what_cannot_work_is_refused_at_the_start(tmp_path: Path, changed: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        logger(tmp_path, **changed)


def test_counts_are_read_from_outside(tmp_path: Path) -> None:
    with logger(tmp_path) as log:
        log.log(request(1))
        assert log.flush()
        [running] = read_counts(tmp_path)
        assert running.is_running
        assert running.counts == log.counts
        assert running.n_lost == running.n_undecided == 0
    [ended] = read_counts(tmp_path)
    assert not ended.is_running
    assert ended.n_lost == 0
    assert files(tmp_path)[0].name.startswith(f"{ended.process}-")
    (tmp_path / "counts" / "a.counts").write_bytes(b"not counts")
    with pytest.raises(ValueError, match="found 10 bytes"):
        read_counts(tmp_path)
    assert read_counts(tmp_path / "nowhere") == ()


def test_every_public_name_is_there() -> None:
    assert all(hasattr(serving, name) for name in serving.__all__)
    assert dir(serving) == serving.__all__
    assert not hasattr(serving, "no_such_name")
