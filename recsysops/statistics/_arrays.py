"""Checked conversion of inputs to float64 arrays, shared by every module of this package."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

FloatArray: TypeAlias = npt.NDArray[np.float64]
BoolArray: TypeAlias = npt.NDArray[np.bool_]


def as_floats(values: npt.ArrayLike) -> FloatArray:
    """Convert anything array-like to float64, copying only when it must."""
    return np.asarray(values, dtype=np.float64)


def as_counts(values: npt.ArrayLike, name: str, *, min_ndim: int = 1) -> FloatArray:
    """Convert to float64 and insist on finite numbers >= 0 with at least ``min_ndim`` dimensions.

    Fractions are allowed: weighted rows and rescaled windows are counts too.
    """
    counts = as_floats(values)
    if counts.ndim < min_ndim:
        raise ValueError(f"{name}: found {counts.ndim} dimensions, expected at least {min_ndim}")
    if min_ndim and counts.shape[-1] == 0:
        raise ValueError(f"{name}: the last axis is empty, expected at least one entry")
    if not np.isfinite(counts).all():
        raise ValueError(f"{name}: found nan or infinity, expected finite counts")
    if counts.size and counts.min() < 0:
        raise ValueError(f"{name}: found {counts.min():g}, expected counts >= 0")
    return counts


def as_window_counts(reference: npt.ArrayLike, current: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Check two windows counted over the same cells."""
    reference_counts, current_counts = as_counts(reference, "reference"), as_counts(current, "current")
    if reference_counts.shape[-1] != current_counts.shape[-1]:
        raise ValueError(
            f"reference has {reference_counts.shape[-1]} cells and current has {current_counts.shape[-1]}; "
            "both windows must be counted over the same cells"
        )
    return reference_counts, current_counts


def cell_shares(counts: FloatArray) -> FloatArray:
    """Share of each cell in its row of counts, (..., n_cells); all nan where the row is empty."""
    return divide(counts, counts.sum(axis=-1, keepdims=True))


def divide(numerator: npt.ArrayLike, denominator: npt.ArrayLike) -> FloatArray:
    """Divide without warnings: x/0 is +-inf and 0/0 is nan."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.true_divide(as_floats(numerator), as_floats(denominator)))


def check_fraction(value: float, name: str) -> None:
    """Insist on a number strictly between 0 and 1."""
    if not 0.0 < value < 1.0:
        raise ValueError(f"{name}: found {value:g}, expected a number strictly between 0 and 1")


def nan_median(values: FloatArray) -> FloatArray:
    """Median over the last axis, skipping nan; nan where nothing is left.

    Same as ``numpy.nanmedian`` but silent on empty rows, and fast on many short rows.
    """
    if values.shape[-1] == 0:
        return np.full(values.shape[:-1], np.nan)
    ordered = np.sort(values, axis=-1)
    n_valid = np.count_nonzero(~np.isnan(values), axis=-1)[..., None]
    low = np.take_along_axis(ordered, np.maximum(n_valid - 1, 0) // 2, axis=-1)
    high = np.take_along_axis(ordered, np.minimum(n_valid // 2, values.shape[-1] - 1), axis=-1)
    return np.asarray(np.where(n_valid > 0, 0.5 * (low + high), np.nan)[..., 0])


def nan_mad(values: FloatArray) -> FloatArray:
    """Median absolute deviation from the median over the last axis, times 1.4826 (sigma of a normal); skips nan."""
    deviations = np.abs(values - nan_median(values)[..., None])
    return np.asarray(1.482602218505602 * nan_median(deviations))
