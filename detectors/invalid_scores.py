"""Scores that cannot order a slate: NaN, infinity, NULL, or one value for every candidate."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from recsysops.profiles.history import CellContrast, Context, History
from recsysops.profiles.measures import Cells, Measure, PerRequest
from recsysops.profiles.slices import Slice
from recsysops.statistics.proportions import clopper_pearson_interval
from recsysops.tables.identifiers import quote_identifier
from recsysops.tables.schema import Column, Schema
from recsysops.triage.detector import DetectorMeta, Parameters, Rate, Verdict
from recsysops.triage.evidence import Change, Stated, before, finding_of, percent, rate_query, where
from recsysops.triage.findings import Finding, Looked, Severity, Skipped
from recsysops.triage.rate_gate import Rate as CellRate
from recsysops.triage.rate_gate import RateLimits, rate_gate

_SAID = {
    "nan_rate": "is NaN in {} of rows",
    "infinite_rate": "is infinite in {} of rows",
    "null_rate": "is NULL in {} of rows",
    "constant_request_rate": "is the same for every candidate in {} of requests",
}
_FEW = 0.01
"""Below this share of all rows, scores that are missing for the first time are no reason to wake anybody."""
_KNOWN_DAYS = 7
"""So many days without a NULL, and the first one is told."""
_SHOWN = {
    "nan_rate": "isnan({0})",
    "infinite_rate": "isinf({0})",
    "null_rate": "{0} IS NULL",
}


class InvalidScores:
    """Scores are NaN, infinite, missing, or all the same.

    Signals:
        ``nan_rate``, ``infinite_rate``, ``null_rate``: rows over all rows; a single one is a fault where the reference had
        none (many logs write a NaN as NULL). ``constant_request_rate``: requests of two or more candidates that all have
        one score, over all requests. All in [0, 1]; higher is worse.
    Parameters:
        min_rate_change: least rise in points of rate where the fault is not new, default 0.001; min_constant_change:
        the same for constant scores, default 0.01.
    Needs:
        ``candidates`` with ``score`` or ``raw_score``; NaN and infinity are judged from the first day on, a first NULL after a week without.
    Blind spots:
        Scores that are wrong but finite; ties between some of the candidates.
    Example:
        >>> from recsysops.testing.example_log import example_log, findings
        >>> log = example_log().set("candidates", "score", float("nan"), rate=0.001)
        >>> findings(InvalidScores(), log)[0].severity
        'critical'

    Source:
        An invariant; three gates of ``recsysops.triage.rate_gate`` for what is not one.
    """

    meta = DetectorMeta(
        "OUT201", "output.invalid_scores", ("candidates",), "critical", "ranking", tiers=("fast", "daily")
    )

    class Params(Parameters):
        """Floors of ``output.invalid_scores``."""

        min_rate_change: Rate = 0.001
        min_constant_change: Rate = 0.01

    def __init__(self, params: Params | None = None) -> None:
        self.params = params or self.Params()

    def measures(self, schema: Schema) -> Iterator[Measure]:
        for column in _scores(schema):
            yield Cells("candidates", column.name, "histogram")
            yield PerRequest("candidates", "constant_number", (column.name,))

    def judge(self, history: History) -> Iterator[Verdict]:
        scores = list(_scores(history.context.schema))
        if not scores:
            yield Skipped(self.meta.name, "not_applicable", "no column plays the role score or raw_score", "candidates")
            return
        n_series = n_whole = 0
        for column in scores:
            contrast = history.cells(Cells("candidates", column.name, "histogram"))
            if contrast is not None:
                n_series, n_whole = n_series + 3 * len(contrast.slices), n_whole + 3
                yield from self._invalid(history, column.name, contrast)
            requests = history.cells(PerRequest("candidates", "constant_number", (column.name,)))
            if requests is not None:
                n_series, n_whole = n_series + len(requests.slices), n_whole + 1
                yield from self._constant(history, column.name, requests)
        yield Looked(self.meta.name, n_series, f"validity of {len(scores)} score columns", n_whole)

    def _invalid(self, history: History, column: str, contrast: CellContrast) -> Iterator[Finding]:
        places = {
            "nan_rate": (contrast.cell("nan"),),
            "infinite_rate": (contrast.cell("neg_inf"), contrast.cell("pos_inf")),
        }
        null = (contrast.cell("null"),)
        n_known = int(contrast.reference[:, 0].any(axis=1).sum())  # days with rows
        is_known = n_known >= _KNOWN_DAYS  # a log may leave a score out now and then, rightly
        known = [] if is_known else [CellRate("null_rate", null)]
        places |= {"null_rate": null} if is_known else {}
        for name, cells in places.items():
            if contrast.reference[:, 0, cells].any():
                known.append(CellRate(name, cells))
                continue
            is_few = name == "null_rate" and contrast.current[:, 0, cells].sum() < _FEW * contrast.current[:, 0].sum()
            for new in _impossible(contrast, cells, self.params.min_rate_change):
                yield self._finding(history, column, name, new, "warning" if is_few else "critical")
        for change in rate_gate(contrast, known, RateLimits(self.params.min_rate_change, only_up=True)):
            yield self._finding(history, column, change.rate.name, change, "critical")

    def _constant(self, history: History, column: str, requests: CellContrast) -> Iterator[Finding]:
        rate = CellRate("constant_request_rate", (requests.cell("flagged_requests"),), (requests.cell("requests"),))
        for change in rate_gate(requests, [rate], RateLimits(self.params.min_constant_change, only_up=True)):
            severity: Severity = "critical" if change.value >= 0.1 else "warning"
            yield self._finding(history, column, rate.name, change, severity)

    def _finding(self, history: History, column: str, name: str, change: Change, severity: Severity) -> Finding:
        context = history.context
        compared = f", {before(context)} {percent(change.reference)}" if change.n_reference else ""
        return finding_of(
            self.meta,
            context,
            change,
            table="candidates",
            column=column,
            statistic=name,
            threshold=self.params.min_constant_change
            if name == "constant_request_rate"
            else self.params.min_rate_change,
            severity=severity,
            headline=f"{column} {_SAID[name].format(percent(change.value))}{compared}",
            query=_query(context, column, name, change.slice),
        )


def _impossible(contrast: CellContrast, cells: tuple[int, ...], floor: float) -> Iterator[Stated]:
    """All rows first, then only the slices where it is at least twice as frequent: the others repeat the same news."""
    k, n = contrast.current[:, :, cells].sum(axis=(0, 2)), contrast.current.sum(axis=(0, 2))
    n_reference = contrast.reference.sum(axis=(0, 2))
    if not k[0]:
        return
    for index in np.flatnonzero(k > 0):
        rate = float(k[index] / n[index])
        if index == 0 or rate >= 2 * k[0] / n[0]:
            interval = clopper_pearson_interval(k[index], n[index])
            yield Stated(
                contrast.slices[index], rate, max(1.0, rate / floor), int(n[index]), float(interval.low), float(interval.high),
                n_reference=int(n_reference[index]), series=(*([0.0] * len(contrast.reference)), rate),
            )  # fmt: skip


def _scores(schema: Schema) -> Iterator[Column]:
    table = schema.table("candidates")
    for role in ("score", "raw_score"):
        column = table.role(role) if table else None
        if column is not None and column.kind == "numeric":
            yield column


def _query(context: Context, column: str, name: str, slice_: Slice) -> str:
    score = quote_identifier(column)
    if name in _SHOWN:
        return rate_query(context, "candidates", slice_, _SHOWN[name].format(score))
    table = context.schema.table("candidates")
    request = table.role("request_id") if table else None
    key = quote_identifier(request.name) if request else "NULL"
    return (
        f'SELECT {key}, count(*) AS n, min({score}) AS score FROM "candidates" {where(context, "candidates", slice_)} '
        f"GROUP BY {key} HAVING count(*) > 1 AND count({score}) = count(*) AND min({score}) = max({score}) LIMIT 20"
    )
