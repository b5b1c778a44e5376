"""The answer of ``detect`` as one frozen value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from recsysops.incidents.detecting import Detection
from recsysops.incidents.incident import Incident
from recsysops.profiles.slices import EVERYTHING
from recsysops.triage.budget import BudgetReport
from recsysops.triage.findings import SEVERITIES, Finding, Looked, Severity, Skipped

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class DetectReport:
    """What a run of ``detect`` judged and found.

    ``incidents`` were there on a day judged in this run, or are open when nothing was due; ``findings`` are the latest
    words on each finding of theirs.
    """

    workspace: str
    days: tuple[date, ...]
    """Days judged in this run, oldest first."""
    last_judged: date | None
    incidents: tuple[Incident, ...]
    findings: Mapping[str, Finding]
    skipped: tuple[Skipped, ...]
    looked: tuple[Looked, ...]
    """Of the last day judged."""
    below: tuple[Finding, ...]
    """Findings of the last day that chance explains within the alarm budget."""
    budget: BudgetReport
    reference: tuple[date, ...]
    """Of the last day judged."""
    n_rows: Mapping[str, int]
    """Rows by table on the last day judged."""
    n_detectors: int
    fail_on: Severity
    changed_days: tuple[date, ...] = ()
    """Judged days that have got or lost rows since."""
    n_rows_read: int = 0
    seconds: float = field(default=0.0, compare=False)
    tier: str = "daily"
    hours: tuple[datetime, ...] = ()
    """Hours judged in this run, oldest first, in the fast tier; ``days`` are then the days they lie in."""
    is_kept: bool = True
    """Whether the state remembers this run; not when some detectors were left out by hand."""

    @property
    def exit_code(self) -> int:
        """1: an incident of a judged day at or above ``fail_on``; 6: something could not be looked at; else 0."""
        at_least = SEVERITIES.index(self.fail_on)
        if self.days and any(SEVERITIES.index(incident.severity) >= at_least for incident in self.incidents):
            return 1
        return 6 if any(skipped.kind == "failed" for skipped in self.skipped) else 0

    def findings_of(self, incident: Incident) -> tuple[Finding, ...]:
        """The incident's findings, headline first."""
        return tuple(self.findings[name] for name in incident.finding_ids if name in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, with the keys of the command line's contract."""
        units = [hour.isoformat() for hour in self.hours] or [day.isoformat() for day in self.days]
        start, end = (units[0], units[-1]) if units else (None, None)
        window = {"start": start, "end": end, "days": [day.isoformat() for day in self.days]}
        return {
            "schema_version": 1,
            "workspace": self.workspace,
            "tier": self.tier,
            "window": {**window, "hours": units} if self.tier == "fast" else window,
            "last_judged": self.last_judged.isoformat() if self.last_judged else None,
            "incidents": [incident.to_dict() for incident in self.incidents],
            "findings": [finding.to_dict() for finding in self.findings.values()],
            "skipped": [skipped.to_dict() for skipped in self.skipped],
            "looked": [{"detector": one.detector, "n_series": one.n_series, "what": one.what} for one in self.looked],
            "below_limit": {"n": len(self.below), "findings": [finding.id for finding in self.below]},
            "budget": self.budget.to_dict(),
            "reference": [day.isoformat() for day in self.reference],
            "rows": dict(self.n_rows),
            "changed_days": [day.isoformat() for day in self.changed_days],
            "kept": self.is_kept,
            "fail_on": self.fail_on,
            "exit_code": self.exit_code,
        }

    def to_pandas(self) -> pd.DataFrame:
        """One row per finding, with the number of its incident."""
        import pandas as pd

        rows = [
            {
                "incident": incident.id,
                **{key: value for key, value in finding.to_dict().items() if key not in {"series", "subject", "slice"}},
                "subject": f"{finding.subject.kind} {finding.subject.id}",
                "slice": "" if finding.slice == EVERYTHING else str(finding.slice),
            }
            for incident in self.incidents
            for finding in self.findings_of(incident)
        ]
        return pd.DataFrame(rows)

    def _repr_html_(self) -> str:
        from recsysops.reporting.detect_view import detect_lines
        from recsysops.reporting.page import as_html

        return as_html(detect_lines(self, width=100))


def detect_report(
    detection: Detection,
    *,
    workspace: str,
    could_not: Sequence[Skipped],
    n_detectors: int,
    fail_on: Severity,
    n_rows_read: int,
    seconds: float,
    is_kept: bool = True,
    tier: str = "daily",
) -> DetectReport:
    """The report of a run: of several days the last one says what was looked at, and failures of any day count."""
    judgements = detection.judgements
    last = judgements[-1] if judgements else None
    failed = (one for judgement in judgements[:-1] for one in judgement.audit.skipped if one.kind == "failed")
    skipped = dict.fromkeys([*could_not, *failed, *(last.audit.skipped if last else ())])
    return DetectReport(
        workspace=workspace,
        days=tuple(dict.fromkeys(judgement.judged.day for judgement in judgements)),
        last_judged=detection.last_judged,
        incidents=detection.incidents,
        findings=detection.findings,
        skipped=tuple(skipped),
        looked=last.audit.looked if last else (),
        below=last.weighed.below if last else (),
        budget=detection.budget,
        reference=last.reference if last else (),
        n_rows=last.n_rows if last else {},
        n_detectors=n_detectors,
        fail_on=fail_on,
        changed_days=detection.changed_days,
        n_rows_read=n_rows_read,
        seconds=seconds,
        is_kept=is_kept,
        tier=tier,
        hours=tuple(one.judged.start for one in judgements if one.judged.hour is not None),
    )
