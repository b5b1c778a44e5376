"""A repair closes what a written-down model says it must, and the search finds the set that was planted."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from gap_models import FEATURES, Floats, comparison, gap_artifact
from hypothesis import given
from hypothesis import strategies as st

from recsysops.errors import SchemaError
from recsysops.models.comparison import Comparison
from recsysops.models.repair import minimal_repair, repair_test
from recsysops.models.resampling import balanced_draws, resampled_weights
from recsysops.models.scoring import score

NAMES = ("a", "b", "c", "d")
WEIGHTS = np.array([3.0, 2.0, 1.0, 0.0])


def _linear(rows: Floats) -> Floats:
    return np.asarray(np.nan_to_num(rows) @ WEIGHTS)


def _compared(n_rows: int = 20, n_peers: int = 40) -> Comparison:
    rng = np.random.default_rng(3)
    return Comparison(NAMES, rng.normal(0, 0.1, (n_rows, 4)) - 1, rng.normal(0, 0.1, (n_peers, 4)))


def test_of_a_linear_model_rho_is_the_share_of_the_difference() -> None:
    compared = _compared()
    means = compared.peers.mean(axis=0) - compared.rows.mean(axis=0)
    for names in (["a"], ["b", "c"], ["d"], ["a", "b", "c", "d"]):
        places = compared.places(names)
        found = repair_test(_linear, compared, names)
        assert found.rho.value == pytest.approx((means * WEIGHTS)[places].sum() / (means @ WEIGHTS), abs=1e-12)
        assert found.gap == pytest.approx(-means @ WEIGHTS)
        assert found.gap_left == pytest.approx(found.gap * (1 - found.rho.value), abs=1e-12)
        assert found.rho.low <= found.rho.value + 1e-9
        assert found.rho.high >= found.rho.value - 1e-9
    assert repair_test(_linear, compared, []).rho.value == 0


def test_everything_replaced_closes_the_gap_of_any_model(tmp_path: Path) -> None:
    scorer = partial(score, gap_artifact(tmp_path))
    found = repair_test(scorer, comparison(20, 40), FEATURES)
    assert found.rho.value == pytest.approx(1, abs=1e-9)  # 400 draws use every peer ten times
    assert found.gap_left == pytest.approx(0, abs=1e-9)


def test_what_is_replaced_comes_from_one_peer() -> None:
    """Peers are (0, 0) or (1, 1): drawn one by one, half of the products of a + b would be mixed."""
    peers = np.repeat([[0.0, 0.0], [1.0, 1.0]], 20, axis=0)
    seen: list[Floats] = []

    def watched(rows: Floats) -> Floats:
        seen.append(rows)
        return np.asarray(rows.sum(axis=1))

    repair_test(watched, Comparison(("a", "b"), np.full((6, 2), -5.0), peers), ["a", "b"])
    assert np.array_equal(seen[-1][:, 0], seen[-1][:, 1])
    assert set(np.unique(seen[-1])) == {0, 1}


def test_the_interval_covers_at_its_rate() -> None:
    """Of a model a·x with subject rows drawn from a known population, the true share is known."""
    rng, n_covered, n_runs = np.random.default_rng(5), 0, 200
    peers = np.zeros((10, 2))
    for run in range(n_runs):
        rows = np.column_stack([rng.normal(-1, 0.5, 40), rng.normal(-2, 0.5, 40)])
        found = repair_test(lambda m: m.sum(axis=1), Comparison(("a", "b"), rows, peers), ["a"], n_draws=1, seed=run)
        n_covered += found.rho.low <= 1 / 3 <= found.rho.high
    assert 0.88 <= n_covered / n_runs <= 0.99


def test_a_gap_that_may_be_zero_has_no_interval() -> None:
    rng = np.random.default_rng(2)
    rows = rng.normal(0, 1, (10, 4))
    found = repair_test(_linear, Comparison(NAMES, rows, rows + rng.normal(0, 0.01, (10, 4))), ["a"])
    assert math.isnan(found.rho.low)
    assert math.isnan(found.rho.high)
    same = repair_test(_linear, Comparison(NAMES, rows[:1], rows[:1]), ["a"])
    assert math.isnan(same.rho.value)


def test_rows_of_one_request_count_once() -> None:
    compared = _compared(8)
    repeated = replace(compared, rows=np.repeat(compared.rows, 5, axis=0), clusters=np.repeat(np.arange(8), 5))
    widths = [
        one.rho.high - one.rho.low
        for one in (
            repair_test(_linear, these, ["a"], n_draws=50) for these in (repeated, replace(repeated, clusters=None))
        )
    ]
    assert widths[0] > 1.5 * widths[1]


def test_the_smallest_set_is_found() -> None:
    groups = {name: [name] for name in NAMES}
    found = minimal_repair(_linear, _compared(), groups, target=0.8)
    assert found.is_reached
    assert [step.replaced for step in found.steps] == [("a",), ("a", "b")]
    assert found.best == found.steps[-1]
    grouped = minimal_repair(_linear, _compared(), {"ab": ["a", "b"], "cd": ["c", "d"]}, target=0.8)
    assert grouped.best.replaced == ("ab",)
    assert grouped.best.rho.value == pytest.approx(found.best.rho.value)


def test_what_is_not_needed_is_taken_away() -> None:
    """c closes most alone, yet a and b together close all: greedy takes c first."""

    def scorer(rows: Floats) -> Floats:
        return np.asarray(
            np.where((rows[:, 0] > 0) & (rows[:, 1] > 0), 1.0, np.where(rows[:, 2] > 0, 0.4, 0.1 * rows[:, 0]))
        )

    compared = Comparison(NAMES, np.zeros((4, 4)), np.ones((5, 4)))
    found = minimal_repair(scorer, compared, {name: [name] for name in NAMES}, target=0.9)
    assert found.steps[0].replaced == ("c",)
    assert set(found.best.replaced) == {"a", "b"}


def test_a_gap_that_no_set_closes_is_told() -> None:
    compared = _compared()
    found = minimal_repair(_linear, compared, {"c": ["c"], "d": ["d"]}, target=0.5)
    assert not found.is_reached
    assert found.best.rho.value == pytest.approx(1 / 6, abs=0.02)
    assert [len(step.replaced) for step in found.steps] == [1, 2]
    assert len(minimal_repair(_linear, compared, {name: [name] for name in NAMES}, target=2, most=1).steps) == 1
    with pytest.raises(SchemaError, match="'z'"):
        minimal_repair(_linear, compared, {"z": ["z"]})


@given(n_rows=st.integers(1, 20), size=st.integers(0, 70))
def test_draws_are_balanced(n_rows: int, size: int) -> None:
    times = np.bincount(balanced_draws(n_rows, size, np.random.default_rng(0)), minlength=n_rows)
    assert (times.sum(), times.max() - times.min() <= 1) == (size, True)


def test_weights_are_of_whole_clusters() -> None:
    clusters = np.array([7, 7, 9, 7, 4])
    weights = resampled_weights(5, clusters, 300, np.random.default_rng(1))
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    assert np.array_equal(weights[:, 0], weights[:, 1])
    assert np.array_equal(weights[:, 0], weights[:, 3])
    assert np.all(resampled_weights(3, np.zeros(3, np.int64), 9, np.random.default_rng(1)) == 1 / 3)
