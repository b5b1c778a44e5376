"""The alarm budget: which findings are worth a person's time, and which could be chance.

Why these limits. A day compares ``n_series`` series. If nothing is wrong, each has probability p of a p-value at or
below p, so the expected number of false findings in a day is at most ``n_series`` times the limit, whatever the
dependence between series (linearity of expectation). A limit of (budget per day) / ``n_series`` therefore holds the
budget on average; grouping can only lower the number of alarms further. Unlike an online false-discovery procedure it
does not go deaf after quiet months. Half of the budget goes to the series over all rows and half to those over slices and
single items, of which there are many more: watching another dimension must not make us deaf to what happens to everybody.

History. In a living service healthy days differ by more than any p-value knows, so the limits of a family of series that
has been loud before are tightened until the budget would have held (`recsysops.triage.replayed_limits`).

Persistence. A fault just below the limit would need luck every day. A finding within ten times the limit on two
judged days running is kept: by chance that happens at most 10 × budget per day × 10 × budget per day / ``n_series``
times a day, well within the budget as soon as some hundred series are watched. Its near miss is not reported.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from recsysops.config.settings import BudgetSettings
from recsysops.profiles.slices import EVERYTHING
from recsysops.triage.audit import Audit
from recsysops.triage.findings import Finding
from recsysops.triage.replayed_limits import NO_HISTORY, ReplayedLimits, family_of

NEAR = 10.0
"""Times the limit that still counts as a near miss."""
NEAR_AT_MOST = 0.01
"""With a handful of series ten times the limit would be no evidence at all."""


@dataclass(frozen=True)
class Limits:
    """The greatest p-values that alert: of a digest entry, of a page, and of a near miss."""

    digest: float
    page: float
    near: float

    def at_score(self, score: float) -> Limits:
        """The same limits, tightened until an alarm needs −log10(p) of at least ``score``.

        Example:
            >>> tighter = Limits(1e-4, 1e-5, 1e-3).at_score(6.0)
            >>> tighter.digest, round(tighter.page, 9), round(tighter.near, 7)
            (1e-06, 1e-07, 1e-05)
        """
        tighter = max(10.0**-score, 0.0)
        if tighter >= self.digest:
            return self
        return Limits(tighter, self.page * (tighter / self.digest), NEAR * tighter)


@dataclass(frozen=True)
class DayLimits:
    """The limits of a day: for series over all rows of a table or column, and for those over slices and single items."""

    whole: Limits
    parts: Limits
    replayed: ReplayedLimits = NO_HISTORY

    def of(self, finding: Finding) -> Limits:
        """Those that a finding has to meet: the budget's, and what its family's history asks for on top."""
        limits = self.nominal(finding)
        score = self.replayed.score(family_of(finding, is_whole=self.is_whole(finding)))
        return limits.at_score(score)

    def nominal(self, finding: Finding) -> Limits:
        """Those that follow from the budget and the number of series alone."""
        return self.whole if self.is_whole(finding) else self.parts

    @staticmethod
    def is_whole(finding: Finding) -> bool:
        """Whether a finding is over all rows of a table or column."""
        return finding.slice == EVERYTHING and finding.subject.kind in ("table", "column")


@dataclass(frozen=True)
class Weighed:
    """Findings of one day on both sides of the limits."""

    kept: tuple[Finding, ...]
    below: tuple[Finding, ...]
    limits: DayLimits

    @property
    def near(self) -> tuple[Finding, ...]:
        """Those below the limit that come close enough to count tomorrow, and for the limits of later days."""
        return tuple(finding for finding in self.below if _p(finding) <= self.limits.nominal(finding).near)


def day_limits(budget: BudgetSettings, n_series: int, n_whole: int) -> DayLimits:
    """The limits of a day in which ``n_series`` series were compared, ``n_whole`` of them over all rows.

    Example:
        >>> limits = day_limits(BudgetSettings(page_per_30_days=3, digest_per_week=7), 10_100, 100)
        >>> limits.whole.digest, limits.parts.digest
        (0.005, 5e-05)
    """
    n_parts = n_series - n_whole
    if not n_parts or not n_whole:
        alike = limits_for(budget, n_series)
        return DayLimits(alike, alike)
    return DayLimits(limits_for(budget, n_whole, 0.5), limits_for(budget, n_parts, 0.5))


def limits_for(budget: BudgetSettings, n_series: int, share: float = 1.0) -> Limits:
    """The limits of ``n_series`` series that may use a share of the budget.

    Example:
        >>> limits = limits_for(BudgetSettings(page_per_30_days=3, digest_per_week=7), 1_000)
        >>> limits.digest, limits.page, limits.near
        (0.001, 0.0001, 0.01)
    """
    chances = max(n_series, 1) / share
    digest = min(budget.digest_per_week / 7 / chances, 1.0)
    page = min(budget.page_per_30_days / 30 / chances, 1.0)
    return Limits(digest, page, max(min(NEAR * digest, NEAR_AT_MOST), digest))


def weigh(
    audit: Audit, budget: BudgetSettings, seen_before: Collection[str] = (), replayed: ReplayedLimits = NO_HISTORY
) -> Weighed:
    """Split an audit's findings at the budget's limits.

    Args:
        audit: what the detectors said.
        budget: how many false alarms people accept.
        seen_before: ids of the findings, kept or near, of the judged day before.
        replayed: what the workspace's own history asks for.

    Returns:
        kept findings (those without a p-value are rules that tolerate nothing and always stay) and the others. A
        critical finding that misses the page limit stays as a warning.
    """
    day = replace(day_limits(budget, audit.n_series, audit.n_whole), replayed=replayed)
    kept, below = [], []
    for finding in audit.findings:
        limits = day.of(finding)
        if _p(finding) <= limits.digest or (_p(finding) <= limits.near and finding.id in seen_before):
            kept.append(_demoted(finding, limits))
        else:
            below.append(finding)
    return Weighed(tuple(kept), tuple(below), day)


def worst(findings: Sequence[Finding]) -> Finding:
    """The finding farthest below its limit's p-value, then of largest effect; for "the nearest miss was …"."""
    return min(findings, key=lambda finding: (_p(finding), -finding.effect, finding.id))


def _p(finding: Finding) -> float:
    """A hard rule has no chance of being chance; NaN is no evidence."""
    if finding.p_value is None:
        return 0.0
    return finding.p_value if finding.p_value == finding.p_value else 1.0


def _demoted(finding: Finding, limits: Limits) -> Finding:
    if finding.severity == "critical" and _p(finding) > limits.page:
        return replace(finding, severity="warning")
    return finding
