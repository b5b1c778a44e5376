"""What a detector says: a finding, how much it looked at, or why it could not look."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Literal

from recsysops.profiles.slices import EVERYTHING, Slice
from recsysops.triage.arithmetic import Term

Severity = Literal["critical", "warning", "info"]
Stage = Literal[
    "upstream", "feature", "schema", "logging", "label", "training", "artifact",
    "retrieval", "ranking", "policy", "experiment", "client", "launch", "world",
]  # fmt: skip
SkipKind = Literal["not_applicable", "too_little_data", "failed"]
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "critical")


@dataclass(frozen=True)
class Subject:
    """What a finding is about: ``Subject("column", "score")``, ``Subject("item", "123")``, ``Subject("table", "items")``."""

    kind: str
    id: str


@dataclass(frozen=True)
class Finding:
    """Something a detector holds to be wrong, with the numbers that prove it.

    ``value`` is the statistic in the current window with its uncertainty [``low``, ``high``] where there is one,
    ``reference_value`` the same in the reference window, ``threshold`` the least effect worth reporting. ``p_value`` is
    the chance of seeing this if nothing had changed; hard rules that tolerate nothing have none.
    """

    code: str
    detector: str
    table: str
    subject: Subject
    statistic: str
    """Names its kind and direction in words, e.g. ``null_rate`` or ``w1_over_iqr``."""
    value: float
    reference_value: float | None
    threshold: float
    severity: Severity
    stage: Stage
    headline: str
    """One sentence without the slice and the date: ``lang_match is NULL in 11.4 % of rows, before 0.2 %``."""
    day: date
    column: str = ""
    slice: Slice = EVERYTHING
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    effect: float = 1.0
    """How many times its floor the effect is; ranks findings of one cause."""
    n_reference: int = 0
    n_current: int = 0
    onset: date | None = None
    series: tuple[float, ...] = ()
    """The statistic of each reference unit and then of the current one, for the sparkline."""
    query: str = ""
    """SQL that shows the fact again, in DuckDB, on the table's own files."""
    follows: str = ""
    """The recorded plan that explains it, in words; such findings are information."""
    arithmetic: tuple[Term, ...] = field(default=(), compare=False)
    """How ``value``, ``effect`` and ``p_value`` came about; recomputed when asked for, never stored."""

    @property
    def id(self) -> str:
        """The same finding tomorrow has the same id: what it is about, not when or how large."""
        parts = "\x1f".join(
            (self.detector, self.table, self.subject.kind, self.subject.id, self.column, *self.slice, self.statistic)
        )
        return "f-" + hashlib.sha256(parts.encode()).hexdigest()[:12]

    def with_onset(self, onset: date) -> Finding:
        """The same finding, known to have begun on ``onset``."""
        return replace(self, onset=onset)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, with the keys of the command line's contract."""
        return {
            "id": self.id,
            "detector": self.detector,
            "code": self.code,
            "table": self.table,
            "subject": {"kind": self.subject.kind, "id": self.subject.id},
            "column": self.column or None,
            "slice": self.slice.to_dict(),
            "statistic": self.statistic,
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "reference_value": self.reference_value,
            "threshold": self.threshold,
            "p_value": self.p_value,
            "effect": self.effect,
            "n_reference": self.n_reference,
            "n_current": self.n_current,
            "severity": self.severity,
            "stage": self.stage,
            "headline": self.headline,
            "day": self.day.isoformat(),
            "onset": (self.onset or self.day).isoformat(),
            "series": list(self.series),
            "query": self.query or None,
            "follows": self.follows or None,
        }


@dataclass(frozen=True)
class Skipped:
    """A detector, or a part of it, that could not look; never to be mistaken for clean."""

    detector: str
    kind: SkipKind
    reason: str
    table: str = ""
    column: str = ""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "detector": self.detector,
            "kind": self.kind,
            "reason": self.reason,
            "table": self.table,
            "column": self.column,
        }


@dataclass(frozen=True)
class Looked:
    """How many series a detector compared: the number of chances it had to be wrong.

    ``n_whole`` of them are over all rows of a table or column, the others over a slice or an item each.
    """

    detector: str
    n_series: int
    what: str
    """For people: ``missing values of 50 columns in 31 slices``."""
    n_whole: int = 0
