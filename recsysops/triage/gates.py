"""The gates every detector judges with, in one place to import from.

A finding needs an effect above its floor, beyond the noise of rows clustered in requests, and beyond what healthy days
differ by. ``rate_gate`` asks it of rates, ``shape_gate`` of distributions, ``level_gate`` of volumes and other levels.
"""

from __future__ import annotations

from recsysops.triage.level_gate import LevelLimits, level_gate
from recsysops.triage.rate_gate import MAX_P, Rate, RateChange, RateLimits, rate_gate
from recsysops.triage.shape_gate import ShapeChange, ShapeLimits, shape_gate

__all__ = [
    "MAX_P",
    "LevelLimits",
    "Rate",
    "RateChange",
    "RateLimits",
    "ShapeChange",
    "ShapeLimits",
    "level_gate",
    "rate_gate",
    "shape_gate",
]
