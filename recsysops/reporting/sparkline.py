"""A series as a row of blocks: the reference days, then the current one."""

from __future__ import annotations

import math
from collections.abc import Sequence

BLOCKS = "▁▂▃▄▅▆▇█"
GAP = "·"


def sparkline(series: Sequence[float], width: int = 20, within: Sequence[float] = ()) -> str:
    """One block per value, the newest last, scaled from the least to the greatest; ``·`` where there is none.

    Args:
        series: values in order of time.
        width: the most blocks; older values are left out.
        within: more values that the scale has to hold, such as the limits of a band.

    Returns:
        a text of ``min(len(series), width)`` characters. A flat series is drawn low.

    Example:
        >>> sparkline([0.2, 0.2, float("nan"), 0.2, 11.4])
        '▁▁·▁█'
    """
    shown = list(series)[-width:] if width > 0 else []
    finite = [value for value in (*shown, *within) if math.isfinite(value)] if shown else []
    low, high = (min(finite), max(finite)) if finite else (0.0, 0.0)
    return "".join(_block(value, low, high) for value in shown)


def _block(value: float, low: float, high: float) -> str:
    if math.isnan(value):
        return GAP
    if math.isinf(value):
        return BLOCKS[-1] if value > 0 else BLOCKS[0]
    if high == low:
        return BLOCKS[0]
    place = (value / 2 - low / 2) / (high / 2 - low / 2)  # halves: the span of two large numbers may overflow
    return BLOCKS[min(int(place * len(BLOCKS)), len(BLOCKS) - 1)]
