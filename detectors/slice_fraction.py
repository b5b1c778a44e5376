"""The make-up of the traffic: a client that stops logging, a host that vanished, a market that doubled."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from recsysops.profiles.history import CellContrast, Context, History
from recsysops.profiles.measures import Cells, Measure
from recsysops.profiles.slices import Slice
from recsysops.tables.identifiers import quote_identifier
from recsysops.tables.schema import Schema
from recsysops.triage.detector import DetectorMeta, Parameters, Positive, Rate, Verdict
from recsysops.triage.evidence import Stated, finding_of, not_between_cohorts, percent, where, without_reference
from recsysops.triage.findings import Finding, Looked, Severity, Skipped
from recsysops.triage.own_names import own_slice, role_column
from recsysops.triage.rate_gate import MAX_P
from recsysops.triage.roll_outs import planned_changes
from recsysops.triage.volume_gate import Volumes, volume_gate

_REQUESTS = Cells("requests")
_LATEST = 14
"""Reference days that say what share is expected: shares drift with seasons and devices, and older ones lag."""


class SliceFraction:
    """A slice makes up another share of the requests than before.

    Signals:
        ``request_share``: requests of a slice value over all requests, in [0, 1]; both directions. Values of the user's
        dimensions and of host, client_version, consumer, model_id and experiment_arm. A value that is gone is found at any
        share, as soon as its expected requests allow it.
    Parameters:
        min_change: least loss of a value, relative to its expected requests, default 0.25, and the gain that undoes it;
        min_requests: expected requests below which no value is judged, default 8.
    Needs:
        ``candidates``; roles or slices that part the traffic.
    Blind spots:
        All values lost alike (see ``input.row_volume``); shifts that a recorded roll-out, experiment or opening of the last
        two weeks explains are information only; values that are new.
    Example:
        >>> from recsysops.testing.example_log import findings
        >>> from recsysops.testing.example_slates import example_slates
        >>> log = example_slates().drop("candidates", where="device == 'phone'")
        >>> [str(found.slice) for found in findings(SliceFraction(), log) if found.value == 0]
        ['device=phone']

    Source:
        Johnson, Kemp & Kotz (2005), ch. 5 (negative binomial); Smyth (2004) for the moderated variance.
    """

    meta = DetectorMeta("INP108", "input.slice_fraction", ("candidates",), "warning", "logging", yields_to_plans=True)

    class Params(Parameters):
        """Floors of ``input.slice_fraction``."""

        min_change: Rate = 0.25
        min_requests: Positive = 8.0

    def __init__(self, params: Params | None = None) -> None:
        self.params = params or self.Params()

    def measures(self, schema: Schema) -> Iterator[Measure]:
        table = schema.table("requests")
        if table is not None and table.slices:
            yield _REQUESTS

    def judge(self, history: History) -> Iterator[Verdict]:
        context = history.context
        skipped = not_between_cohorts(self.meta, context) or without_reference(self.meta, context)
        contrast = history.cells(_REQUESTS) if list(self.measures(context.schema)) else None
        if contrast is None:
            yield skipped or Skipped(
                self.meta.name, "not_applicable", "no slice dimensions to part the requests by", "candidates"
            )
            return
        if skipped is not None:
            yield skipped
            return
        yield from self._judged(context, contrast)
        yield Looked(self.meta.name, len(contrast.slices) - 1, "shares of requests")

    def _judged(self, context: Context, contrast: CellContrast) -> Iterator[Finding]:
        reference, current = (
            contrast.reference[:, :, 0].astype(np.float64),
            contrast.current[:, :, 0].sum(axis=0).astype(np.float64),
        )
        reference = reference[reference[:, 0] > 0][-_LATEST:]
        if not len(reference) or current[0] <= 0:
            return
        scaled = reference * (current[0] / reference[:, :1])
        volumes = volume_gate(scaled, current, min_change=self.params.min_change)
        is_found = (volumes.effect >= 1) & (volumes.p_value <= MAX_P) & (volumes.expected >= self.params.min_requests)
        is_found &= _is_beyond_days(scaled, current, volumes.expected)
        is_found[0] = False
        found = [index for index in np.flatnonzero(is_found).tolist() if not _is_nothing(contrast.slices[index])]
        for index in found:
            yield self._finding(context, contrast, volumes, index, reference)

    def _finding(
        self, context: Context, contrast: CellContrast, volumes: Volumes, index: int, reference: npt.NDArray[np.float64]
    ) -> Finding:
        current = contrast.current[:, :, 0].sum(axis=0)
        slice_ = contrast.slices[index]
        total, n = int(current[0]), int(current[index])
        days = reference[:, index] / reference[:, 0]
        expected = float(volumes.expected[index]) / total
        planned = planned_changes(context, slice_.dimension, slice_)
        own = own_slice(context.schema, slice_)
        change = Stated(
            own, n / total, float(volumes.effect[index]), total, reference=expected, p_value=float(volumes.p_value[index]),
            n_reference=int(reference[:, 0].sum()), series=(*(float(day) for day in days), n / total),
            arithmetic=volumes.terms(index, float(n), self.params.min_change),
        )  # fmt: skip
        severity: Severity = "info" if planned else "warning"
        because = f"; planned: {planned[-1].kind} {planned[-1].scope}" if planned else ""
        return finding_of(
            self.meta, context, change,
            table="candidates", column=own.dimension, statistic="request_share", threshold=self.params.min_change, severity=severity,
            headline=f"{own.value} makes up {percent(n / total)} of requests, expected {percent(expected)}{because}",
            query=_query(context, own),
        )  # fmt: skip


def _is_nothing(slice_: Slice) -> bool:
    """Rows without a value, or with a rare one, are no slice that could stop."""
    return slice_.value in ("(null)", "(other)")


def _is_beyond_days(
    scaled: npt.NDArray[np.float64], current: npt.NDArray[np.float64], expected: npt.NDArray[np.float64]
) -> npt.NDArray[np.bool_]:
    """Whether the share lies outside all that the reference days had, on the side to which it moved."""
    return np.asarray(np.where(current < expected, current < scaled.min(axis=0), current > scaled.max(axis=0)))


def _query(context: Context, own: Slice) -> str:
    schema = context.schema
    ts, request = (quote_identifier(role_column(schema, "candidates", role)) for role in ("ts", "request_id"))
    days = (*context.reference_days, *context.current_days)
    name = quote_identifier(own.dimension)
    return (
        f"SELECT CAST({ts} AS DATE) AS day, count(DISTINCT {request}) FILTER (CAST({name} AS VARCHAR) = "
        f"'{own.value.replace(chr(39), 2 * chr(39))}') AS n_of_slice, count(DISTINCT {request}) AS n_requests "
        f"FROM {quote_identifier('candidates')} {where(context, 'candidates', Slice('', ''), days)} GROUP BY 1 ORDER BY 1"
    )
