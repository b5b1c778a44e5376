"""A series in a row of blocks."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsysops.reporting.sparkline import BLOCKS, GAP, sparkline

numbers = st.floats(allow_nan=True, allow_infinity=True)


@settings(deadline=None, derandomize=True, max_examples=300)
@given(st.lists(numbers, max_size=40), st.integers(0, 30))
def test_one_block_per_value(series: list[float], width: int) -> None:
    text = sparkline(series, width)
    assert len(text) == min(len(series), width)
    assert set(text) <= {*BLOCKS, GAP}
    shown = series[-width:] if width else []
    finite = [value for value in shown if math.isfinite(value)]
    if finite and min(finite) < max(finite):
        assert text[shown.index(max(finite))] == BLOCKS[-1]
        assert text[shown.index(min(finite))] == BLOCKS[0]


@pytest.mark.parametrize(("series", "text"), [([], ""), ([5.0], "▁"), ([2, 2, 2], "▁▁▁"), ([math.nan, 1, 2], "·▁█")])
def test_edges(series: list[float], text: str) -> None:
    assert sparkline(series) == text
