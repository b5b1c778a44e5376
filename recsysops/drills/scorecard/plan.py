"""What a drill is to do: which faults, how badly, how often, in how large a world."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from typing import Any

from recsysops.drills.fault import Fault
from recsysops.drills.scorecard.prepare import BURN_IN_DAYS, REFERENCE_DAYS
from recsysops.errors import ConfigError

MULTIPLES = (0.5, 1.0, 2.0, 4.0, 8.0)
ONCE = 1.0
"""The multiple of what is there or not."""


@dataclass(frozen=True)
class DrillPlan:
    """A drill on the simulated service.

    Raises:
        ConfigError: for numbers that make no drill.
    """

    faults: tuple[type[Fault], ...]
    size: Any
    """``WorldSize``; its number of days is replaced by what ``n_clean_days`` asks for."""
    multiples: tuple[float, ...] = MULTIPLES
    """Severities, as multiples of each fault's unit."""
    seeds: tuple[int, ...] = (0, 1, 2)
    jobs: int = 2
    n_clean_days: int = 180
    """Days on which alarms are counted while nothing is wrong, over all seeds."""

    def __post_init__(self) -> None:
        if not self.seeds:
            raise ConfigError("seeds", found="none", expected="at least one")
        if self.jobs < 1:
            raise ConfigError("--jobs", found=str(self.jobs), expected="at least 1")
        if not self.multiples or any(not 0 < multiple < float("inf") for multiple in self.multiples):
            raise ConfigError("--severity", found=str(list(self.multiples)), expected="multiples above 0")

    @property
    def days_per_seed(self) -> int:
        """Days of each seed's log: the burn-in and its part of the clean days, at least the reference and a day more."""
        return max(BURN_IN_DAYS + ceil(self.n_clean_days / len(self.seeds)), REFERENCE_DAYS + 1)

    def trials(self) -> Iterator[tuple[type[Fault], float]]:
        """Faults and multiples to plant, all of one size before the next; what is there or not is planted once."""
        yield from ((fault, ONCE) for fault in self.faults if not fault.meta.is_graded)
        for multiple in sorted(set(self.multiples)):
            yield from ((fault, multiple) for fault in self.faults if fault.meta.is_graded)
