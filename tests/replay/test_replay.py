"""Healthy logs replay to the bit; planted faults diverge at their stage and nowhere before."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from deployment_faults import Reordered, Uncalibrated

from recsysops.drills.fault import Planted
from recsysops.drills.world.service import Service
from recsysops.drills.world.size import WorldSize
from recsysops.errors import ConfigError, NotEnoughDataError
from recsysops.replay.candidates import Candidates, read_requests
from recsysops.replay.day import load_models, replay_day, trace_all
from recsysops.replay.replaying import Replay, replay
from recsysops.replay.tracing import copy_rates
from recsysops.serving.hashing import hash64
from recsysops.statistics.proportions import wilson_interval
from recsysops.tables.table import Table
from recsysops.workspace import Workspace

SAMPLE = Path(__file__).parents[2] / "sample_logs" / "streaming"
DAY = date(2026, 10, 24)
SIZE = WorldSize(
    n_members=300, n_titles=120, requests_per_day=120, log_rate=1.0, warm_up_days=15, n_days=4, has_benign_events=False
)


class Skewed:
    """Serving computes one item feature in another unit than the store holds."""

    def features(self, rows: Any, _: Any) -> Any:
        return rows.with_columns(item_runtime_minutes=rows["item_runtime_minutes"] * np.float32(60))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, date]]:
    """Days of a small service, each with another fault; the day of each by its name."""
    folder = tmp_path_factory.mktemp("world") / "service"
    service = Service.begin(folder, SIZE, seed=4)
    days = {}
    for name, fault in (
        ("clean", None),
        ("clean too", None),
        ("order", Reordered()),
        ("calibration", Uncalibrated()),
        ("unit", Skewed()),
    ):
        days[name] = service.next_day
        planted = [] if fault is None else [Planted(fault, service.next_day, 0)]
        service.run_day(planted)
    return folder, days


def _replayed(world: tuple[Path, dict[str, date]], name: str) -> Replay:
    workspace = Workspace(world[0])
    return replay_day(workspace.tables, workspace.root, world[1][name], None)


def test_a_healthy_day_of_the_service_replays_to_the_bit(world: tuple[Path, dict[str, date]]) -> None:
    found = _replayed(world, "clean too")
    assert found.n_rows_replayed > 1000
    assert found.match_rate == 1
    assert found.divergences == ()
    for column in ("raw_score", "score"):
        assert {name for name, n in found.grades[column].items() if n} == {"L0"}
    assert found.stages == ("features", "raw_score", "calibration", "rank")


@pytest.mark.parametrize(
    ("name", "stage"), [("order", "raw_score"), ("calibration", "calibration"), ("unit", "features")]
)
def test_a_fault_diverges_first_at_its_stage(world: tuple[Path, dict[str, date]], name: str, stage: str) -> None:
    found = _replayed(world, name)
    whole = [one for one in found.divergences if not one.dimension]
    assert [one.stage for one in whole] == [stage]
    assert whole[0].rate > 0.8
    interval = wilson_interval(whole[0].n_diverging, found.n_requests)
    assert [whole[0].low, whole[0].high] == pytest.approx([float(interval.low), float(interval.high)])
    if name == "unit":
        units = {one.column: one for one in found.differences}
        assert units["item_runtime_minutes"].main_class == "scaled"
        assert units["item_runtime_minutes"].details["ratio"] == pytest.approx(60)
        assert found.grades["raw_score"]["MISMATCH"] == 0  # the model did what it could with what it was given
        assert all(one.main_class == "same" for column, one in units.items() if column != "item_runtime_minutes")


@pytest.fixture(scope="module")
def workspace() -> Workspace:
    """The sample logs, read where they are."""
    return Workspace(SAMPLE)


@pytest.fixture(scope="module")
def sampled(workspace: Workspace) -> Candidates:
    """Some requests of a healthy day of the sample."""
    return read_requests(workspace.tables["candidates"], DAY, 40)


def _judged(workspace: Workspace, candidates: Candidates, **options: Any) -> Replay:
    artifacts, problems = load_models(workspace.tables, workspace.root, candidates)
    traced = trace_all(workspace.tables, candidates, DAY)
    return replay(candidates, artifacts, traced, problems=problems, **options)


def test_every_model_of_the_sample_replays_to_the_bit(workspace: Workspace) -> None:
    first = read_requests(workspace.tables["candidates"], date(2026, 8, 31), 6, n_days=62)
    artifacts, problems = load_models(workspace.tables, workspace.root, first)
    assert problems == {}
    found = replay(first, artifacts, trace_all(workspace.tables, first, date(2026, 10, 31)))
    assert len(artifacts) == 10
    assert found.match_rate == 1
    assert found.grades["raw_score"]["L0"] == sum(found.grades["raw_score"].values()) > 300
    assert set(found.not_replayed) <= {"answered by a fallback"}
    copies = {rate.column for rate in found.copies if rate.is_copy}
    assert {"item_price", "item_genre", "item_completion_28d", "member_minutes_7d"} <= copies
    assert not {"price_gap", "taste_match", "item_release_age_years", "genre_affinity"} & copies


def test_requests_are_chosen_by_their_hash_and_come_whole(workspace: Workspace, sampled: Candidates) -> None:
    table = workspace.tables["candidates"]
    whole = read_requests(table, DAY)
    names = sorted(set(whole.columns["request_id"].to_pylist()), key=lambda one: hash64(one, "replay"))
    assert set(sampled.columns["request_id"].to_pylist()) == set(names[:40])
    rows = [one in set(names[:40]) for one in whole.columns["request_id"].to_pylist()]
    assert sampled.n_rows == sum(rows)
    assert (sampled.n_requests, len(sampled.first_rows)) == (40, 40)


def test_a_rank_that_does_not_follow_the_score_is_told_by_host(workspace: Workspace, sampled: Candidates) -> None:
    host = np.array(sampled.columns["host"].to_pylist(), object)
    bad = host == host[0]
    is_fallback = sampled.columns["fallback"].to_numpy(zero_copy_only=False)
    ranks = sampled.columns["raw_rank"].to_numpy().astype(np.int16)
    columns = dict(sampled.columns) | {"raw_rank": pa.array(np.where(bad, 60 - ranks, ranks))}
    found = _judged(workspace, Candidates(columns, sampled.schema), dimensions=["market"])
    by_host = {one.value: one for one in found.divergences if one.dimension == "host"}
    assert {one.stage for one in found.divergences} == {"rank"}
    assert list(by_host) == [host[0]]
    assert by_host[host[0]].n_diverging == len(set(sampled.request[bad & ~is_fallback])) > 1
    assert (
        sum(one.n_diverging for one in found.divergences if one.dimension == "market") == by_host[host[0]].n_diverging
    )


def test_models_that_cannot_be_replayed_are_told(workspace: Workspace, sampled: Candidates) -> None:
    names = np.array(sampled.columns["model_id"].to_pylist(), object)
    names[sampled.request == 0] = "m-unknown"
    flags = sampled.columns["fallback"].to_numpy(zero_copy_only=False).copy()
    flags[sampled.request == 1] = True
    columns = dict(sampled.columns) | {"model_id": pa.array(names), "fallback": pa.array(flags)}
    candidates = Candidates(columns, sampled.schema)
    found = _judged(workspace, candidates)
    assert found.not_replayed["model m-unknown is not registered"] == (sampled.request == 0).sum()
    assert found.not_replayed["answered by a fallback"] >= (sampled.request == 1).sum()
    assert found.n_rows_replayed == found.n_rows - sum(found.not_replayed.values())
    assert found.match_rate == 1


def test_a_log_without_raw_scores_is_compared_by_its_score(workspace: Workspace, sampled: Candidates) -> None:
    columns = {name: values for name, values in sampled.columns.items() if name not in {"raw_score", "raw_rank"}}
    found = _judged(workspace, Candidates(columns, sampled.schema))
    assert found.stages == ("features", "raw_score")
    assert found.grades["raw_score"]["L0"] == sum(found.grades["raw_score"].values()) > 30


def test_an_altered_model_is_refused_and_told(workspace: Workspace, sampled: Candidates, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    for path in (SAMPLE / "models").iterdir():
        (tmp_path / "models" / path.name).write_bytes(path.read_bytes())
    (path,) = (tmp_path / "models").glob("m-2026-10-19.txt")
    path.write_text(path.read_text().replace("shrinkage=", "shrinkage=0", 1))
    artifacts, problems = load_models(workspace.tables, tmp_path, sampled)
    found = replay(sampled, artifacts, problems=problems)
    assert "m-2026-10-19" not in artifacts
    assert any("sha256" in reason and "as registered" in reason for reason in found.not_replayed)


def test_a_day_without_a_log_and_a_workspace_without_models(workspace: Workspace) -> None:
    with pytest.raises(NotEnoughDataError, match="no candidates on 2030-01-01"):
        replay_day(workspace.tables, SAMPLE, date(2030, 1, 1))
    tables = {name: table for name, table in workspace.tables.items() if name != "models"}
    with pytest.raises(ConfigError, match="no models table"):
        replay_day(tables, SAMPLE, DAY, 3)


def test_features_without_upstream_rows_are_not_called_wrong(workspace: Workspace, sampled: Candidates) -> None:
    early = [day - 40 * 86_400_000_000 for day in sampled.columns["ts"].cast(pa.int64()).to_pylist()]
    first = min(early) // 86_400_000_000
    columns = dict(sampled.columns) | {"ts": pa.array(early).cast(pa.timestamp("us", "UTC"))}
    candidates = Candidates(columns, sampled.schema)
    (items,) = [
        one
        for one in trace_all(workspace.tables, candidates, DAY - timedelta(days=80))
        if one.upstream.table == "item_features"
    ]
    assert first > 0
    assert len(items.chosen) == 0
    assert all(rate.n_rows == 0 and not rate.is_copy for rate in copy_rates(items))


def test_a_schema_without_upstream_tables_replays_scores_alone(workspace: Workspace, sampled: Candidates) -> None:
    table = workspace.tables["candidates"]
    bare: Table = replace(table, settings=table.settings.model_copy(update={"columns": {}}))
    tables = dict(workspace.tables) | {"candidates": bare}
    assert trace_all(tables, sampled, DAY) == []
    artifacts, _ = load_models(tables, SAMPLE, sampled)
    assert replay(sampled, artifacts).stages == ("raw_score", "calibration", "rank")
