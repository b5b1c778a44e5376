"""Seasonal expectation and robust z against a plain loop over scipy, and its conduct with gaps and incidents."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from recsysops.statistics.seasonal import seasonal_residuals

Floats = npt.NDArray[np.float64]


def _volume(seed: int, n_days: int = 100, noise: float = 0.05) -> Floats:
    rng = np.random.default_rng(seed)
    week = np.array([1.0, 1.0, 1.0, 1.1, 1.4, 1.8, 1.6])
    return np.asarray(10_000 * np.tile(week, n_days // 7 + 1)[:n_days] * np.exp(noise * rng.standard_normal(n_days)))


def _plain(series: Floats, known: npt.NDArray[np.bool_], period: int, n_seasons: int) -> tuple[Floats, Floats]:
    """The definition, point by point."""
    expected, scale = np.full(series.size, np.nan), np.full(series.size, np.nan)
    for t in range(series.size):
        phase = [series[t - j * period] for j in range(1, n_seasons + 1) if t >= j * period and known[t - j * period]]
        start = max(0, t - n_seasons * period)
        everything = series[start:t][known[start:t]]
        if len(phase) >= 2:
            expected[t] = np.median(phase)
        elif everything.size:
            expected[t] = np.median(everything)
        past = (series - expected)[start:t][known[start:t] & ~np.isnan(expected[start:t])]
        if past.size >= 5:
            scale[t] = stats.median_abs_deviation(past, scale="normal")
    return expected, scale


@pytest.mark.parametrize(("period", "n_seasons"), [(7, 8), (7, 2), (24, 3), (1, 8)])
def test_equals_the_definition_with_gaps_and_incidents(period: int, n_seasons: int) -> None:
    rng = np.random.default_rng(period)
    series = rng.normal(10, 2, 120)
    series[rng.integers(0, 120, 12)] = np.nan
    excluded = rng.random(120) < 0.1
    result = seasonal_residuals(series, period, n_seasons=n_seasons, excluded=excluded)
    expected, scale = _plain(series, ~np.isnan(series) & ~excluded, period, n_seasons)
    np.testing.assert_allclose(result.expected, expected, rtol=1e-12)
    np.testing.assert_allclose(result.scale, scale, rtol=1e-9)
    np.testing.assert_allclose(result.z, (series - expected) / scale, rtol=1e-9)


def test_quiet_days_score_low_and_a_lost_third_scores_high() -> None:
    volumes = np.stack([_volume(seed) for seed in range(50)])
    volumes[:, -1] *= 2 / 3
    z = seasonal_residuals(volumes, 7, log1p=True).z
    assert np.mean(np.abs(z[:, 60:-1]) > 3) < 0.02
    assert (z[:, -1] < -3).mean() > 0.95


def test_expectation_is_on_the_scale_of_the_series() -> None:
    volume = _volume(1, noise=0.0)
    result = seasonal_residuals(volume, 7, log1p=True)
    np.testing.assert_allclose(result.expected[14:], volume[14:], rtol=1e-9)
    np.testing.assert_allclose(result.residual[14:], 0.0, atol=1e-9)


def test_a_point_never_changes_what_came_before() -> None:
    volume = _volume(2)
    whole, part = seasonal_residuals(volume, 7, log1p=True), seasonal_residuals(volume[:70], 7, log1p=True)
    np.testing.assert_array_equal(whole.z[:70], part.z)


def test_excluded_days_are_judged_but_not_learnt_from() -> None:
    volume, excluded = _volume(3), np.zeros(100, dtype=np.bool_)
    volume[50:64] *= 0.1
    excluded[50:64] = True
    result = seasonal_residuals(volume, 7, excluded=excluded, log1p=True)
    assert (result.z[50:64] < -10).all()
    assert (np.abs(result.z[64:]) < 6).all()


def test_a_leading_axis_changes_nothing() -> None:
    volumes = np.stack([_volume(seed) for seed in range(6)]).reshape(2, 3, 100)
    volumes[1, 2, 3:90] = np.nan
    batched = seasonal_residuals(volumes, 7)
    for i, j in np.ndindex(2, 3):
        np.testing.assert_array_equal(batched.z[i, j], seasonal_residuals(volumes[i, j], 7).z)


def test_degenerate_series() -> None:
    assert np.isnan(seasonal_residuals([5.0], 7).expected).all()
    assert np.isnan(seasonal_residuals(np.full(30, np.nan), 7).z).all()
    assert seasonal_residuals([], 7).z.shape == (0,)
    flat = seasonal_residuals([5.0] * 20 + [6.0], 7)
    assert (flat.z[10:20] == 0).all()
    assert np.isposinf(flat.z[20])


@pytest.mark.parametrize(
    ("values", "period", "log1p", "message"),
    [([1.0], 0, False, "period >= 1"), ([np.inf], 7, False, "infinity"), ([-1.0], 7, True, "negative")],
)
def test_impossible_series_are_refused(values: list[float], period: int, log1p: bool, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        seasonal_residuals(values, period, log1p=log1p)
