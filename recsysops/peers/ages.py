"""Ages and age cohorts: an item is compared with items that were as old at the same time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
EDGES = (0.0, 1.0, 3.0, 7.0, 14.0, 28.0, 90.0, 365.0)
"""Days since launch at which an age band begins."""
BANDS = ("not launched", "0 d", "1–2 d", "3–6 d", "7–13 d", "14–27 d", "28–89 d", "90–364 d", "365 d and more")
"""Names of the bands, in order."""
FACTOR, SLACK_DAYS = 1.5, 2.0
WIDER = ((FACTOR, SLACK_DAYS), (2.0, 4.0), (3.0, 8.0), (5.0, 16.0))
"""Cohorts to try one after the other, until enough items are in one."""


def ages(launch_at: npt.ArrayLike, at: np.datetime64) -> Floats:
    """Days since launch, negative before it, NaN where no launch is known.

    Args:
        launch_at: (n,) datetime64 with a unit.
    """
    launch = np.asarray(launch_at, "datetime64[us]")
    elapsed = (at.astype("datetime64[us]") - launch) / np.timedelta64(1, "D")
    return np.where(np.isnat(launch), np.nan, elapsed)


def age_bands(age_days: Floats) -> Integers:
    """Number of each age's band in ``BANDS``, -1 where the age is not known.

    Example:
        >>> [BANDS[band] for band in age_bands(np.array([-1, 0.5, 7, 400]))]
        ['not launched', '0 d', '7–13 d', '365 d and more']
    """
    return np.where(np.isnan(age_days), -1, np.searchsorted(EDGES, age_days, side="right"))


def age_cohort(
    age_days: Floats, of: int, *, eligible: Flags | None = None, factor: float = FACTOR, slack_days: float = SLACK_DAYS
) -> Integers:
    """Rows of the items that are about as old as one item at the same time, itself left out.

    Unlike a band, the cohort has the item in its middle: ages from ``(age - slack) / factor`` to ``(age + slack) · factor``.
    Items before their launch are the cohort of nobody, and have none.

    Args:
        age_days: (n,) ages of all at one time.
        of: the item's row.
        eligible: (n,) rows that may be in it; all when None.

    Example:
        >>> age_cohort(np.array([10.0, 9.0, 17.0, 40.0, -2.0]), 0).tolist()
        [1, 2]
    """
    low, high = age_limits(float(age_days[of]), factor, slack_days)
    with np.errstate(invalid="ignore"):
        chosen = (age_days >= low) & (age_days <= high)
    if eligible is not None:
        chosen &= eligible
    chosen[of] = False
    return np.flatnonzero(chosen)


def wide_age_cohort(age_days: Floats, of: int, eligible: Flags, *, least: int = 25) -> tuple[Integers, float, float]:
    """The narrowest cohort with at least so many items, else the widest; and the ages it reaches from and to, in days."""
    for factor, slack_days in WIDER:
        found = age_cohort(age_days, of, eligible=eligible, factor=factor, slack_days=slack_days)
        if len(found) >= least:
            break
    return found, *age_limits(float(age_days[of]), factor, slack_days)


def age_limits(age_days: float, factor: float, slack_days: float) -> tuple[float, float]:
    """Least and greatest age of a cohort in days; NaN for an item that is not launched."""
    if not age_days >= 0:
        return float("nan"), float("nan")
    return max((age_days - slack_days) / factor, 0.0), (age_days + slack_days) * factor
