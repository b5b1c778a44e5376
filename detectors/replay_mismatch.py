"""Logged scores that the registered model does not give: another artifact, other inputs, or no model answered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from recsysops.profiles.history import Context, History
from recsysops.profiles.measures import Keyed, Measure, PerRequest
from recsysops.tables.schema import Schema
from recsysops.triage.detector import DetectorMeta, Parameters, Rate, Verdict
from recsysops.triage.evidence import Stated, finding_of, percent
from recsysops.triage.findings import Finding, Looked, Skipped, Stage
from recsysops.triage.own_names import own_slice, role_column
from recsysops.triage.rate_gate import RateChange, RateLimits
from recsysops.triage.request_rates import Flagged, above, rising_rates
from recsysops.triage.shown import chosen, named, under_own_name

_OUTCOMES = Keyed("replayed", "outcome", ("rows",))
_NO_FAULT = frozenset({"replayed", "answered by a fallback"})


@dataclass(frozen=True)
class _Compared:
    """A column that a replay gives again, and where a difference arises."""

    column: str
    statistic: str
    role: str
    stage: Stage
    said: str

    @property
    def measure(self) -> PerRequest:
        return PerRequest("replayed", "any_row", (self.column,))


_COMPARED = (
    _Compared("raw_differs", "raw_score_mismatch_rate", "raw_score", "artifact", "the registered model gives other raw scores"),
    _Compared("score_differs", "score_mismatch_rate", "score", "artifact", "the registered calibration gives other scores"),
)  # fmt: skip


class ReplayMismatch:
    """Requests whose logged scores the registered model does not give again.

    Signals:
        ``raw_score_mismatch_rate``: sampled requests in which some candidate's raw score is further from the registered model's,
        on the logged features, than rounding explains (1e-6 relative, 1e-4 for a log of 32 bits); ``score_mismatch_rate``: the same
        for the score against the calibration of the logged raw score. In [0, 1]; higher is worse.
    Parameters:
        min_rate_change: least rise where mismatches are usual, default 0.05; max_rate: what a log without a past may have,
        default 0.02.
    Needs:
        ``candidates`` with scores and features, ``models`` with ``path`` (LightGBM text, see docs/replay.md). Three hundred requests of each day
        are scored again, the same that `recsysops replay` takes. In a log of 2,000 replayed requests without a mismatch one
        is enough; otherwise it is a rate. A model that cannot be loaded is said, not found.
    Blind spots:
        Wrong features that were logged as they were used; requests of a fallback; policy. Days that were counted while a model
        file was missing stay uncounted.
    Example:
        >>> from recsysops.testing.example_log import findings
        >>> from recsysops.testing.example_replays import example_replays
        >>> log = example_replays().set("replayed", "raw_differs", True, rate=0.5)
        >>> [found.statistic for found in findings(ReplayMismatch(), log) if not found.slice.dimension]
        ['raw_score_mismatch_rate']

    Source:
        Clopper & Pearson (1934) for the interval; ``recsysops.replay.grades`` for what equal means.
    """

    meta = DetectorMeta("OUT215", "output.replay_mismatch", ("candidates", "models"), "warning", "artifact")

    class Params(Parameters):
        """Limits of ``output.replay_mismatch``."""

        min_rate_change: Rate = 0.05
        max_rate: Rate = 0.02

    def __init__(self, params: Params | None = None) -> None:
        self.params = params or self.Params()

    def measures(self, schema: Schema) -> Iterator[Measure]:
        compared = list(_compared(schema))
        yield from (one.measure for one in compared)
        if compared:
            yield _OUTCOMES

    def judge(self, history: History) -> Iterator[Verdict]:
        context = history.context
        compared = list(_compared(context.schema))
        if not compared:
            reason = "needs models with their files, and candidates with scores and features"
            yield Skipped(self.meta.name, "not_applicable", reason, "models")
            return
        yield from self._not_replayed(history)
        n_series = 0
        for one in compared:
            contrast = history.cells(one.measure)
            if contrast is None or not contrast.current.any():
                continue
            n_series += len(contrast.slices) if context.reference_days else 1
            if context.reference_days:
                limits = RateLimits(self.params.min_rate_change, only_up=True)
                changes = list(rising_rates(contrast, Flagged(one.statistic, tolerates=False), limits))
            else:
                first = above(contrast, self.params.max_rate)
                changes = [first] if first is not None else []
            yield from (self._finding(context, one, change) for change in changes)
        if n_series:
            yield Looked(self.meta.name, n_series, "sampled requests, scored again", len(compared))
        else:
            yield Skipped(self.meta.name, "too_little_data", "no request could be scored again", "candidates")

    def _not_replayed(self, history: History) -> Iterator[Skipped]:
        """One line for every reason but fallbacks."""
        outcomes = history.keyed(_OUTCOMES)
        if outcomes is None:
            return
        rows = outcomes.current[..., 0].sum(axis=0)
        for name, n in zip(outcomes.keys, rows, strict=False):
            if n and name not in _NO_FAULT:
                yield Skipped(self.meta.name, "failed", f"requests that are not scored again: {name}", "models")

    def _finding(self, context: Context, one: _Compared, change: RateChange | Stated) -> Finding:
        schema = context.schema
        role = one.role if named(schema, one.role) != "NULL" else "score"
        rows = chosen(context, own_slice(schema, change.slice))
        shown = [named(schema, name) for name in ("request_id", "item_id", "model_id", "host", role)]
        of_replay = f"ORDER BY md5_number_lower('replay' || {shown[0]}), {shown[1]} LIMIT 50"
        return finding_of(
            self.meta, context, under_own_name(schema, change),
            table="candidates", column=role_column(schema, "candidates", role), statistic=one.statistic, stage=one.stage,
            threshold=self.params.min_rate_change,
            headline=f"{one.said} for {percent(change.value)} of sampled requests; `recsysops replay --day {context.current_days[-1]}` tells more",
            query=f'SELECT {", ".join(name for name in shown if name != "NULL")} FROM "candidates" {rows} {of_replay}',
        )  # fmt: skip


def _compared(schema: Schema) -> Iterator[_Compared]:
    candidates = schema.table("candidates")
    if schema.table("replayed") is None or candidates is None:
        return
    has_both = candidates.role("raw_score") is not None and candidates.role("score") is not None
    yield from _COMPARED if has_both else _COMPARED[:1]
