"""Exposure that parts from demand: recovered from simulated counts; healthy items stay."""

from __future__ import annotations

import numpy as np
import pytest

from recsysops.triage.bias_change import bias_changes
from recsysops.triage.on_record import names_item

N_DAYS, N_ITEMS = 29, 200


def counts(seed: int, factor: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Exposure and demand; item 0 gets ``factor`` times its exposure in the last week."""
    rng = np.random.default_rng(seed)
    demand = rng.gamma(1.0, 3.0, N_ITEMS)
    demand[0] = 8.0
    exposure = 20 * demand * np.exp(rng.normal(0, 1, N_ITEMS))
    exposure[0] = 160.0
    days = np.exp(rng.normal(0, 0.2, (N_DAYS, N_ITEMS)))
    days[-7:, 0] *= factor
    return rng.poisson(exposure * days).astype(float), rng.poisson(np.broadcast_to(demand, days.shape)).astype(float)


@pytest.mark.parametrize("factor", [8.0, 1 / 8])
def test_the_change_is_recovered(factor: float) -> None:
    found = bias_changes(*counts(0, factor))
    assert found is not None
    assert found.change[0] == pytest.approx(np.log(factor), abs=0.6)
    assert found.p_value[0] < 1e-3
    assert int(np.argmin(found.p_value)) == 0


def test_p_values_of_healthy_items_are_no_smaller_than_they_say() -> None:
    p_values = np.concatenate(
        [found.p_value for seed in range(5) if (found := bias_changes(*counts(seed))) is not None]
    )
    assert len(p_values) == 5 * N_ITEMS
    assert (p_values < 0.01).mean() <= 0.02
    assert (p_values < 1e-4).sum() == 0


def test_two_weeks_are_needed() -> None:
    exposure, demand = counts(0)
    assert bias_changes(exposure[:13], demand[:13]) is None
    assert bias_changes(exposure, np.zeros_like(demand)) is None


@pytest.mark.parametrize(
    ("scope", "item", "is_named"),
    [
        ("policy.suppress-51-DK", "51", True),
        ("policy.suppress-510-DK", "51", False),
        ("item=51", "51", True),
        ("51", "", False),
    ],
)
def test_a_scope_names_an_item_as_a_whole_word(scope: str, item: str, is_named: bool) -> None:
    assert names_item(scope, item) is is_named
