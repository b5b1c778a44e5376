"""The answer of ``compare`` as one frozen value."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from recsysops.incidents.comparing import CohortSize, Comparison
from recsysops.triage.exposure_contrast import ExposureContrast
from recsysops.triage.findings import SEVERITIES, Finding, Looked, Severity, Skipped
from recsysops.triage.grouping import Group
from recsysops.triage.outcome_contrast import OutcomeContrast

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class CompareReport:
    """What the judges, the exposure and the outcomes say of one cohort against another."""

    reference: CohortSize
    current: CohortSize
    groups: tuple[Group, ...]
    below: tuple[Finding, ...]
    skipped: tuple[Skipped, ...]
    looked: tuple[Looked, ...]
    exposure: ExposureContrast
    outcomes: tuple[OutcomeContrast, ...]
    outcomes_missing: str
    """Why there are no outcomes to compare ("" when there are)."""
    n_detectors: int
    fail_on: Severity
    seconds: float = field(default=0.0, compare=False)

    @property
    def exit_code(self) -> int:
        """1: findings at or above ``fail_on``; 6: something could not be looked at; else 0."""
        at_least = SEVERITIES.index(self.fail_on)
        if any(SEVERITIES.index(group.severity) >= at_least for group in self.groups):
            return 1
        return 6 if any(skipped.kind == "failed" for skipped in self.skipped) else 0

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "schema_version": 1,
            "reference": vars(self.reference),
            "current": vars(self.current),
            "exposure": self.exposure.to_dict(),
            "outcomes": [contrast.to_dict() for contrast in self.outcomes],
            "outcomes_missing": self.outcomes_missing or None,
            "groups": [
                {
                    "severity": group.severity,
                    "headline": group.headline.headline,
                    "where": str(group.where),
                    "findings": [finding.id for finding in group.findings],
                }
                for group in self.groups
            ],
            "findings": [finding.to_dict() for finding in self._findings()],
            "skipped": [skipped.to_dict() for skipped in self.skipped],
            "looked": [{"detector": one.detector, "n_series": one.n_series, "what": one.what} for one in self.looked],
            "below_limit": {"n": len(self.below), "findings": [finding.id for finding in self.below]},
            "fail_on": self.fail_on,
            "exit_code": self.exit_code,
        }

    def to_pandas(self) -> pd.DataFrame:
        """One row per finding."""
        import pandas as pd

        dropped = {"series", "subject", "slice"}
        rows = [{key: value for key, value in one.to_dict().items() if key not in dropped} for one in self._findings()]
        return pd.DataFrame(rows)

    def _findings(self) -> Iterable[Finding]:
        return (finding for group in self.groups for finding in group.findings)

    def _repr_html_(self) -> str:
        from recsysops.reporting.compare_view import compare_lines
        from recsysops.reporting.page import as_html

        return as_html(compare_lines(self, width=100))


def compare_report(
    comparison: Comparison, *, could_not: Sequence[Skipped], n_detectors: int, fail_on: Severity, seconds: float
) -> CompareReport:
    """The report of a comparison."""
    return CompareReport(
        reference=comparison.reference,
        current=comparison.current,
        groups=comparison.groups,
        below=comparison.weighed.below,
        skipped=(*could_not, *comparison.audit.skipped),
        looked=comparison.audit.looked,
        exposure=comparison.exposure,
        outcomes=comparison.outcomes,
        outcomes_missing=comparison.outcomes_missing,
        n_detectors=n_detectors,
        fail_on=fail_on,
        seconds=seconds,
    )
