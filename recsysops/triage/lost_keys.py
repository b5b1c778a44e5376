"""How many of the usual keys (items) are hardly there any more, day by day: one rate for a loss that hits many a little."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsysops.profiles.history import CellContrast, Counts, KeyedContrast
from recsysops.profiles.slices import EVERYTHING
from recsysops.triage.exposure_falls import MIN_DAYS, expected_shares

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class LostKeys:
    """``contrast``: keys (lost, there) by day, the judged day current; ``lost``: the keys that are, most expected first."""

    contrast: CellContrast
    lost: tuple[str, ...]


def lost_keys(
    keyed: KeyedContrast, is_judged: npt.NDArray[np.bool_], *, min_expected: float, max_ratio: float
) -> LostKeys | None:
    """Keys with at most ``max_ratio`` of the rows that their last days lead one to expect, on every day but the first ones.

    Each reference day is judged by the days before it, just as the judged day is, so that the rates compare. None when there
    are too few days or no key has ``min_expected`` rows.

    Args:
        keyed: counters whose first is rows.
        is_judged: (n_keys,) keys that may be counted; launches and what has ended may not.
        min_expected: rows expected of a key that counts; at 20, chance leaves a fifth of them less than once in 10⁵.
        max_ratio: greatest part of them that counts as lost.
    """
    days = np.vstack([keyed.reference[..., 0], keyed.current[..., 0].sum(axis=0)])
    if len(days) < MIN_DAYS + 2 or not (days.sum(axis=1) > 0).all():
        return None
    totals = days.sum(axis=1)
    shares = days[:, :-1] / totals[:, None]
    counts = np.zeros((len(days) - MIN_DAYS, 1, 2), np.int64)
    lost = np.zeros(shares.shape[1], np.bool_)
    expected = np.zeros(shares.shape[1])
    for day in range(MIN_DAYS, len(days)):
        expected = expected_shares(shares[:day]) * totals[day]
        usual = is_judged & (expected >= min_expected) & (days[day - MIN_DAYS : day, :-1] > 0).all(axis=0)
        lost = usual & (_seen(days[day]) <= max_ratio * expected)
        counts[day - MIN_DAYS, 0] = lost.sum(), (usual & ~lost).sum()
    if not counts[-1].sum():
        return None
    order = sorted(np.flatnonzero(lost), key=lambda index: (-expected[index], keyed.keys[index]))
    return LostKeys(
        CellContrast(
            (EVERYTHING,), ("lost", "there"), keyed.reference_days[MIN_DAYS:], keyed.current_days[-1:],
            counts[:-1], counts[-1:], _no_buckets,
        ),
        tuple(keyed.keys[index] for index in order),
    )  # fmt: skip


def _seen(day: Floats) -> Floats:
    """Rows by key; one beyond the top may have had as many as the least of those within."""
    keys, tail = day[:-1], day[-1]
    return np.where(keys == 0, keys[keys > 0].min(), keys) if tail > 0 and (keys > 0).any() else keys


def _no_buckets(_window: object, _index: int) -> Counts:
    """Keys stand for themselves."""
    return np.zeros((0, 2), np.int64)
