"""`engine: spark` on a standalone cluster of two workers on loopback: equal counts, also when a worker is killed."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from spark_cluster import Cluster, skip_without_spark, spark_cluster
from whole_logs import count_log, stored, write_log

from recsysops.config.settings import EngineSettings
from recsysops.engines.choose import counting_with
from recsysops.engines.spark_runner import SparkRunner, _reason
from recsysops.errors import EngineError, PluginError
from recsysops.tables import extras

N_PARTS = 8


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    skip_without_spark()
    with spark_cluster(tmp_path / "cluster") as started:
        yield started


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    write_log(folder, N_PARTS)
    return folder


@pytest.mark.slow
def test_two_workers_count_what_this_process_counts_though_one_is_killed(
    tmp_path: Path, root: Path, cluster: Cluster
) -> None:
    here = count_log(root, tmp_path / "here")
    events = tmp_path / "events"
    events.mkdir()
    logged: dict[str, Any] = {
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": events.as_uri(),
        "spark.eventLog.compress": "false",
    }
    runner = SparkRunner(root, cluster.master, {**cluster.options, **logged})
    killer = Thread(target=kill_while_busy, args=(runner, cluster))
    killer.start()
    try:
        there = count_log(root, tmp_path / "there", runner)
    finally:
        killer.join()
        runner.close()
    assert there == here
    assert stored(tmp_path / "there") == stored(tmp_path / "here")
    lines = [line for file in events.rglob("events_*") for line in file.read_text().splitlines()]
    ends = [json.loads(line) for line in lines if "SparkListenerTaskEnd" in line]
    hosts = {one["Task Info"]["Executor ID"] for one in ends}
    assert len(hosts) >= 2, "both workers had tasks"
    assert any(one["Task End Reason"]["Reason"] == "ExecutorLostFailure" for one in ends), "a worker died at work"


def kill_while_busy(runner: SparkRunner, cluster: Cluster) -> None:
    """Kill the first worker once both are at work."""
    for _ in range(3000):
        tracker = runner._context.statusTracker() if runner._context is not None else None
        stages = [tracker.getStageInfo(one) for one in tracker.getActiveStageIds()] if tracker is not None else []
        if any(stage is not None and stage.numActiveTasks >= 2 for stage in stages):
            break
        time.sleep(0.1)
    cluster.kill(0)


@pytest.mark.slow
def test_a_cluster_that_is_away_is_one_line(tmp_path: Path, root: Path) -> None:
    skip_without_spark()
    runner = SparkRunner(root, "spark://127.0.0.1:1", {"spark.driver.host": "127.0.0.1"})
    with pytest.raises(EngineError, match=r"Spark at spark://127.0.0.1:1: found .*expected a cluster") as caught:
        count_log(root, tmp_path / "state", runner)
    runner.close()
    assert "\n" not in str(caught.value)


def test_the_reason_is_the_workers_own() -> None:
    text = (
        "An error occurred while calling z:org.apache.spark.api.python.PythonRDD.collectAndServe.\n"
        ": org.apache.spark.api.python.PythonException: [PYTHON_EXCEPTION] thrown: Traceback (most recent call last):\n"
        '  File "x.py", line 13, in <module>\n'
        "ModuleNotFoundError: No module named 'recsysops'\n"
        "\tat org.apache.spark.Nowhere(Nowhere.java:1)\n"
    )
    assert _reason(text) == "ModuleNotFoundError: No module named 'recsysops'"
    assert (
        _reason(": org.apache.spark.SparkException: no master\n\tat x") == "org.apache.spark.SparkException: no master"
    )


def test_without_the_extra_its_name_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(extras, "import_module", absent)
    opened = counting_with(EngineSettings(kind="spark"), tmp_path)
    with pytest.raises(PluginError, match=r"engine: found no pyspark.*pip install 'recsysops\[spark\]'"):
        opened.__enter__()


def test_by_default_this_process_counts(tmp_path: Path) -> None:
    with counting_with(EngineSettings(), tmp_path) as runner:
        assert runner is None
