"""How long it takes, over all incidents: to find, acknowledge, diagnose, mitigate and resolve; always from the onset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from recsysops.incidents.milestones import HOUR, STEPS, Milestones
from recsysops.statistics.median_time import MedianTime, median_time


@dataclass(frozen=True)
class StepTime:
    """Hours from the onset to one step: median with interval, and the mean of those that reached it."""

    step: str
    median: MedianTime
    mean: float | None

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; null where nothing can be said or there is no bound."""
        return {
            "step": self.step,
            "median_hours": self.median.estimate,
            "low": self.median.low,
            "high": self.median.high,
            "mean_hours": self.mean,
            "n": self.median.n,
            "n_open": self.median.n_open,
        }


@dataclass(frozen=True)
class ResponseTimes:
    """``steps`` in order; ``n_in_hindsight`` incidents are left out, they were over before the first run."""

    steps: tuple[StepTime, ...]
    n_incidents: int
    n_in_hindsight: int

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "n_incidents": self.n_incidents,
            "n_in_hindsight": self.n_in_hindsight,
            "steps": [step.to_dict() for step in self.steps],
        }


def response_times(everything: Sequence[Milestones], now: datetime) -> ResponseTimes:
    """The times of each step.

    An active incident that has not reached a step yet has lasted until ``now`` at least; a closed one that skipped the
    step says nothing of it.

    Args:
        everything: of the incidents that were real.
        now: by the workspace's clock.
    """
    told = [one for one in everything if not one.in_hindsight]
    steps = tuple(_step(step, told, now) for step in STEPS)
    return ResponseTimes(steps, len(told), len(everything) - len(told))


def _step(step: str, told: Sequence[Milestones], now: datetime) -> StepTime:
    reached = [hours for one in told if (hours := one.hours_to(step)) is not None]
    waiting = [max((now - one.onset) / HOUR, 0.0) for one in told if one.is_active and step not in one.reached]
    is_over = [True] * len(reached) + [False] * len(waiting)
    mean = sum(reached) / len(reached) if reached else None
    return StepTime(step, median_time([*reached, *waiting], is_over), mean)
