"""What ``recsysops check`` found, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

Severity = Literal["error", "warning", "note"]
_ORDER: tuple[Severity, ...] = ("error", "warning", "note")


@dataclass(frozen=True)
class Problem:
    """Something that breaks (error), distorts (warning) or limits (note) what recsysops can say."""

    severity: Severity
    where: str
    found: str
    expected: str = ""
    next_step: str = ""

    def __str__(self) -> str:
        wanted = f", expected {self.expected}" if self.expected else ""
        return f"{self.where}: found {self.found}{wanted}" + (f"; {self.next_step}" if self.next_step else "")


@dataclass(frozen=True)
class Capability:
    """Something recsysops can do, whether it can here, and what would switch it on.

    ``is_planned``: no command of this version does it yet; ``is_on`` then says whether the data would suffice.
    """

    name: str
    is_on: bool
    needs: str
    switch_on: str = ""
    is_planned: bool = False


@dataclass(frozen=True)
class TableReport:
    """One table: its files, how far it was looked into, its roles."""

    table: str
    path: str
    n_partitions: int = 0
    n_bytes: int = 0
    first_partition: str = ""
    last_partition: str = ""
    n_columns: int = 0
    n_rows_checked: int = 0
    first_ts: datetime | None = None
    last_ts: datetime | None = None
    roles: Mapping[str, str] | None = None
    missing_roles: Mapping[str, str] | None = None
    """role: what it would unlock."""


@dataclass(frozen=True)
class CheckReport:
    """The outcome of ``recsysops check``."""

    workspace: str
    tables: tuple[TableReport, ...]
    problems: tuple[Problem, ...]
    capabilities: tuple[Capability, ...]
    as_of_since: datetime | None = None
    """From when as-of copies of upstream tables exist; None when none were kept."""

    @property
    def is_usable(self) -> bool:
        """Whether nothing found would make a run fail."""
        return not any(problem.severity == "error" for problem in self.problems)

    def of(self, severity: Severity) -> tuple[Problem, ...]:
        """The problems of one severity."""
        return tuple(problem for problem in self.problems if problem.severity == severity)

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON has it; times in ISO 8601."""
        counts = {severity: len(self.of(severity)) for severity in _ORDER}
        data = asdict(self) | {"is_usable": self.is_usable, "n_problems": counts}
        return {key: _json(value) for key, value in data.items()}


def sort_problems(problems: list[Problem]) -> tuple[Problem, ...]:
    """Errors first, then warnings, then notes; otherwise in the order they were found."""
    return tuple(sorted(problems, key=lambda problem: _ORDER.index(problem.severity)))


def _json(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: _json(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_json(inner) for inner in value]
    return value
