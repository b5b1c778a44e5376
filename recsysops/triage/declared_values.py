"""The number of a declaration, on every day and in every slice that it is about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from recsysops.config.declared import DeclaredSettings
from recsysops.profiles.history import DaySeries, History
from recsysops.profiles.measures import Expression
from recsysops.profiles.slices import EVERYTHING, Slice
from recsysops.tables.schema import TableSchema
from recsysops.tables.sql_expression import columns_of
from recsysops.triage.metric_series import metrics

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Values:
    """Shapes: ``values`` and ``rows`` (n_days, n_slices), the judged day last; ``values`` is nan without rows."""

    slices: tuple[Slice, ...]
    days: tuple[date, ...]
    values: Floats
    rows: Floats


def values_of(declared: DeclaredSettings, table: TableSchema, history: History) -> Values | str:
    """The values, or why there are none."""
    found = _of_metric(declared, history) if declared.metric else _of_expression(declared, table, history)
    if isinstance(found, str):
        return found
    if not found.days or found.days[-1] != history.context.current_days[-1]:
        return "nothing was counted on the judged day"
    wanted = [index for index, one in enumerate(found.slices) if _is_wanted(declared, table, one)]
    return Values(
        tuple(found.slices[index] for index in wanted), found.days, found.values[:, wanted], found.rows[:, wanted]
    )


def measure_of(declared: DeclaredSettings, table: TableSchema) -> Expression:
    """What has to be counted for an expression."""
    item = table.role("item_id")
    form, numerator = "ratio", declared.numerator or ""
    for name in ("share", "mean", "total"):
        if text := getattr(declared, name):
            form, numerator = name, text
    names = [column.name for column in table.columns]
    texts = [text for text in (numerator, declared.denominator, declared.where) if text]
    columns = sorted({name for text in texts for name in columns_of(text, names)})
    per = item.name if declared.per == "item" and item is not None else ""
    return Expression(
        declared.table, form, numerator, declared.denominator or "", declared.where or "", per, tuple(columns)  # type: ignore[arg-type]
    )  # fmt: skip


def aggregate_sql(measure: Expression, kept: str = "") -> str:
    """The number as SQL would say it over a group of rows; ``kept`` is a FILTER on each of its sums."""
    above = f"TRY(({measure.numerator}\n))"
    sums = {
        "share": f"avg(CASE WHEN {above} THEN 1.0 WHEN NOT {above} THEN 0.0 END){kept}",
        "mean": f"avg({above}){kept}",
        "total": f"sum({above}){kept}",
        "ratio": f"sum({above}){kept} / sum(TRY(({measure.denominator}\n))){kept}",
    }
    return sums[measure.form]


def _is_wanted(declared: DeclaredSettings, table: TableSchema, slice_: Slice) -> bool:
    if declared.per == "item":
        item = table.role("item_id")
        return item is not None and slice_.dimension == item.name
    return slice_ == EVERYTHING or slice_.dimension in declared.per


def _of_metric(declared: DeclaredSettings, history: History) -> Values | str:
    names = []
    for metric in metrics(history):
        names.append(metric.name)
        if metric.name == declared.metric:
            return Values(metric.slices, metric.days, metric.transform.back(metric.values).T, metric.seen.T)
    return f"metric {declared.metric} is not made of this workspace's tables; there are {', '.join(names) or 'none'}"


def _of_expression(declared: DeclaredSettings, table: TableSchema, history: History) -> Values | str:
    measure = measure_of(declared, table)
    series: DaySeries | None = history.series(measure)
    if series is None:
        return "nothing was counted"
    above, below, rows = (series.values[:, :, index] for index in range(3))
    if np.isnan(above).any():
        return "the expression could not be evaluated on the types of the columns"
    if measure.form == "total":
        return Values(series.slices, series.days, np.where(rows > 0, above, np.nan), rows)
    ratio = np.divide(above, below, out=np.full(above.shape, np.nan), where=below != 0)
    return Values(series.slices, series.days, ratio, rows)
