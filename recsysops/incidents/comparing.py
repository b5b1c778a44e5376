"""One comparison of two cohorts: the judges, the exposure, the outcomes. Nothing of it is kept as an incident."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from recsysops.config.settings import WorkspaceSettings
from recsysops.engines.cohort_requests import CohortRequests, OutcomeSums
from recsysops.engines.cohorts import Cohort
from recsysops.engines.in_process import Engine, cohort_history
from recsysops.incidents.calendar import end_of
from recsysops.tables.table import Table
from recsysops.triage.audit import Audit, audit
from recsysops.triage.detector import Detector
from recsysops.triage.exposure_contrast import ExposureContrast, contrast_exposure
from recsysops.triage.grouping import Group, group
from recsysops.triage.limits import Weighed, weigh
from recsysops.triage.outcome_contrast import OutcomeContrast, OutcomeCounts, contrast_outcomes


@dataclass(frozen=True)
class CohortSize:
    """How large a cohort is."""

    label: str
    n_requests: int
    n_impressions: int
    n_days: int


@dataclass(frozen=True)
class Comparison:
    """What was found between a reference and a current cohort."""

    reference: CohortSize
    current: CohortSize
    groups: tuple[Group, ...]
    audit: Audit
    weighed: Weighed
    exposure: ExposureContrast
    outcomes: tuple[OutcomeContrast, ...]
    outcomes_missing: str


def compare(
    cohorts: Sequence[Cohort],
    engines: Sequence[Engine],
    detectors: Sequence[Detector],
    settings: WorkspaceSettings,
    tables: Mapping[str, Table],
) -> Comparison:
    """Judge the second cohort against the first.

    Args:
        cohorts: reference and current.
        engines: of the same two, having counted.
        detectors: that judge.
        settings: of the workspace.
        tables: all tables of the workspace, unfiltered.
    """
    days = [sorted(engine.event_days("candidates")) for engine in engines]
    history = cohort_history(engines[0], engines[1], now=end_of(_last(days)))
    told_apart_by = cohorts[0].columns | cohorts[1].columns
    heard = _without_trivial(audit(history, detectors), told_apart_by)
    weighed = weigh(heard, settings.budget)
    rows = {name: sum(engines[1].event_days(name).values()) for name in cohorts[1].tables}
    outcomes, missing = _outcomes(cohorts[0].requests, cohorts[1].requests, tables.get("outcomes"))
    sizes = [_size(cohort, days_) for cohort, days_ in zip(cohorts, days, strict=True)]
    return Comparison(
        sizes[0],
        sizes[1],
        group(weighed.kept, rows),
        heard,
        weighed,
        contrast_exposure(cohorts[0].requests.items(), cohorts[1].requests.items()),
        outcomes,
        missing,
    )


def _last(days: Sequence[Sequence[date]]) -> date:
    return max((day for own in days for day in own), default=date(1970, 1, 1))


def _without_trivial(heard: Audit, columns: frozenset[str]) -> Audit:
    """Cohorts differ in the column that tells them apart, by definition."""
    kept = (one for one in heard.findings if one.column not in columns and one.slice.dimension not in columns)
    return replace(heard, findings=tuple(kept))


def _size(cohort: Cohort, days: Sequence[date]) -> CohortSize:
    return CohortSize(cohort.label, cohort.requests.n_requests, cohort.requests.n_impressions, len(days))


def _outcomes(
    reference: CohortRequests, current: CohortRequests, table: Table | None
) -> tuple[tuple[OutcomeContrast, ...], str]:
    if table is None:
        return (), "the workspace has no table outcomes"
    if table.schema.role("request_id") is None:
        return (), "outcomes have no role request_id to join them to requests by"
    both = [(requests, requests.outcomes(table)) for requests in (reference, current)]
    kinds = sorted({kind for _, sums in both for kind in sums})
    contrasts = []
    for kind in kinds:
        one, other = (_counts(requests, sums.get(kind, OutcomeSums(0, 0.0, 0.0))) for requests, sums in both)
        contrasts.append(contrast_outcomes(kind, one, other))
    return tuple(contrasts), "" if contrasts else "no outcome followed a request of either cohort"


def _counts(requests: CohortRequests, sums: OutcomeSums) -> OutcomeCounts:
    return OutcomeCounts(
        sums.n, requests.n_impressions, requests.n_requests, sums.squares, sums.products, requests.impression_squares
    )
