"""The sample that all other checks rest on: is the serving log still drawn as it says it is?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from recsysops.profiles.history import CellContrast, Context, DaySeries, History
from recsysops.profiles.measures import N_BUCKETS, Cells, Measure
from recsysops.profiles.slices import EVERYTHING
from recsysops.statistics.uniform_buckets import bucket_evenness
from recsysops.tables.identifiers import quote_identifier
from recsysops.tables.schema import Column, Schema
from recsysops.triage.arithmetic import Term
from recsysops.triage.detector import DetectorMeta, Parameters, Positive, Rate, Verdict
from recsysops.triage.evidence import Stated, finding_of, percent, where
from recsysops.triage.findings import Finding, Looked, Skipped
from recsysops.triage.level_gate import LevelLimits, level_gate
from recsysops.triage.metric_series import requests_measure
from recsysops.triage.rate_gate import MAX_P

_RATE_SD, _TOTAL_SD = 0.03, 0.1
"""How much ln(sampling rate) and ln(estimated traffic) of healthy days differ, until the log's own days are known."""
Floats = npt.NDArray[np.float64]


class SampleHealth:
    """The logged sample of requests is not drawn as before, or not as it says.

    Signals:
        ``sampling_rate``: mean logged sampling rate of the rows; both directions. ``traffic_over_rate``: requests divided
        by the logged rate, against the days before, when the logged rate changed: the rows did not follow it.
        ``bad_sampling_rate``: logged rates outside (0, 1]. ``bucket_imbalance``: requests are not spread evenly over
        32 hash buckets, as any fair sample is.
    Parameters:
        min_ratio: least change of the logged rate and of the traffic it stands for, default 1.25 (or −20 %).
        min_imbalance: how far buckets are from even, beyond chance, default 0.1.
    Needs:
        candidates with requests; the role sampling_rate for all but the buckets. Buckets and bad rates need no history.
    Blind spots:
        A sample that was never fair looks the same every day; thinning that the log does not tell and that is even over
        requests looks like less traffic, which ``input.row_volume`` reports.
    Example:
        >>> from recsysops.testing.example_log import example_log, findings
        >>> findings(SampleHealth(), example_log())
        []

    Source:
        Pearson (1900) for the buckets; Horvitz & Thompson (1952) for rows over their rate.
    """

    meta = DetectorMeta("SYS402", "system.sample_health", ("candidates",), "warning", "logging", yields_to_plans=True)

    class Params(Parameters):
        """Floors of ``system.sample_health``."""

        min_ratio: Positive = 1.25
        min_imbalance: Rate = 0.1

    def __init__(self, params: Params | None = None) -> None:
        self.params = params or self.Params()

    def measures(self, schema: Schema) -> Iterator[Measure]:
        candidates = schema.table("candidates")
        requests = requests_measure(candidates) if candidates else None
        if candidates is None or requests is None:
            return
        yield requests
        rate = candidates.role("sampling_rate")
        if rate is not None and rate.kind == "numeric":
            yield Cells("candidates", rate.name, "moments")

    def judge(self, history: History) -> Iterator[Verdict]:
        context = history.context
        measures = list(self.measures(context.schema))
        contrast = history.cells(measures[0]) if measures else None  # type: ignore[arg-type]
        if contrast is None or not contrast.current.any():
            yield Skipped(self.meta.name, "not_applicable", "no requests were counted", "candidates")
            return
        yield from self._uneven(context, contrast)
        n_series = 1
        candidates = context.schema.table("candidates")
        rate = candidates.role("sampling_rate") if candidates else None
        if len(measures) > 1 and rate is not None and isinstance(measures[1], Cells):
            yield from self._bad_rates(history, measures[1], rate)
            yield from self._rates(history, measures[1], contrast, rate)
            n_series += 3
        else:
            reason = "candidates have no role sampling_rate; only the buckets are judged"
            yield Skipped(self.meta.name, "not_applicable", reason, "candidates")
        yield Looked(self.meta.name, n_series, "the sample of requests", n_series)

    def _uneven(self, context: Context, contrast: CellContrast) -> Iterator[Finding]:
        cell = contrast.cell("requests")
        now = _by_bucket(contrast.load_buckets("current", 0), cell)
        found = bucket_evenness(now)
        if float(found.imbalance) < self.params.min_imbalance or float(found.p_value) > MAX_P:
            return
        before = _by_bucket(contrast.load_buckets("reference", 0), cell)
        usual = float(bucket_evenness(before).imbalance) if before.sum() else 0.0
        if usual >= float(found.imbalance) / 2:  # these ids never were even: nothing has changed
            return
        worst = int(np.argmax(np.abs(now - now.mean())))
        change = Stated(
            contrast.slices[0], float(found.imbalance), float(found.imbalance) / max(self.params.min_imbalance, 1e-3),
            int(now.sum()), reference=usual, p_value=float(found.p_value), n_reference=int(before.sum()),
            series=(usual, float(found.imbalance)),
            arithmetic=(
                Term("counts", "requests", float(now.sum()), f"in {N_BUCKETS} buckets of their hash"),
                Term("noise", "chi-square", float(found.statistic), f"against equal shares, {N_BUCKETS - 1} degrees of freedom"),
                Term("chance", "p", float(found.p_value)),
            ),
        )  # fmt: skip
        yield finding_of(
            self.meta, context, change,
            table="candidates", statistic="bucket_imbalance", threshold=self.params.min_imbalance,
            headline=f"requests are uneven over {N_BUCKETS} hash buckets by {percent(change.value)}: bucket {worst} has "
            f"{now[worst]:,.0f}, even would be {now.mean():,.0f}",
            query=_query(context, None),
        )  # fmt: skip

    def _bad_rates(self, history: History, measure: Cells, rate: Column) -> Iterator[Finding]:
        moments = history.moments(measure)
        if moments is None or not len(moments.current.count) or not moments.current.count[:, 0].sum():
            return
        least, greatest = (
            float(np.nanmin(moments.current.least[:, 0])),
            float(np.nanmax(moments.current.greatest[:, 0])),
        )
        if least > 0 and greatest <= 1:
            return
        worst = least if least <= 0 else greatest
        n = int(moments.current.count[:, 0].sum())
        yield finding_of(
            self.meta, history.context, Stated(moments.slices[0], worst, 1.0, n, series=(worst,)),
            table="candidates", column=rate.name, statistic="bad_sampling_rate", threshold=0.0,
            headline=f"{rate.name} is {worst:g} in some rows, expected above 0 and at most 1",
            query=_query(history.context, rate),
        )  # fmt: skip

    def _rates(self, history: History, measure: Cells, requests: CellContrast, rate: Column) -> Iterator[Finding]:
        """A logged rate that changed; and, where it did, requests that did not follow it."""
        context = history.context
        mean = _means(history.series(measure), context)
        if mean is None or not len(requests.reference):
            return
        before, now = mean
        n_before = requests.reference[:, 0, requests.cell("requests")].astype(np.float64)
        n_now = float(requests.current[:, 0, requests.cell("requests")].sum())
        known = (n_before > 0) & (before > 0)
        if not known.any() or not now > 0:
            return
        change = self._change(context, requests, before[known], now, _RATE_SD, known)
        if change.effect < 1 or (change.p_value or 0) > MAX_P:
            return
        yield finding_of(
            self.meta, context, change,
            table="candidates", column=rate.name, statistic="sampling_rate", threshold=self.params.min_ratio,
            headline=f"the logged sampling rate is {percent(change.value)}, before {percent(change.reference)}",
            query=_query(context, rate),
        )  # fmt: skip
        traffic = self._change(context, requests, n_before[known] / before[known], n_now / now, _TOTAL_SD, known)
        if traffic.effect < 1 or (traffic.p_value or 0) > MAX_P:
            return
        realised = now * traffic.value / traffic.reference
        yield finding_of(
            self.meta, context, traffic,
            table="candidates", column=rate.name, statistic="traffic_over_rate", threshold=self.params.min_ratio,
            headline=f"the log says it samples {percent(now)}, but has as many requests as {percent(realised)} would give",
            query=_query(context, rate),
        )  # fmt: skip

    def _change(
        self,
        context: Context,
        requests: CellContrast,
        reference: Floats,
        current: float,
        prior_sd: float,
        known: npt.NDArray[np.bool_],
    ) -> Stated:
        days = [day for day, is_known in zip(requests.reference_days, known, strict=True) if is_known]
        phase = requests.current_days[-1].weekday() if context.mode == "days" else None
        level = level_gate(
            reference, np.asarray(current), LevelLimits(self.params.min_ratio, prior_sd),
            phases=[day.weekday() for day in days], phase=phase,
        )  # fmt: skip
        cell = requests.cell("requests")
        return Stated(
            requests.slices[0], current, float(level.effect), int(requests.current[:, 0, cell].sum()),
            reference=float(level.expected), p_value=float(level.p_value),
            n_reference=int(requests.reference[:, 0, cell].sum()), series=(*(float(one) for one in reference), current),
        )  # fmt: skip


