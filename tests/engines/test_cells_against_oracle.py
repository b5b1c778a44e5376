"""Cells, pairs, hours and moments through the whole engine against row-by-row counting."""

from __future__ import annotations

import math
from collections import Counter
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from engine_logs import CANDIDATE_SETTINGS, FIRST_DAY, Row, candidate_rows, candidates_engine, write_partitions
from engine_oracle import (
    NOW,
    WINDOWS,
    expect_cells,
    expect_moments,
    found_buckets,
    found_cells,
    found_hours,
    found_moments,
    placed,
)

from recsysops.engines.folded_history import FoldedHistory
from recsysops.profiles.edges import learn_edges
from recsysops.profiles.measures import Cells

DAYS = [FIRST_DAY + timedelta(days=offset) for offset in range(-1, 6)]
SLICES = CANDIDATE_SETTINGS["slices"]
ROWS = Cells("candidates", by_hour=True)
SCORE = Cells("candidates", "score", "histogram")
FEATURE = Cells("candidates", "feature.1", "histogram", by_hour=True)
GENRE = Cells("candidates", "genre", "frequencies")
FLAG = Cells("candidates", "tv", "frequencies")
POSITION = Cells("candidates", "position", "frequencies")
PAIR = Cells("candidates", "genre", "frequencies", pair="tv")
SCORE_MOMENTS = Cells("candidates", "score", "moments")
FEATURE_MOMENTS = Cells("candidates", "feature.1", "moments")
POSITION_BINS = Cells("candidates", "position", "histogram")
MEASURES = [
    ROWS, SCORE, FEATURE, GENRE, FLAG, POSITION, PAIR, SCORE_MOMENTS, FEATURE_MOMENTS, POSITION_BINS
]  # fmt: skip


@pytest.fixture(scope="module", params=[1, 2, 3])
def log(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Row], FoldedHistory]:
    rows = candidate_rows(request.param)
    root = tmp_path_factory.mktemp("log")
    write_partitions(root / "candidates", [rows[0::3], rows[1::3], rows[2::3]])
    engine = candidates_engine(root, root / "state")
    assert not engine.profile(MEASURES).skipped
    return placed(rows, DAYS), engine.history(DAYS[:3], DAYS[3:], now=NOW)


def _bin(history: FoldedHistory, measure: Cells, value: float | None, is_filled: bool) -> str:
    contrast = history.cells(measure)
    assert contrast is not None
    assert contrast.edges is not None
    if value is None:
        return "null"
    if is_filled:
        return "defaulted"
    if math.isnan(value):
        return "nan"
    if math.isinf(value):
        return "pos_inf" if value > 0 else "neg_inf"
    return contrast.cells[5 + int(np.searchsorted(contrast.edges, value))]


def test_rows_by_day_and_hour(log: tuple[list[Row], FoldedHistory]) -> None:
    rows, history = log
    contrast = history.cells(ROWS)
    assert contrast is not None
    assert found_cells(contrast) == expect_cells(rows, SLICES, lambda _: "rows")
    assert found_hours(contrast) == expect_cells(rows, SLICES, lambda _: "rows", by_hour=True)


def test_a_histogram_with_a_default(log: tuple[list[Row], FoldedHistory]) -> None:
    rows, history = log
    contrast = history.cells(SCORE)
    assert contrast is not None
    expected = expect_cells(rows, SLICES, lambda row: _bin(history, SCORE, row["score"], row["score"] == -1.0))
    assert found_cells(contrast) == expected


def test_a_histogram_with_a_mask_by_hour(log: tuple[list[Row], FoldedHistory]) -> None:
    rows, history = log
    contrast = history.cells(FEATURE)
    assert contrast is not None

    def cell(row: Row) -> str:
        return _bin(history, FEATURE, row["feature.1"], bool(row["filled"]))

    assert found_cells(contrast) == expect_cells(rows, SLICES, cell)
    assert found_hours(contrast) == expect_cells(rows, SLICES, cell, by_hour=True)


def test_edges_are_learnt_from_all_rows_of_a_small_log(log: tuple[list[Row], FoldedHistory]) -> None:
    _, history = log
    contrast = history.cells(POSITION_BINS)
    assert contrast is not None
    assert contrast.edges is not None
    assert contrast.edges.tolist() == list(learn_edges(np.array([1, 1, 2, 3, 4, 5])).edges)


@pytest.mark.parametrize("measure", [GENRE, FLAG, POSITION])
def test_frequencies(log: tuple[list[Row], FoldedHistory], measure: Cells) -> None:
    rows, history = log
    contrast = history.cells(measure)
    assert contrast is not None
    top = _top(rows, lambda row: _label(row[measure.column]))

    def cell(row: Row) -> str:
        text = _label(row[measure.column])
        if text is None:
            return "null"
        return "defaulted" if text == "unknown" else text if text in top else "other"

    assert found_cells(contrast) == expect_cells(rows, SLICES, cell)
    assert set(contrast.cells[4:]) >= set(top)


def test_pairs(log: tuple[list[Row], FoldedHistory]) -> None:
    rows, history = log
    contrast = history.cells(PAIR)
    assert contrast is not None

    def pair(row: Row) -> str | None:
        both = (_label(row["genre"]), _label(row["tv"]))
        return None if None in both else "\x1f".join(map(str, both))

    found = found_cells(contrast)
    expected = expect_cells(rows, SLICES, lambda row: pair(row) or "null")
    named = {key: n for key, n in expected.items() if key[2] in contrast.cells}
    assert {key: n for key, n in found.items() if key[2] != "other"} == named
    assert found.total() == expected.total()


@pytest.mark.parametrize(("measure", "is_filled"), [(SCORE_MOMENTS, False), (FEATURE_MOMENTS, True)])
def test_moments(log: tuple[list[Row], FoldedHistory], measure: Cells, is_filled: bool) -> None:
    rows, history = log

    def number(row: Row) -> float | None:
        value: float | None = row[measure.column]
        return None if (row["filled"] if is_filled else value == -1.0) else value

    found, expected = found_moments(history, measure), expect_moments(rows, SLICES, number)
    assert found.keys() == expected.keys()
    for key, values in expected.items():
        np.testing.assert_allclose(found[key], values, rtol=1e-12, atol=1e-12, err_msg=str(key))


def test_moments_are_asked_for_by_their_own_name(log: tuple[list[Row], FoldedHistory]) -> None:
    with pytest.raises(ValueError, match="expected moments"):
        log[1].moments(SCORE)


@pytest.mark.parametrize("measure", [ROWS, SCORE, GENRE, PAIR])
def test_buckets_add_up_to_the_collapsed_counts(log: tuple[list[Row], FoldedHistory], measure: Cells) -> None:
    contrast = log[1].cells(measure)
    assert contrast is not None
    for window in WINDOWS:
        collapsed: Counter[tuple[Any, ...]] = Counter()
        for (_, slice_, cell), n in found_buckets(contrast, window).items():
            collapsed[slice_, cell] += n
        counts = getattr(contrast, window).sum(axis=0)
        expected = {
            (str(contrast.slices[s]), contrast.cells[c]): int(counts[s, c]) for s, c in np.argwhere(counts).tolist()
        }
        assert collapsed == expected


def _label(value: Any) -> str | None:
    return None if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _top(rows: list[Row], text: Any) -> list[str]:
    counted = Counter(one for row in rows if (one := text(row)) is not None)
    return sorted(counted, key=lambda one: (-counted[one], one))[:50]
