"""The rhythm of demand: week, day, holidays, slow growth, and honest noise between days."""

from __future__ import annotations

from datetime import date

import numpy as np

from recsysops.drills.world.population import Floats
from recsysops.drills.world.size import WorldSize, stream

WEEK = (0.93, 0.91, 0.94, 0.98, 1.12, 1.18, 1.04)
"""Requests by weekday, from Monday."""
HOURS = np.array([3, 2, 1, 1, 1, 2, 3, 4, 4, 4, 4, 5, 5, 5, 5, 6, 8, 10, 13, 15, 15, 12, 8, 5], np.float64)
"""Requests by hour, UTC."""
HOLIDAYS = frozenset({(10, 3), (11, 1), (12, 24), (12, 25), (12, 26), (1, 1), (5, 1), (5, 17)})
HOLIDAY_LIFT = 1.18


def volume(size: WorldSize, seed: int, number: int, day: date) -> float:
    """Expected requests of a day, before it is drawn: 0.1 % growth a day, 2 % noise."""
    noise = stream(seed, "calendar", number).normal(0, 0.02)
    lift = HOLIDAY_LIFT if (day.month, day.day) in HOLIDAYS else 1.0
    return float(size.requests_per_day * WEEK[day.weekday()] * lift * 1.001**number * np.exp(noise))


def seconds_of_day(n: int, rng: np.random.Generator) -> Floats:
    """Times of ``n`` requests within a day, in order, in seconds."""
    hour = rng.choice(24, n, p=HOURS / HOURS.sum())
    return np.asarray(np.sort(3_600 * (hour + rng.random(n))))
