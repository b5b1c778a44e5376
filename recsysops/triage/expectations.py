"""Is a declared number as expected? Bounds that tolerate nothing, and changes that have to be beyond what days differ by."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from recsysops.config.declared import DeclaredSettings
from recsysops.profiles.history import Context
from recsysops.triage.declared_values import Values
from recsysops.triage.evidence import Stated
from recsysops.triage.level_gate import LevelLimits, level_gate
from recsysops.triage.moderated import two_sided_p

SAME = 1e-9
MIN_DAYS = 3
"""Earlier days without which a change of numbers of either sign cannot be told from what days differ by."""
MAX_EFFECT = 1e6
Floats = npt.NDArray[np.float64]


def broken(declared: DeclaredSettings, values: Values, index: int, context: Context) -> tuple[Stated, str] | str | None:
    """What is wrong with a slice's number and what was expected, in words; why it cannot be said; or None."""
    now = float(values.values[-1, index])
    if now != now:
        return None
    if declared.between or declared.at_least is not None or declared.at_most is not None:
        return _outside(declared, values, index, now)
    known = set(context.reference_days)
    days = [row for row, day in enumerate(values.days[:-1]) if day in known and not np.isnan(values.values[row, index])]
    if not days:
        return "no earlier day to compare with; needs 1"
    return _changed(declared, values, index, days, now)


def _outside(declared: DeclaredSettings, values: Values, index: int, now: float) -> tuple[Stated, str] | None:
    """Beyond a bound: a rule of theirs, which tolerates nothing."""
    low, high = declared.between or (declared.at_least, declared.at_most)
    bound = low if low is not None and now < low else high if high is not None and now > high else None
    if bound is None:
        return None
    effect = min(1.0 + abs(now - bound) / max(abs(bound), 1e-9), MAX_EFFECT)
    expected = (
        f"between {low:,.4g} and {high:,.4g}"
        if declared.between
        else f"at {'least' if bound == low else 'most'} {bound:,.4g}"
    )
    return _stated(values, index, now, effect, bound, None, []), f"expected {expected}"


def _changed(
    declared: DeclaredSettings, values: Values, index: int, days: list[int], now: float
) -> tuple[Stated, str] | str | None:
    before = values.values[days, index]
    if declared.unchanged:
        last = float(before[-1])
        if abs(now - last) <= SAME * max(abs(last), abs(now)):
            return None
        return _stated(values, index, now, 1.0, last, None, days), f"expected unchanged {last:,.6g}"
    limit = declared.no_change_beyond or 0.1
    if (before > 0).all() and now > 0:
        phases = [values.days[row].weekday() for row in days]
        limits = LevelLimits(1.0 + limit, prior_sd=max(limit / 3, 0.02))
        level = level_gate(before, np.asarray(now), limits, phases=phases, phase=values.days[-1].weekday())
        expected, effect, p_value = float(level.expected), float(level.effect), float(level.p_value)
    else:
        if len(before) < MIN_DAYS:
            return f"{len(before)} earlier days of numbers that are not all above 0; needs {MIN_DAYS}"
        expected = float(before.mean())
        effect = min(abs(now - expected) / (limit * max(abs(expected), 1e-9)), MAX_EFFECT)
        spread = float(before.std(ddof=1)) * float(np.sqrt(1 + 1 / len(before)))
        t = np.asarray(
            (now - expected) / spread if spread else np.inf * np.sign(now - expected) if now != expected else 0.0
        )
        p_value = float(two_sided_p(np.clip(t, -1e9, 1e9), len(before) - 1.0))
    if effect < 1 or p_value > 1e-3:
        return None
    stated = _stated(values, index, now, effect, expected, p_value, days)
    return stated, f"before {expected:,.4g}, a change beyond {limit:.0%}"


def _stated(
    values: Values, index: int, now: float, effect: float, reference: float, p_value: float | None, days: list[int]
) -> Stated:
    rows = values.rows[:, index]
    recent = [float(one) for one in values.values[-29:-1, index] if one == one]
    return Stated(
        values.slices[index], now, effect, int(rows[-1]), reference=reference, p_value=p_value,
        n_reference=int(rows[days].sum()), series=(*recent, now),
    )  # fmt: skip
