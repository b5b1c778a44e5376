"""Which items lost their exposure: impressions now against those that an item's own last days lead one to expect."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsysops.profiles.history import KeyedContrast
from recsysops.profiles.slices import Slice
from recsysops.statistics.count_tails import negative_binomial_tails
from recsysops.triage.arithmetic import Term
from recsysops.triage.evidence import Stated

Floats = npt.NDArray[np.float64]

HALF_LIFE_DAYS = 3.0
"""Exposure drifts: a day counts half as much as one three days later."""
PRIOR_SD, PRIOR_DOF = 0.3, 8.0
"""Of an item's share about what its last days lead one to expect, relative to it: the least that is assumed."""
MIN_DAYS = 3


@dataclass(frozen=True)
class FallLimits:
    """``min_expected`` impressions on the judged day; at most ``max_ratio`` of them, and of the item's least day, are told."""

    min_expected: float
    max_ratio: float
    max_p: float = 1e-4
    """Items are many, and what they do overnight has longer tails than counts have."""


def falling_items(
    keyed: KeyedContrast, limits: FallLimits, slice_: Slice, is_judged: npt.NDArray[np.bool_]
) -> tuple[int, tuple[tuple[int, Stated], ...]]:
    """How many items have enough impressions to be judged, and index and change of those that lost nearly all of them.

    The expected share is the mean of the item's days, halved in weight every three days back. What days differ by from such an
    expectation is found on the reference days themselves, for each item, and moderated by the median of all items; the count now
    then is negative binomial.

    Args:
        keyed: counters whose first is impressions.
        limits: floors.
        slice_: where the rows were counted.
        is_judged: (n_keys,) items that may be judged.

    Source: Smyth (2004) for the moderation; Johnson, Kemp & Kotz (2005) for the negative binomial.
    """
    counts, now = keyed.reference[:, :-1, 0], keyed.current[:, :-1, 0].sum(axis=0)
    totals, total = keyed.reference[..., 0].sum(axis=1), float(keyed.current[..., 0].sum())
    if len(counts) < MIN_DAYS or not counts.shape[1] or total <= 0 or not (totals > 0).all():
        return 0, ()
    shares = counts / totals[:, None]
    share = expected_shares(shares)
    expected = share * total
    seen = np.where((keyed.current[:, -1, 0].sum() > 0) & (now == 0), _least(now), now)
    judged = is_judged & (expected >= limits.min_expected) & ((counts > 0).sum(axis=0) >= MIN_DAYS)
    if not judged.any():
        return 0, ()
    variance = _between_days(counts, totals, judged)
    tails = negative_binomial_tails(seen, expected, variance)
    found = judged & (seen <= limits.max_ratio * expected) & (tails.lower <= limits.max_p)
    found &= now / total <= _least_day(shares)
    return int(judged.sum()), tuple(
        _stated((counts[:, index], totals), (float(now[index]), total), (float(share[index]), float(variance[index])),
                float(tails.lower[index]), limits, slice_, int(index))
        for index in np.flatnonzero(found)
    )  # fmt: skip


def _least(now: Floats) -> float:
    """What an item beyond the top may have had at most."""
    return float(now[now > 0].min()) if (now > 0).any() else 0.0


def _least_day(shares: Floats) -> Floats:
    """The least share above zero of an item's last seven days, (n_items,)."""
    last = shares[-7:]
    least = np.where(last > 0, last, np.inf).min(axis=0)
    return np.where(np.isfinite(least), least, 0.0)


def _between_days(counts: Floats, totals: Floats, judged: npt.NDArray[np.bool_]) -> Floats:
    """Relative variance of a day's count about its expectation from the days before, beyond Poisson, moderated; (n_items,)."""
    shares, rows = counts / totals[:, None], []
    for day in range(MIN_DAYS, len(shares)):
        mean = expected_shares(shares[:day]) * totals[day]
        excess = (counts[day] - mean) ** 2 - mean
        rows.append(np.where(mean >= 3, excess / np.maximum(mean, 1.0) ** 2, np.nan))
    table = np.array(rows).reshape(len(rows), shares.shape[1])
    n = np.isfinite(table).sum(axis=0)
    own = np.maximum(np.nansum(table, axis=0) / np.maximum(n, 1), 0.0)
    usual = own[judged & (n >= MIN_DAYS)]
    prior = max(float(np.median(usual)) if len(usual) else 0.0, PRIOR_SD**2)
    return np.asarray((PRIOR_DOF * prior + n * own) / (PRIOR_DOF + n))


def expected_shares(shares: Floats) -> Floats:
    """Mean over days, the last ones weighted most; (n_items,)."""
    weights = 0.5 ** (np.arange(len(shares))[::-1] / HALF_LIFE_DAYS)
    return np.asarray(weights @ shares / weights.sum())


def _stated(
    reference: tuple[Floats, Floats],
    current: tuple[float, float],
    model: tuple[float, float],
    p_value: float,
    limits: FallLimits,
    slice_: Slice,
    index: int,
) -> tuple[int, Stated]:
    (counts, totals), (n, total), (share, variance) = reference, current, model
    value = n / total
    effect = (1 - value / share) / (1 - limits.max_ratio)
    terms = (
        Term("counts", "impressions of the item, reference", float(counts.sum())),
        Term("counts", "impressions of the item, current", n),
        Term(
            "counts",
            "impressions expected",
            share * total,
            "mean share of its days, half as much every three days back",
        ),
        Term("size", "ratio", value / share, f"at most {limits.max_ratio:g}"),
        Term("days", "relative variance between days, moderated", variance),
        Term("chance", "p", p_value, f"lower tail of the negative binomial; at most {limits.max_p:g} to be a finding"),
    )
    days = (*(float(one) for one in counts / totals), value)
    return index, Stated(
        slice_, value, effect, int(total), reference=share, p_value=p_value, n_reference=int(totals.sum()), series=days,
        arithmetic=terms,
    )  # fmt: skip
