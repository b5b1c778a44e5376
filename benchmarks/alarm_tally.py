"""What was said on days on which nothing was wrong: alarms by severity, findings by detector, with intervals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from recsysops.config.settings import BudgetSettings
from recsysops.incidents.judging import DayJudgement
from recsysops.statistics.count_tails import garwood_interval


@dataclass
class AlarmTally:
    """Counts over judged days."""

    n_days: int = 0
    n_series: int = 0
    n_findings: int = 0
    n_raw: int = 0
    """Findings before the limits of the alarm budget."""
    groups: Counter[str] = field(default_factory=Counter)
    by_statistic: Counter[tuple[str, str]] = field(default_factory=Counter)
    raw_by_statistic: Counter[tuple[str, str]] = field(default_factory=Counter)
    told: list[str] = field(default_factory=list)

    def add(self, judgements: Iterable[DayJudgement], label: str) -> None:
        """Count judged days."""
        for one in judgements:
            self.n_days += 1
            self.n_series += one.audit.n_series
            self.n_findings += len(one.weighed.kept)
            self.n_raw += len(one.audit.findings)
            self.raw_by_statistic.update((found.detector, found.statistic) for found in one.audit.findings)
            for group in one.judged.groups:
                self.groups[group.severity] += 1
                self.by_statistic[group.headline.detector, group.headline.statistic] += 1
                head = group.headline
                self.told.append(
                    f"{label} {one.judged.day} after {len(one.reference)} days, {group.severity}, {head.detector} "
                    f"[{head.slice}] p={head.p_value} effect={head.effect:.2f}: {head.headline}"
                )

    def show(self, budget: BudgetSettings) -> None:
        """Print rates with 95 % Garwood intervals beside what the budget allows."""
        pages = self.groups["critical"]
        digest = pages + self.groups["warning"]
        print(f"  {self.n_days} days judged, {self.n_series / max(self.n_days, 1):,.0f} series a day")
        _rate("pages per 30 days", pages, self.n_days / 30, budget.page_per_30_days)
        _rate("digest entries per 7 days", digest, self.n_days / 7, budget.digest_per_week)
        _rate("alarms of any severity per 30 days", self.groups.total(), self.n_days / 30)
        _rate("findings per 1,000 series", self.n_findings, self.n_series / 1000)
        _rate("findings per 1,000 series, before the limits", self.n_raw, self.n_series / 1000)
        for (detector, statistic), n in self.raw_by_statistic.most_common():
            kept = self.by_statistic[detector, statistic]
            print(f"    {detector} {statistic}: {n} findings before the limits, {kept} headlines of alarms")
        for line in self.told[:20]:
            print(f"    {line}")


def _rate(what: str, n: int, exposure: float, allowed: float | None = None) -> None:
    rate = garwood_interval(n, exposure)
    beside = "" if allowed is None else f"   budget {allowed:g}: {'met' if rate.estimate <= allowed else 'MISSED'}"
    print(f"  {what:46} {float(rate.estimate):7.3f}   95 % [{float(rate.low):.3f}, {float(rate.high):.3f}]{beside}")
