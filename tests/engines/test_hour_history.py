"""One hour through the whole engine against row-by-row counting of that hour."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import numpy as np
import pytest
from engine_logs import CANDIDATE_SETTINGS, FIRST_DAY, Row, candidate_rows, candidates_engine, write_partitions
from engine_oracle import expect_cells, expect_moments, found_cells, found_moments, placed

from recsysops.engines.hour_history import HourEngine, hourly
from recsysops.engines.in_process import Engine
from recsysops.profiles.history import History
from recsysops.profiles.measures import Cells, Facts, Keyed, PerRequest

DAYS = [FIRST_DAY + timedelta(days=offset) for offset in range(6)]
SLICES = CANDIDATE_SETTINGS["slices"]
ROWS = Cells("candidates")
GENRE = Cells("candidates", "genre", "frequencies")
MOMENTS = Cells("candidates", "score", "moments")
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module", params=[1, 2])
def log(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Row], Engine]:
    rows = candidate_rows(request.param)
    root = tmp_path_factory.mktemp("log")
    write_partitions(root / "candidates", [rows[0::2], rows[1::2]])
    engine = candidates_engine(root, root / "state")
    daily = [GENRE, MOMENTS]
    assert not engine.profile([*daily, *hourly([ROWS, *daily, Facts("items"), Keyed("candidates", "item_id")])]).skipped
    return placed(rows, DAYS), engine


def busiest(rows: list[Row]) -> datetime:
    """The hour of the last days with the most rows."""
    hours = [row["ts"].replace(minute=0, second=0, microsecond=0) for row in rows if row["ts"].date() in DAYS[3:]]
    chosen = max(hours, key=hours.count)
    return datetime.combine(chosen.date(), time(chosen.hour), UTC)


def of_hour(engine: Engine, hour: datetime) -> History:
    return HourEngine(engine).history([day for day in DAYS if day < hour.date()], [hour.date()], now=hour + HOUR)


def test_cells_and_moments_of_the_hour(log: tuple[list[Row], Engine]) -> None:
    rows, engine = log
    hour = busiest(rows)
    history = of_hour(engine, hour)
    alike = [row for row in rows if row["ts"].hour == hour.hour and row["ts"].date() <= hour.date()]
    assert history.context.hour == hour.hour
    for measure, cell in ((ROWS, lambda row: "rows"), (GENRE, None)):
        contrast = history.cells(measure)
        assert contrast is not None
        if cell is not None:
            assert found_cells(contrast) == expect_cells(alike, SLICES, cell)
        n_rows = [
            sum(row["ts"].date() == day for row in alike) for day in (*DAYS[: DAYS.index(hour.date())], hour.date())
        ]
        found = np.concatenate([contrast.reference, contrast.current])[:, 0].sum(axis=1)
        assert found.tolist() == n_rows
    expected = expect_moments(alike, SLICES, lambda row: None if row["score"] == -1.0 else row["score"])
    moments = found_moments(history, MOMENTS)
    assert moments.keys() == expected.keys()
    for key, values in expected.items():
        assert moments[key] == pytest.approx(values, nan_ok=True)


def test_hourly_ends_with_the_hour_and_buckets_are_the_days(log: tuple[list[Row], Engine]) -> None:
    rows, engine = log
    hour = busiest(rows)
    contrast = of_hour(engine, hour).cells(ROWS)
    assert contrast is not None
    assert contrast.hourly is not None
    found = contrast.hourly("current")[0, :, 0, 0].tolist()
    starts = [hour - number * HOUR for number in range(23, -1, -1)]
    counted = [sum(start <= _aware(row) < start + HOUR for row in rows) for start in starts]
    assert found == counted
    days = [sum(row["ts"].date() == day for row in rows) for day in contrast.reference_days]
    assert contrast.load_buckets("reference", 0).sum() == sum(days)


def test_days_are_counted_alike_with_and_without_hours(log: tuple[list[Row], Engine]) -> None:
    _, engine = log
    history = engine.history(DAYS[:3], DAYS[3:], now=datetime.combine(date(2030, 1, 1), time(), UTC))
    by_hour = Cells("candidates", "score", "moments", by_hour=True)
    expected = found_moments(history, MOMENTS)
    found = found_moments(history, by_hour)
    assert found.keys() == expected.keys()
    for key, values in expected.items():
        assert found[key] == pytest.approx(values, nan_ok=True)


def test_what_has_no_hours_answers_none(log: tuple[list[Row], Engine]) -> None:
    rows, engine = log
    history = of_hour(engine, busiest(rows))
    assert history.cells(Cells("items")) is None
    assert history.cells(PerRequest("candidates", "invalid_number", ("score",))) is None
    assert history.keyed(Keyed("candidates", "item_id")) is None
    assert history.facts(Facts("items")) is None
    assert history.series(ROWS) is None


def _aware(row: Row) -> datetime:
    moment: datetime = row["ts"]
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
