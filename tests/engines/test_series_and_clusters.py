"""Series over many days and clusters by category, through the whole engine against row-by-row counting."""

from __future__ import annotations

import math
import shutil
from collections import defaultdict
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from engine_logs import FIRST_DAY, Row, candidate_rows, candidates_engine, write_partitions
from engine_oracle import NOW

from recsysops.engines.folded_history import FoldedHistory
from recsysops.profiles.measures import Cells, Clusters, Measure, PerRequest
from recsysops.profiles.slices import EVERYTHING, Slice

DAYS = [FIRST_DAY + timedelta(days=offset) for offset in range(4)]
ROWS = Cells("candidates", by_hour=True)
MOMENTS = Cells("candidates", "score", "moments")
REQUESTS = PerRequest("candidates", "any_row", ("tv",))
ARMS = Clusters("candidates", 'it"em', "genre")
MEASURES: list[Measure] = [ROWS, MOMENTS, REQUESTS, ARMS]


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Row], FoldedHistory]:
    rows = [row for row in candidate_rows(5, n_requests=60, n_days=4) if row["ts"] is not None]
    root = tmp_path_factory.mktemp("log")
    write_partitions(root / "candidates", [rows[0::2], rows[1::2]])
    engine = candidates_engine(root, root / "state")
    assert not engine.profile(MEASURES).skipped
    found = [day for day in DAYS if any(row["ts"].date() == day for row in rows)]
    return rows, engine.history(DAYS[2:3], found[-1:], now=NOW, incident_days=DAYS[:1])


def test_rows_of_every_day_up_to_the_judged_one(log: tuple[list[Row], FoldedHistory]) -> None:
    rows, history = log
    series = history.series(ROWS)
    assert series is not None
    assert series.days == tuple(sorted({day for row in rows if (day := row["ts"].date()) <= DAYS[-1]}))
    assert series.cells == ("rows",)
    assert series.slices[0] == EVERYTHING
    for index, day in enumerate(series.days):
        of_day = [row for row in rows if row["ts"].date() == day]
        assert series.values[index, 0, 0] == len(of_day)
        tv = series.slices.index(Slice("tv", "true"))
        assert series.values[index, tv, 0] == sum(row["tv"] is True for row in of_day)


def test_what_is_kept_of_series_changes_nothing_and_is_made_again(tmp_path: Path) -> None:
    rows = [row for row in candidate_rows(6, n_requests=40, n_days=4) if row["ts"] is not None]
    write_partitions(tmp_path / "candidates", [rows[0::3], rows[1::3]])

    def told() -> list[list[object]]:
        engine = candidates_engine(tmp_path, tmp_path / "state")
        assert not engine.profile(MEASURES).skipped
        history = engine.history(DAYS[:2], DAYS[-1:], now=NOW)
        found = [history.series(one) for one in (ROWS, MOMENTS, REQUESTS)]
        return [[one.slices, one.days, one.values.tolist()] for one in found if one is not None]

    first = told()
    kept = sorted((tmp_path / "state/series/candidates").iterdir())
    assert len(kept) == len(first) == 3
    stamps = [path.stat().st_mtime_ns for path in kept]
    assert told() == first
    assert [path.stat().st_mtime_ns for path in kept] == stamps
    kept[0].write_bytes(b"PAR1 broken")
    kept[1].unlink()
    pq.write_table(pa.table({"profile": ["another"]}), kept[2])
    assert told() == first
    write_partitions(tmp_path / "candidates", [rows[0::3], rows[1::3] + rows[2::3]])
    after = told()
    shutil.rmtree(tmp_path / "state/series")
    assert told() == after != first


def test_moments_are_counts_and_sums(log: tuple[list[Row], FoldedHistory]) -> None:
    rows, history = log
    series = history.series(MOMENTS)
    assert series is not None
    assert series.cells == ("count", "sum")
    for index, day in enumerate(series.days):
        numbers = [row["score"] for row in rows if row["ts"].date() == day and row["score"] is not None]
        numbers = [one for one in numbers if math.isfinite(one) and one != -1.0]  # -1 is the declared default
        assert series.values[index, 0, 0] == len(numbers)
        assert series.values[index, 0, 1] == pytest.approx(sum(numbers))


def test_the_last_day_agrees_with_the_current_window(log: tuple[list[Row], FoldedHistory]) -> None:
    _, history = log
    series, contrast = history.series(REQUESTS), history.cells(REQUESTS)
    assert series is not None
    assert contrast is not None
    for index, slice_ in enumerate(contrast.slices):
        assert series.values[-1, series.slices.index(slice_)].tolist() == contrast.current[0, index].tolist()


def test_incident_days_are_known(log: tuple[list[Row], FoldedHistory]) -> None:
    assert log[1].context.incident_days == {DAYS[0]}


def test_clusters_count_once_per_file_day_and_category(log: tuple[list[Row], FoldedHistory]) -> None:
    rows, history = log
    contrast = history.clusters(ARMS)
    assert contrast is not None
    expected: dict[tuple[date, str], int] = defaultdict(int)
    several: dict[date, int] = defaultdict(int)
    for part in (rows[0::2], rows[1::2]):
        known = [(r["ts"].date(), r["genre"], r['it"em']) for r in part if r["genre"] is not None and r['it"em']]
        for day, genre, _ in set(known):
            expected[day, genre] += 1
        for day, item in {(day, item) for day, _, item in known}:
            several[day] += len({genre for other, genre, one in known if (other, one) == (day, item)}) > 1
    for window, days in ((contrast.reference, contrast.reference_days), (contrast.current, contrast.current_days)):
        for unit, day in enumerate(days):
            for index, genre in enumerate(contrast.categories):
                assert window[unit, index].sum() == expected[day, genre]
    assert contrast.several_current[0].sum() == several[contrast.current_days[0]] > 0
    assert np.all(contrast.clusters_current >= contrast.several_current)


def test_one_member_is_always_in_one_bucket(tmp_path: Path) -> None:
    rows = [{**row, 'it"em': "the one", "genre": "drama"} for row in candidate_rows(6) if row["ts"] is not None]
    write_partitions(tmp_path / "candidates", [rows[0::2], rows[1::2]])
    engine = candidates_engine(tmp_path, tmp_path / "state")
    engine.profile(MEASURES)
    contrast = engine.history(DAYS[:2], DAYS[2:3], now=NOW).clusters(ARMS)
    assert contrast is not None
    assert np.count_nonzero(contrast.reference.sum(axis=(0, 1))) == 1


def test_cohorts_have_no_series(tmp_path: Path) -> None:
    from recsysops.engines.in_process import cohort_history

    write_partitions(tmp_path / "candidates", [candidate_rows(7)])
    engine = candidates_engine(tmp_path, tmp_path / "state")
    engine.profile(MEASURES)
    assert cohort_history(engine, engine, now=NOW).series(ROWS) is None
