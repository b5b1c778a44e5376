"""How the figures of a card are said, on every face of it."""

from __future__ import annotations

from recsysops.drills.fault import FaultMeta
from recsysops.drills.scorecard.results import Card, CleanAlarms, CurvePoint, FaultCurve
from recsysops.drills.views.tally import FOUND_SHARE, STATED, is_found, points_of, smallest_found
from recsysops.reporting.lines import NARROW
from recsysops.reporting.numbers import NOTHING, count, number, percent
from recsysops.reporting.plain import literal
from recsysops.statistics.estimate import Estimate

_BASELINES = {
    "static_psi": ("PSI > 0.2", "PSI above 0.2 in any column, against the first month"),
    "three_sigma": ("3 σ", "volume, null rates and means beyond three standard deviations of the last month"),
    "largest_change": ("largest change", "the largest change of a null rate or mean, when it is a record"),
}
WIDEST_KNOB = 60
_AS_SHARE = (", relative", ", as a share")
WHAT_A_DRILL_IS = (
    "A drill plants known faults and looks whether the checks find them: how small, how soon, and whether they name the "
    "right cause. It also runs on days on which nothing was wrong, and counts the alarms."
)
INTERVALS = (
    "Brackets are 95 % intervals: Jeffreys for shares of trials, Garwood for alarms per time. A handful of trials leaves "
    "wide ones; the card claims no more than that. No credit is given to an alarm outside a fault's scope or after its deadline."
)
HOW_COUNTED = (
    f"Found: in at least {percent(FOUND_SHARE)} of its trials, by an incident that opened before the fault's deadline, "
    "in its scope. Size 1× is the larger of the fault's target and what theory can see in logs of this size."
)


def baseline_name(name: str) -> str:
    """A baseline in words."""
    return _BASELINES.get(name, (literal(name.replace("_", " "), 24),))[0]


def baseline_in_full(name: str) -> str:
    """A baseline as a manager reads it."""
    return _BASELINES.get(name, (literal(name.replace("_", " "), 60),))[-1]


def found_by_baseline(n_found: int, n: int, days: CleanAlarms) -> str:
    """What a baseline found; nothing is claimed of one that could not judge a single day."""
    return of(n_found, n) if days.n_days else NOTHING


def rate_of_baseline(days: CleanAlarms) -> str:
    """A baseline's alarms per 30 days, if it judged any."""
    return rate(days.per_30_days) if days.n_days else NOTHING


def too_short(card: Card) -> str:
    """A sentence on the baselines for which the log is too short, or nothing."""
    names = [baseline_name(name) for name, days in card.baselines.items() if not days.n_days]
    return (
        f"The log is too short for {', '.join(names)}: they compare with the two to four weeks before." if names else ""
    )


def size(multiple: float) -> str:
    """``1×``, ``0.5×``."""
    return f"{number(multiple)}×"


def size_in_words(multiple: float) -> str:
    """``the stated size``, ``4× the stated size``."""
    return "the stated size" if multiple == STATED else f"{size(multiple)} the stated size"


def size_of(curve: FaultCurve, point: CurvePoint) -> str:
    """The size of a point of a curve; ``–`` where the fault is there or not."""
    return size(point.multiple) if curve.meta.is_graded else NOTHING


def amount(meta: FaultMeta, severity: float) -> str:
    """A severity without what it counts: ``0.5 %``, ``3``."""
    is_share = meta.knob.startswith("share ") or meta.knob.endswith(_AS_SHARE)
    return percent(severity) if is_share else number(severity)


def severity(meta: FaultMeta, value: float) -> str:
    """A severity with what it counts: ``0.5 % of members``, ``3 hours``."""
    if not meta.is_graded:
        return "there or not"
    counted = meta.knob.removeprefix("share ")
    for ending in _AS_SHARE:
        counted = counted.removesuffix(ending)
    return f"{amount(meta, value)} {literal(counted, WIDEST_KNOB)}".rstrip()


def stated(curve: FaultCurve) -> str:
    """The stated size of a fault; no severity beyond the most that makes sense."""
    return severity(curve.meta, min(curve.unit, curve.meta.most))


