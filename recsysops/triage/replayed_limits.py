"""Limits set by a workspace's own history: families of series that have often been loud have to be louder.

P-values say how surprising a day is if nothing but noise is at work. In a living service much else is: sales, seasons,
launches nobody wrote down. How often each family of series went beyond a low limit on past days, and how far, says
what limit it needs for the alarm budget to hold. What people marked as a real fault, or as a change on purpose, is left
out; what is still going on is left out as well, or a fault would hush itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from math import log10

from recsysops.config.settings import BudgetSettings
from recsysops.statistics.exceedances import exceedance_limit
from recsysops.triage.findings import Finding

START_SCORE = 4.0
"""−log10(p) from which on history is looked at."""
MEMORY_DAYS = 60
"""Judged days looked back at."""
QUIET_DAYS = 3
"""Judged days of silence that end an episode."""

Family = tuple[str, str, bool]
"""Detector, table, and whether the series is over all rows."""


@dataclass(frozen=True)
class PastFinding:
    """A finding, kept or nearly, on a day of the past; ``entity`` is what it was about."""

    day: date
    family: Family
    entity: str
    p_value: float
    is_real: bool = False
    """A person said that it was a fault."""


@dataclass(frozen=True)
class ReplayedLimits:
    """By family, the least −log10(p) that is worth an alarm; families without an entry need no more than the budget's."""

    scores: Mapping[Family, float] = field(default_factory=dict)

    def score(self, family: Family) -> float:
        """0 where history asks for nothing."""
        return self.scores.get(family, 0.0)


NO_HISTORY = ReplayedLimits()


def replayed_limits(
    past: Iterable[PastFinding], judged_days: Sequence[date], budget: BudgetSettings, n_families: int
) -> ReplayedLimits:
    """What the past asks of each family.

    Args:
        past: findings of the judged days that p-values were given for.
        judged_days: the days looked back at, in order.
        budget: of the workspace; each family may use an equal share of the digest.
        n_families: how many families look today.
    """
    if not judged_days:
        return NO_HISTORY
    number = {day: index for index, day in enumerate(judged_days)}
    by_entity: dict[tuple[Family, str], dict[int, float]] = {}
    for one in past:
        score = min(-log10(max(one.p_value, 1e-300)), 300.0)
        if one.day in number and not one.is_real and score > START_SCORE:
            days = by_entity.setdefault((one.family, one.entity), {})
            days[number[one.day]] = max(score, days.get(number[one.day], 0.0))
    excesses: dict[Family, list[float]] = {}
    for (family, _), days in by_entity.items():
        excesses.setdefault(family, []).extend(_ended_episodes(days, len(judged_days)))
    allowed = budget.digest_per_week / 7 / max(n_families, 1)
    return ReplayedLimits(
        {
            family: exceedance_limit(values, len(judged_days), START_SCORE, allowed)
            for family, values in excesses.items()
            if values
        }
    )


def family_of(finding: Finding, *, is_whole: bool) -> Family:
    """The family that a finding belongs to."""
    return (finding.detector, finding.table, is_whole)


def _ended_episodes(days: Mapping[int, float], n_days: int) -> list[float]:
    """The greatest excess of each run of days that has ended; days apart by no more than ``QUIET_DAYS`` are one run."""
    runs: list[list[int]] = []
    for day in sorted(days):
        if runs and day - runs[-1][-1] <= QUIET_DAYS:
            runs[-1].append(day)
        else:
            runs.append([day])
    return [max(days[day] for day in run) - START_SCORE for run in runs if n_days - run[-1] > QUIET_DAYS]
