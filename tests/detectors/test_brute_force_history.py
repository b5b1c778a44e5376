"""The brute-force history against counts small enough to do by hand."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from recsysops.profiles.history import FREQUENCY_SPECIALS
from recsysops.profiles.measures import Cells, Facts, Keyed, KeyedSample, PerRequest
from recsysops.profiles.slices import EVERYTHING, Slice
from recsysops.tables.schema import Column, Schema, TableSchema
from recsysops.testing.histories import ArrayHistory, history_from_tables

DAYS = [date(2026, 1, 1), date(2026, 1, 2)]
SCHEMA = Schema(
    {
        "candidates": TableSchema(
            "candidates",
            (
                Column("r", "categorical", "request_id"),
                Column("t", "timestamp", "ts"),
                Column("i", "categorical", "item_id"),
                Column("p", "numeric", "position"),
                Column("x", "numeric", is_feature=True, default=9.0),
                Column("m", "categorical"),
            ),
            ("m",),
        )
    }
)
FRAME = pd.DataFrame(
    {
        "r": ["a", "a", "b", "c", "c", "c"],
        "t": pd.to_datetime(
            ["2026-01-01T05:00", "2026-01-01T05:00", "2026-01-01T07:00", *["2026-01-02T23:59"] * 3], utc=True
        ),
        "i": ["u", "v", "u", "w", "w", "u"],
        "p": [1, 2, 1, 1, 1, 3],
        "x": [1.0, np.nan, 0.0, 9.0, np.inf, 2.0],
        "m": ["NO", "NO", "DK", "NO", "NO", "NO"],
    }
)
MEASURES = (
    Cells("candidates", by_hour=True),
    Cells("candidates", "x", "histogram"),
    Cells("candidates", "i", "frequencies"),
    PerRequest("candidates", "duplicate_key", ("r", "i", "p")),
    Keyed("candidates", "i", ("rows", "requests", "exposure")),
    KeyedSample("candidates", ("x",)),
    Facts("candidates"),
)


@pytest.fixture(scope="module")
def history() -> ArrayHistory:
    return history_from_tables({"candidates": FRAME}, SCHEMA, MEASURES, DAYS[:1], DAYS[1:])


def test_rows(history: ArrayHistory) -> None:
    rows = history.cells(Cells("candidates", by_hour=True))
    assert rows is not None
    assert rows.slices == (EVERYTHING, Slice("m", "DK"), Slice("m", "NO"))
    assert rows.reference.tolist() == [[[3], [1], [2]]]
    assert rows.current.tolist() == [[[3], [0], [3]]]
    assert rows.hourly is not None
    assert np.flatnonzero(rows.hourly("reference")[0, :, 0, 0]).tolist() == [5, 7]
    buckets = rows.load_buckets("current", 2)
    assert buckets.shape == (32, 1)
    assert buckets.sum() == 3


def test_three_faces_of_missing(history: ArrayHistory) -> None:
    x = history.cells(Cells("candidates", "x", "histogram"))
    assert x is not None
    assert x.edges is not None
    assert len(x.cells) == 5 + len(x.edges) + 1
    assert x.reference[0, 0, :5].tolist() == [0, 1, 0, 0, 0]
    assert x.current[0, 0, :5].tolist() == [0, 0, 0, 1, 1]
    assert x.reference[0, 0, 5:].sum() == 2
    assert x.current[0, 0, 5:].sum() == 1


def test_categories(history: ArrayHistory) -> None:
    i = history.cells(Cells("candidates", "i", "frequencies"))
    assert i is not None
    assert i.cells == (*FREQUENCY_SPECIALS, "u", "v")
    assert i.reference[0, 0].tolist() == [0, 0, 0, 0, 2, 1]
    assert i.current[0, 0].tolist() == [0, 0, 2, 0, 1, 0]


def test_requests_and_keys(history: ArrayHistory) -> None:
    twice = history.cells(PerRequest("candidates", "duplicate_key", ("r", "i", "p")))
    assert twice is not None
    assert twice.reference[0, 0].tolist() == [2, 0, 3, 0]
    assert twice.current[0, 0].tolist() == [1, 1, 3, 1]
    items = history.keyed(MEASURES[4])
    assert items is not None
    assert items.keys == ("u", "v", "w")
    assert items.current[0, :, :2].tolist() == [[1, 1], [0, 0], [2, 1], [0, 0]]
    assert items.reference[0, 0, 2] == 2.0
    assert items.distinct_current.tolist() == [2.0]


def test_sample_and_facts(history: ArrayHistory) -> None:
    sample = history.sample(KeyedSample("candidates", ("x",)))
    assert sample is not None
    assert sorted(sample.reference_keys) == ["a", "b"]
    assert sample.current_keys == ("c",)
    partitions = history.facts(Facts("candidates"))
    assert partitions is not None
    assert [one.n_rows for one in partitions] == [3, 3]
    assert history.facts(Facts("items")) is None
