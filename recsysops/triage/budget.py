"""The alarm budget kept in view: what people accepted, and what they got."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from recsysops.config.settings import BudgetSettings
from recsysops.triage.findings import Severity


@dataclass(frozen=True)
class Realised:
    """Alarms raised, per ``per_days`` days, with a 95 % interval for their rate; true alarms are among them."""

    allowed: float
    per_days: int
    n_alarms: int
    n_days: int
    value: float
    low: float
    high: float

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; NaN where no day was judged."""
        return {
            "allowed": self.allowed,
            "per_days": self.per_days,
            "realised": self.value,
            "low": self.low,
            "high": self.high,
            "n_alarms": self.n_alarms,
            "n_days": self.n_days,
        }


@dataclass(frozen=True)
class BudgetReport:
    """Pages (critical incidents) and digest entries (all from warning upward)."""

    page: Realised
    digest: Realised

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"page": self.page.to_dict(), "digest": self.digest.to_dict()}


def part_of(budget: BudgetSettings, share: float) -> BudgetSettings:
    """A share of a budget, said per month and week as the limits take it.

    Example:
        >>> part_of(BudgetSettings(page_per_30_days=1, digest_per_week=2), 0.5)
        BudgetSettings(page_per_30_days=0.5, digest_per_week=1.0)
    """
    return budget.model_copy(
        update={
            "page_per_30_days": budget.page_per_30_days * share,
            "digest_per_week": budget.digest_per_week * share,
        }
    )


def budget_report(budget: BudgetSettings, severities: Iterable[Severity], n_days: int) -> BudgetReport:
    """Allowed and realised alarms.

    Args:
        budget: of the workspace.
        severities: one per incident opened in the days judged.
        n_days: how many days were judged.
    """
    raised = list(severities)
    n_pages = raised.count("critical")
    return BudgetReport(
        _realised(budget.page_per_30_days, 30, n_pages, n_days),
        _realised(budget.digest_per_week, 7, n_pages + raised.count("warning"), n_days),
    )


def _realised(allowed: float, per_days: int, n_alarms: int, n_days: int) -> Realised:
    if n_days <= 0:
        nan = float("nan")
        return Realised(allowed, per_days, n_alarms, 0, nan, nan, nan)
    from recsysops.statistics.count_tails import garwood_interval

    rate = garwood_interval(n_alarms, n_days / per_days)
    return Realised(allowed, per_days, n_alarms, n_days, float(rate.estimate), float(rate.low), float(rate.high))
