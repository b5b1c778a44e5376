"""Surprise against scipy's Jensen-Shannon divergence, powers that add up, and the planted dimension first."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon

from recsysops.statistics.adtributor import explanatory_power, rank_dimensions, surprise
from recsysops.statistics.leaves import gather_leaves

AMOUNTS = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=12)


@settings(derandomize=True, deadline=None, max_examples=80)
@given(AMOUNTS)
def test_parts_add_up_to_the_divergence_and_to_one(amounts: list[tuple[int, int]]) -> None:
    actual, forecast = np.array(amounts, np.float64).T
    if actual.any() and forecast.any():
        parts = surprise(actual, forecast)
        assert parts.sum() == pytest.approx(jensenshannon(actual, forecast) ** 2, abs=1e-9)
        assert (parts >= -1e-12).all()
    if actual.sum() != forecast.sum():
        assert explanatory_power(actual, forecast).sum() == pytest.approx(1)
    else:
        assert np.isnan(explanatory_power(actual, forecast)).all()


def test_the_planted_values_are_named_first() -> None:
    hits = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        codes = np.indices((6, 8, 5, 4)).reshape(4, -1).T
        forecast = rng.gamma(1.0, 60.0, len(codes))
        dimension = int(rng.integers(4))
        values = rng.choice(codes[:, dimension].max() + 1, 2, replace=False)
        is_hit = np.isin(codes[:, dimension], values)
        actual = rng.poisson(forecast * np.where(is_hit, rng.uniform(0.3, 0.7), 1.0))
        found = rank_dimensions(gather_leaves(codes, actual, forecast))
        hits += bool(found) and found[0].dimension == dimension and set(found[0].values) == set(values.tolist())
    assert hits >= 57


def test_a_dimension_that_explains_nothing_is_left_out_and_powers_are_limits() -> None:
    codes = [[0, 0], [0, 1], [1, 0], [1, 1]]
    leaves = gather_leaves(codes, [50, 100, 50, 100], [100, 100, 100, 100])
    (cause,) = rank_dimensions(leaves, value_power=0.6)
    assert (cause.dimension, cause.values, cause.explanatory_power) == (1, (0,), 1.0)
    assert [one.dimension for one in rank_dimensions(leaves)] == [1, 0]
    assert len(rank_dimensions(leaves, most=1)) == 1
    assert rank_dimensions(gather_leaves(codes, [1, 2, 3, 4], [1, 2, 3, 4])) == ()
    with pytest.raises(ValueError, match="total_power"):
        rank_dimensions(leaves, total_power=1.0)
