"""Wasserstein-1 distance from binned counts: how far mass moved, in the feature's own units and in reference IQRs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsysops.statistics._arrays import FloatArray, as_floats, as_window_counts, cell_shares, divide

_CLIP = (0.001, 0.999)


@dataclass(frozen=True, slots=True, eq=False)
class WassersteinDistance:
    """Result of ``wasserstein``; every field has shape (...)."""

    distance: FloatArray
    """W1 of the clipped distributions, in the feature's units."""
    normalised: FloatArray
    """``distance / scale``; nan when the reference is constant."""
    error_bound: FloatArray
    """Largest possible error of ``distance`` from not knowing the values inside a bin, same units."""
    scale: FloatArray
    """Reference IQR; its standard deviation where the IQR vanishes; nan when the reference is constant."""
    clip_low: FloatArray
    """Reference 0.1 % quantile; smaller values count as this one."""
    clip_high: FloatArray
    """Reference 99.9 % quantile; larger values count as this one."""
    clipped_reference: FloatArray
    """Share of reference rows outside the clip limits, about 0.002 for a continuous feature."""
    clipped_current: FloatArray
    """Share of current rows outside the clip limits; the moves that ``distance`` does not see in full."""


def wasserstein(reference: npt.ArrayLike, current: npt.ArrayLike, edges: npt.ArrayLike) -> WassersteinDistance:
    """How far rows moved on average between two windows, in units and relative to the reference spread.

    ``W1 = integral |F - G| dx`` between the reference 0.1 % and 99.9 % quantiles, F and G linear within each bin; the
    error is at most ``sum_b width_b (p_b + q_b)``. Clipping keeps one absurd value from owning the answer; the share
    it touches is reported apart. An open-ended bin (edge -inf or inf) sits at its finite edge and counts as clipped.

    Parameters: ``reference`` and ``current`` (..., n_cells), rows per ordered bin, ordinary numbers only; ``edges``
    (..., n_cells + 1), non-decreasing, outermost may be infinite. A repeated edge makes a zero-width bin: an atom.
    Returns: ``WassersteinDistance`` of arrays (...); nan where a window has no rows.
    Raises: ``ValueError`` for negative counts, unequal shapes, or edges that are nan, infinite inside or decreasing.

    Example:
        >>> result = wasserstein([25, 25, 25, 25], [0, 25, 25, 50], [0.0, 1.0, 2.0, 3.0, 4.0])
        >>> round(float(result.distance), 3), round(float(result.normalised), 3)
        (0.75, 0.375)

    Source: Vallender, Theory Probab. Appl. 18 (1974) for W1 as the area between cumulative distributions.
    """
    reference_counts, current_counts = as_window_counts(reference, current)
    bounds, is_open = _finite_edges(edges, reference_counts.shape[-1])
    p, q = cell_shares(reference_counts), cell_shares(current_counts)
    clip_low, clip_high = (_quantile(p, bounds, level) for level in _CLIP)
    start, stop = _clipped_fractions(bounds, clip_low[..., None], clip_high[..., None])
    width = np.diff(bounds, axis=-1) * (stop - start)
    distance = _area_between(p - q, start, stop, width)
    inside = np.where(np.diff(bounds, axis=-1) > 0, stop - start, _holds_atom(bounds, clip_low, clip_high))
    inside = np.where(is_open, 0.0, inside)
    scale = _scale(p, bounds, start, stop, clip_high - clip_low)
    return WassersteinDistance(
        distance=distance,
        normalised=divide(distance, scale),
        error_bound=np.asarray((width * (p + q)).sum(axis=-1)),
        scale=scale,
        clip_low=clip_low,
        clip_high=clip_high,
        clipped_reference=np.asarray((p * (1.0 - inside)).sum(axis=-1)),
        clipped_current=np.asarray((q * (1.0 - inside)).sum(axis=-1)),
    )


