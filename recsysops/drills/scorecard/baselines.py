"""What teams have today: three ways of watching whole columns, each with no look at the future.

Each tells its alarms of the last of some days as names: ``candidates.score``, or ``candidates.*`` for the number of rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from recsysops.drills.scorecard.daily_statistics import DayStatistics
from recsysops.statistics.psi import psi

PSI_LIMIT = 0.2
N_SIGMA = 3.0
WINDOW = 28
"""Days before the judged one that it is compared with."""
LEAST_DAYS = 14
"""With fewer days before it, a day is not judged."""
ROWS = "candidates.*"

Floats = npt.NDArray[np.float64]
Alarms = frozenset[str]
Baseline = Callable[[Sequence[DayStatistics]], Alarms | None]


def static_psi(days: Sequence[DayStatistics]) -> Alarms | None:
    """Columns whose PSI against the first 28 days of the log exceeds 0.2; None within these days.

    Source: the rule of thumb of credit scoring (Siddiqi, Credit Risk Scorecards, 2006).
    """
    if len(days) <= WINDOW:
        return None
    reference, today = days[:WINDOW], days[-1]
    return frozenset(
        f"candidates.{name}"
        for name, column in today.columns.items()
        if float(psi(np.sum([day.columns[name].cells for day in reference], axis=0), column.cells)) > PSI_LIMIT
    )


def three_sigma(days: Sequence[DayStatistics]) -> Alarms | None:
    """Null rates, means and the number of rows beyond 3 standard deviations of the last 28 days.

    Source: Shewhart, Economic Control of Quality (1931).
    """
    if len(days) <= LEAST_DAYS:
        return None
    names, series = _series(days[-WINDOW - 1 :])
    return frozenset(name for name, z in zip(names, _change(series), strict=True) if z > N_SIGMA)


def largest_change(days: Sequence[DayStatistics]) -> Alarms | None:
    """The one column whose null rate or mean changed most, if by more than any did on one of the last 28 days.

    The change of a day is in standard deviations of the 28 days before it.
    """
    if len(days) <= 2 * LEAST_DAYS:
        return None
    names, series = _series(days[-2 * WINDOW - 1 :])
    is_column = np.array([name != ROWS for name in names])
    if not is_column.any():
        return frozenset()
    first = max(LEAST_DAYS, len(series) - 1 - WINDOW)
    changes = np.array(
        [_change(series[max(0, day - WINDOW) : day + 1, is_column]) for day in range(first, len(series))]
    )
    largest = changes.max(axis=1)
    if not largest[-1] > largest[:-1].max():
        return frozenset()
    return frozenset({np.array(names)[is_column][int(changes[-1].argmax())]})


BASELINES: Mapping[str, Baseline] = {
    "static_psi": static_psi,
    "three_sigma": three_sigma,
    "largest_change": largest_change,
}


def _series(days: Sequence[DayStatistics]) -> tuple[list[str], Floats]:
    """What each series is of, and (n_days, n_series): the rows, then a null rate and a mean of each column."""
    columns = list(days[-1].columns)
    names = [ROWS, *(f"candidates.{name}" for name in columns for _ in range(2))]
    rows = [[day.n_rows, *(value for name in columns for value in _numbers(day, name))] for day in days]
    return names, np.array(rows, np.float64)


def _numbers(day: DayStatistics, name: str) -> tuple[float, float]:
    column = day.columns[name]
    return column.null_rate, np.nan if column.mean is None else column.mean


def _change(series: Floats) -> Floats:
    """(n_series,) distance of the last row from the mean of those before it, in their standard deviations.

    A series that never moved has a standard deviation as good as zero, and any change of it is large; one that is not
    there on the last day, or on fewer than two days before it, has not changed.
    """
    before, today = series[:-1], series[-1]
    n_days = (~np.isnan(before)).sum(axis=0)
    centre = np.nansum(before, axis=0) / np.maximum(n_days, 1)
    variance = np.nansum((before - centre) ** 2, axis=0) / np.maximum(n_days - 1, 1)
    spread = np.maximum(np.sqrt(variance), 1e-6 * np.maximum(np.abs(centre), 1.0))
    return np.asarray(np.where((n_days >= 2) & ~np.isnan(today), np.abs(today - centre) / spread, 0.0))
