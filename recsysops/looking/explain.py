"""``--explain``: the arithmetic of a finding, recomputed from the stored history so that it reproduces what was kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from recsysops.config.settings import BudgetSettings, WorkspaceSettings
from recsysops.errors import ConfigError, NotEnoughDataError
from recsysops.incidents.calendar import end_of, reference_days
from recsysops.incidents.judging import DayJudgement, Judge, judge_day
from recsysops.incidents.state import State
from recsysops.tables.nearest import did_you_mean
from recsysops.triage.findings import Finding
from recsysops.triage.limits import Limits

EXACT = ("value", "reference_value", "p_value", "effect")
"""What must come out again as it was kept."""


@dataclass(frozen=True)
class Budgeting:
    """From the alarm budget to the limit that the finding had to meet."""

    is_whole: bool
    """Judged with the series over all rows, or with those over slices and single items."""
    n_series: int
    """Series of its kind on that day."""
    share: float
    """Of the budget: half for either kind of series, and half again while the other tier judges as well."""
    digest_per_week: float
    page_per_30_days: float
    nominal: Limits
    """What follows from budget and series alone."""
    limits: Limits
    """What the history of the finding's family asks for on top; the same where it was never loud."""
    was_near_before: bool
    """Whether the judged day before had it too, kept or near: then the near limit is enough."""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "is_whole": self.is_whole,
            "n_series": self.n_series,
            "share": self.share,
            "digest_per_week": self.digest_per_week,
            "page_per_30_days": self.page_per_30_days,
            "nominal_limit": self.nominal.digest,
            "digest_limit": self.limits.digest,
            "page_limit": self.limits.page,
            "near_limit": self.limits.near,
            "was_near_before": self.was_near_before,
        }


@dataclass(frozen=True)
class Explanation:
    """A finding as recomputed, what was kept of it, and the way from counts to verdict."""

    kept: Finding
    finding: Finding
    """Recomputed; with its arithmetic."""
    reference: tuple[date, ...]
    budgeting: Budgeting
    is_reported: bool
    """Whether it meets the limit of its day."""

    @property
    def differs(self) -> tuple[tuple[str, float | None, float | None], ...]:
        """(name, kept, recomputed) where they are not the same number; empty when it reproduces exactly."""
        pairs = ((name, getattr(self.kept, name), getattr(self.finding, name)) for name in EXACT)
        return tuple((name, old, new) for name, old, new in pairs if not _same(old, new))

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "schema_version": 1,
            "finding": self.finding.to_dict(),
            "arithmetic": [term.to_dict() for term in self.finding.arithmetic],
            "reference": [day.isoformat() for day in self.reference],
            "budget": self.budgeting.to_dict(),
            "is_reported": self.is_reported,
            "reproduces": not self.differs,
            "differs": [{"name": name, "kept": old, "recomputed": new} for name, old, new in self.differs],
        }

    def _repr_html_(self) -> str:
        from recsysops.reporting.explain_view import explain_lines
        from recsysops.reporting.page import as_html

        return as_html(explain_lines(self, width=100))


def kept_finding(state: State, finding_id: str, known: Iterable[str]) -> Finding:
    """The latest words on a finding.

    Args:
        state: of the workspace.
        finding_id: ``f-`` and twelve digits.
        known: ids to suggest from.

    Raises:
        ConfigError: if the state has no such finding.
    """
    found = state.findings([finding_id]).get(finding_id)
    if found is None:
        advice = did_you_mean(finding_id, known, "`recsysops detect --json` lists them")
        raise ConfigError("finding", found=f"no {finding_id!r}", expected="the id of a kept finding", next_step=advice)
    return found


def explain(kept: Finding, judge: Judge, settings: WorkspaceSettings, state: State) -> Explanation:
    """Judge the finding's day again, against the same days, and keep nothing.

    Args:
        kept: the finding as the state has it; its day is the last on which it was seen.
        judge: engine that has counted, and every detector of the workspace.
        settings: of the workspace.
        state: of the workspace; read only.

    Raises:
        NotEnoughDataError: if the finding does not come out again: rows, settings or detectors have changed since.
    """
    n_rows = judge.n_rows.get("candidates") or next(iter(judge.n_rows.values()), {})
    unfit = state.days_of_incidents(kept.day)
    reference = reference_days(kept.day, n_rows, n_days=settings.detect.reference_days, unfit=unfit)
    judgement = judge_day(judge, state, kept.day, reference, end_of(kept.day))
    found = next((one for one in judgement.audit.findings if one.id == kept.id), None)
    if found is None:
        raise NotEnoughDataError(
            f"finding {kept.id} of {kept.day}",
            found="no such finding when the day is judged again",
            expected="the rows, settings and detectors it was judged with",
            next_step=f"`recsysops detect --date {kept.day}` judges the day anew",
        )
    budgeting = budgeting_of(found, judgement, settings.budget, _before(state, kept))
    return Explanation(kept, found, judgement.reference, budgeting, _is_reported(found, judgement))


def budgeting_of(finding: Finding, judgement: DayJudgement, budget: BudgetSettings, was_near_before: bool) -> Budgeting:
    """How the limit of a finding came about on a judged day."""
    audit, limits = judgement.audit, judgement.weighed.limits
    n_parts, is_whole = audit.n_series - audit.n_whole, limits.is_whole(finding)
    is_split = bool(n_parts and audit.n_whole)
    n_own = (audit.n_whole if is_whole else n_parts) if is_split else audit.n_series
    return Budgeting(
        is_whole,
        n_own,
        judgement.share * (0.5 if is_split else 1.0),
        budget.digest_per_week,
        budget.page_per_30_days,
        limits.nominal(finding),
        limits.of(finding),
        was_near_before,
    )


def _before(state: State, kept: Finding) -> bool:
    days = [day for day in state.judged_days() if day < kept.day]
    return bool(days) and kept.id in state.found_on(days[-1])


def _is_reported(finding: Finding, judgement: DayJudgement) -> bool:
    return any(one.id == finding.id for one in judgement.weighed.kept)


def _same(old: float | None, new: float | None) -> bool:
    """Equal, or both nothing; what was kept as nan is nothing."""
    nothing = [one is None or one != one for one in (old, new)]
    return all(nothing) if any(nothing) else old == new
