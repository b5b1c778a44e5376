"""A new item among items at the same age: each age is compared with what others had at that very age. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from recsysops.looking.item_rows import ItemCounts
from recsysops.profiles.catalogue import YOUNG_DAYS
from recsysops.statistics.count_tails import garwood_interval
from recsysops.statistics.item_health import cohort_places, gamma_poisson

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Place:
    """A percentile among peers of the same age, in [0, 1], with its interval; nan without peers."""

    value: float
    low: float
    high: float
    n_peers: int
    ages: tuple[int, int] | None = None
    """First and last age compared at."""
    of_median: tuple[float, float, float] = (float("nan"), float("nan"), float("nan"))
    """The item's number over the median of its peers, with the limits of its own uncertainty."""

    def to_dict(self) -> dict[str, float | int | None]:
        """JSON-ready."""
        first, last = self.ages or (None, None)
        return {
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "n_peers": self.n_peers,
            "of_median": self.of_median[0],
            "of_median_low": self.of_median[1],
            "of_median_high": self.of_median[2],
            "from_age": first,
            "to_age": last,
        }


NO_COHORT = Place(float("nan"), float("nan"), float("nan"), 0)


@dataclass(frozen=True)
class _Young:
    """Columns of the days on which an item, or a peer, is of the ages compared."""

    ages: tuple[int, int]
    columns: slice


def cohort_standing(counts: ItemCounts, live: npt.NDArray[np.int64], n_days: int) -> list[tuple[Place, Place]]:
    """For each live item its place by exposure and by play rate; ``NO_COHORT`` for those that are not new.

    A peer is any other item whose days at those ages were all counted. Exposure is the mean daily share of impressions, so
    that busy days do not count more than quiet ones.
    """
    launches = [_launch(counts, int(index)) for index in live]
    totals = np.maximum(counts.impressions.sum(axis=0), 1.0)
    return [_standing(counts, live, launches, totals, row, n_days) for row in range(len(live))]


def _standing(
    counts: ItemCounts,
    live: npt.NDArray[np.int64],
    launches: Sequence[date | None],
    totals: Floats,
    row: int,
    n_days: int,
) -> tuple[Place, Place]:
    mine = _young(launches[row], counts.days, n_days)
    if mine is None:
        return NO_COHORT, NO_COHORT
    others = [
        (int(live[other]), columns)
        for other, launch in enumerate(launches)
        if other != row and (columns := _at_ages(launch, mine.ages, counts.days)) is not None
    ]
    if not others:
        return NO_COHORT, NO_COHORT
    everyone = [(int(live[row]), mine.columns), *others]
    shares, worth = (
        np.array(values) for values in zip(*(_share(counts, totals, *one) for one in everyone), strict=True)
    )
    bounds = garwood_interval(worth[0], 1.0)
    scale = shares[0] / worth[0] if worth[0] > 0 else _least(shares, worth)
    low, high = (float(limit) * float(scale) for limit in (bounds.low, bounds.high))
    limits = (float(shares[0]), min(low, float(shares[0])), max(high, float(shares[0])))
    return _place(limits, shares[1:], mine.ages), _play_place(counts, everyone, mine.ages)


def _play_place(counts: ItemCounts, everyone: Sequence[tuple[int, slice]], ages: tuple[int, int]) -> Place:
    sums = np.array(
        [
            [one[index, columns].sum() for one in (counts.plays, counts.play_squares, counts.impressions, counts.impression_squares)]
            for index, columns in everyone
        ]
    )  # fmt: skip
    plays, play_squares, shown, squares = sums.T
    if not plays.any() or not shown[0]:
        return NO_COHORT
    known = shown > 0
    if known.sum() < 2:
        return NO_COHORT
    clusters = np.maximum(squares[known] / shown[known], 1.0)
    has_plays = plays[known] > 0
    of_plays = np.divide(play_squares[known], plays[known], out=np.ones_like(clusters), where=has_plays)
    clusters = np.maximum(clusters, of_plays)
    rates = gamma_poisson(plays[known] / clusters, shown[known] / clusters)
    return _place((float(rates.estimate[0]), float(rates.low[0]), float(rates.high[0])), rates.estimate[1:], ages)


def _place(limits: tuple[float, float, float], peers: Floats, ages: tuple[int, int]) -> Place:
    """The place of an item whose number is limits[0], in [limits[1], limits[2]]."""
    at, low, high = limits
    places = cohort_places([at], [low], [high], peers)
    median = float(np.median(peers))
    over = (at / median, low / median, high / median) if median > 0 else NO_COHORT.of_median
    return Place(float(places.estimate[0]), float(places.low[0]), float(places.high[0]), len(peers), ages, over)


def _share(counts: ItemCounts, totals: Floats, index: int, columns: slice) -> tuple[float, float]:
    """Mean daily share of impressions, and how many independent impressions it is worth."""
    shown, squares = counts.impressions[index, columns], float(counts.impression_squares[index, columns].sum())
    return float((shown / totals[columns]).mean()), float(shown.sum()) ** 2 / squares if squares > 0 else 0.0


def _least(shares: Floats, worth: Floats) -> float:
    """Share of a single impression, for an item that had none."""
    single = shares[worth > 0] / worth[worth > 0]
    return float(np.median(single)) if len(single) else 0.0


def _young(launch: date | None, days: Sequence[date], n_days: int) -> _Young | None:
    """The ages a new item had on the report's days; None for items that are not new."""
    if launch is None or launch > days[-1] or (days[-1] - launch).days > YOUNG_DAYS:
        return None
    first = max(launch, days[-n_days])
    ages = ((first - launch).days, (days[-1] - launch).days)
    columns = _at_ages(launch, ages, days)
    return _Young(ages, columns) if columns is not None else None


def _at_ages(launch: date | None, ages: tuple[int, int], days: Sequence[date]) -> slice | None:
    """The columns of the days on which an item had these ages, if all were counted."""
    if launch is None:
        return None
    start = (launch - days[0]).days
    first, last = start + ages[0], start + ages[1]
    return slice(first, last + 1) if first >= 0 and last < len(days) else None


def _launch(counts: ItemCounts, index: int) -> date | None:
    entry = counts.catalogue.get(counts.items[index])
    return entry.launch_at.date() if entry is not None and entry.launch_at is not None else None
