"""Items that lost their exposure: exact tails, drift followed, healthy days left alone."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from recsysops.profiles.history import KeyedContrast
from recsysops.profiles.slices import EVERYTHING
from recsysops.triage.exposure_falls import FallLimits, falling_items

LIMITS = FallLimits(min_expected=10.0, max_ratio=0.2)
N_DAYS, N_ITEMS = 21, 60


def contrast(seed: int, *, sd: float = 0.3, lost: int = -1, faded: int = -1) -> KeyedContrast:
    rng = np.random.default_rng(seed)
    popularity = 3000 / np.arange(5, N_ITEMS + 5)
    daily = popularity * np.exp(rng.normal(0, sd, (N_DAYS, N_ITEMS)))
    if faded >= 0:
        daily[:, faded] *= 0.75 ** np.arange(N_DAYS)
    counts = rng.poisson(daily).astype(float)
    if lost >= 0:
        counts[-1, lost] = 0
    both = np.concatenate([counts, np.zeros((N_DAYS, 1))], axis=1)[..., None]
    days = tuple(date(2026, 3, 2) + timedelta(days=number) for number in range(N_DAYS))
    nothing = np.zeros(0)
    names = tuple(f"item_{number}" for number in range(N_ITEMS))
    return KeyedContrast(names, ("impressions",), days[:-1], days[-1:], both[:-1], both[-1:], nothing, nothing)


def found(one: KeyedContrast) -> list[int]:
    return [index for index, _ in falling_items(one, LIMITS, EVERYTHING, np.full(N_ITEMS, True))[1]]


def test_a_lost_item_is_found_with_its_numbers() -> None:
    n_judged, falls = falling_items(contrast(0, lost=3), LIMITS, EVERYTHING, np.full(N_ITEMS, True))
    [(index, change)] = falls
    assert index == 3
    assert n_judged == N_ITEMS
    assert change.value == 0.0
    assert 0.02 < change.reference < 0.12
    assert change.p_value is not None
    assert change.p_value < 1e-4
    assert len(change.series) == N_DAYS


def test_an_item_that_fades_as_it_did_is_not_lost() -> None:
    assert found(contrast(1, faded=0)) == []


def test_healthy_days_are_left_alone() -> None:
    assert [found(contrast(seed)) for seed in range(20)] == [[]] * 20


def test_items_that_are_not_to_be_judged_are_not() -> None:
    assert falling_items(contrast(0, lost=3), LIMITS, EVERYTHING, np.full(N_ITEMS, False)) == (0, ())


def test_lively_items_need_more_to_be_called_lost() -> None:
    calm, lively = (
        falling_items(
            contrast(5, sd=sd, lost=40), FallLimits(10.0, 0.2, max_p=1.0), EVERYTHING, np.full(N_ITEMS, True)
        )[1]
        for sd in (0.2, 0.9)
    )
    p_values = [dict(falls)[40].p_value for falls in (calm, lively)]
    assert p_values[0] is not None
    assert p_values[1] is not None
    assert p_values[0] < p_values[1]
