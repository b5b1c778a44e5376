"""Numbers as people read them: shares in %, thousands separated, uncertainty beside the estimate, real minus signs."""

from __future__ import annotations

import math

from recsysops.reporting.lines import NARROW

NOTHING = "–"


def percent(share: float | None) -> str:
    """``0.1142`` → ``11.4 %``; two digits that matter below one percent."""
    if share is None or not math.isfinite(share):
        return NOTHING
    value = 100 * share
    text = f"{value:.1f}" if abs(value) >= 1 or value == 0 else f"{value:.2g}"
    return _minus(text.removesuffix(".0") + NARROW + "%")


def number(value: float | None) -> str:
    """Three digits that matter; thousands separated; large numbers whole."""
    if value is None or math.isnan(value):
        return NOTHING
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if abs(value) >= 1_000 or (value == int(value) and abs(value) < 1_000):
        return _minus(f"{value:,.0f}")
    return _minus(f"{value:.3g}")


def count(n: int, noun: str, plural: str = "") -> str:
    """``count(1, "incident")`` → ``1 incident``; ``count(2, "day")`` → ``2 days``."""
    return f"{n:,}{NARROW}{noun if n == 1 else plural or noun + 's'}"


def of_statistic(statistic: str, value: float | None) -> str:
    """A statistic's value in its unit: rates and shares in %."""
    return percent(value) if statistic.endswith(("_rate", "_share")) else number(value)


def interval(low: float | None, high: float | None, statistic: str = "") -> str:
    """``[44, 29]`` in the statistic's unit, or nothing when it is not known."""
    if low is None or high is None:
        return ""
    if statistic.endswith(("_rate", "_share")):
        return f"[{percent(low).removesuffix(NARROW + '%')}, {percent(high)}]".replace(" ", NARROW)
    return f"[{number(low)}, {number(high)}]".replace(" ", NARROW)


def seconds(value: float) -> str:
    """``1.2 s``, ``38 s``, ``4 min``."""
    if value < 10:
        return f"{value:.1f}{NARROW}s"
    return f"{value:.0f}{NARROW}s" if value < 120 else f"{value / 60:.0f}{NARROW}min"


def _minus(text: str) -> str:
    return text.replace("-", "−") if "e" not in text else text
