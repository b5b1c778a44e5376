"""The baselines against loops written out, and without a look at the future."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from small_service import Holes, SmallService, SmallSize

from recsysops import Workspace
from recsysops.drills.fault import Planted, Truth
from recsysops.drills.scorecard.baseline_watch import BaselineWatch
from recsysops.drills.scorecard.baselines import BASELINES, largest_change, static_psi, three_sigma
from recsysops.drills.scorecard.daily_statistics import Bins, ColumnDay, DayStatistics, day_statistics, learn_bins
from recsysops.drills.scorecard.stored_statistics import LogStatistics, read_statistics, write_statistics
from recsysops.errors import StateError

FIRST = date(2026, 3, 2)
NAMES = ("age", "fame", "genre")


def simulated(seed: int, n_days: int) -> list[DayStatistics]:
    rng = np.random.default_rng(seed)
    return [
        DayStatistics(
            FIRST + timedelta(number),
            int(rng.integers(900, 1_100)),
            {
                name: ColumnDay(
                    float(rng.uniform(0, 0.02)),
                    None if name == "genre" else float(rng.normal(5, 1)),
                    tuple(rng.multinomial(1_000, [0.2] * 5).tolist()),
                )
                for name in NAMES
            },
        )
        for number in range(n_days)
    ]


def changed(day: DayStatistics, name: str, **values: object) -> DayStatistics:
    return replace(day, columns={**day.columns, name: replace(day.columns[name], **values)})  # type: ignore[arg-type]


def z_of(days: list[DayStatistics], name: str, what: str) -> float:
    """By the loop: today's distance from the mean of the up to 28 days before it."""
    before = [getattr(day.columns[name], what) for day in days[-29:-1]]
    today = getattr(days[-1].columns[name], what)
    if today is None:
        return 0.0
    return float(abs(today - np.mean(before)) / np.std(before, ddof=1))


@settings(deadline=None, derandomize=True, max_examples=30)
@given(st.integers(0, 10_000), st.integers(1, 60), st.floats(0, 6))
def test_three_sigma_is_what_the_loop_says(seed: int, n_days: int, by: float) -> None:
    days = simulated(seed, n_days)
    days[-1] = changed(days[-1], "fame", mean=5.0 + by)
    said = three_sigma(days)
    if n_days <= 14:
        assert said is None
        return
    rows = [day.n_rows for day in days[-29:]]
    expected = {
        f"candidates.{name}" for name in NAMES if max(z_of(days, name, "mean"), z_of(days, name, "null_rate")) > 3
    }
    if abs(rows[-1] - np.mean(rows[:-1])) > 3 * np.std(rows[:-1], ddof=1):
        expected.add("candidates.*")
    assert said == frozenset(expected)


@settings(deadline=None, derandomize=True, max_examples=30)
@given(st.integers(0, 10_000), st.integers(1, 70), st.floats(0, 8))
def test_the_largest_change_is_what_the_loop_says(seed: int, n_days: int, by: float) -> None:
    days = simulated(seed, n_days)
    days[-1] = changed(days[-1], "age", null_rate=0.01 + by / 100)
    said = largest_change(days)
    if n_days <= 28:
        assert said is None
        return
    history = []
    for last in range(max(14, n_days - 29), n_days):
        past = days[: last + 1]
        history.append(max((max(z_of(past, name, "mean"), z_of(past, name, "null_rate")), name) for name in NAMES))
    largest, name = history[-1]
    assert said == ({f"candidates.{name}"} if largest > max(z for z, _ in history[:-1]) else frozenset())


def test_static_psi_is_a_distance_from_the_first_days() -> None:
    days = simulated(1, 40)
    assert static_psi(days[:28]) is None
    assert static_psi(days) == frozenset()
    days[-1] = changed(days[-1], "genre", cells=(600, 100, 100, 100, 100))
    assert static_psi(days) == frozenset({"candidates.genre"})
    p, q = np.array([6, 1, 1, 1, 1]) / 10, np.full(5, 0.2)
    assert ((p - q) * np.log(p / q)).sum() > 0.2


def test_a_column_that_never_moved_alarms_when_it_does() -> None:
    days = [replace(day, n_rows=1_000, columns={"age": ColumnDay(0.0, 1.0, (10, 0))}) for day in simulated(1, 40)]
    assert three_sigma(days) == largest_change(days) == frozenset()
    days[-1] = changed(days[-1], "age", null_rate=0.001)
    assert three_sigma(days) == largest_change(days) == frozenset({"candidates.age"})


def test_a_mean_that_is_gone_is_no_number_to_compare() -> None:
    days = simulated(1, 40)
    days[-1] = changed(days[-1], "age", null_rate=1.0, mean=None)
    assert three_sigma(days) == frozenset({"candidates.age"})  # by its nulls
    days.append(changed(simulated(2, 41)[-1], "age", mean=5.0))
    assert "candidates.age" not in (three_sigma(days) or ())


