"""What is learnt of two columns, and which rows break it, against pandas' crosstab of the rows themselves."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from recsysops.profiles.history import CellContrast
from recsysops.profiles.measures import Cells
from recsysops.tables.schema import Column, Schema, TableSchema
from recsysops.testing.histories import history_from_tables
from recsysops.triage.dependence import BROKEN, KEPT, held_against, learn, likeliest_break, moved

DAYS = tuple(date(2026, 3, 2) + timedelta(days=index) for index in range(6))
SCHEMA = Schema(
    {
        "candidates": TableSchema(
            "candidates",
            (
                Column("request_id", "categorical", "request_id"),
                Column("ts", "timestamp", "ts"),
                Column("a", "categorical", is_feature=True),
                Column("b", "categorical", is_feature=True),
                Column("device", "categorical"),
            ),
            ("device",),
        )
    }
)
LANGUAGE = {"NO": "nb", "SE": "sv", "US": "en", "GB": "en"}


def log(seed: int, noise: float, n: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    days = np.repeat(np.arange(len(DAYS)), n)
    a = rng.choice(np.array([*LANGUAGE], object), len(days), p=[0.4, 0.3, 0.2, 0.1])
    b = np.array([LANGUAGE[one] for one in a], object)
    hit = rng.random(len(days)) < noise
    b[hit] = rng.choice(np.array(["nb", "sv", "en"], object), int(hit.sum()))
    ts = pd.Timestamp(DAYS[0], tz="UTC") + pd.to_timedelta(
        days * 24 * 60 + rng.integers(0, 1440, len(days)), unit="min"
    )
    device = rng.choice(np.array(["tv", "phone"], object), len(days))
    return pd.DataFrame({"request_id": np.arange(len(days)).astype(str), "ts": ts, "a": a, "b": b, "device": device})


def counted(frame: pd.DataFrame) -> tuple[CellContrast, tuple[CellContrast, CellContrast]]:
    measures = [
        Cells("candidates", "a", "frequencies", "b"),
        *(Cells("candidates", one, "frequencies") for one in "ab"),
    ]
    history = history_from_tables({"candidates": frame}, SCHEMA, measures, DAYS[:-1], DAYS[-1:])
    pair, one, two = (history.cells(measure) for measure in measures)
    assert pair is not None
    assert one is not None
    assert two is not None
    return pair, (one, two)


def is_now(frame: pd.DataFrame) -> pd.Series:
    days: pd.Series = frame["ts"].dt.date
    return days == DAYS[-1]


def crosstab(frame: pd.DataFrame) -> pd.DataFrame:
    """Of the reference days."""
    before = frame[~is_now(frame)]
    return pd.crosstab(before["a"], before["b"])


@pytest.mark.parametrize("noise", [0.0, 0.005, 0.05])
@pytest.mark.parametrize("seed", range(3))
def test_share_and_gain_are_those_of_the_table(seed: int, noise: float) -> None:
    frame = log(seed, noise)
    found = learn(counted(frame)[0], 0.5, 0.5)
    table = crosstab(frame)
    guess = table.sum(axis=0).max() / table.to_numpy().sum()
    share = table.max(axis=1).sum() / table.to_numpy().sum()
    assert found is not None
    assert (found.determining, dict(found.usual)) == (0, LANGUAGE)
    assert found.share == pytest.approx(share)
    assert found.gain == pytest.approx((share - guess) / (1 - guess))
    assert not found.is_identity


def test_columns_that_do_not_determine_each_other_are_left_alone() -> None:
    rng = np.random.default_rng(0)
    frame = log(0, 0.0).assign(b=lambda rows: rng.permutation(rows["b"]))
    assert learn(counted(frame)[0], 0.5, 0.5) is None


def test_a_column_that_is_nearly_always_the_same_tells_nothing() -> None:
    rng = np.random.default_rng(0)
    frame = log(0, 0.0)
    frame["b"] = np.where(rng.random(len(frame)) < 0.005, "x", "y")
    found = learn(counted(frame)[0], 0.99, 0.0)
    assert found is not None
    assert found.share > 0.99
    assert learn(counted(frame)[0], 0.99, 0.9) is None


def test_too_few_rows_or_too_many_values_teach_nothing() -> None:
    assert learn(counted(log(0, 0.0, n=90))[0], 0.5, 0.5) is None
    frame = log(0, 0.0)
    unique = frame.assign(a=frame["request_id"], b=frame["request_id"])
    assert learn(counted(unique)[0], 0.5, 0.0) is None


@pytest.mark.parametrize("seed", range(3))
def test_broken_rows_are_those_of_the_crosstab(seed: int) -> None:
    frame = log(seed, 0.02)
    rng = np.random.default_rng(seed)
    today = np.flatnonzero(is_now(frame))
    frame.loc[today[rng.random(len(today)) < 0.1], "b"] = "sv"
    frame.loc[today[rng.random(len(today)) < 0.05], "b"] = "never seen"
    frame.loc[today[rng.random(len(today)) < 0.05], "b"] = None
    pair, alone = counted(frame)
    found = learn(pair, 0.5, 0.5)
    assert found is not None
    held = held_against(pair, alone, found)
    for index, one in enumerate(held.slices):
        rows = frame if not one.dimension else frame[frame["device"] == one.value]
        rows = rows[rows["b"].notna()]
        breaks = rows["b"] != rows["a"].map(LANGUAGE)
        expected = breaks.groupby(rows["ts"].dt.date).agg(["sum", "size"])
        counts = np.concatenate([held.reference, held.current])[:, index]
        np.testing.assert_array_equal(counts[:, BROKEN], expected["sum"])
        np.testing.assert_array_equal(counts[:, KEPT] + counts[:, BROKEN], expected["size"])
        buckets = held.load_buckets("current", index)
        np.testing.assert_array_equal(buckets.sum(axis=0), held.current[0, index])
    np.testing.assert_array_equal(held.current.sum(axis=-1), pair.current.sum(axis=-1))


def test_new_values_of_the_determining_column_are_no_exceptions() -> None:
    frame = log(0, 0.0)
    today = np.flatnonzero(is_now(frame))
    frame.loc[today[:40], ["a", "b"]] = ["FI", "fi"]
    frame.loc[today[40:60], ["a", "b"]] = ["AT", "en"]
    pair, alone = counted(frame)
    found = learn(pair, 0.99, 0.9)
    assert found is not None
    assert held_against(pair, alone, found).current[0, 0].tolist() == [len(today) - 60, 0, 60]


def test_of_two_columns_that_say_the_same_both_must_be_new() -> None:
    frame = log(0, 0.0)
    today = np.flatnonzero(is_now(frame))
    frame["b"] = frame["a"]
    frame.loc[today[:30], ["a", "b"]] = "FI"
    frame.loc[today[30:50], "a"] = ""
    pair, alone = counted(frame)
    found = learn(pair, 0.99, 0.9)
    assert found is not None
    assert found.is_identity
    assert held_against(pair, alone, found).current[0, 0].tolist() == [len(today) - 50, 20, 30]


def test_the_reference_of_new_values_is_excused_as_well() -> None:
    frame = log(0, 0.0)
    pair, alone = counted(frame)
    found = learn(pair, 0.99, 0.9)
    assert found is not None
    late = replace(pair, reference=_as_new(pair, "NO\x1fnb"))
    single = replace(alone[0], reference=_as_new(alone[0], "NO"))
    assert held_against(late, (single, alone[1]), found).reference[:, 0, BROKEN].sum() == 0
    assert (
        held_against(late, alone, found).reference[:, 0, BROKEN].sum()
        == pair.reference[:, 0, pair.cell("NO\x1fnb")].sum()
    )


def _as_new(contrast: CellContrast, name: str) -> np.ndarray:
    """Counts as they would be had the category been unknown when they were frozen."""
    counts = contrast.reference.copy()
    counts[..., contrast.cell("new")] += counts[..., contrast.cell(name)]
    counts[..., contrast.cell(name)] = 0
    return counts


@pytest.mark.parametrize("column", ["a", "b"])
@pytest.mark.parametrize("seed", range(3))
def test_the_column_that_moved_is_told(seed: int, column: str) -> None:
    frame = log(seed, 0.005)
    frame["b"] = np.where(frame["a"] == frame["b"], frame["b"], frame["a"])
    today = np.flatnonzero(is_now(frame))
    frame.loc[today[np.random.default_rng(seed).random(len(today)) < 0.4], column] = "SE"
    pair, alone = counted(frame)
    found = learn(pair, 0.9, 0.9)
    assert found is not None
    assert moved(alone, found) == "ab".index(column)
    example = likeliest_break(pair, found, 0)
    assert example is None or example["ab".index(column)] == "SE"


def test_without_a_difference_nobody_moved() -> None:
    frame = log(0, 0.0)
    pair, alone = counted(frame.assign(b=frame["a"]))
    found = learn(pair, 0.9, 0.9)
    assert found is not None
    assert moved(alone, found) is None
    assert likeliest_break(pair, found, 0) is None
