"""Metrics that left the course they were on: small shifts that last, where a single day proves nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from recsysops.profiles.history import Context, History
from recsysops.profiles.measures import Measure
from recsysops.statistics.forecasting.choice import ROBUST, choose_expectation
from recsysops.statistics.forecasting.control_charts import Charts, control_charts
from recsysops.statistics.forecasting.forecaster import Forecaster, remembered
from recsysops.statistics.forecasting.mstl import mstl
from recsysops.statistics.forecasting.prophet_forecast import is_country, prophet_with_holidays, public_holidays
from recsysops.statistics.seasonal import seasonal_residuals
from recsysops.tables.identifiers import quote_identifier
from recsysops.tables.schema import Schema
from recsysops.tables.views.contracts import CONTRACTS
from recsysops.triage.arithmetic import Term
from recsysops.triage.detector import DetectorMeta, Parameters, Rate, Verdict
from recsysops.triage.evidence import Stated, finding_of, not_between_cohorts, percent, rate_query, where
from recsysops.triage.findings import Finding, Looked, Skipped
from recsysops.triage.metric_series import Metric, metric_measures, metrics
from recsysops.triage.rate_gate import MAX_P

WEEK = 7
MIN_DAYS = 29
"""Two weeks for an expectation, two to see what healthy days miss it by, and the judged day."""
GUARD = 14
"""Days before the judged one that do not yet say what is healthy."""
ROW_VOLUME = float(np.log(1.25))
"""Larger changes of a volume are ``input.row_volume``'s, from their first day on."""
_MSTL = remembered(mstl)


@dataclass(frozen=True)
class _Judged:
    """A metric's last day in every slice: what was expected and the charts; ``expected`` is (n_slices, n_days)."""

    expected: npt.NDArray[np.float64]
    charts: Charts
    model: str


