"""Has a metric left its expectation: suddenly (robust z), by little for days (EWMA), or by very little for weeks (CUSUM)?

Residuals of real metrics are neither independent nor normal, so no limit is taken from a table alone: each chart is
replayed over the series' own clean history, its scale is at least what it showed there, and a value that was reached
there is no evidence.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from recsysops.statistics._arrays import BoolArray, FloatArray, divide, nan_mad, nan_median

LAMBDA = 0.2
"""Weight of the newest point in the moving average."""
ALLOWANCE = 0.5
"""Standard deviations per point that the cumulative sum forgives."""
CLIP = 3.0
"""No single point counts for more than three standard deviations in what sums up points: a spike is not a shift."""
PRIOR_DOF = 4.0
MAD_EFFICIENCY = 0.37
MIN_CLEAN = 14
"""Fewer clean residuals say nothing of what is usual."""
_OVERSHOOT = 0.583


@dataclass(frozen=True, slots=True, eq=False)
class Charts:
    """The last point of each series, (...); all nan with under 14 clean residuals."""

    z: FloatArray
    """(residual - centre) / scale."""
    ewma: FloatArray
    """Moving average of the clipped z, in standard deviations of one point: the size of a lasting shift."""
    cusum: FloatArray
    """The larger of both cumulative sums; negative for a fall."""
    p_spike: FloatArray
    p_ewma: FloatArray
    p_cusum: FloatArray
    scale: FloatArray
    """One standard deviation of a healthy residual."""
    centre: FloatArray
    """Median of the clean residuals: what the expectation usually misses by."""
    n_since: npt.NDArray[np.int64]
    """Points since the cumulative sum last was zero, the last one included."""


def control_charts(
    residual: npt.ArrayLike, clean: npt.ArrayLike, floor: npt.ArrayLike = 0.0, *, guard: int = 0
) -> Charts:
    """The three charts of each series at its last point.

    ``z_t = (r_t - median) / s`` with s the larger of 1.4826 MAD and ``floor``. EWMA: ``E_t = 0.2 w_t + 0.8 E_{t-1}`` of
    w = z clipped to +-3; its variance is 0.2/1.8 for independent residuals and, pulled towards that, what the replay
    shows if more. CUSUM: ``S_t = max(0, S_{t-1} +- w_t - k)``, k = 0.5, with w made smaller by the standard error of s, and
    back to zero once the moving average has changed sides, so that what is long over is not summed up for ever; with
    P(S >= h) <= exp(-2 k h) (Siegmund's approximation without the overshoot), stretched by mean replayed over mean
    expected S. A p-value is never smaller than the share of the clean history that went as far.

    Parameters: ``residual`` (..., n_times), nan for a hole (passed over by all charts); ``clean`` (..., n_times) true
    where a residual shows what is healthy (the last point never does); ``floor`` (...) least standard deviation, e.g. of
    counting; ``guard`` points before the last one show nothing either, so that a shift which began lately cannot pass
    for healthy.
    Returns: ``Charts`` of arrays (...).

    Source: Roberts, Technometrics 1 (1959); Page, Biometrika 41 (1954); Siegmund, Sequential Analysis (1985), ch. 2;
    Hampel, J. Am. Stat. Assoc. 69 (1974).
    """
    r = np.asarray(residual, np.float64)
    usable = np.broadcast_to(np.asarray(clean, np.bool_), r.shape) & ~np.isnan(r)
    usable = usable & (np.arange(r.shape[-1]) < r.shape[-1] - 1 - guard)
    history = np.where(usable, r, np.nan)
    n = np.count_nonzero(usable, axis=-1).astype(np.float64)
    centre = nan_median(history)
    scale = np.fmax(nan_mad(history), np.broadcast_to(floor, n.shape))
    scale = np.where((n >= MIN_CLEAN) & (scale > 0), scale, np.nan)
    z = (r - centre[..., None]) / scale[..., None]
    dof = np.maximum(PRIOR_DOF, MAD_EFFICIENCY * n)
    w = np.clip(z, -CLIP, CLIP)
    path = _averages(w)
    ewma, p_ewma = _ewma(w, path, usable, n, dof)
    cusum, n_since, p_cusum = _cusum(w, path, usable, n, dof)
    last = z[..., -1]
    reached = _reached(np.abs(z), usable, np.abs(last), n)
    p_spike = np.maximum(2.0 * special.stdtr(dof, -np.abs(last)), reached)
    return Charts(last, ewma, cusum, p_spike, p_ewma, p_cusum, scale, centre, n_since)


def _averages(w: FloatArray) -> FloatArray:
    """The moving average at every point, (..., n_times); holes leave it where it is."""
    path = np.zeros(w.shape)
    state = np.zeros(w.shape[:-1])
    for t in range(w.shape[-1]):
        state = np.where(np.isnan(w[..., t]), state, LAMBDA * w[..., t] + (1 - LAMBDA) * state)
        path[..., t] = state
    return path


def _ewma(
    w: FloatArray, path: FloatArray, usable: BoolArray, n: FloatArray, dof: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """The last average and its p-value, (...)."""
    prior = LAMBDA / (2.0 - LAMBDA)
    seen = divide(np.where(usable, path**2, 0.0).sum(axis=-1), n)
    n_effective = n * prior
    moderated = (PRIOR_DOF * prior + n_effective * np.nan_to_num(seen)) / (PRIOR_DOF + n_effective)
    spread = np.sqrt(np.maximum(prior, moderated))
    last = np.where(np.isnan(w[..., -1]), np.nan, path[..., -1])
    reached = _reached(np.abs(path), usable, np.abs(last), n)
    return last, np.maximum(2.0 * special.stdtr(dof, -np.abs(last) / spread), reached)


def _cusum(
    w: FloatArray, path: FloatArray, usable: BoolArray, n: FloatArray, dof: FloatArray
) -> tuple[FloatArray, npt.NDArray[np.int64], FloatArray]:
    """The larger sum with its sign, the points since it was zero, and its p-value, (...)."""
    unsure = 1.0 + 1.0 / np.sqrt(2.0 * dof)  # the scale itself is an estimate
    sums = np.zeros((2, *w.shape))
    since = np.zeros((2, *w.shape[:-1]), np.int64)
    state = np.zeros((2, *w.shape[:-1]))
    for t in range(w.shape[-1]):
        step = np.stack([w[..., t], -w[..., t]]) / unsure - ALLOWANCE
        state = np.where(np.isnan(step), state, np.maximum(0.0, state + np.nan_to_num(step)))
        state = np.where(np.stack([path[..., t] > 0, path[..., t] < 0]), state, 0.0)
        since = np.where(state > 0, since + 1, 0)
        sums[..., t] = state
    higher = np.where(state[1] > state[0], 1, 0)
    last = np.take_along_axis(state, higher[None], 0)[0]
    usual = np.exp(-2.0 * ALLOWANCE * _OVERSHOOT) / (2.0 * ALLOWANCE)
    both = np.where(usable, sums, 0.0)
    stretch = np.maximum(1.0, divide(both.sum(axis=(0, -1)), 2.0 * n) / usual)
    reached = _reached(both.max(axis=0), usable, last, n)
    p_value = np.maximum(np.minimum(1.0, 2.0 * np.exp(-2.0 * ALLOWANCE * last / stretch)), reached)
    unknown = np.isnan(w[..., -1])
    signed = np.where(unknown, np.nan, np.where(higher == 1, -last, last))
    return signed, np.take_along_axis(since, higher[None], 0)[0], np.where(unknown, np.nan, p_value)


def _reached(path: FloatArray, usable: BoolArray, last: FloatArray, n: FloatArray) -> FloatArray:
    """The share of clean points at or beyond the last one; 0 where none was, so that it puts no limit on evidence."""
    beyond = np.count_nonzero(usable & (path >= last[..., None]), axis=-1)
    return np.where(beyond > 0, (1.0 + beyond) / (n + 1.0), np.where(np.isnan(last), np.nan, 0.0))
