"""New items against launches of the same age: how many events each should have had by now, and how far below that it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from recsysops.profiles.catalogue import YOUNG_DAYS, Catalogue
from recsysops.profiles.history import KeyedContrast
from recsysops.statistics.count_tails import negative_binomial_tails
from recsysops.statistics.item_health import gamma_poisson
from recsysops.triage.level_gate import LevelLimits, Levels, level_gate

Floats = npt.NDArray[np.float64]

BANDS = (1.0, 3.0, 7.0, 14.0, 29.0)
"""Ages below which launches are taken to differ from one another alike."""
MIN_PEERS = 10
"""Launches in a band, each on at least one day, below which nothing is judged."""
_PRIOR = LevelLimits(min_ratio=1.5, prior_sd=0.15)


@dataclass(frozen=True, eq=False)
class YoungCounts:
    """Events and exposure of items at their ages; (n_units, n_items), the judged window last. NaN ages: too old, not launched."""

    items: tuple[str, ...]
    ages: Floats
    """In days at the end of the unit."""
    events: Floats
    exposure: Floats


@dataclass(frozen=True)
class Shortfall:
    """An item with far fewer events than its age leads one to expect."""

    item: str
    age_days: float
    n: float
    expected: float
    p_value: float
    n_peers: int
    shape: float
    """Of the gamma distribution of launches about their mean; dispersion is one over it."""
    audience_factor: float
    series: tuple[float, ...]
    """Events over those expected, since launch."""


def young_counts(keyed: KeyedContrast, catalogue: Catalogue, events: str, exposure: str = "") -> YoungCounts:
    """Counts of the launches that were young on any day.

    Args:
        keyed: counters by item.
        catalogue: launches near the judged day.
        events: the counter.
        exposure: the counter that gives chances of events; the events of all items together when empty.
    """
    days: Sequence[date] = (*keyed.reference_days, keyed.current_days[-1])
    at = keyed.counters.index(events)
    values = np.concatenate([keyed.reference, keyed.current.sum(axis=0)[None]])
    ended = {item for item, end in catalogue.ends.items() if end.date() <= days[-1]}
    items = tuple(sorted(item for item in catalogue.launches if item not in ended))
    place = {key: index for index, key in enumerate(keyed.keys)}
    columns = np.array([place.get(item, len(keyed.keys)) for item in items], np.int64)
    is_known = columns < len(keyed.keys)
    ages = np.array([[_age(catalogue, item, day) for item in items] for day in days]).reshape(len(days), len(items))
    counts = np.where(is_known, values[:, columns, at], 0.0)
    if exposure:
        chances = np.where(is_known, values[:, columns, keyed.counters.index(exposure)], 0.0)
    else:
        counts = np.maximum(counts, _hidden(values[..., at])[:, None])
        chances = values[..., at].sum(axis=1)[:, None] * np.clip(ages, 0.0, 1.0)
    return YoungCounts(items, ages, counts, np.where(np.isnan(ages), 0.0, chances))


def shortfalls(
    counts: YoungCounts, max_ratio: float, max_p: float, audiences: Mapping[str, float] | None = None
) -> Iterator[Shortfall]:
    """Items whose judged window has at most ``max_ratio`` of the events expected at their age, and surely so.

    ``events ~ NB(exposure · m(age) · audience factor, shape)``: m is the mean of launches at that age over the reference, the
    shape (how launches differ from one another, day by day) is fitted in the band of the age.

    Source: gamma-Poisson as in ``recsysops.statistics.item_health``; Clayton & Kaldor (1987).
    """
    expected = expectations(counts) * _audience_factors(counts, audiences or {})
    for low, high in zip((0.0, *BANDS), BANDS, strict=False):
        past, now = _within(counts, low, high)
        peers = past[:-1] & (expected[:-1] > 0)
        n_peers = int(peers.any(axis=0).sum())
        if n_peers < MIN_PEERS or not now.any():
            continue
        fitted = gamma_poisson(counts.events[:-1][peers], expected[:-1][peers])
        mean = fitted.mean * expected[-1]
        tails = negative_binomial_tails(counts.events[-1], mean, 1.0 / fitted.shape)
        suspects = now & (counts.events[-1] <= max_ratio * mean) & (tails.lower <= max_p) & (mean > 0)
        for index in np.flatnonzero(suspects):
            yield Shortfall(
                counts.items[index], float(counts.ages[-1, index]), float(counts.events[-1, index]), float(mean[index]),
                float(tails.lower[index]), n_peers, fitted.shape, float(_audience_factors(counts, audiences or {})[index]),
                _series(counts, expected, int(index)),
            )  # fmt: skip


def expectations(counts: YoungCounts) -> Floats:
    """Events expected of an item of that age and exposure, (n_units, n_items), from the reference units; 0 without any."""
    reference = counts.ages[:-1]
    expected = np.zeros(counts.ages.shape)
    for age in range(YOUNG_DAYS + 1):
        reach = max(1, age // 4)
        with np.errstate(invalid="ignore"):
            alike = np.abs(np.floor(reference) - age) <= (reach if age else 0)
            own = np.floor(counts.ages) == age
        chances = counts.exposure[:-1][alike].sum()
        if chances > 0:
            expected[own] = (counts.exposure * (counts.events[:-1][alike].sum() / chances))[own]
    return expected


def together(counts: YoungCounts, oldest: float = 7.0) -> tuple[Floats, float, Levels] | None:
    """Events of all launches of the last days over those expected: reference units, judged window, and the test of its level.

    None where a unit has fewer than five such launches or expects fewer than fifty events.
    """
    expected = expectations(counts)
    with np.errstate(invalid="ignore"):
        is_in = (counts.ages >= 0) & (counts.ages <= oldest)
    sums = np.where(is_in, expected, 0.0).sum(axis=1)
    if len(sums) < 8 or is_in.sum(axis=1).min() < 5 or sums.min() < 50:
        return None
    ratios = np.where(is_in, counts.events, 0.0).sum(axis=1) / sums
    if not (ratios > 0).all():
        ratios = np.maximum(ratios, 0.5 / sums)
    return ratios[:-1], float(ratios[-1]), level_gate(ratios[:-1], ratios[-1], _PRIOR)


def _age(catalogue: Catalogue, item: str, day: date) -> float:
    age = catalogue.age_days(item, day)
    return age if age is not None and 0 < age < YOUNG_DAYS + 1 else float("nan")


def _hidden(values: Floats) -> Floats:
    """What an item beyond the top may have had at most, (n_units,): the least of the top, where there is a tail."""
    top = np.where(values[:, :-1] > 0, values[:, :-1], np.inf).min(axis=1, initial=np.inf)
    return np.where((values[:, -1] > 0) & np.isfinite(top), top, 0.0)


def _within(counts: YoungCounts, low: float, high: float) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    with np.errstate(invalid="ignore"):
        flags = (counts.ages >= low) & (counts.ages < high) & (counts.exposure > 0)
    return flags, flags[-1]


def _audience_factors(counts: YoungCounts, audiences: Mapping[str, float]) -> Floats:
    """How many more events an item's planned audience promises, (n_items,): a power of it, as far as launches bear it out.

    The power is the slope of ln(events / expected) on ln(audience) over launches, between 0 and 1, and 0 unless it is surely above 0.
    """
    known = np.array([audiences.get(item, float("nan")) for item in counts.items])
    expected = expectations(counts)[:-1].sum(axis=0)
    past = np.where(expected > 0, np.nan_to_num(counts.events[:-1] * (counts.exposure[:-1] > 0)).sum(axis=0), 0.0)
    usable = np.isfinite(known) & (expected > 5)
    if usable.sum() < MIN_PEERS:
        return np.ones(len(known))
    x, y = np.log(known[usable]), np.log((past[usable] + 0.5) / (expected[usable] + 0.5))
    x = x - x.mean()
    total = float((x**2).sum())
    if total <= 0:
        return np.ones(len(known))
    slope = float((x * y).sum()) / total
    residual = y - y.mean() - slope * x
    error = float(np.sqrt((residual**2).sum() / (len(x) - 2) / total))
    power = min(slope, 1.0) if slope > 3 * error else 0.0
    centre = float(np.log(known[usable]).mean())
    factors = np.exp(power * (np.log(np.where(np.isfinite(known), known, np.exp(centre))) - centre))
    return np.asarray(np.clip(factors, 0.1, 10.0))


def _series(counts: YoungCounts, expected: Floats, index: int) -> tuple[float, ...]:
    seen = expected[:, index] > 0
    return tuple(float(one) for one in counts.events[seen, index] / expected[seen, index])
