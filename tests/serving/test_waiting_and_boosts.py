"""What decides later than the request: outcomes that promote it, and plans that change meanwhile."""

from __future__ import annotations

import math
from datetime import timedelta
from pathlib import Path

import pytest
from served_requests import NOON, logger, request, rows, settings

from recsysops.serving import Rule, SamplingPlan, plan_text


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.ns = int(NOON.timestamp()) * 10**9

    def __call__(self) -> int:
        return self.ns


def test_a_low_ranked_play_is_logged_while_its_request_waits(tmp_path: Path) -> None:
    plan = SamplingPlan((Rule("base", 0.2),), low_rank=2)
    log = logger(tmp_path, plan, settings=settings(n_waiting=100))
    for number in range(300):
        log.log(request(number))
    assert log.counts.n_waiting == 100
    low, high = request(250).item_id[2], request(251).item_id[0]
    assert log.outcome("r-250", low)
    assert log.outcome("r-251", high)
    assert not log.outcome("r-10", request(10).item_id[2]), "it has left"
    assert not log.outcome("never seen", "i-1")
    assert not log.outcome(["unhashable"], "i-1")  # type: ignore[arg-type]
    log.close()
    counts = log.counts
    assert counts.n_waiting == 0
    assert counts.n_promoted == 1
    assert counts.n_accepted + counts.n_passed_over == 300
    found = {row["request_id"]: row for row in rows(tmp_path).to_pylist()}
    assert (found["r-250"]["promoted"], found["r-250"]["sampling_rate"]) == (True, 1.0)
    assert all(row["sampling_rate"] == 0.2 and not row["promoted"] for name, row in found.items() if name != "r-250")


def test_totals_of_promoted_requests_are_unbiased(tmp_path: Path) -> None:
    """Every fifth request has a low-ranked play: their estimated number is exact, the total within chance."""
    plan = SamplingPlan((Rule("base", 0.25),), low_rank=2)
    with logger(tmp_path, plan, settings=settings(n_waiting=10)) as log:
        for number in range(1000):
            log.log(request(number))
            if number % 5 == 0:
                log.outcome(f"r-{number}", str(request(number).item_id[2]))
    weights = {row["request_id"]: 1 / row["sampling_rate"] for row in rows(tmp_path).to_pylist()}
    assert sum(weight for name, weight in weights.items() if int(name[2:]) % 5 == 0) == 200
    assert abs(sum(weights.values()) - 1000) < 4 * math.sqrt(800 * 0.75 / 0.25)


def test_the_ring_lets_go_of_the_old_and_of_all_in_the_end(tmp_path: Path) -> None:
    clock = Clock()
    log = logger(tmp_path, clock=clock, settings=settings(n_waiting=5000, wait_seconds=60, queue_size=8))
    for number in range(100):
        log.log(request(number))
    assert log.flush()
    assert log.counts.n_waiting == 100
    clock.ns += 61 * 10**9
    for _ in range(100):
        if log.flush() and not log.counts.n_waiting:
            break
    assert log.flush()
    assert log.counts.n_written == 100, "as many as the queue takes at a time"
    for number in range(100, 200):
        log.log(request(number))
    log.close()
    assert log.counts.n_written == 200
    assert log.counts.n_dropped == 0


def test_a_request_that_waited_has_the_time_it_was_served(tmp_path: Path) -> None:
    clock = Clock()
    log = logger(tmp_path, clock=clock, settings=settings(n_waiting=5))
    log.log(request(1, ts=None))
    clock.ns += 60 * 10**9
    log.close()
    assert set(rows(tmp_path)["ts"].to_pylist()) == {NOON}


def test_the_same_id_twice_waits_twice(tmp_path: Path) -> None:
    with logger(tmp_path, settings=settings(n_waiting=10)) as log:
        for _ in range(3):
            log.log(request(1))
        assert log.outcome("r-1", "i-3")
    assert log.counts.n_written == 3


def test_a_boost_begins_by_a_file_and_ends_by_the_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recsysops.serving.serving_logger.POLL_SECONDS", 0.0)
    clock, path, plan = Clock(), tmp_path / "plan.json", SamplingPlan((Rule("base", 0.0),))
    log = logger(tmp_path / "log", plan, plan_file=path, clock=clock)

    def n_accepted() -> int:
        assert log.flush()  # a turn of the writer looks at the file
        before = log.counts.n_accepted
        for number in range(10):
            log.log(request(number))
        return log.counts.n_accepted - before

    assert n_accepted() == 0
    boosted = plan.boosted(Rule("boost", 1.0, expires_at=NOON + timedelta(minutes=5)))
    path.write_text(plan_text(boosted), encoding="utf-8")
    assert n_accepted() == 10
    assert log.plan == boosted
    for bad in (
        "{",
        '{"version": 1, "rules": [{"name": "x", "rate": 7}]}',
        plan_text(SamplingPlan((Rule("x", 1, when={"planet": ["Mars"]}),))),
    ):
        path.write_text(bad, encoding="utf-8")
        assert n_accepted() == 10, "the last good plan holds"
    assert "planet" in log.latest_problem
    path.unlink()
    assert n_accepted() == 10
    clock.ns += 300 * 10**9 - 1000
    assert n_accepted() == 10
    clock.ns += 1000
    assert n_accepted() == 0
    log.close()
