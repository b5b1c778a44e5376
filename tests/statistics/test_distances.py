"""PSI, JSD, chi-square, KS bracket and W1 against scipy, their laws, and degenerate windows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats
from scipy.spatial.distance import jensenshannon

from recsysops.statistics.chi_square import chi_square
from recsysops.statistics.jensen_shannon import jensen_shannon_divergence
from recsysops.statistics.kolmogorov_smirnov import ks_bracket
from recsysops.statistics.psi import expected_psi, psi
from recsysops.statistics.smoothing import smoothed_probabilities
from recsysops.statistics.wasserstein import wasserstein

Counts = npt.NDArray[np.int64]
law = settings(derandomize=True, deadline=None, max_examples=60)
two_windows = st.integers(1, 12).flatmap(
    lambda n_cells: st.tuples(
        hnp.arrays(np.int64, n_cells, elements=st.integers(0, 5_000)),
        hnp.arrays(np.int64, n_cells, elements=st.integers(0, 5_000)),
    )
)


def _random_windows(seed: int, shape: tuple[int, ...] = (40, 12)) -> tuple[Counts, Counts]:
    rng = np.random.default_rng(seed)
    return rng.poisson(rng.gamma(1.0, 30.0, shape)), rng.poisson(rng.gamma(1.0, 30.0, shape))


def test_smoothing_is_the_formula_and_sums_to_one() -> None:
    counts, _ = _random_windows(0)
    expected = [[(cell + 0.5) / (row.sum() + 6.0) for cell in row] for row in counts]
    np.testing.assert_allclose(smoothed_probabilities(counts), expected)
    np.testing.assert_allclose(smoothed_probabilities(counts).sum(axis=-1), 1.0)


def test_psi_is_both_relative_entropies_of_scipy() -> None:
    reference, current = _random_windows(1)
    p, q = smoothed_probabilities(reference), smoothed_probabilities(current)
    oracle = stats.entropy(p, q, axis=-1) + stats.entropy(q, p, axis=-1)
    np.testing.assert_allclose(psi(reference, current), oracle, rtol=1e-12)


def test_jensen_shannon_is_the_squared_distance_of_scipy() -> None:
    reference, current = _random_windows(2)
    p, q = smoothed_probabilities(reference), smoothed_probabilities(current)
    np.testing.assert_allclose(
        jensen_shannon_divergence(reference, current), jensenshannon(p, q, axis=-1) ** 2, rtol=1e-9
    )


def test_psi_and_divergence_follow_chi_square_without_drift() -> None:
    rng = np.random.default_rng(3)
    n, m, n_cells = 20_000, 5_000, 20
    reference = rng.multinomial(n, np.full(n_cells, 1 / n_cells), size=3_000)
    current = rng.multinomial(m, np.full(n_cells, 1 / n_cells), size=3_000)
    assert psi(reference, current).mean() == pytest.approx(float(expected_psi(n, m, n_cells)), rel=0.02)
    harmonic = n * m / (n + m)
    assert (8 * harmonic * jensen_shannon_divergence(reference, current)).mean() == pytest.approx(19.0, rel=0.02)


def test_chi_square_is_scipy_on_the_columns_in_use() -> None:
    reference, current = _random_windows(4)
    reference[:, 3] = current[:, 3] = 0
    result = chi_square(reference, current)
    for row in range(reference.shape[0]):
        table = np.stack([reference[row], current[row]])
        oracle = stats.chi2_contingency(table[:, table.sum(axis=0) > 0], correction=False)
        assert result.statistic[row] == pytest.approx(oracle.statistic, rel=1e-10)
        assert result.dof[row] == oracle.dof
        assert result.p_value[row] == pytest.approx(oracle.pvalue, rel=1e-8, abs=1e-300)
        assert result.cramers_v[row] == pytest.approx(
            stats.contingency.association(table[:, table.sum(axis=0) > 0], method="cramer"), rel=1e-10
        )


@pytest.mark.parametrize("n_cells", [2, 10, 100])
def test_ks_bracket_holds_the_exact_statistic(n_cells: int) -> None:
    rng = np.random.default_rng(n_cells)
    for _ in range(60):
        x = np.round(rng.normal(size=400), 2)
        y = np.round(rng.normal(rng.uniform(0, 0.5), rng.uniform(0.5, 2), size=300), 2)
        edges = np.unique(np.quantile(x, np.arange(1, n_cells) / n_cells))
        counts = [np.bincount(np.searchsorted(edges, v), minlength=edges.size + 1) for v in (x, y)]
        bracket = ks_bracket(*counts)
        exact = stats.ks_2samp(x, y, method="asymp").statistic
        assert bracket.low <= exact + 1e-12
        assert exact <= bracket.high + 1e-12
        assert bracket.high - bracket.low <= max(c.max() / c.sum() for c in counts) + 1e-12


@law
@given(two_windows)
def test_distances_are_symmetric_and_not_negative(windows: tuple[Counts, Counts]) -> None:
    for distance in (
        psi,
        jensen_shannon_divergence,
        lambda a, b: chi_square(a, b).statistic,
        lambda a, b: ks_bracket(a, b).low,
    ):
        forward, backward = distance(*windows), distance(*windows[::-1])
        np.testing.assert_allclose(forward, backward, rtol=1e-9, atol=1e-12)
        if min(window.sum() for window in windows) > 0:
            assert forward >= 0
            assert distance(windows[0], windows[0]) == pytest.approx(0.0, abs=1e-12)
        else:
            assert np.isnan(forward)


@law
@given(two_windows)
def test_divergence_is_bounded_and_ks_brackets_are_ordered(windows: tuple[Counts, Counts]) -> None:
    bracket = ks_bracket(*windows)
    if min(window.sum() for window in windows) > 0:
        assert jensen_shannon_divergence(*windows) <= np.log(2.0)
        assert 0 <= bracket.low <= bracket.high <= 1
        assert 0 <= chi_square(*windows).cramers_v <= 1


def test_one_batched_call_equals_single_calls() -> None:
    reference, current = (window.reshape(5, 8, 12) for window in _random_windows(6))
    edges = np.cumsum(np.random.default_rng(0).gamma(1.0, size=(5, 1, 13)), axis=-1)
    batched = wasserstein(reference, current, edges)
    for i, j in np.ndindex(5, 8):
        single = wasserstein(reference[i, j], current[i, j], edges[i, 0])
        assert psi(reference, current)[i, j] == pytest.approx(float(psi(reference[i, j], current[i, j])), rel=1e-12)
        assert batched.distance[i, j] == pytest.approx(float(single.distance), rel=1e-12)
        assert batched.scale[i, j] == pytest.approx(float(single.scale), rel=1e-12)


def test_single_cell_says_no_difference() -> None:
    assert psi([7], [9]) == 0
    assert jensen_shannon_divergence([7], [9]) == 0
    assert chi_square([7], [9]).p_value == 1
    assert ks_bracket([7], [9]).low == 0
    assert ks_bracket([7], [9]).high == 1
    assert wasserstein([7], [9], [0.0, 1.0]).distance == 0


def test_empty_windows_say_nothing() -> None:
    empty = np.zeros(3)
    assert np.isnan(psi(empty, [1, 2, 3]))
    assert np.isnan(chi_square(empty, empty).p_value)
    assert np.isnan(ks_bracket(empty, [1, 2, 3]).high)
    assert np.isnan(wasserstein(empty, [1, 2, 3], [0, 1, 2, 3]).distance)
    assert np.isinf(expected_psi(0, 10, 5))


@pytest.mark.parametrize(
    ("reference", "current", "message"),
    [
        ([1, 2], [1, 2, 3], "reference has 2 cells and current has 3"),
        ([1, -2], [1, 2], "found -2, expected counts >= 0"),
        ([1, np.nan], [1, 2], "found nan or infinity"),
        ([], [], "the last axis is empty"),
        (3, 3, "found 0 dimensions, expected at least 1"),
    ],
)
def test_impossible_counts_are_refused(reference: npt.ArrayLike, current: npt.ArrayLike, message: str) -> None:
    for distance in (psi, jensen_shannon_divergence, chi_square, ks_bracket):
        with pytest.raises(ValueError, match=message):
            distance(reference, current)
