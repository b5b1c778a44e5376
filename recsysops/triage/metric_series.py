"""Daily metrics of a workspace as series on a working scale, from measures that are counted anyway."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from recsysops.profiles.history import DaySeries, History
from recsysops.profiles.measures import Cells, PerRequest
from recsysops.profiles.slices import EVERYTHING, Slice
from recsysops.statistics.forecasting.transforms import IDENTITY, LOG1P, LOGIT, Transform, smoothed_rate
from recsysops.tables.schema import Schema, TableSchema

Floats = npt.NDArray[np.float64]
KEY_ROLES = ("request_id", "item_id", "position")
MAX_ORIGINS = 5
LEAST_SD = 0.002
"""No metric is known better than to two tenths of a percent."""
MIN_SEEN = 50
"""Fewer rows a day (median) than this, and a slice's metric is noise."""


@dataclass(frozen=True)
class Metric:
    """One metric in every slice that has enough rows.

    Shapes: ``values``, ``noise`` and ``seen`` are (n_slices, n_days); ``values`` on the working scale, nan on days
    without rows; ``noise`` the variance that counting alone gives them; ``seen`` rows behind a value.
    """

    name: str
    table: str
    column: str
    transform: Transform
    slices: tuple[Slice, ...]
    days: tuple[date, ...]
    values: Floats
    noise: Floats
    seen: Floats
    condition: str = ""
    """SQL of the rows counted, for rates."""

    @property
    def is_volume(self) -> bool:
        return self.transform is LOG1P


def rows_measure(table: str) -> Cells:
    """Rows a day, as ``input.row_volume`` has them counted."""
    return Cells(table, by_hour=True)


def requests_measure(table: TableSchema) -> PerRequest | None:
    """Requests a day, as ``input.duplicate_keys`` has them counted."""
    columns = [column.name for role in KEY_ROLES if (column := table.role(role)) is not None]
    needed = all(table.role(role) is not None for role in ("request_id", "item_id", "ts"))
    return PerRequest(table.table, "duplicate_key", tuple(columns)) if needed else None


def metric_measures(schema: Schema) -> Iterator[Cells | PerRequest]:
    """Everything that ``metrics`` reads."""
    candidates, outcomes = schema.table("candidates"), schema.table("outcomes")
    requests = requests_measure(candidates) if candidates else None
    if candidates is not None and requests is not None:
        yield rows_measure("candidates")
        yield requests
        for role in ("score", "fallback", "sampling_rate"):
            if (measure := _of_column(candidates, role)) is not None:
                yield measure
    if outcomes is not None and outcomes.role("ts") is not None:
        yield rows_measure("outcomes")
        if (measure := _of_column(outcomes, "origin")) is not None:
            yield measure


def metrics(history: History) -> Iterator[Metric]:
    """The metrics that can be made of what was counted, volumes first."""
    schema = history.context.schema
    candidates, outcomes = schema.table("candidates"), schema.table("outcomes")
    measure = requests_measure(candidates) if candidates else None
    logged = _total(history.series(measure), "requests") if measure else None
    requests = _unsampled(history, candidates, logged) if logged is not None and candidates is not None else None
    followed = _total(history.series(rows_measure("outcomes")), "rows") if outcomes else None
    if requests is not None:
        yield _volume("n_requests", "candidates", requests)
        rows = _total(history.series(rows_measure("candidates")), "rows")
        if rows is not None and logged is not None:
            yield from _ratio("rows_per_request", "candidates", rows, logged)
    if followed is not None:
        yield _volume("n_outcomes", "outcomes", followed)
        if requests is not None:
            yield from _ratio("outcomes_per_request", "outcomes", followed, requests)
    for table, role, name in ((candidates, "score", "mean_score"), (candidates, "fallback", "fallback_rate")):
        yield from _level(history, table, role, name)
    yield from _origins(history, outcomes)


def _of_column(table: TableSchema, role: str) -> Cells | None:
    """Moments of numbers, frequencies of words and flags."""
    column = table.role(role)
    if column is None or column.kind not in ("numeric", "boolean", "categorical"):
        return None
    return Cells(table.table, column.name, "moments" if column.kind == "numeric" else "frequencies")


def _total(series: DaySeries | None, cell: str) -> DaySeries | None:
    """One cell of a series, shape (n_days, n_slices, 1)."""
    if series is None or not series.values.any():
        return None
    index = series.cells.index(cell)
    return DaySeries(series.slices, (cell,), series.days, series.values[:, :, index : index + 1])


def _unsampled(history: History, table: TableSchema, requests: DaySeries) -> DaySeries:
    """Requests served, from those logged and their sampling rate: another rate is no other traffic."""
    measure = _of_column(table, "sampling_rate")
    rates = history.series(measure) if measure is not None and measure.form == "moments" else None
    if rates is None or (rates.days, rates.slices) != (requests.days, requests.slices):
        return requests
    count, total = rates.values[:, :, 0], rates.values[:, :, 1]
    rate = np.divide(total, count, out=np.ones_like(total), where=(count > 0) & (total > 0))
    return DaySeries(
        requests.slices, requests.cells, requests.days, requests.values / np.clip(rate, 1e-6, 1)[:, :, None]
    )