def _finite_edges(edges: npt.ArrayLike, n_cells: int) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Replace infinite outermost edges by their finite neighbours; say which bins were open-ended."""
    bounds = as_floats(edges).copy()
    if bounds.ndim == 0 or bounds.shape[-1] != n_cells + 1:
        raise ValueError(f"edges: found shape {bounds.shape}, expected {n_cells + 1} edges for {n_cells} bins")
    is_open = np.isinf(bounds[..., :-1]) | np.isinf(bounds[..., 1:])
    if n_cells >= 2:
        bounds[..., 0] = np.where(np.isneginf(bounds[..., 0]), bounds[..., 1], bounds[..., 0])
        bounds[..., -1] = np.where(np.isposinf(bounds[..., -1]), bounds[..., -2], bounds[..., -1])
    if not np.isfinite(bounds).all() or (np.diff(bounds, axis=-1) < 0).any():
        raise ValueError("edges: expected non-decreasing numbers, infinite at most at both ends")
    return bounds, is_open


def _quantile(p: FloatArray, bounds: FloatArray, level: float) -> FloatArray:
    """Quantile of shares that are uniform within each bin, (...)."""
    cumulative = np.cumsum(p, axis=-1)
    cell = np.minimum((cumulative < level).sum(axis=-1, keepdims=True), p.shape[-1] - 1)
    bounds = np.broadcast_to(bounds, (*p.shape[:-1], bounds.shape[-1])) if bounds.ndim < p.ndim else bounds
    share = np.take_along_axis(p, cell, axis=-1)
    below = np.take_along_axis(cumulative, cell, axis=-1) - share
    fraction = np.clip(divide(level - below, share), 0.0, 1.0)
    left, right = (np.take_along_axis(bounds, cell + offset, axis=-1) for offset in (0, 1))
    return np.asarray((left + fraction * (right - left))[..., 0])


def _clipped_fractions(bounds: FloatArray, low: FloatArray, high: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Where within each bin, as fractions of its width, the clip limits leave off; equal ends = bin outside."""
    left, width = bounds[..., :-1], np.diff(bounds, axis=-1)
    safe_width = np.where(width > 0, width, 1.0)
    start = (
        np.clip(low - left, 0.0, safe_width) / safe_width
    )  # clipped first: the quotient may be too large for a float
    return start, np.maximum(np.clip(high - left, 0.0, safe_width) / safe_width, start)


def _area_between(difference: FloatArray, start: FloatArray, stop: FloatArray, width: FloatArray) -> FloatArray:
    """Integral of |F - G| over the unclipped part of every bin, exact for piecewise linear F and G."""
    before = np.cumsum(difference, axis=-1) - difference
    left, right = before + start * difference, before + stop * difference
    total = np.abs(left) + np.abs(right)
    crossing = np.divide(left**2 + right**2, total, out=np.zeros_like(total), where=total > 0)
    mean_height = 0.5 * np.where(left * right < 0, crossing, total)
    return np.asarray((mean_height * width).sum(axis=-1))


def _holds_atom(bounds: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    """1 where a bin's left edge lies within the clip limits, else 0."""
    left = bounds[..., :-1]
    return np.asarray((left >= low[..., None]) & (left <= high[..., None]), dtype=np.float64)


def _scale(p: FloatArray, bounds: FloatArray, start: FloatArray, stop: FloatArray, span: FloatArray) -> FloatArray:
    """Reference IQR; the standard deviation within the clip limits if the IQR is under 1e-6 of them; nan if constant."""
    iqr = _quantile(p, bounds, 0.75) - _quantile(p, bounds, 0.25)
    left, width = bounds[..., :-1], np.diff(bounds, axis=-1)
    low, high = left + start * width, left + stop * width
    mean = (p * 0.5 * (low + high)).sum(axis=-1, keepdims=True)
    variance = (p * ((0.5 * (low + high) - mean) ** 2 + (high - low) ** 2 / 12.0)).sum(axis=-1)
    std = np.sqrt(variance)
    tolerance = 8.0 * np.spacing(np.abs(bounds).max(axis=-1))
    return np.asarray(np.where(iqr > 1e-6 * span, iqr, np.where(std > tolerance, std, np.nan)))