def of(n: int, total: int) -> str:
    """``27 of 31``."""
    return f"{n}{NARROW}of{NARROW}{total}"


def share(one: Estimate) -> str:
    """``67 % [21, 95]``: whole percents, as a handful of trials can carry."""
    value, low, high = (f"{100 * part:.0f}" for part in (one.value, one.low, one.high))
    return f"{value} % [{low}, {high}]".replace(" ", NARROW)


def trials(point: CurvePoint) -> str:
    """``2 of 3``."""
    return of(round(point.detected.value * point.n), point.n)


def rate(one: Estimate) -> str:
    """A rate per 30 days: ``0.4 [0.1, 1.2]``."""
    return f"{one.value:.1f} [{one.low:.1f}, {one.high:.1f}]".replace(" ", NARROW)


def alarms_title(card: Card) -> str:
    """``False alarms``, unless some of them may be right."""
    return "Alarms on your logs as they are" if card.is_own_logs else "False alarms"


def told_title(card: Card) -> str:
    """The heading of the list of those alarms."""
    return "Alarms on your logs as they are" if card.is_own_logs else "Alarms on clean days"


def alarms(card: Card) -> str:
    """``0.4 per 30 clean days [0.1, 1.2]`` with the days looked at, and pages."""
    clean, noun = card.clean, "day" if card.is_own_logs else "clean day"
    one = clean.per_30_days
    over = f"{count(clean.n_alarms, 'alarm')} in {count(clean.n_days, noun)}"
    may = ", which may be real" if card.is_own_logs and clean.n_alarms else ""
    pages = f"pages {rate(clean.pages_per_30_days)}"
    return f"{one.value:.1f} per 30 {noun}s [{one.low:.1f}, {one.high:.1f}] ({over}{may}); {pages}"


def incidents_each(card: Card) -> str:
    """``1.1 [1.0, 1.2] incidents for each fault found``; "" where none was found."""
    return "" if card.incidents_each is None else f"{rate(card.incidents_each)} incidents for each fault found"


def since_when(curve: FaultCurve) -> str:
    """The smallest size found, or how far was looked, in the fault's unit."""
    least = smallest_found(curve)
    if least is not None:
        return f"{amount(curve.meta, least.severity)} ({size(least.multiple)})" if curve.meta.is_graded else "always"
    most = max(curve.points, key=lambda point: point.multiple, default=None)
    if most is None or not curve.meta.is_graded:
        return "never"
    return f"not up to {amount(curve.meta, most.severity)} ({size(most.multiple)})"


def why_not(curve: FaultCurve) -> str:
    """A fault that could not be planted, and why."""
    name = curve.meta.name
    return f"{literal(name, 60)} ({literal(curve.cannot.removeprefix(f'{name}: ') or 'no trial', 400)})"


def baselines_that_find(point: CurvePoint) -> tuple[str, ...]:
    """Names of the baselines that found what was planted at this size."""
    return tuple(baseline_name(name) for name, found in point.baselines.items() if found >= FOUND_SHARE)


def tone(meta: FaultMeta, point: CurvePoint) -> str:
    """``all``, ``some`` or ``none``: how well a point is found, for its colour; turned round where no alarm is right."""
    if not meta.is_fault:
        return "none" if is_found(point) else "some" if point.detected.value else "all"
    return "all" if is_found(point) else "some" if point.detected.value else "none"


def marks(curve: FaultCurve) -> str:
    """Target and theory of a curve, in words."""
    if not curve.meta.is_graded:
        return "It is there or not: there are no degrees."
    target, visible = severity(curve.meta, curve.meta.target), amount(curve.meta, curve.visible)
    return f"Target {target}; theory can see {visible} in logs of this size. Smallest found: {since_when(curve)}."


def told(curve: FaultCurve) -> str:
    """A plot in one sentence, for those who do not see it."""
    found = "; ".join(f"{severity(curve.meta, point.severity)}: {trials(point)}" for point in points_of(curve))
    return f"Trials of {literal(curve.meta.name, 60)} found in time. {found}."
