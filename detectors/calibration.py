"""Scores that no longer say how often things are played: outcomes over what the scores expected."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from scipy import special

from recsysops.profiles.history import Context, History, MomentContrast, WindowMoments
from recsysops.profiles.measures import Cells, Measure
from recsysops.profiles.slices import EVERYTHING, Slice
from recsysops.tables.schema import Schema
from recsysops.triage.detector import DetectorMeta, Parameters, Positive, Rate, Verdict
from recsysops.triage.evidence import Stated, before, finding_of
from recsysops.triage.findings import Finding, Looked, Skipped, Stage
from recsysops.triage.mean_gate import MIN_REQUESTS, DayMeans, MeanChange, MeanLimits, mean_gate, means_of
from recsysops.triage.own_names import own_slice, role_column
from recsysops.triage.rate_gate import MAX_P
from recsysops.triage.shown import followed_query, under_own_name

_EXCESS, _EXPECTED = (Cells("ranked_requests", one, "moments") for one in ("excess", "expected"))
_MODEL = "model_id"
_NO_PROBABILITY = 2.0
"""Off by more than this on a first day, scores are taken to mean something else than a probability."""


class Calibration:
    """Outcomes no longer happen as often as the scores say.

    Signals:
        ``observed_over_expected``: impressions with an outcome over the sum of their scores, at one label age for every day;
        1 is calibrated, worse both ways.
    Parameters:
        tolerance: how far from 1 is fine, default 0.1; min_change: least change against the reference, default 0.1.
    Needs:
        ``candidates`` with score and position, ``outcomes`` that name their request. Every model is a slice; one that was never
        seen before is held against the reference of all models, and on a first day against 1.
    Blind spots:
        Scores that are no probabilities (skipped where they leave [0, 1]); errors that cancel within a slice; what comes
        after the label age of six hours.
    Example:
        >>> from recsysops.testing.example_log import findings
        >>> from recsysops.testing.example_slates import example_slates
        >>> log = example_slates().scale("candidates", "score", by=0.6)
        >>> [found.column for found in findings(Calibration(), log) if not found.slice.dimension]
        ['score']

    Source:
        Observed over expected events with the variance of a ratio estimator over requests (Cochran, 1977, ch. 6).
    """

    meta = DetectorMeta("OUT204", "output.calibration", ("candidates",), "warning", "artifact", yields_to_plans=True)

    class Params(Parameters):
        """Floors of ``output.calibration``."""

        tolerance: Rate = 0.1
        min_change: Positive = 0.1

    def __init__(self, params: Params | None = None) -> None:
        self.params = params or self.Params()

    def measures(self, schema: Schema) -> Iterator[Measure]:
        table = schema.table("candidates")
        if schema.table("ranked_requests") is not None and table is not None and table.role("score") is not None:
            yield from (_EXCESS, _EXPECTED)

    def judge(self, history: History) -> Iterator[Verdict]:
        context = history.context
        excess, expected = history.moments(_EXCESS), history.moments(_EXPECTED)
        if excess is None or expected is None:
            reason = "needs scores, positions and outcomes that name their request"
            yield Skipped(self.meta.name, "not_applicable", reason, "candidates")
            return
        if not _are_probabilities(expected):
            yield Skipped(
                self.meta.name, "not_applicable", "scores leave [0, 1]: no probabilities", "candidates", "score"
            )
            return
        ratios = observed_over_expected(excess, expected)
        judge = self._against_reference if context.reference_days else self._against_one
        changes: Iterator[MeanChange | Stated] = judge(ratios)
        for change in changes:
            yield self._finding(context, change)
        yield Looked(self.meta.name, len(ratios.slices), "outcomes over what scores expect", 1)

    def _against_reference(self, ratios: DayMeans) -> Iterator[MeanChange]:
        for change in mean_gate(_with_new_models(ratios), MeanLimits(self.params.min_change, prior_sd=0.04)):
            if abs(change.value - 1) > self.params.tolerance:
                yield change

    def _against_one(self, ratios: DayMeans) -> Iterator[Stated]:
        for index, slice_ in enumerate(ratios.slices):
            value, noise, n = (float(one[index]) for one in (ratios.now, ratios.now_noise, ratios.n_now))
            is_judged = slice_.dimension in ("", _MODEL) and n >= MIN_REQUESTS and np.isfinite(value)
            beyond = abs(value - 1) - self.params.tolerance
            if not is_judged or beyond <= 0 or not 1 / _NO_PROBABILITY <= value <= _NO_PROBABILITY:
                continue
            error = float(np.sqrt(noise))
            p_value = float(2 * special.ndtr(-beyond / error)) if error > 0 else 1.0
            if p_value <= MAX_P:
                yield Stated(
                    slice_, value, abs(value - 1) / self.params.tolerance, int(n), value - 1.96 * error,
                    value + 1.96 * error, 1.0, p_value, series=(value,),
                )  # fmt: skip

    def _finding(self, context: Context, change: MeanChange | Stated) -> Finding:
        column = role_column(context.schema, "candidates", "score")
        compared = f", {before(context)} {change.reference:.2f}" if change.n_reference else ""
        return finding_of(
            self.meta, context, under_own_name(context.schema, change),
            table="candidates", column=column, statistic="observed_over_expected", threshold=self.params.min_change,
            severity="warning" if abs(change.value - 1) > abs(change.reference - 1) or not change.n_reference else "info",
            stage=_stage(change.slice),
            headline=f"impressions have {change.value:.2f} times the outcomes that {column} expects{compared}",
            query=followed_query(context, own_slice(context.schema, change.slice)),
        )  # fmt: skip


def observed_over_expected(excess: MomentContrast, expected: MomentContrast) -> DayMeans:
    """O/E of both windows with the variance of a ratio: n var(outcomes − expected) / (sum of expected)²."""
    sums = means_of(excess), means_of(expected)
    with np.errstate(divide="ignore", invalid="ignore"):
        return replace(
            sums[0],
            days=1 + sums[0].days / sums[1].days,
            days_noise=sums[0].days_noise / sums[1].days ** 2,
            now=1 + sums[0].now / sums[1].now,
            now_noise=sums[0].now_noise / sums[1].now ** 2,
        )


def _with_new_models(ratios: DayMeans) -> DayMeans:
    """A model without a past is compared with what all rows had been."""
    n = ratios.n_days.sum(axis=0)
    new = np.array([one.dimension == _MODEL for one in ratios.slices], np.bool_) & (n < MIN_REQUESTS)
    days, noise, counts = (np.where(new, one[:, :1], one) for one in (ratios.days, ratios.days_noise, ratios.n_days))
    return replace(ratios, days=days, days_noise=noise, n_days=counts)


def _are_probabilities(expected: MomentContrast) -> bool:
    def fits(window: WindowMoments) -> bool:
        return not bool(np.nanmin(np.append(window.least[:, 0], 0.0)) < 0)

    return fits(expected.reference) and fits(expected.current)


def _stage(slice_: Slice) -> Stage:
    """A whole model that is off is an artifact's matter; one market or surface more likely one of labels."""
    return "artifact" if slice_ == EVERYTHING or slice_.dimension == _MODEL else "label"
