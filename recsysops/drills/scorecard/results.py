"""What a drill measured: one value per trial, one curve per fault, one card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from recsysops.drills.fault import FaultMeta, Truth
from recsysops.statistics.estimate import Estimate


@dataclass(frozen=True)
class Found:
    """Whether one way of watching saw the fault in time, and how soon."""

    is_found: bool
    delay_runs: int | None = None
    """Daily runs from the onset's own (1 = the first run that could see it); None when not found."""
    n_alarms: int = 0
    """Alarms raised in the window until then: incidents, or columns of a baseline."""
    n_right: int = 0
    """Those whose scope overlaps the fault's."""


@dataclass(frozen=True)
class TrialResult:
    """One fault of one size at one place, planted once."""

    fault: str
    multiple: float
    """Severity as a multiple of the fault's unit size (the larger of target and visible)."""
    severity: float
    seed: int
    onset: date
    truth: Truth
    found: Found
    is_top1: bool
    """The first incident names the stage and an entity that count as right."""
    is_top3: bool
    """One of the first three does."""
    scope_overlap: float | None
    """Rows in both the found and the true slice beside rows in either; None when not found."""
    headline: str
    """Of the incident that found it, or ""."""
    baselines: Mapping[str, Found] = field(default_factory=dict)
    seconds: float = 0.0
    cannot: str = ""
    """Why it could not be planted; then nothing else counts."""
    visible: float = 0.0
    """The size that theory can see where it was planted."""


@dataclass(frozen=True)
class CurvePoint:
    """All seeds of one severity."""

    multiple: float
    severity: float
    n: int
    detected: Estimate
    delay_runs: float | None
    """Median over those found."""
    precision: float | None
    """Alarms that overlap the fault beside all alarms, over the trials with any."""
    top1_rate: float
    top3_rate: float
    scope_overlap: float | None
    """Mean over those found."""
    baselines: Mapping[str, float] = field(default_factory=dict)
    """Share found by each baseline."""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "multiple": self.multiple,
            "severity": self.severity,
            "n_trials": self.n,
            "detected_rate": self.detected.value,
            "detected_interval": {"low": self.detected.low, "high": self.detected.high},
            "delay_runs": self.delay_runs,
            "precision": self.precision,
            "top1_rate": self.top1_rate,
            "top3_rate": self.top3_rate,
            "scope_overlap": self.scope_overlap,
            "baselines": dict(self.baselines),
        }


@dataclass(frozen=True)
class FaultCurve:
    """One fault over all its severities."""

    meta: FaultMeta
    visible: float
    """The size that theory can see here, mean over seeds."""
    unit: float
    """The larger of target and visible: multiple 1."""
    points: tuple[CurvePoint, ...]
    cannot: str = ""
    """Why it could not be planted anywhere."""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        meta = self.meta
        return {
            "name": meta.name,
            "stage": meta.stage,
            "cause": meta.cause,
            "entity": meta.entity,
            "knob": meta.knob,
            "target": meta.target,
            "visible": self.visible,
            "unit": self.unit,
            "deadline_days": meta.deadline_days,
            "is_graded": meta.is_graded,
            "is_fault": meta.is_fault,
            "cannot": self.cannot,
            "severities": [point.to_dict() for point in self.points],
        }


@dataclass(frozen=True)
class CleanAlarms:
    """Alarms while nothing was wrong."""

    n_days: int
    n_alarms: int
    per_30_days: Estimate
    n_pages: int
    pages_per_30_days: Estimate
    told: tuple[str, ...] = ()
    """Each alarm: day, headline, and the benign event of that day if there was one."""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "clean_days": self.n_days,
            "n_alarms": self.n_alarms,
            "alarms_per_30_days": self.per_30_days.to_dict(),
            "n_pages": self.n_pages,
            "pages_per_30_days": self.pages_per_30_days.to_dict(),
            "alarms": list(self.told),
        }


@dataclass(frozen=True)
class Card:
    """The scorecard of a drill."""

    what: str
    """``simulated service`` or the name of the workspace."""
    clean: CleanAlarms
    baselines: Mapping[str, CleanAlarms]
    faults: tuple[FaultCurve, ...]
    n_trials: int
    seconds: float
    """Work of the trials and clean runs, added up over processes; what an earlier run had finished is in it."""
    cannot_look: tuple[str, ...] = ()
    is_own_logs: bool = False
    """Whether the logs are somebody's own: alarms on their days as they are may be real."""
    incidents_each: Estimate | None = None
    """Incidents opened by a fault until it was found, mean over the trials that found it; None where none did."""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, with the keys of the command line's contract."""
        return {
            "schema_version": 1,
            "what": self.what,
            "is_own_logs": self.is_own_logs,
            **self.clean.to_dict(),
            "baselines": {name: one.to_dict() for name, one in self.baselines.items()},
            "faults": [curve.to_dict() for curve in self.faults],
            "n_trials": self.n_trials,
            "incidents_per_fault": None if self.incidents_each is None else self.incidents_each.to_dict(),
            "seconds": self.seconds,
            "cannot_look": list(self.cannot_look),
        }
