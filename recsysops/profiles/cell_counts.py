"""What a scan has counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from recsysops.profiles.history import Counts, Floats
from recsysops.profiles.measures import N_BUCKETS
from recsysops.profiles.scan_plan import ColumnPlan
from recsysops.profiles.slices import Slice

Integers = npt.NDArray[np.int64]
Number = TypeVar("Number", np.int64, np.float64)
_NO_MOMENTS = np.array([0.0, 0.0, 0.0, np.inf, -np.inf])


@dataclass(frozen=True)
class ColumnCounts:
    """The counts of one measure. ``homes`` (n_days, n_slices) and ``n_buckets`` (n_days,) say where in ``block``
    (n_rows, n_cells) they are: one row per bucket from the home on, −1 where a slice has no row that day."""

    plan: ColumnPlan
    block: npt.NDArray[Any]
    homes: Integers
    n_buckets: Integers
    hour_block: npt.NDArray[Any] | None = None
    hour_homes: Integers | None = None

    @property
    def cells(self) -> tuple[str, ...]:
        """Names of the last axis."""
        return self.plan.cells

    def counts(self) -> Counts:
        """All buckets together: int64 (n_days, n_slices, n_cells).

        Raises:
            ValueError: if the measure is of moments, which are no counts.
        """
        self._refuse_moments()
        out = np.zeros((*self.homes.shape, self.block.shape[1]), np.int64)
        for day, slice_ in np.argwhere(self.homes >= 0).tolist():
            home = self.homes[day, slice_]
            out[day, slice_] = self.block[home : home + self.n_buckets[day]].sum(axis=0, dtype=np.int64)
        return out

    def buckets(self, day: int) -> Counts:
        """One day by request bucket: int64 (n_slices, 32, n_cells), by index into the scan's days.

        Raises:
            ValueError: if the measure is of moments, or the day was counted without buckets.
        """
        self._refuse_moments()
        if self.n_buckets[day] != N_BUCKETS:
            raise ValueError("buckets: found a day counted without them, expected one of the plan's bucket_days")
        out = np.zeros((self.homes.shape[1], N_BUCKETS, self.block.shape[1]), np.int64)
        for slice_, home in enumerate(self.homes[day].tolist()):
            if home >= 0:
                out[slice_] = self.block[home : home + N_BUCKETS]
        return out

    def hourly(self) -> Counts | None:
        """int64 (n_days, 24, n_slices, n_cells), or None if the measure is not counted by hour.

        Raises:
            ValueError: if the measure is of moments, which are no counts.
        """
        self._refuse_moments()
        if self.hour_block is None or self.hour_homes is None:
            return None
        return _gather(self.hour_block, self.hour_homes, np.zeros(1, np.int64))

    def moments(self) -> Floats:
        """``MOMENTS``: float64 (n_days, n_slices, 5); least and greatest are +inf and −inf where there is no value.

        Raises:
            ValueError: if the measure is not of moments.
        """
        if self.plan.measure.form != "moments":
            raise ValueError(f"moments: found a measure of {self.plan.measure.form}, expected moments")
        return _gather(self.block, self.homes, _NO_MOMENTS)

    def hourly_moments(self) -> Floats | None:
        """``MOMENTS`` by hour: float64 (n_days, 24, n_slices, 5), or None if the measure is not counted by hour."""
        if self.hour_block is None or self.hour_homes is None:
            return None
        return _gather(self.hour_block, self.hour_homes, _NO_MOMENTS)

    def _refuse_moments(self) -> None:
        if self.plan.measure.form == "moments":
            raise ValueError("counts: found a measure of moments, expected one that counts; use moments()")


def _gather(block: npt.NDArray[Any], homes: Integers, absent: npt.NDArray[Number]) -> npt.NDArray[Number]:
    """Rows of the block at their homes, ``absent`` where there is none: homes' shape + (n_cells,)."""
    out = np.empty((*homes.shape, block.shape[1]), absent.dtype)
    out[...] = absent
    out[homes >= 0] = block[homes[homes >= 0]]
    return out


@dataclass(frozen=True)
class CellCounts:
    """Counts of one partition.

    ``days`` rise; ``slices[0]`` is every row, the others are sorted by dimension (in the plan's order), then value;
    only what occurred is listed. ``n_unplaced_rows`` had no usable time and are in no count. ``columns`` are in the
    plan's order. ``slice_names`` are, by dimension, the values that the codes of `CodedRows` stand for.
    """

    days: tuple[date, ...]
    slices: tuple[Slice, ...]
    columns: tuple[ColumnCounts, ...]
    n_rows: int
    n_unplaced_rows: int
    slice_names: tuple[tuple[str, ...], ...] = ()
