"""Launches against launches of their age: simulated truth, and lower tails that are no smaller than they say."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import numpy as np
import pytest
from scipy import stats

from recsysops.profiles.catalogue import Catalogue
from recsysops.profiles.history import KeyedContrast
from recsysops.triage.young_items import shortfalls, together, young_counts

FIRST = date(2026, 3, 2)
N_DAYS, SHAPE = 29, 3.0


def world(seed: int, lost: str = "", scale: float = 1.0) -> tuple[KeyedContrast, Catalogue]:
    """Two launches a day whose candidates fade with age; one may be lost, or all scaled, on the judged day."""
    rng = np.random.default_rng(seed)
    names = [f"new_{number}" for number in range(2 * (N_DAYS + 30))]
    launches = {
        name: datetime.combine(FIRST + timedelta(days=number // 2 - 30), time(6), UTC)
        for number, name in enumerate(names)
    }
    days = [FIRST + timedelta(days=number) for number in range(N_DAYS)]
    book = Catalogue(launches, is_known=True)
    counts = np.zeros((N_DAYS, len(names) + 1, 2))
    for place, name in enumerate(names):
        rate = rng.gamma(SHAPE, 1 / SHAPE)
        for number, day in enumerate(days):
            age = book.age_days(name, day)
            if age is not None and 0 < age < 29:
                counts[number, place, 0] = rng.poisson(200 * rate * np.exp(-age / 10) * min(age, 1.0))
    counts[-1] *= scale
    counts[:, -1, 0] = 20_000  # everything older
    if lost:
        counts[-1, names.index(lost), 0] = 0
    counts[..., 1] = np.floor(counts[..., 0] / 5)
    nothing = np.zeros(0)
    return KeyedContrast(
        (*names, "old"), ("rows", "impressions"), tuple(days[:-1]), (days[-1],),
        np.insert(counts[:-1], -1, 1.0, axis=1), np.insert(counts[-1:], -1, 1.0, axis=1), nothing, nothing,
    ), book  # fmt: skip


def test_a_launch_that_is_never_retrieved_is_found() -> None:
    name = f"new_{2 * (N_DAYS + 30) - 8}"
    keyed, book = world(0, lost=name)
    found = list(shortfalls(young_counts(keyed, book, "rows"), 0.33, 1e-4))
    assert [one.item for one in found] == [name]
    assert found[0].n <= 1
    assert found[0].expected > 80


def test_the_shape_of_launches_is_recovered_and_the_tail_is_the_negative_binomial() -> None:
    name = f"new_{2 * (N_DAYS + 30) - 8}"
    keyed, book = world(1, lost=name)
    [found] = shortfalls(young_counts(keyed, book, "rows"), 0.33, 1e-3)
    assert 0.5 * SHAPE < found.shape < 2 * SHAPE
    size = found.shape
    assert found.p_value == pytest.approx(stats.nbinom.cdf(found.n, size, size / (size + found.expected)), rel=1e-6)


def test_healthy_launches_are_left_alone() -> None:
    alarms = [one for seed in range(20) for one in shortfalls(young_counts(*world(seed), "rows"), 0.33, 1e-5)]
    assert alarms == []


def test_launches_together_show_what_no_single_one_does() -> None:
    half, whole = (together(young_counts(*world(3, scale=scale), "rows")) for scale in (0.4, 1.0))
    assert half is not None
    assert whole is not None
    assert half[1] < 0.67 * float(half[2].expected)
    assert float(half[2].p_value) < 1e-3
    assert float(whole[2].p_value) > 1e-3


def test_items_whose_availability_ended_are_not_judged() -> None:
    name = f"new_{2 * (N_DAYS + 30) - 8}"
    keyed, book = world(0, lost=name)
    over = Catalogue(book.launches, {name: datetime.combine(FIRST, time(), UTC)}, is_known=True)
    assert list(shortfalls(young_counts(keyed, over, "rows"), 0.33, 1e-5)) == []
