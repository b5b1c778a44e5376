"""Adjusted p-values against scipy and statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from recsysops.statistics.multiplicity import benjamini_hochberg, holm


@settings(derandomize=True, deadline=None, max_examples=25)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_equal_to_scipy_and_statsmodels(p_values: list[float]) -> None:
    adjusted = benjamini_hochberg(p_values)
    np.testing.assert_allclose(adjusted, stats.false_discovery_control(p_values, method="bh"), rtol=1e-12)
    np.testing.assert_allclose(adjusted, multipletests(p_values, method="fdr_bh")[1], rtol=1e-12)
    np.testing.assert_allclose(holm(p_values), multipletests(p_values, method="holm")[1], rtol=1e-12)
    assert (np.asarray(p_values) <= adjusted * (1 + 1e-12)).all()
    assert (adjusted <= holm(p_values) * (1 + 1e-12)).all()


def test_rows_are_separate_and_tests_not_made_do_not_count() -> None:
    p = np.array([[0.01, np.nan, 0.04, 0.03], [0.5, 0.2, np.nan, np.nan], [np.nan] * 4])
    for adjust in (benjamini_hochberg, holm):
        result = adjust(p)
        np.testing.assert_array_equal(result[0, [0, 2, 3]], adjust([0.01, 0.04, 0.03]))
        np.testing.assert_array_equal(result[1, :2], adjust([0.5, 0.2]))
        np.testing.assert_array_equal(np.isnan(result), np.isnan(p))


def test_no_tests_and_impossible_p_values() -> None:
    assert benjamini_hochberg([]).shape == (0,)
    assert holm([]).shape == (0,)
    for adjust in (benjamini_hochberg, holm):
        with pytest.raises(ValueError, match="within"):
            adjust([0.5, 1.5])
