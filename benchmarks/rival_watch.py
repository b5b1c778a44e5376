"""What another tool said, day by day, counted as the scorecard counts the baselines: alarms on clean days, faults found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from recsysops.drills.fault import Truth
from recsysops.drills.scorecard.clean_alarms import clean_alarms
from recsysops.drills.scorecard.matching import is_touched
from recsysops.drills.scorecard.results import CleanAlarms


@dataclass(frozen=True)
class Said:
    """What a tool said of one day."""

    columns: frozenset[str] = frozenset()
    """Those said to drift, as ``candidates.score``."""
    is_dataset: bool = False
    """Whether the whole is said to drift."""


@dataclass(frozen=True)
class AlarmDays:
    """Clean days on which something was said; one alarm a day, however much it was."""

    of_columns: CleanAlarms
    """Days on which any column was said to drift."""
    of_dataset: CleanAlarms
    """Days on which the dataset was."""
    by_column: Mapping[str, int] = field(default_factory=dict)
    """Days on which each column was, most first."""
    n_without_constant: int = 0
    """Days on which a column was that is not told every day."""

    @classmethod
    def of(cls, said: Collection[Said]) -> AlarmDays:
        """Counted over clean days."""
        told = [(", ".join(sorted(one.columns)), one) for one in said]
        columns = Counter(name for one in said for name in sorted(one.columns))
        return cls(
            clean_alarms(len(said), [line for line, one in told if one.columns]),
            clean_alarms(len(said), [line for line, one in told if one.is_dataset]),
            dict(columns.most_common()),
            sum(any(columns[name] < len(said) for name in one.columns) for one in said),
        )


class RivalWatch:
    """What a tool has said of one planted fault so far, beside what it says of the same days without it.

    Args:
        truth: of the fault.
    """

    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        self._n_runs = 0
        self.by_column: int | None = None
        """Daily runs from the onset's until a column in the fault's scope was told that is not told without it."""
        self.by_dataset: int | None = None
        """The same of the dataset as a whole; where a dataset drifts it does not say, so that no scope is asked of it."""

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to wait for."""
        return self.by_column is not None and self.by_dataset is not None

    def look(self, said: Said, said_anyway: Said) -> None:
        """Note the newest day: with the fault, and without."""
        self._n_runs += 1
        fresh = said.columns - said_anyway.columns
        if self.by_column is None and any(is_touched(name, self._truth) for name in fresh):
            self.by_column = self._n_runs
        if self.by_dataset is None and said.is_dataset and not said_anyway.is_dataset:
            self.by_dataset = self._n_runs
