"""Models that take more, or less, of the traffic than before and than recorded roll-outs say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta

import numpy as np

from recsysops.profiles.history import CellContrast, Change, Context, History
from recsysops.profiles.measures import Cells, Measure
from recsysops.profiles.slices import EVERYTHING
from recsysops.statistics.proportions import wilson_interval
from recsysops.tables.schema import Schema
from recsysops.triage.detector import DetectorMeta, Parameters, Rate, Verdict
from recsysops.triage.evidence import (
    Stated,
    before,
    finding_of,
    literal,
    not_between_cohorts,
    percent,
    without_reference,
)
from recsysops.triage.findings import Finding, Looked, Severity, Skipped, Subject
from recsysops.triage.own_names import role_column
from recsysops.triage.rate_gate import Rate as CellRate
from recsysops.triage.rate_gate import RateChange, RateLimits, rate_gate
from recsysops.triage.shown import chosen, named

_REQUESTS = Cells("requests")
_MODEL = "model_id"
_DEPLOYS = frozenset({"deploy", "release", "experiment", "config"})
_MODELS = frozenset({"model", "models", "model_id", "ranker", "ranking"})
_NEAR = timedelta(days=3)
"""How long after a recorded roll-out the mix may still be moving."""

_NO_RATIO = 1e9
"""Only points of rate count: doubling says little here."""


class ModelMix:
    """A model's share of the traffic is not what it was, nor what was rolled out.

    Signals:
        ``model_share``: requests that a model answered over all requests, in [0, 1]; both ways.
    Parameters:
        min_change: least change in points of rate, default 0.05.
    Needs:
        ``candidates`` with model_id; ``changes`` with deploys and their rollout. Where deploys are recorded, a new model within its
        recorded roll-out is no finding, one beyond it or without any is; where none are, a new model is information.
    Blind spots:
        A model that answers the right share of the wrong members; artifacts that changed under one name
        (``model.artifact_change``).
    Example:
        >>> from recsysops.testing.example_log import findings
        >>> from recsysops.testing.example_slates import example_slates
        >>> log = example_slates().set("candidates", "model_id", "m2", where="host == 'h1'")
        >>> [(found.subject.id, found.severity) for found in findings(ModelMix(), log)]
        [('m1', 'info'), ('m2', 'info')]

    Source:
        Three gates of ``recsysops.triage.rate_gate``; Wilson (1927) for the share of a new model.
    """

    meta = DetectorMeta("OUT209", "output.model_mix", ("candidates",), "warning", "experiment")

    class Params(Parameters):
        """Floors of ``output.model_mix``."""

        min_change: Rate = 0.05

    def __init__(self, params: Params | None = None) -> None:
        self.params = params or self.Params()

    def measures(self, schema: Schema) -> Iterator[Measure]:
        table, requests = schema.table("candidates"), schema.table("requests")
        if requests is None or table is None or table.role(_MODEL) is None:
            return
        if _dimension(schema) in requests.slices:
            yield _REQUESTS

    def judge(self, history: History) -> Iterator[Verdict]:
        context = history.context
        contrast = history.cells(_REQUESTS) if list(self.measures(context.schema)) else None
        if contrast is None:
            yield Skipped(self.meta.name, "not_applicable", "no column plays the role model_id", "candidates")
            return
        skipped = not_between_cohorts(self.meta, context) or without_reference(self.meta, context)
        if skipped is not None:
            yield skipped
            return
        shares = model_shares(contrast, _dimension(context.schema))
        for model, counts in shares.items():
            yield from self._judged(context, model, counts)
        yield Looked(self.meta.name, len(shares), "shares of models")

    def _judged(self, context: Context, model: str, counts: CellContrast) -> Iterator[Finding]:
        is_new = not counts.reference[:, 0, 0].any()
        limits = RateLimits(self.params.min_change, _NO_RATIO)
        plans = roll_outs(context)
        if not is_new and any(change.kind == "deploy" or _concerns(change, model) for change in plans):
            return  # it makes room, or takes over; a new model beyond its roll-out is told by itself
        planned = max((change.rollout or 0.0 for change in plans if _concerns(change, model)), default=None)
        found: list[RateChange | Stated] = (
            [_first_share(counts, self.params.min_change)] if is_new
            else [*rate_gate(counts, [CellRate("model_share", (0,), (0, 1))], limits)]
        )  # fmt: skip
        for change in found:
            within = planned is not None and change.value <= planned + self.params.min_change
            if change.effect >= 1 and not within:
                yield self._finding(context, model, change, planned)

    def _finding(self, context: Context, model: str, change: RateChange | Stated, planned: float | None) -> Finding:
        schema, days = context.schema, (*context.reference_days, *context.current_days)
        request, column = named(schema, "request_id"), named(schema, _MODEL)
        records: Severity = "warning" if any(change.kind == "deploy" for change in context.changes) else "info"
        rolled = "" if planned is None else f", rolled out to {percent(planned)}"
        return finding_of(
            self.meta, context, change,
            table="candidates", column=role_column(schema, "candidates", _MODEL), subject=Subject("model", model),
            statistic="model_share", threshold=self.params.min_change, severity=records,
            headline=f"model {model} answers {percent(change.value)} of requests, {before(context)} {percent(change.reference)}{rolled}",
            query=f"SELECT CAST({named(schema, 'ts')} AS DATE) AS day, count(DISTINCT {request}) AS n_requests, "
            f"count(DISTINCT CASE WHEN CAST({column} AS VARCHAR) = {literal(model)} THEN {request} END) AS n_of_model "
            f'FROM "candidates" {chosen(context, EVERYTHING, days=days)} GROUP BY 1 ORDER BY 1',
        )  # fmt: skip


def model_shares(contrast: CellContrast, dimension: str) -> dict[str, CellContrast]:
    """Requests of each model and of all others, as counts of two cells."""
    found = {}
    for index, slice_ in enumerate(contrast.slices):
        if slice_.dimension == dimension:
            counts = [
                np.stack([of[:, index, 0], of[:, 0, 0] - of[:, index, 0]], axis=1)[:, None]
                for of in (contrast.reference, contrast.current)
            ]
            found[slice_.value] = CellContrast(
                (EVERYTHING,), ("model", "others"), contrast.reference_days, contrast.current_days,
                counts[0], counts[1], lambda _window, _index: np.zeros((0, 2), np.int64),
            )  # fmt: skip
    return found


def roll_outs(context: Context) -> tuple[Change, ...]:
    """Recorded changes that may still move the mix on the judged day."""
    end = datetime.combine(context.current_days[-1], time.min, UTC) + timedelta(days=1)
    last = datetime.combine(max(context.reference_days), time.min, UTC)
    first = min(end - _NEAR, last)  # what happened on days that are no reference has not been seen yet
    return tuple(change for change in context.changes if change.kind in _DEPLOYS and first <= change.ts < end)


def _concerns(change: Change, model: str) -> bool:
    """A roll-out concerns the model that it names, and every model when it names none."""
    said = f"{change.scope} {change.description}"
    subject = change.scope.replace("=", " ").replace(":", " ").split(" ")[0]
    return model in said or (subject in _MODELS and change.description == "")


def _first_share(counts: CellContrast, floor: float) -> Stated:
    """The share of a model that no reference day had; such a model cannot be chance."""
    k, n = int(counts.current[:, 0, 0].sum()), int(counts.current[:, 0].sum())
    interval = wilson_interval(k, max(1, n))
    value = k / max(1, n)
    return Stated(
        EVERYTHING, value, value / floor, n, float(interval.low), float(interval.high),
        p_value=0.0, n_reference=int(counts.reference.sum()), series=(*([0.0] * len(counts.reference)), value),
    )  # fmt: skip


def _dimension(schema: Schema) -> str:
    """What the views call the slices of models: the user's column where it is a slice of theirs."""
    column = role_column(schema, "candidates", _MODEL)
    table = schema.table("candidates")
    return column if table is not None and column in table.slices else _MODEL
