"""The make-up of the traffic: a client that stops logging, a host that vanished, a market that doubled."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from recsysops.profiles.history import CellContrast, Change, Context, History
from recsysops.profiles.measures import Cells, Measure
from recsysops.profiles.slices import Slice
from recsysops.tables.identifiers import quote_identifier
from recsysops.tables.schema import Schema
from recsysops.triage.detector import DetectorMeta, Parameters, Positive, Rate, Verdict
from recsysops.triage.evidence import Stated, finding_of, not_between_cohorts, percent, where, without_reference
from recsysops.triage.findings import Finding, Looked, Severity, Skipped
from recsysops.triage.own_names import own_slice, role_column
from recsysops.triage.rate_gate import MAX_P
from recsysops.triage.roll_outs import KINDS, TAKEN_OVER, names, planned_changes, taken_over
from recsysops.triage.volume_gate import Volumes, volume_gate

_REQUESTS = Cells("requests")
_LATEST = 14
"""Reference days that say what share is expected: shares drift with seasons and devices, and older ones lag."""


class SliceFraction:
    """A slice makes up another share of the requests than before.

    Signals:
        ``request_share``: requests of a slice value over all requests, in [0, 1]; both directions. Values of the user's
        dimensions and of host, client_version, consumer and model_id. A value that is gone is found at any share, as soon
        as its expected requests allow it. What is expected follows from the requests of all other values on the day.
    Parameters:
        min_change: least loss of a value, relative to its expected requests, default 0.25, and the gain that undoes it;
        min_requests: expected requests below which no value is judged, default 8.
    Needs:
        ``candidates``; roles or slices that part the traffic.
    Blind spots:
        All values lost alike (see ``input.row_volume``); shifts that a recorded roll-out or opening of the last two weeks
        explains are information only: a roll-out explains no loss that turns up nowhere else; values that are new; arms of
        experiments (see ``system.experiment_balance``).
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
        rest, rest_now = reference[:, :1] - reference + 0.5, current[0] - current + 0.5
        scaled = reference * (rest_now / rest)
        volumes = volume_gate(
            scaled, current, min_change=self.params.min_change, scale_noise=(1.0 / rest.mean(axis=0), 1.0 / rest_now)
        )
        is_found = (volumes.effect >= 1) & (volumes.p_value <= MAX_P) & (volumes.expected >= self.params.min_requests)
        is_found &= _is_beyond_days(scaled, current, volumes.expected)
        is_found[0] = False
        found = [index for index in np.flatnonzero(is_found).tolist() if not _is_left_out(contrast.slices[index])]
        for index in found:
            yield self._finding(context, contrast, volumes, index, reference)

    def _finding(
        self, context: Context, contrast: CellContrast, volumes: Volumes, index: int, reference: npt.NDArray[np.float64]
    ) -> Finding:
        current = contrast.current[:, :, 0].sum(axis=0)
        slice_ = contrast.slices[index]
        total, n = int(current[0]), int(current[index])
        days = reference[:, index] / reference[:, 0]
        expected = float(volumes.expected[index] / (volumes.expected[index] + total - n))
        planned = _plans(context, contrast, index, reference)
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


def _is_left_out(slice_: Slice) -> bool:
    """Rows without a value, or with a rare one, are no slice that could stop; arms are compared by members elsewhere."""
    return slice_.value in ("(null)", "(other)") or slice_.dimension == "experiment_arm"


def _plans(
    context: Context, contrast: CellContrast, index: int, reference: npt.NDArray[np.float64]
) -> tuple[Change, ...]:
    """Recorded changes that explain the move; roll-outs explain a fall only if its requests turn up in another value."""
    slice_ = contrast.slices[index]
    planned = planned_changes(context, slice_.dimension, slice_)
    same = [number for number, one in enumerate(contrast.slices) if one.dimension == slice_.dimension]
    current = contrast.current[:, :, 0].sum(axis=0)[same].astype(np.float64)
    usual, place = reference[:, same].sum(axis=0) / reference[:, 0].sum(), same.index(index)
    if current[place] >= usual[place] * current.sum() or not usual.sum():
        return planned
    values = [contrast.slices[number].value for number in same]
    moving = KINDS.get(slice_.dimension, ())

    def is_explained(change: Change) -> bool:
        named = [number for number, value in enumerate(values) if number != place and names(change.scope, (value,))]
        return change.kind not in moving or taken_over(usual, current, place, named) >= TAKEN_OVER

    return tuple(change for change in planned if is_explained(change))


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