def written(folder: Path, day: date, table: pa.Table) -> None:
    path = folder / "logs" / "candidates" / f"day={day}"
    path.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path / "part-0.parquet")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    service = SmallService.begin(tmp_path / "w", SmallSize(), 5)
    for _ in range(3):
        service.run_day()
    return service.folder


def test_statistics_are_those_of_the_rows(log: Path) -> None:
    candidates = Workspace(log).tables["candidates"]
    bins = learn_bins(candidates, [FIRST, FIRST + timedelta(1)])
    assert set(bins) == {"age", "fame", "genre", "score"}
    assert bins["genre"].names == ("drama", "crime", "news")
    assert len(bins["age"].edges) == 9
    found = day_statistics(candidates, FIRST + timedelta(2), bins)
    rows = pq.ParquetFile(log / "logs" / "candidates" / f"day={found.day}" / "part-0.parquet").read().to_pandas()
    assert found.n_rows == len(rows) == 600
    assert found.columns["age"].null_rate == pytest.approx(rows["age"].isna().mean())
    assert found.columns["age"].mean == pytest.approx(rows["age"].mean())
    assert found.columns["genre"].cells[:3] == tuple((rows["genre"] == name).sum() for name in bins["genre"].names)
    edges = [-np.inf, *bins["fame"].edges, np.inf]
    by_hand = [int(((rows["fame"] > low) & (rows["fame"] <= high)).sum()) for low, high in pairwise(edges)]
    assert found.columns["fame"].cells == (*by_hand, 0)


def test_bins_include_their_upper_edge_and_count_what_is_missing_apart() -> None:
    assert Bins((1.0, 2.0)).count(np.array([1.0, 1.5, 2.0, 2.5, np.nan, np.inf, -np.inf])).tolist() == [2, 2, 2, 1]
    texts = np.array(["a", None, "b", "c", "a"], object)
    assert Bins(names=("a", "b"), is_numeric=False).count(texts).tolist() == [2, 1, 1, 1]


def test_a_column_that_is_gone_or_became_text_reads_as_missing(log: Path) -> None:
    day = FIRST + timedelta(2)
    opened = Workspace(log)
    bins = learn_bins(opened.tables["candidates"], [FIRST, FIRST + timedelta(1)])
    path = log / "logs" / "candidates" / f"day={day}" / "part-0.parquet"
    rows = pq.ParquetFile(path).read()
    fame = rows.schema.get_field_index("fame")
    words = pa.array(["much"] * rows.num_rows)
    written(log, day, rows.drop_columns(["genre"]).set_column(fame, "fame", words))
    stated = yaml.safe_load((log / "recsysops.yaml").read_text(encoding="utf-8"))
    stated["tables"]["candidates"]["columns"] = {"fame": {"kind": "numeric"}}
    (log / "recsysops.yaml").write_text(yaml.safe_dump(stated), encoding="utf-8")
    found = day_statistics(Workspace(log).tables["candidates"], day, bins)
    assert found.columns["genre"].null_rate == found.columns["fame"].null_rate == 1
    assert found.columns["age"].null_rate < 0.1
    assert found.n_rows == 600


def test_statistics_come_back_from_their_file(tmp_path: Path) -> None:
    kept = LogStatistics(
        {"age": Bins((1.0, 2.5)), "genre": Bins(names=("a",), is_numeric=False)}, tuple(simulated(4, 3))
    )
    write_statistics(kept, tmp_path / "s.json")
    assert read_statistics(tmp_path / "s.json") == kept
    (tmp_path / "s.json").write_text("{}", encoding="utf-8")
    with pytest.raises(StateError, match="no readable statistics"):
        read_statistics(tmp_path / "s.json")


def test_a_watch_tells_what_is_said_beyond_the_twin_and_stops_at_the_first_find(tmp_path: Path) -> None:
    service = SmallService.begin(tmp_path / "w", SmallSize(), 6)
    n = 32
    days = [service.run_day() for _ in range(n)]
    candidates = Workspace(service.folder).tables["candidates"]
    bins = learn_bins(candidates, days[:28])
    clean = LogStatistics(bins, tuple(day_statistics(candidates, day, bins) for day in days))
    onset = days[30]
    again = SmallService(service.folder, service.size, service.seed, 30)
    truth = Truth((), ("candidates.age",))
    watch, twin = BaselineWatch(clean, truth, onset), BaselineWatch(clean, truth, onset)
    twin.look(Workspace(service.folder), onset)
    assert all(found.n_alarms == 0 and not found.is_found for found in twin.found().values())
    for _ in range(2):
        watch.look(Workspace(service.folder), again.run_day([Planted(Holes(0.8), onset, 0)]))
    assert watch.is_done
    assert {name: one.delay_runs for name, one in watch.found().items()} == dict.fromkeys(BASELINES, 1)
    assert watch.found()["three_sigma"].n_right == 1
    assert watch.found()["three_sigma"].n_alarms >= 2  # the score fell with the ages, but was not said to be touched
