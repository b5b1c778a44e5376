"""What a replay found, judged: an invariant that breaks, a rate that rises, models that could not be loaded."""

from __future__ import annotations

import pytest

from recsysops import registry
from recsysops.testing.example_log import ExampleLog, findings, verdicts
from recsysops.testing.example_replays import example_replays
from recsysops.triage.detector import Detector
from recsysops.triage.findings import Looked, Skipped

MADE = {one.name: one for one in registry.plugins("detectors")}["output.replay_mismatch"].load()
REPLAY: Detector = MADE(MADE.Params())


def test_a_healthy_log_is_left_alone() -> None:
    told = verdicts(REPLAY, example_replays())
    assert [type(one) for one in told] == [Looked]


@pytest.mark.parametrize("column", ["raw_differs", "score_differs"])
def test_a_first_mismatch_breaks_the_rule(column: str) -> None:
    [found] = findings(REPLAY, example_replays().set("replayed", column, True, rate=0.02))
    assert found.statistic == column.replace("differs", "").replace("raw_", "raw_score_") + "mismatch_rate"
    assert found.p_value is None
    assert found.column == ("raw_score" if column == "raw_differs" else "score")


def test_a_single_host_is_named() -> None:
    [found] = findings(REPLAY, example_replays().set("replayed", "raw_differs", True, where="host == 'h1'"))
    assert (found.slice.dimension, found.slice.value) == ("host", "h1")


def test_a_usual_rate_is_no_finding() -> None:
    log = example_replays().set("replayed", "raw_differs", True, rate=0.1, days=9)
    assert findings(REPLAY, log) == []


def test_the_first_day_needs_no_past() -> None:
    log = example_replays(n_days=1)
    broken: ExampleLog = log.set("replayed", "raw_differs", True, rate=0.3)
    assert findings(REPLAY, log) == []
    assert [one.statistic for one in findings(REPLAY, broken)] == ["raw_score_mismatch_rate"]


def test_what_could_not_be_scored_is_said() -> None:
    log = example_replays().set("replayed", "outcome", "model m1: found no file", rate=0.5)
    told = [one for one in verdicts(REPLAY, log) if isinstance(one, Skipped)]
    assert [one.reason for one in told] == ["requests that are not scored again: model m1: found no file"]
    assert told[0].kind == "failed"