class MetricForecast:
    """A metric has left the course that its own history expects.

    Signals:
        ``n_requests`` (served, where the log tells its sampling rate), ``n_outcomes``: a lasting shift of a day's volume
        by less than a fifth (larger and sudden ones are ``input.row_volume``'s).
        ``rows_per_request``, ``outcomes_per_request``, ``fallback_rate``, ``origin_share:ORIGIN``, ``mean_score``: a
        sudden or a lasting shift, in either direction.
    Parameters:
        min_change: least lasting shift, relative to what is expected, default 0.03.
        country: ISO code, such as ``NO``, whose public holidays members keep; default none. With it holidays neither
            teach nor alarm, and Prophet is one of the forecasters of volumes over all rows.
    Needs:
        Four weeks of candidates with requests or of outcomes; days of known incidents do not count.
    Blind spots:
        Shifts that crept in over months; slices under 50 rows a day; a fault as old as the log.
    Example:
        >>> from recsysops.testing.example_log import example_log, verdicts
        >>> [skipped.kind for skipped in verdicts(MetricForecast(), example_log())]
        ['too_little_data']

    Source:
        Roberts (1959) and Page (1954) for the charts; Bandara et al. (2021), MSTL; Taylor & Letham (2018), Prophet.
    """

    meta = DetectorMeta("SYS401", "system.metric_forecast", ("candidates", "outcomes"), "warning", "world")

    class Params(Parameters):
        """Floor and calendar of ``system.metric_forecast``."""

        min_change: Rate = 0.03
        country: str = ""

    def __init__(self, params: Params | None = None) -> None:
        self.params = params or self.Params()

    def measures(self, schema: Schema) -> Iterator[Measure]:
        yield from metric_measures(schema)

    def judge(self, history: History) -> Iterator[Verdict]:
        context = history.context
        skipped = not_between_cohorts(self.meta, context) or self._unknown_country()
        if skipped is not None:
            yield skipped
            return
        found = [metric for metric in metrics(history) if metric.days[-1] == context.current_days[-1]]
        longest = max((len(metric.days) for metric in found), default=0)
        if longest < MIN_DAYS:
            reason = f"{longest} days up to the judged one; needs {MIN_DAYS} to know a weekday and its healthy movement"
            yield Skipped(self.meta.name, "too_little_data", reason)
            return
        n_series = 0
        for metric in found:
            judged = self._judged(context, metric)
            n_series += int(np.count_nonzero(~np.isnan(judged.charts.z)))
            yield from self._findings(context, metric, judged)
        names = ", ".join(metric.name for metric in found)
        yield Looked(self.meta.name, n_series, f"days of {names}", len(found))

    def _unknown_country(self) -> Skipped | None:
        country = self.params.country
        if not country or is_country(country):
            return None
        return Skipped(
            self.meta.name, "not_applicable", f"parameter country: found {country!r}, expected a code like NO"
        )

    def _judged(self, context: Context, metric: Metric) -> _Judged:
        free = self._holidays(metric.days)
        learnt = np.array([day not in free for day in metric.days]) & _learnt(context, metric.days)
        learnt[-1] = False
        by_slice = np.broadcast_to(learnt, metric.values.shape) & ~np.isnan(metric.values)
        seasonal = seasonal_residuals(metric.values, WEEK, excluded=~by_slice)
        expected = np.array(seasonal.expected)
        expected[:, : 2 * WEEK] = np.nan
        guard = min(GUARD, (len(metric.days) - 2 * WEEK) // 4)
        chosen = choose_expectation(
            metric.values[0],
            by_slice[0],
            WEEK,
            self._forecasters(metric),
            start=metric.days[0].toordinal(),
            guard=guard,
        )
        if chosen.name != ROBUST:
            expected[0] = chosen.expected
        residual = metric.values - expected
        residual[int(chosen.name == "prophet") :, [day in free for day in metric.days]] = np.nan
        floor = np.sqrt(np.median(metric.noise, axis=1))
        charts = control_charts(residual, by_slice, floor, guard=guard)
        return _Judged(expected, charts, chosen.name)

    def _forecasters(self, metric: Metric) -> dict[str, Forecaster]:
        """Costlier than the median, so for all rows alone; Prophet for volumes of a known calendar alone."""
        found = {"MSTL": _MSTL}
        if self.params.country and metric.is_volume:
            found["prophet"] = prophet_with_holidays(self.params.country)
        return found

    def _holidays(self, days: tuple[date, ...]) -> frozenset[date]:
        if not self.params.country:
            return frozenset()
        years = {day.year for day in days}
        return frozenset(day for year in years for day in public_holidays(self.params.country, year))

    def _findings(self, context: Context, metric: Metric, judged: _Judged) -> Iterator[Finding]:
        whole = 0.0
        for index in range(len(metric.slices)):
            found = self._worst(metric, judged, index)
            if found is None:
                continue
            p_value, shift, pattern = found
            centre = float(judged.expected[index, -1] + judged.charts.centre[index])
            if index and whole and self._effect(metric, centre + whole, shift - whole) < 1:
                continue  # slices that merely follow the whole say nothing new
            whole = shift if index == 0 else whole
            yield self._finding(context, metric, judged, index, p_value, shift, pattern)

    def _worst(self, metric: Metric, judged: _Judged, index: int) -> tuple[float, float, str] | None:
        """The least p-value of the charts that see a shift above the floor, the shift, and whether it lasts."""
        charts = judged.charts
        centre = float(judged.expected[index, -1] + charts.centre[index])
        lasting = _lasting(metric, judged, index)
        today = float(metric.values[index, -1]) - centre
        charted = []
        if today * lasting > 0:  # a day that is back on course, or beyond it, is no news of what was
            charted = [
                (float(charts.p_ewma[index]), lasting, "lasting"),
                (float(charts.p_cusum[index]), lasting, "lasting"),
            ]
        n_charts = 2 if metric.is_volume else 3
        if not metric.is_volume:
            charted.append((float(charts.p_spike[index]), today, "sudden"))
        elif abs(lasting) >= ROW_VOLUME:
            return None
        known = [one for one in charted if one[0] == one[0] and self._effect(metric, centre, one[1]) >= 1]
        if not known:
            return None
        p_value, shift, pattern = min(known)
        p_value = min(1.0, n_charts * p_value)
        return (p_value, shift, pattern) if p_value <= MAX_P else None

    def _effect(self, metric: Metric, centre: float, shift: float) -> float:
        """How many times its floor a shift is, as a change of the metric itself relative to what is expected."""
        usual, shifted = (float(metric.transform.back(one)) for one in (centre, centre + shift))
        change = abs(shifted - usual) / max(abs(usual), 1e-9)
        return change / self.params.min_change if self.params.min_change else np.inf

    def _finding(
        self, context: Context, metric: Metric, judged: _Judged, index: int, p_value: float, shift: float, pattern: str
    ) -> Finding:
        charts, back = judged.charts, metric.transform.back
        centre = float(judged.expected[index, -1] + charts.centre[index])
        usual, shifted = float(back(centre)), float(back(centre + shift))
        n_days = max(1, int(charts.n_since[index]))
        since = metric.days[-1] - timedelta(days=n_days - 1)
        known = ~np.isnan(metric.values[index])
        series = tuple(float(one) for one in back(metric.values[index][known][-29:]))
        half = 2.58 * float(charts.scale[index])
        change = Stated(
            metric.slices[index], float(back(metric.values[index, -1])), self._effect(metric, centre, shift),
            int(metric.seen[index, -1]), reference=usual, p_value=p_value,
            n_reference=int(metric.seen[index, :-1].sum()), series=series, arithmetic=_terms(judged, index, half),
        )  # fmt: skip
        much = f"{percent(abs(shifted - usual) / max(abs(usual), 1e-9))} {'above' if shifted > usual else 'below'} its course"
        when = f"has been {much} since about {since}" if pattern == "lasting" else f"is {much}"
        return replace(
            finding_of(
                self.meta, context, change,
                table=metric.table, column=metric.column, statistic=metric.name, threshold=self.params.min_change,
                headline=f"{metric.name} {when}: {change.value:,.4g} on {metric.days[-1]}, expected {usual:,.4g}",
                query=_query(context, metric, index),
            ),
            stage="logging" if metric.is_volume else self.meta.stage,
        )  # fmt: skip


def _lasting(metric: Metric, judged: _Judged, index: int) -> float:
    """The median residual since the cumulative sum began to rise, of the last week at most."""
    n_days = min(WEEK, max(1, int(judged.charts.n_since[index])))
    residual = metric.values[index, -n_days:] - judged.expected[index, -n_days:] - judged.charts.centre[index]
    known = residual[~np.isnan(residual)]
    return float(np.median(known)) if len(known) else 0.0


def _learnt(context: Context, days: tuple[date, ...]) -> npt.NDArray[np.bool_]:
    """Days that teach: those without a known incident, unless that would leave fewer than half of them."""
    clean = np.array([day not in context.incident_days for day in days])
    return clean if 2 * np.count_nonzero(clean) >= len(days) else np.ones(len(days), np.bool_)


def _terms(judged: _Judged, index: int, half: float) -> tuple[Term, ...]:
    charts = judged.charts
    return (
        Term("size", "z", float(charts.z[index]), f"residual of the day in standard deviations, by {judged.model}"),
        Term("noise", "standard deviation", float(charts.scale[index]), "1.4826 MAD of clean residuals, log or logit"),
        Term("noise", "99 % half-width", half, "2.58 standard deviations"),
        Term("days", "EWMA", float(charts.ewma[index]), "0.2 z + 0.8 EWMA of the day before, z within 3"),
        Term("days", "CUSUM", float(charts.cusum[index]), "max(0, CUSUM + z − 0.5)"),
        Term("chance", "p of the day", float(charts.p_spike[index])),
        Term("chance", "p of the EWMA", float(charts.p_ewma[index]), "beyond its replay over clean days"),
        Term("chance", "p of the CUSUM", float(charts.p_cusum[index]), "beyond its replay over clean days"),
    )


def _query(context: Context, metric: Metric, index: int) -> str:
    slice_ = metric.slices[index]
    if metric.condition:
        return rate_query(
            context, metric.table, slice_, metric.condition.format(column=quote_identifier(metric.column))
        )
    schema = context.schema.table(metric.table)
    clock = schema.role(CONTRACTS[metric.table].clock) if schema else None
    request = schema.role("request_id") if schema else None
    day = f"CAST({quote_identifier(clock.name)} AS DATE)" if clock else "NULL"
    counted = f", count(DISTINCT {quote_identifier(request.name)}) AS n_requests" if request else ""
    mean = f", avg({quote_identifier(metric.column)}) AS mean" if metric.column else ""
    days = (*context.reference_days, *context.current_days)
    rows = where(context, metric.table, slice_, days)
    return (
        f"SELECT {day} AS day, count(*) AS n_rows{counted}{mean} FROM {quote_identifier(metric.table)} {rows} "
        f"GROUP BY day ORDER BY day"
    )
