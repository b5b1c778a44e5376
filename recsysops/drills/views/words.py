"""How the figures of a card are said, on every face of it."""

from __future__ import annotations

from recsysops.drills.fault import FaultMeta
from recsysops.drills.scorecard.results import CleanAlarms, CurvePoint, FaultCurve, Share
from recsysops.drills.views.tally import FOUND_SHARE, smallest_found
from recsysops.reporting.lines import NARROW
from recsysops.reporting.numbers import NOTHING, count, number, percent
from recsysops.reporting.plain import literal

_BASELINES = {
    "static_psi": "PSI > 0.2",
    "three_sigma": "3 σ",
    "largest_change": "largest change",
}
HOW_COUNTED = (
    f"Found: in at least {percent(FOUND_SHARE)} of its trials, by an incident that opened before the fault's deadline, "
    "in its scope. Size 1× is the larger of the fault's target and what theory can see in logs of this size."
)


def baseline_name(name: str) -> str:
    """A baseline in words."""
    return _BASELINES.get(name) or literal(name.replace("_", " "))


def size(multiple: float) -> str:
    """``1×``, ``0.5×``."""
    return f"{number(multiple)}×"


def size_of(curve: FaultCurve, point: CurvePoint) -> str:
    """The size of a point of a curve; ``–`` where the fault is there or not."""
    return size(point.multiple) if curve.meta.is_graded else NOTHING


def amount(meta: FaultMeta, severity: float) -> str:
    """A severity without what it counts: ``0.5 %``, ``3``."""
    is_share = meta.knob.startswith(("share", "relative"))
    return percent(severity) if is_share else number(severity)


def severity(meta: FaultMeta, value: float) -> str:
    """A severity with what it counts: ``0.5 % of members``, ``3 hours``; nothing to count where there are no degrees."""
    if not meta.is_graded:
        return literal(meta.knob)
    return literal(f"{amount(meta, value)} {meta.knob.removeprefix('share ')}".rstrip())


def of(n: int, total: int) -> str:
    """``27 of 31``."""
    return f"{n}{NARROW}of{NARROW}{total}"


def share(one: Share) -> str:
    """``67 % [21, 95]``: whole percents, as a handful of trials can carry."""
    value, low, high = (f"{100 * part:.0f}" for part in (one.value, one.low, one.high))
    return f"{value} % [{low}, {high}]".replace(" ", NARROW)


def trials(point: CurvePoint) -> str:
    """``2 of 3``."""
    return of(round(point.detected.value * point.n), point.n)


def rate(one: Share) -> str:
    """A rate per 30 days: ``0.4 [0.1, 1.2]``."""
    return f"{one.value:.1f} [{one.low:.1f}, {one.high:.1f}]".replace(" ", NARROW)


def false_alarms(clean: CleanAlarms) -> str:
    """``0.4 per 30 clean days [0.1, 1.2]`` with the days looked at."""
    one = clean.per_30_days
    over = f"{count(clean.n_alarms, 'alarm')} in {count(clean.n_days, 'clean day')}"
    return f"{one.value:.1f} per 30 clean days [{one.low:.1f}, {one.high:.1f}] ({over})"


def since_when(curve: FaultCurve) -> str:
    """The smallest size found, or how far was looked."""
    least = smallest_found(curve)
    if least is not None:
        return severity(curve.meta, least.severity) + (f" ({size(least.multiple)})" if curve.meta.is_graded else "")
    most = max(curve.points, key=lambda point: point.multiple, default=None)
    if most is None or not curve.meta.is_graded:
        return "never"
    return f"not up to {severity(curve.meta, most.severity)} ({size(most.multiple)})"


def baselines_that_find(point: CurvePoint) -> tuple[str, ...]:
    """Names of the baselines that found what was planted at this size."""
    return tuple(baseline_name(name) for name, found in point.baselines.items() if found >= FOUND_SHARE)
