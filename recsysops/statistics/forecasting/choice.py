"""Which forecaster a metric's own past speaks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsysops.statistics._arrays import FloatArray
from recsysops.statistics.forecasting.forecaster import Forecaster
from recsysops.statistics.forecasting.pinball import rolling_pinball
from recsysops.statistics.forecasting.robust_seasonal import robust_seasonal
from recsysops.statistics.forecasting.rolling_origin import rolling_origin

ROBUST = "robust seasonal"
MUST_SAVE = 0.05
"""A costlier forecaster has to lose 5 % less than the robust median, or the median stays."""


@dataclass(frozen=True, slots=True, eq=False)
class Expectation:
    """The chosen forecasts of one series."""

    name: str
    expected: FloatArray
    """(n_times,); nan before two seasons."""
    losses: Mapping[str, float]
    """Mean pinball loss by forecaster; nan where the past was too short to tell."""


def choose_expectation(
    values: FloatArray,
    learnt: npt.NDArray[np.bool_],
    period: int,
    forecasters: Mapping[str, Forecaster],
    *,
    start: int = 0,
    guard: int = 0,
) -> Expectation:
    """The robust seasonal median, or the one of ``forecasters`` whose rolling-origin pinball loss is clearly lower.

    Parameters: ``values`` (n_times,); ``learnt`` (n_times,) true where a point may be learnt from and compared on (no
    hole, no known incident, not the judged point); ``forecasters`` by name; ``start`` calendar number of the first point.
    Every forecaster is compared on the points that all of them could forecast; not on the last ``guard`` ones, or a shift
    that began lately would speak for whoever runs after it.
    """
    past = np.where(learnt, values, np.nan)
    found = {ROBUST: rolling_origin(past, period, robust_seasonal, start=start)}
    for name, forecaster in forecasters.items():
        forecast = rolling_origin(past, period, forecaster, start=start)
        if not np.isnan(forecast[-1]):
            found[name] = forecast
    settled = learnt & (np.arange(len(values)) < len(values) - 1 - guard)
    common = settled & ~np.isnan(np.stack(list(found.values()))).any(axis=0)
    losses = {name: rolling_pinball(values, expected, common, period) for name, expected in found.items()}
    best = min(found, key=lambda name: losses[name] if losses[name] == losses[name] else np.inf)
    is_better = losses[best] < (1.0 - MUST_SAVE) * losses[ROBUST]
    name = best if is_better else ROBUST
    return Expectation(name, found[name], losses)
