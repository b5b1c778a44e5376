"""The baselines on the days of one trial: what they say in addition to what they say of the clean twin."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from recsysops.drills.fault import Truth
from recsysops.drills.scorecard.baselines import BASELINES
from recsysops.drills.scorecard.daily_statistics import day_statistics
from recsysops.drills.scorecard.matching import is_touched
from recsysops.drills.scorecard.results import Found
from recsysops.drills.scorecard.stored_statistics import LogStatistics
from recsysops.workspace import Workspace


class BaselineWatch:
    """What each baseline has said of one planted fault so far; one that has found it is no longer asked.

    Args:
        clean: statistics of the clean run, later days included; only what is past at a day is looked at.
        truth: what is right to say.
        onset: the fault's first day.
    """

    def __init__(self, clean: LogStatistics, truth: Truth, onset: date) -> None:
        self._clean, self._truth = clean, truth
        self._days = list(clean.before(onset))
        self._n_runs = 0
        self._alarms: dict[str, set[str]] = {name: set() for name in BASELINES}
        self._delay: dict[str, int] = {}

    @property
    def is_done(self) -> bool:
        """Whether every baseline has found the fault."""
        return len(self._delay) == len(BASELINES)

    def look(self, workspace: Workspace, day: date) -> None:
        """Let them judge the newest day."""
        self._n_runs += 1
        self._days.append(day_statistics(workspace.tables["candidates"], day, self._clean.bins))
        twin = [one for one in self._clean.days if one.day <= day]
        for name, baseline in BASELINES.items():
            if name not in self._delay:
                said_anyway = (baseline(twin) if twin[-1].day == day else None) or frozenset()
                self._alarms[name] |= (baseline(self._days) or frozenset()) - said_anyway
                if self._right(name):
                    self._delay[name] = self._n_runs

    def _right(self, name: str) -> set[str]:
        return {alarm for alarm in self._alarms[name] if is_touched(alarm, self._truth)}

    def found(self) -> Mapping[str, Found]:
        """The outcome of each."""
        return {
            name: Found(name in self._delay, self._delay.get(name), len(alarms), len(self._right(name)))
            for name, alarms in self._alarms.items()
        }
