"""Robust seasonal expectation of a daily or hourly series, from its own past only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsysops.statistics._arrays import BoolArray, FloatArray, as_floats, divide, nan_mad, nan_median

MIN_RESIDUALS = 5
"""Fewer past residuals than this give no scale."""


@dataclass(frozen=True, slots=True, eq=False)
class SeasonalResiduals:
    """Result of ``seasonal_residuals``; every field has the shape of the series, (..., n_times)."""

    expected: FloatArray
    """Median of the same phase in the past, on the scale of the series; nan without any past."""
    residual: FloatArray
    """Value minus expectation; on the log1p scale if that was asked for, so about a relative change."""
    scale: FloatArray
    """1.4826 x MAD of the residuals of the past seasons: one standard deviation; nan with under 5 residuals."""
    z: FloatArray
    """residual / scale; 0 for no residual and +-inf for any other where the past never varied."""


def seasonal_residuals(
    values: npt.ArrayLike,
    period: int,
    *,
    excluded: npt.ArrayLike | None = None,
    n_seasons: int = 8,
    log1p: bool = False,
) -> SeasonalResiduals:
    """How far each point lies from what the same hour or weekday of the last seasons leads one to expect.

    ``expected_t = median(y_{t-P}, ..., y_{t-8P})``; with fewer than 2 such points the median of all points of those
    seasons. ``z_t = (y_t - expected_t) / (1.4826 MAD)``, MAD over the residuals of the last 8 seasons. A point never
    takes part in its own expectation or scale, so replaying history gives what was seen on the day.

    Parameters: ``values`` (..., n_times), equally spaced, nan = missing; ``period`` 7 for days, 168 for hours;
    ``excluded`` (..., n_times), True = judge it but never learn from it (a known incident); ``log1p`` works on
    ln(1 + y), right for volumes, whose swings are proportional to their level.
    Returns: ``SeasonalResiduals`` of arrays (..., n_times).
    Raises: ``ValueError`` for a period or n_seasons under 1, infinities, or negative values with ``log1p``.

    Example:
        >>> week = [10.0, 11.0, 12.0, 11.0, 10.0, 20.0, 21.0]
        >>> result = seasonal_residuals([*week, *week, *week, 10.0, 11.0, 2.0], period=7)
        >>> float(result.expected[-1]), float(result.residual[-1])
        (12.0, -10.0)

    Source: the median-polish idea of Tukey, Exploratory Data Analysis (1977), ch. 10-11; Hampel, J. Am. Stat. Assoc.
    69 (1974) for the MAD.
    """
    series, known = _checked(values, excluded, period, n_seasons, log1p)
    history = np.where(known, series, np.nan)
    expected = _same_phase_median(history, period, n_seasons)
    for t in np.flatnonzero(np.isnan(expected).any(axis=tuple(range(expected.ndim - 1)))):
        overall = nan_median(history[..., max(0, t - n_seasons * period) : t])
        expected[..., t] = np.where(np.isnan(expected[..., t]), overall, expected[..., t])
    residual = series - expected
    scale = _trailing_scale(np.where(known, residual, np.nan), n_seasons * period)
    z = np.where(residual == 0, np.where(np.isnan(scale), np.nan, 0.0), divide(residual, scale))
    return SeasonalResiduals(np.expm1(expected) if log1p else expected, residual, scale, np.asarray(z))


def _checked(
    values: npt.ArrayLike, excluded: npt.ArrayLike | None, period: int, n_seasons: int, log1p: bool
) -> tuple[FloatArray, BoolArray]:
    """The series on its working scale, and which of its points may be learnt from."""
    series = as_floats(values)
    if series.ndim == 0 or period < 1 or n_seasons < 1:
        raise ValueError(f"expected a series, period >= 1 and n_seasons >= 1; found {period=}, {n_seasons=}")
    if np.isinf(series).any():
        raise ValueError("values: found infinity, expected finite numbers or nan for a missing point")
    if log1p and (series < 0).any():
        raise ValueError("values: found negative numbers, expected >= 0 with log1p")
    mask = np.zeros(series.shape, dtype=np.bool_) if excluded is None else np.asarray(excluded, dtype=np.bool_)
    known = ~np.broadcast_to(mask, series.shape) & ~np.isnan(series)
    return np.asarray(np.log1p(series) if log1p else series), np.asarray(known)


def _same_phase_median(history: FloatArray, period: int, n_seasons: int) -> FloatArray:
    """Median over the lags P, 2P, ... of each point, (..., n_times); nan with fewer than 2 points."""
    n_times = history.shape[-1]
    lags = [lag for lag in range(period, (n_seasons + 1) * period, period) if lag < n_times]
    stacked = np.full((*history.shape, max(len(lags), 1)), np.nan)
    for column, lag in enumerate(lags):
        stacked[..., lag:, column] = history[..., :-lag]
    n_points = np.count_nonzero(~np.isnan(stacked), axis=-1)
    return np.asarray(np.where(n_points >= 2, nan_median(stacked), np.nan))


def _trailing_scale(residual: FloatArray, window: int) -> FloatArray:
    """1.4826 MAD of up to ``window`` residuals before each point, (..., n_times)."""
    scale = np.full(residual.shape, np.nan)
    for t in range(MIN_RESIDUALS, residual.shape[-1]):
        past = residual[..., max(0, t - window) : t]
        enough = np.count_nonzero(~np.isnan(past), axis=-1) >= MIN_RESIDUALS
        scale[..., t] = np.where(enough, nan_mad(past), np.nan)
    return scale
