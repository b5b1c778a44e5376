"""Series of labelled anomalies that others made: `system.metric_forecast`'s arithmetic beside a plain 3 sigma.

The data come with packages that are no dependencies of ours; one that is not installed is named and left out:
`uv pip install --no-deps river streamad` (statsmodels is installed anyway). Nothing is tuned to them: period, limits and
windows are those of the detector.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt

from recsysops.statistics.forecasting.choice import choose_expectation
from recsysops.statistics.forecasting.control_charts import control_charts
from recsysops.statistics.forecasting.forecaster import remembered
from recsysops.statistics.forecasting.mstl import mstl
from recsysops.triage.rate_gate import MAX_P

Floats = npt.NDArray[np.float64]
Alarms = npt.NDArray[np.bool_]
WINDOW_SEASONS = 18
GUARD_SEASONS = 2
FIRST_SEASONS = 4
_MSTL = remembered(mstl)


@dataclass(frozen=True)
class Labelled:
    """A series and where others say that something is wrong: windows of points, both ends included."""

    name: str
    values: Floats
    period: int
    windows: tuple[tuple[int, int], ...]
    tolerance: int
    """Points after a window in which an alarm still counts for it."""


@dataclass(frozen=True)
class Score:
    n_found: int
    n_groups: int
    n_true_groups: int
    delays: tuple[int, ...]


def forecast_alarms(series: Labelled) -> Alarms:
    """Judge every point from the fourth season on, as the detector would on that day; alarmed points are not learnt.

    All three series are levels, not counts, so they are judged as they are, like the detector's mean score.
    """
    values, period = series.values, series.period
    floor = 0.002 * abs(float(np.median(values)))
    alarms = np.zeros(len(values), np.bool_)
    for t in range(FIRST_SEASONS * period, len(values)):
        first = max(0, t + 1 - WINDOW_SEASONS * period)
        window, n = values[first : t + 1], t + 1 - first
        clean = ~alarms[first : t + 1]
        learnt = clean if 2 * np.count_nonzero(clean) >= n else np.ones(n, np.bool_)
        learnt[-1] = False
        guard = min(GUARD_SEASONS * period, (n - 2 * period) // 4)
        chosen = choose_expectation(window, learnt, period, {"MSTL": _MSTL}, start=first, guard=guard)
        charts = control_charts(window - chosen.expected, learnt, floor, guard=guard)
        alarms[t] = 3 * np.nanmin([charts.p_spike, charts.p_ewma, charts.p_cusum, 1.0]) <= MAX_P
    return alarms


def three_sigma_alarms(series: Labelled) -> Alarms:
    """Farther than three standard deviations from the mean of the same past."""
    alarms = np.zeros(len(series.values), np.bool_)
    for t in range(FIRST_SEASONS * series.period, len(series.values)):
        past = series.values[max(0, t - WINDOW_SEASONS * series.period) : t]
        alarms[t] = abs(series.values[t] - past.mean()) > 3 * past.std(ddof=1)
    return alarms


def score(series: Labelled, alarms: Alarms) -> Score:
    """Windows with an alarm, runs of alarms (a gap of a quarter season ends a run), and points until the first alarm."""
    gap = max(1, series.period // 4)
    points = np.flatnonzero(alarms)
    runs = np.split(points, np.flatnonzero(np.diff(points) > gap) + 1) if len(points) else []
    reach = [(start, end + series.tolerance) for start, end in series.windows]
    delays = [
        int(inside[0] - start) for start, end in reach if len(inside := points[(points >= start) & (points <= end)])
    ]
    true = [run for run in runs if any(start <= run[-1] and run[0] <= end for start, end in reach)]
    return Score(len(delays), len(runs), len(true), tuple(delays))


def water_flow() -> Labelled | None:
    """Hourly flow in a pipeline: three low stretches and a small peak after the second, in the words of its makers."""
    rows = _rows("river", "datasets/water-flow.csv")
    if rows is None:
        return None
    values = np.array([float(row["Water flow [l/s]"]) for row in rows])
    low = np.flatnonzero(values < 60)  # the usual flow is 80 to 120 l/s, the low stretches lie near 24
    runs = np.split(low, np.flatnonzero(np.diff(low) > 12) + 1)
    after = int(runs[1][-1]) + 1
    peak = after + int(np.argmax(values[after : after + 24]))
    windows = sorted([*((int(run[0]), int(run[-1])) for run in runs), (peak - 1, peak + 1)])
    return Labelled("river WaterFlow, hourly", values, 24, tuple(windows), 6)


def univariate() -> Labelled | None:
    """An hourly series with three labelled stretches of three hours."""
    rows = _rows("streamad", "util/data/uniDS.csv")
    if rows is None:
        return None
    values = np.array([float(row["value"]) for row in rows])
    labelled = np.flatnonzero([row["label"] != "0" for row in rows])
    runs = np.split(labelled, np.flatnonzero(np.diff(labelled) > 1) + 1)
    windows = tuple((int(run[0]), int(run[-1])) for run in runs)
    return Labelled("streamad uniDS, hourly", values, 24, windows, 6)


def nile() -> Labelled | None:
    """Yearly flow of the Nile; lower for good since 1899, when the dam at Aswan was begun."""
    rows = _rows("statsmodels", "datasets/nile/nile.csv")
    if rows is None:
        return None
    values = np.array([float(row["volume"]) for row in rows])
    return Labelled("Nile, yearly, change of 1899", values, 7, ((28, 48),), 0)


SETS: tuple[Callable[[], Labelled | None], ...] = (water_flow, univariate, nile)


def _rows(package: str, path: str) -> list[dict[str, str]] | None:
    """A table that a package ships, read without importing the package; None when it is not installed."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        print(f"  {package} is not installed: its series is left out (`uv pip install --no-deps {package}`)")
        return None
    with (Path(spec.origin).parent / path).open(newline="", encoding="utf-8-sig") as stream:
        return list(csv.DictReader(stream))


def _told(series: Labelled, side: str, found: Score) -> str:
    delays = ", ".join(str(delay) for delay in found.delays) or "—"
    precision = f"{found.n_true_groups} of {found.n_groups}" if found.n_groups else "no alarm"
    return (
        f"  {series.name:<30} {side:<16} found {found.n_found} of {len(series.windows)}   "
        f"true alarms {precision}   delay in points {delays}"
    )


def results(n_points: int | None = None) -> Iterator[tuple[Labelled, str, Score]]:
    """Both sides on every installed series, or on its first points."""
    for load in SETS:
        series = load()
        if series is None:
            continue
        if n_points is not None:
            kept = tuple(window for window in series.windows if window[1] < n_points)
            series = Labelled(series.name, series.values[:n_points], series.period, kept, series.tolerance)
        for side, judge in (("metric_forecast", forecast_alarms), ("3 sigma", three_sigma_alarms)):
            yield series, side, score(series, judge(series))


def run(rows: int | None, *, quick: bool = False) -> None:
    """Print recall, precision and delay of both sides on every series."""
    for series, side, found in results(rows if rows is not None else 150 if quick else None):
        print(_told(series, side, found), flush=True)
