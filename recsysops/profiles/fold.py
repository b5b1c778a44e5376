"""Folding profiles into history: rows of many partitions become arrays over days, slices and cells.

Counts add exactly. Sums add in the order of the rows given, which is the order of partition keys, so that the same
partitions always give the same floating-point result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from recsysops.profiles.byte_planes import unpacked
from recsysops.profiles.history import WindowMoments
from recsysops.profiles.measures import N_BUCKETS
from recsysops.profiles.slices import EVERYTHING, Slice

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class FoldedCells:
    """``counts`` has shape (n_days, n_slices, n_cells); ``slices[0]`` is every row."""

    slices: tuple[Slice, ...]
    counts: Counts


def fold_cells(rows: pa.Table, days: Sequence[int], n_cells: int) -> FoldedCells:
    """Fold the rows of one measure over hours and partitions.

    Args:
        rows: profile rows of one measure (schema ROWS), any days.
        days: days since the epoch, in the order wanted; days without rows get zeros.
        n_cells: length of every row's ``counts``.

    Returns:
        Counts of shape (n_days, n_slices, n_cells).
    """
    slices, slice_index = slice_axis(rows)
    day_index = day_axis(rows, days)
    counts = matrix(rows, "counts", n_cells)
    folded = np.zeros((len(days), len(slices), n_cells), np.int64)
    kept = day_index >= 0
    np.add.at(folded, (day_index[kept], slice_index[kept]), counts[kept])
    return FoldedCells(slices, folded)


def fold_hours(rows: pa.Table, days: Sequence[int], slices: Sequence[Slice], n_cells: int) -> Counts:
    """The same counts with the hour kept: shape (n_days, 24, n_slices, n_cells)."""
    present, slice_index = slice_axis(rows)
    place = np.array([slices.index(one) if one in slices else -1 for one in present], np.int64)
    slice_index = place[slice_index] if len(slice_index) else slice_index
    day_index = day_axis(rows, days)
    hour = rows["hour"].to_numpy().astype(np.int64)
    counts = matrix(rows, "counts", n_cells)
    folded = np.zeros((len(days), 24, len(slices), n_cells), np.int64)
    kept = (day_index >= 0) & (slice_index >= 0) & (hour >= 0)
    np.add.at(folded, (day_index[kept], hour[kept], slice_index[kept]), counts[kept])
    return folded


def fold_moments(rows: pa.Table, days: Sequence[int], slices: Sequence[Slice], shift: float) -> WindowMoments:
    """WindowMoments of one measure, shape (n_days, n_slices) each; ``shift`` is what sums were taken about."""
    shape = (len(days), len(slices))
    day_index = day_axis(rows, days)
    present, slice_index = slice_axis(rows)
    place = np.array([slices.index(one) for one in present], np.int64)
    kept = day_index >= 0
    at = (day_index[kept], place[slice_index][kept] if len(slice_index) else slice_index[kept])
    count, sums = np.zeros(shape, np.int64), np.zeros((*shape, 2))
    least, greatest = np.full(shape, np.inf), np.full(shape, -np.inf)
    np.add.at(count, at, matrix(rows, "counts", 1)[kept, 0])
    np.add.at(sums, at, matrix(rows, "sums", 2)[kept])
    np.minimum.at(least, at, matrix(rows, "lows", 1)[kept, 0])
    np.maximum.at(greatest, at, matrix(rows, "highs", 1)[kept, 0])
    with np.errstate(divide="ignore", invalid="ignore"):
        offset = sums[..., 0] / count
        squares = np.maximum(sums[..., 1] - offset * sums[..., 0], 0.0)
        sd = np.sqrt(np.where(count > 1, squares / (count - 1), np.nan))
    has_rows = count > 0
    bounds = (np.where(has_rows, one, np.nan) for one in (least, greatest))
    return WindowMoments(count, shift + offset, sd, *bounds)


class BucketFold:
    """Bucketed rows of one measure, unpacked and folded slice by slice: few slices are ever asked for.

    Args:
        rows: bucketed rows (schema BUCKETS), any days.
        days: days since the epoch, in the order wanted.
        n_cells: cells of the measure.
    """

    def __init__(self, rows: pa.Table, days: Sequence[int], n_cells: int) -> None:
        slices, self._slice_index = slice_axis(rows)
        self._place = {name: index for index, name in enumerate(slices)}
        self._n_cells = n_cells
        self._planes = rows["counts"].combine_chunks()
        known, day_index = np.unique(day_axis(rows, days), return_inverse=True)
        n_unknown = int(len(known) > 0 and known[0] < 0)
        self._n_days, self._day_index = len(known) - n_unknown, day_index - n_unknown

    def of(self, slice_: Slice) -> Counts:
        """Counts of one slice: shape (n_days_with_buckets × N_BUCKETS, n_cells), days in the order given.

        Days whose buckets have been dropped are left out; a day that has them but no rows of this slice is all zero.
        """
        chosen = np.flatnonzero((self._slice_index == self._place.get(slice_, -1)) & (self._day_index >= 0))
        folded = np.zeros((self._n_days, N_BUCKETS * self._n_cells), np.int64)
        counts = unpacked(self._planes.take(pa.array(chosen)), N_BUCKETS * self._n_cells)
        np.add.at(folded, self._day_index[chosen], counts)
        return folded.reshape(self._n_days * N_BUCKETS, self._n_cells)


def slice_axis(rows: pa.Table) -> tuple[tuple[Slice, ...], npt.NDArray[np.int64]]:
    """The slices that occur, every row first and the others sorted, and each row's index among them."""
    dimension = rows["dimension"].combine_chunks().dictionary_encode()
    value = rows["value"].combine_chunks().dictionary_encode()
    n_values = max(1, len(value.dictionary))
    codes = dimension.indices.to_numpy().astype(np.int64) * n_values + value.indices.to_numpy()
    used, inverse = np.unique(codes, return_inverse=True)
    names = [
        Slice(dimension.dictionary[int(code) // n_values].as_py(), value.dictionary[int(code) % n_values].as_py())
        for code in used
    ]
    ordered = sorted({EVERYTHING, *names})
    place = np.array([ordered.index(name) for name in names], np.int64)
    return tuple(ordered), place[inverse] if len(names) else np.zeros(0, np.int64)


def day_axis(rows: pa.Table, days: Sequence[int]) -> npt.NDArray[np.int64]:
    """Each row's index among ``days``, −1 where its day is not among them."""
    wanted = np.asarray(days, np.int64)
    order = np.argsort(wanted)
    day = rows["day"].to_numpy().astype(np.int64)
    if not len(wanted):
        return np.full(len(day), -1, np.int64)
    place = np.minimum(np.searchsorted(wanted[order], day), len(wanted) - 1)
    found = order[place]
    return np.where(wanted[found] == day, found, -1)


def matrix(rows: pa.Table, column: str, width: int) -> npt.NDArray[np.int64]:
    """A list column whose lists all have ``width`` entries, as an array (n_rows, width).

    Raises:
        ValueError: if a list has another length, which no profile of this measure can have.
    """
    flat = rows[column].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    if len(flat) != rows.num_rows * width:
        raise ValueError(f"{column}: found {len(flat)} entries in {rows.num_rows} rows, expected {width} in each")
    return np.asarray(flat).reshape(rows.num_rows, width)
