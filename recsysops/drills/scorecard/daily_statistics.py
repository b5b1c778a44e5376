"""What simple monitoring keeps of each day: rows, and for each column its NULLs, its mean and its share in ten bins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from recsysops.drills.scorecard.day_rows import rows_of_day
from recsysops.errors import RecSysOpsError

if TYPE_CHECKING:
    import pyarrow as pa

    from recsysops.tables.table import Table

N_BINS = 10
N_CATEGORIES = 20
SAMPLED_PER_DAY = 5_000
"""Rows of a reference day from which quantiles and categories are learnt."""

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Bins:
    """Cells of one column: intervals (edge b − 1, edge b], or named values and all others; then what is missing."""

    edges: tuple[float, ...] = ()
    names: tuple[str, ...] = ()
    is_numeric: bool = True

    def count(self, values: npt.NDArray[Any]) -> Counts:
        """(n_cells,) rows in each cell; floats with NaN for missing ones, or texts with None."""
        if self.is_numeric:
            is_there = ~np.isnan(values)
            cells = np.searchsorted(self.edges, values[is_there], side="left")
            n_cells = len(self.edges) + 1
        else:
            is_there = _is_text(values)
            known = {name: number for number, name in enumerate(self.names)}
            cells = np.array([known.get(value, len(known)) for value in values[is_there]], np.int64)
            n_cells = len(known) + 1
        return np.append(np.bincount(cells, minlength=n_cells), len(values) - int(is_there.sum()))


@dataclass(frozen=True)
class ColumnDay:
    """One column on one day."""

    null_rate: float
    mean: float | None
    """Of the finite numbers; None for texts and where there is none."""
    cells: tuple[int, ...]


@dataclass(frozen=True)
class DayStatistics:
    """The candidates of one day."""

    day: date
    n_rows: int
    columns: Mapping[str, ColumnDay]


def watched_columns(candidates: Table) -> tuple[str, ...]:
    """The features that can be counted, and the score."""
    score = candidates.schema.role("score")
    names = [one.name for one in candidates.schema.features if one.kind in {"numeric", "categorical", "boolean"}]
    return tuple(dict.fromkeys([*names, *([score.name] if score else [])]))


def learn_bins(candidates: Table, days: Sequence[date]) -> dict[str, Bins]:
    """Ten quantile bins of every number and the most frequent categories of every text, over the reference days."""
    names = watched_columns(candidates)
    parts = [values_of_day(candidates, day, names, SAMPLED_PER_DAY) for day in days]
    return {name: _bins_of(np.concatenate([part[name] for part in parts])) for name in names}


def _bins_of(values: npt.NDArray[Any]) -> Bins:
    if values.dtype != object:
        finite = values[np.isfinite(values)]
        edges = np.quantile(finite, np.arange(1, N_BINS) / N_BINS) if len(finite) else []
        return Bins(edges=tuple(np.unique(edges).tolist()))
    names, counts = np.unique(values[_is_text(values)].astype(str), return_counts=True)
    order = np.lexsort((names, -counts))[:N_CATEGORIES]
    return Bins(names=tuple(names[order].tolist()), is_numeric=False)


def _is_text(values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    return np.fromiter((value is not None for value in values), bool, len(values))


def day_statistics(candidates: Table, day: date, bins: Mapping[str, Bins]) -> DayStatistics:
    """The statistics of one day, in the bins of the reference."""
    values = values_of_day(candidates, day, tuple(bins))
    n_rows = len(next(iter(values.values()))) if values else 0
    return DayStatistics(day, n_rows, {name: _column_day(values[name], bins[name]) for name in bins})


def _column_day(values: npt.NDArray[Any], bins: Bins) -> ColumnDay:
    fitting = _fitting(values, bins.is_numeric)
    cells = bins.count(fitting)
    mean = None
    if bins.is_numeric:
        finite = fitting[np.isfinite(fitting)]
        mean = float(finite.mean()) if len(finite) else None
    return ColumnDay(float(cells[-1] / max(len(values), 1)), mean, tuple(cells.tolist()))


def _fitting(values: npt.NDArray[Any], is_numeric: bool) -> npt.NDArray[Any]:
    """Values of another kind than the reference's are no values to a script that expects those."""
    if is_numeric == (values.dtype != object):
        return values
    return np.full(len(values), np.nan if is_numeric else None, np.float64 if is_numeric else object)


def values_of_day(
    candidates: Table, day: date, names: Sequence[str], n_sampled: int | None = None
) -> dict[str, npt.NDArray[Any]]:
    """Column → (n_rows,) floats with NaN for what is missing, or texts with None; every n-th row if it is a sample."""
    try:
        rows = rows_of_day(candidates, day, names)
        columns = {name: rows.column(name) for name in names}
    except RecSysOpsError:  # one unreadable column must not blind the others
        columns = {name: _readable(candidates, day, name) for name in names}
    return {name: _thinned(_as_array(column), n_sampled) for name, column in columns.items()}


def _readable(candidates: Table, day: date, name: str) -> pa.ChunkedArray:
    import pyarrow as pa

    try:
        return rows_of_day(candidates, day, [name]).column(name)
    except RecSysOpsError:
        n_rows = rows_of_day(candidates, day, [candidates.settings.roles["request_id"]]).num_rows
        return pa.chunked_array([pa.nulls(n_rows)])


def _thinned(values: npt.NDArray[Any], n: int | None) -> npt.NDArray[Any]:
    return values if n is None else values[:: max(1, len(values) // n)]


def _as_array(column: pa.ChunkedArray) -> npt.NDArray[Any]:
    import pyarrow as pa

    kind = column.type
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_null(kind):
        return np.asarray(column.cast(pa.float64()).to_numpy(), np.float64)
    return np.asarray(column.cast(pa.string()).to_numpy(), object)
