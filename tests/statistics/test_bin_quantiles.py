"""Quantiles of bins against numpy on the values that were binned."""

from __future__ import annotations

import numpy as np
import pytest

from recsysops.statistics.bin_quantiles import bin_quantiles


@pytest.mark.parametrize("level", [0.05, 0.25, 0.5, 0.9])
def test_within_a_bin_of_numpy(level: float) -> None:
    rng = np.random.default_rng(6)
    values = rng.normal(size=(4, 5_000))
    edges = np.linspace(-4, 4, 81)
    bins = np.searchsorted(edges, values, side="left")
    counts = np.array([np.bincount(row, minlength=82) for row in bins])
    assert bin_quantiles(counts, edges, level) == pytest.approx(np.quantile(values, level, axis=1), abs=0.1)


def test_edges_of_the_range() -> None:
    assert bin_quantiles([5, 0, 0], [1.0, 2.0], 0.5) == 1.0
    assert bin_quantiles([0, 0, 5], [1.0, 2.0], 0.5) == 2.0
    with pytest.raises(ValueError, match="one fewer"):
        bin_quantiles([1, 2], [0.0, 1.0], 0.5)
