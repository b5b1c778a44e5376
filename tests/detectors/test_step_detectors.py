"""Detectors that hold items and members against themselves the day before: each finds its fault, and no other is told of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import duckdb
import numpy as np
import pandas as pd
import pytest

from recsysops import registry
from recsysops.testing.example_features import example_features, stuck
from recsysops.testing.example_log import ExampleLog, findings, verdicts
from recsysops.triage.detector import Detector
from recsysops.triage.findings import Finding, Skipped

NAMES = ("input.stuck_feature", "input.unit_change", "input.value_loss", "input.wrong_entity", "input.late_events")
DETECTORS: dict[str, Detector] = {
    plugin.name: made(made.Params())
    for plugin in registry.plugins("detectors")
    if plugin.name in NAMES and (made := plugin.load())
}
HEALTHY = example_features()


def with_column(log: ExampleLog, table: str, name: str, change: Callable[[pd.DataFrame], object]) -> ExampleLog:
    """The judged day's values of a column replaced."""
    frame = log.tables[table].copy()
    today = np.flatnonzero(frame["as_of"].dt.date == log.days[-1])
    values = frame[name].array.copy()
    values[today] = change(frame.iloc[today])
    return replace(log, tables={**log.tables, table: frame.assign(**{name: values})})


def rounded(rows: pd.DataFrame) -> object:
    seconds = rows["last_play_at"].dt.as_unit("us").astype("int64").to_numpy() / 1e6
    return pd.to_datetime(seconds.astype(np.float32).astype(np.float64), unit="s", utc=True)


def exchanged_values(name: str, n: int, rows: pd.DataFrame) -> object:
    return rolled(rows[name], n)


def exchanged(log: ExampleLog, n: int) -> ExampleLog:
    for name in ("joined_at", "languages", "minutes_7d"):
        log = with_column(log, "member_features", name, partial(exchanged_values, name, n))
    return log


def rolled(values: pd.Series, n: int) -> object:
    turned = values.array.copy()
    turned[:n] = np.roll(values.array[:n], 1)
    return turned


FAULTS = {
    "stuck table": (stuck(HEALTHY, "member_features"), "input.stuck_feature", "member_features", ""),
    "stuck column": (stuck(HEALTHY, "item_features", "plays_1d"), "input.stuck_feature", "item_features", "plays_1d"),
    "seconds": (
        HEALTHY.scale("member_features", "minutes_7d", by=60, rate=0.02), "input.unit_change", "member_features", "minutes_7d"
    ),
    "32 bits": (
        with_column(HEALTHY, "member_features", "last_play_at", rounded), "input.unit_change", "member_features", "last_play_at"
    ),
    "lost": (
        HEALTHY.set("member_features", "minutes_7d", None, rate=0.015), "input.value_loss", "member_features", "minutes_7d"
    ),
    "zeroed": (
        HEALTHY.set("member_features", "minutes_7d", 0.0, rate=0.015), "input.value_loss", "member_features", "minutes_7d"
    ),
    "exchanged": (exchanged(HEALTHY, 15), "input.wrong_entity", "member_features", ""),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_the_fault_is_found_by_its_detector(name: str) -> None:
    log, detector, table, column = FAULTS[name]
    found = [one for detector_ in DETECTORS.values() for one in findings(detector_, log)]
    told = {(one.detector, one.table, one.column) for one in found}
    also = {("input.late_events", table, "last_play_at")} if name == "stuck table" else set()
    assert told == {(detector, table, column), *also}
    assert all(one.effect >= 1 for one in found)
    assert all(one.p_value is not None and one.p_value <= 1e-3 for one in found)
    assert [json.loads(json.dumps(one.to_dict())) for one in found] == [one.to_dict() for one in found]
    with duckdb.connect() as connection:
        for other, frame in log.tables.items():
            connection.register(other, frame)
        assert all(connection.sql(one.query).to_arrow_table().num_rows for one in found)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", NAMES)
def test_healthy_days_are_silent(name: str, seed: int) -> None:
    assert not findings(DETECTORS[name], example_features(seed=10 + seed))


@pytest.mark.parametrize("name", NAMES)
def test_the_first_day_asks_for_more(name: str) -> None:
    said = verdicts(DETECTORS[name], replace(HEALTHY, days=HEALTHY.days[-1:]))
    assert [one.kind for one in said if isinstance(one, Skipped)] == ["too_little_data"]
    assert not [one for one in said if isinstance(one, Finding)]


def test_a_table_of_which_hardly_anything_is_the_same_is_not_called_stuck() -> None:
    half = HEALTHY.tables["item_features"]
    is_half = half["key"].str[-1].isin(list("01234"))
    still = stuck(HEALTHY, "item_features", "plays_1d").tables["item_features"]
    mixed = half.assign(plays_1d=np.where(is_half, still["plays_1d"], half["plays_1d"]))
    (found,) = findings(
        DETECTORS["input.stuck_feature"], replace(HEALTHY, tables={**HEALTHY.tables, "item_features": mixed})
    )
    assert found.column == "plays_1d"
    assert 0.5 < found.value < 0.65