def _volume(name: str, table: str, counts: DaySeries) -> Metric:
    n = counts.values[:, :, 0].T
    return _kept(name, table, "", LOG1P, counts, np.where(n > 0, np.log1p(n), np.nan), 1.0 / np.maximum(n, 1.0), n)


def _ratio(name: str, table: str, above: DaySeries, below: DaySeries) -> Iterator[Metric]:
    """A ratio of two counts that share days and some slices, as a log."""
    slices = tuple(one for one in above.slices if one in below.slices)
    days = tuple(one for one in above.days if one in below.days)
    if not days or days[-1] != above.days[-1]:
        return
    n, m = (
        one.values[:, :, 0][np.ix_([one.days.index(d) for d in days], [one.slices.index(s) for s in slices])].T
        for one in (above, below)
    )
    known = (n > 0) & (m > 0)
    values = np.where(known, np.log(np.maximum(n, 1.0)) - np.log(np.maximum(m, 1.0)), np.nan)
    noise = 1.0 / np.maximum(n, 1.0) + 1.0 / np.maximum(m, 1.0)
    shared = DaySeries(slices, above.cells, days, above.values)
    logarithm = Transform("log", lambda value: np.log(np.asarray(value)), lambda value: np.exp(np.asarray(value)))
    yield _kept(name, table, "", logarithm, shared, values, noise, np.minimum(n, m))


def _level(history: History, table: TableSchema | None, role: str, name: str) -> Iterator[Metric]:
    """The mean of a number, or the share of rows in which a flag is true."""
    measure = _of_column(table, role) if table is not None else None
    series = history.series(measure) if measure is not None else None
    if series is None or measure is None or not series.values.any():
        return
    if measure.form == "frequencies":
        if "true" in series.cells:
            yield _share(name, measure, series, series.cells.index("true"), "true")
        return
    n, total = series.values[:, :, 0].T, series.values[:, :, 1].T
    mean = np.divide(total, n, out=np.full(n.shape, np.nan), where=n > 0)
    if role == "fallback":  # a flag written as 0 and 1
        yield _kept(name, measure.table, measure.column, LOGIT, series, *_logits(total, n), n)
        return
    yield _kept(name, measure.table, measure.column, IDENTITY, series, mean, (LEAST_SD * np.nan_to_num(mean)) ** 2, n)


def _origins(history: History, table: TableSchema | None) -> Iterator[Metric]:
    """The share of each of the most frequent origins of outcomes."""
    measure = _of_column(table, "origin") if table is not None else None
    series = history.series(measure) if measure is not None and measure.form == "frequencies" else None
    if series is None or measure is None or not series.values.any():
        return
    named = range(len(("null", "defaulted", "new", "other")), len(series.cells))
    by_size = sorted(named, key=lambda index: (-series.values[:, 0, index].sum(), series.cells[index]))
    for index in by_size[:MAX_ORIGINS]:
        label = series.cells[index]
        yield _share(f"origin_share:{label}", measure, series, index, label)


def _share(name: str, measure: Cells, series: DaySeries, index: int, label: str) -> Metric:
    k, n = series.values[:, :, index].T, series.values.sum(axis=2).T
    values, noise = _logits(k, n)
    text = label.replace("'", "''")
    condition = f"CAST({{column}} AS VARCHAR) = '{text}'"
    return _kept(name, measure.table, measure.column, LOGIT, series, values, noise, n, condition)


def _logits(k: Floats, n: Floats) -> tuple[Floats, Floats]:
    """The logit of smoothed rates and the variance of counting them."""
    values = np.asarray(LOGIT.forward(smoothed_rate(np.minimum(k, n), n)))
    return values, 1.0 / (k + 0.5) + 1.0 / np.maximum(n - k + 0.5, 0.5)


def _kept(
    name: str,
    table: str,
    column: str,
    transform: Transform,
    series: DaySeries,
    values: Floats,
    noise: Floats,
    seen: Floats,
    condition: str = "",
) -> Metric:
    """The metric in slices with enough rows on most days; all rows together always stay."""
    often = np.median(seen, axis=1) >= MIN_SEEN
    chosen = [index for index, one in enumerate(series.slices) if often[index] or one == EVERYTHING]
    slices = tuple(series.slices[index] for index in chosen)
    least = 0.0 if transform is IDENTITY else LEAST_SD**2
    return Metric(
        name, table, column, transform, slices, series.days, values[chosen], np.fmax(noise[chosen], least), seen[chosen],
        condition,
    )  # fmt: skip