def _by_bucket(buckets: npt.NDArray[np.int64], cell: int) -> Floats:
    """Requests of a window in each bucket, (32,)."""
    return np.asarray(buckets.reshape(-1, N_BUCKETS, buckets.shape[-1])[:, :, cell].sum(axis=0), np.float64)


def _means(series: DaySeries | None, context: Context) -> tuple[Floats, float] | None:
    """Mean logged rate of each reference day (0 where nothing was logged) and of the judged one."""
    if series is None:
        return None
    n, total = series.values[:, 0, 0], series.values[:, 0, 1]
    mean = np.divide(total, n, out=np.zeros(len(n)), where=n > 0)
    by_day = dict(zip(series.days, mean.tolist(), strict=True))
    before = np.array([by_day.get(day, 0.0) for day in context.reference_days])
    return before, by_day.get(context.current_days[-1], 0.0)


def _query(context: Context, rate: Column | None) -> str:
    candidates = context.schema.table("candidates")
    names = [candidates.role(role) for role in ("ts", "request_id")] if candidates else []
    ts, request = (quote_identifier(one.name) if one else "NULL" for one in names)
    means = (
        f", avg({quote_identifier(rate.name)}) AS mean_rate, min({quote_identifier(rate.name)}) AS least"
        if rate
        else ""
    )
    rows = where(context, "candidates", EVERYTHING, (*context.reference_days, *context.current_days))
    return (
        f"SELECT CAST({ts} AS DATE) AS day, count(DISTINCT {request}) AS n_requests{means} FROM candidates {rows} "
        "GROUP BY day ORDER BY day"
    )
