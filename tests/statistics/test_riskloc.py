"""Root causes: risks and search against plain loops, F1 of attribute sets in simulated worlds, and quiet when nothing is wrong."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated_root_causes import Case, Values, World, f1, simulate

from recsysops.statistics.adtributor import rank_dimensions
from recsysops.statistics.leaf_risk import judge_leaves, noise_of, risk_of_groups
from recsysops.statistics.leaves import OTHER, Leaves, gather_leaves, group_rows
from recsysops.statistics.riskloc import RiskLimits, RootCause, locate_root_causes
from recsysops.statistics.uniform_change import unevenness

COUNTS = World((8, 6, 10, 5), rows=0.3, severity=(0.3, 0.9))
SPARSE = World((8, 6, 10, 5), rows=0.1, severity=(0.3, 0.9))
FEW_LEAVES = World((4, 5, 3), rows=3.0, severity=(0.15, 0.9), n_causes=(1, 2), n_elements=(1, 1))
AMOUNTS = World((10, 12, 10, 8))  # like the paper's S, one dimension less
DEEP = World((10, 24, 10), n_causes=(1, 5), n_elements=(1, 1), severity=(0.5, 1), spread=(0, 0), noise=(0, 0.1))


def _found(case: Case, **gathering: float) -> frozenset[Values]:
    leaves = gather_leaves(case.codes, case.actual, case.forecast, **gathering)  # type: ignore[arg-type]
    return frozenset(cause.values for cause in locate_root_causes(leaves))


def _by_dimension(case: Case) -> frozenset[Values]:
    """What the first pass alone would name: the values of the most surprising dimension."""
    ranked = rank_dimensions(gather_leaves(case.codes, case.actual, case.forecast))
    return frozenset(((one.dimension, value),) for one in ranked[:1] for value in one.values)


@pytest.mark.parametrize(
    ("world", "n_cases", "floor"),
    [(COUNTS, 40, 0.8), (SPARSE, 40, 0.7), (FEW_LEAVES, 80, 0.75), (AMOUNTS, 12, 0.75), (DEEP, 40, 0.7)],
    ids=["counts", "sparse", "few leaves", "amounts", "deep"],
)
def test_simulated_root_causes_are_recovered(world: World, n_cases: int, floor: float) -> None:
    cases = [simulate(world, np.random.default_rng([7, i])) for i in range(n_cases)]
    truth = [case.truth for case in cases]
    score = f1([_found(case) for case in cases], truth)
    assert score >= floor
    assert score >= f1([_by_dimension(case) for case in cases], truth) + 0.3


def test_drawing_small_leaves_to_a_parent_is_what_makes_sparse_counts_readable() -> None:
    cases = [simulate(SPARSE, np.random.default_rng([7, i])) for i in range(25)]
    truth = [case.truth for case in cases]
    assert f1([_found(case, least_forecast=0.0) for case in cases], truth) < 0.3


@pytest.mark.parametrize("rows", [3.0, 0.1])
def test_nothing_is_found_where_nothing_changed(rows: float) -> None:
    world = World((8, 6, 5), n_causes=(0, 0), rows=rows)
    n_alarmed = sum(bool(_found(simulate(world, np.random.default_rng([8, i])))) for i in range(60))
    assert n_alarmed <= 6


@pytest.mark.parametrize("factor", [0.0, 0.5, 0.8, 1.25])
def test_a_change_of_everything_has_no_attributes(factor: float) -> None:
    rng = np.random.default_rng(9)
    codes = np.indices((8, 6, 5)).reshape(3, -1).T
    forecast = rng.weibull(0.8, len(codes)) * 60
    (cause,) = locate_root_causes(gather_leaves(codes, rng.poisson(forecast * factor), forecast))
    assert cause.values == ()
    assert cause.explanatory_power == pytest.approx(1)
    assert cause.risk > 0.75


def test_unevenness_of_a_part_and_of_nothing() -> None:
    codes = np.indices((10, 4)).reshape(2, -1).T
    forecast = np.full(40, 1_000.0)
    halved = np.where(codes[:, 0] == 3, 500.0, 1_000.0)
    assert unevenness(gather_leaves(codes, halved, forecast)) == pytest.approx(1.7, abs=0.1)
    assert unevenness(gather_leaves(codes, forecast * 0.9, forecast)) == pytest.approx(0, abs=1e-9)
    assert np.isnan(unevenness(gather_leaves([[0, 0], [1, 1]], [5, 0], [5, 5])))
    assert np.isnan(unevenness(gather_leaves([[0], [1]], [5, 5], [0, 0])))


def _plain_risk(leaves: Leaves, at: list[int]) -> float:
    """By the paper's definition, a leaf at a time."""
    v, f = leaves.smoothed, leaves.forecast
    judged = judge_leaves(leaves)
    affected = sum(min(1.0, abs(judged.deviation[i])) for i in at if judged.is_affected[i])
    other = sum(judged.weight[i] for i in at if not judged.is_affected[i])
    both = [i for i in at if v[i] > 0 and f[i] > 0]
    ratio = sum(v[i] for i in both) / sum(f[i] for i in both) if both else 0.0
    left = sum(abs(2 * (f[i] * ratio - v[i]) / (f[i] * ratio + v[i])) for i in both)
    before = sum(abs(2 * (f[i] - v[i]) / (f[i] + v[i])) for i in both)
    return float(affected / (affected + other + 0.3) - (left / before if before else 0.0))


def _plain_search(leaves: Leaves) -> list[Values]:
    """Every combination of one to three values, without pruning."""
    judged, found, gone = judge_leaves(leaves), list[Values](), set[int]()
    floor = 0.02 * judged.affected_change
    n, d = leaves.codes.shape
    while True:
        rest = [i for i in range(n) if i not in gone]
        if sum(judged.change[i] for i in rest if judged.is_affected[i]) < floor:
            return found
        best: tuple[float, Values, list[int]] | None = None
        for layer in range(1, min(d, 3) + 1):
            for dims in combinations(range(d), layer):
                for codes in product(*(sorted({int(leaves.codes[i, k]) for i in rest}) for k in dims)):
                    at = [i for i in rest if all(leaves.codes[i, k] == c for k, c in zip(dims, codes, strict=True))]
                    power = sum(judged.change[i] for i in at)
                    noise = 4 * np.sqrt(judged.noise * sum(leaves.forecast[i] for i in at))
                    is_explaining = power > max(floor, best[0] if best else 0.0) and power >= noise
                    is_affected = any(judged.is_affected[i] for i in at)
                    if is_explaining and is_affected and _plain_risk(leaves, at) >= 0.5 - 1e-9:
                        best = (power, tuple(zip(dims, codes, strict=True)), at)
            if best:
                break
        if not best:
            return found
        found.append(best[1])
        gone |= set(best[2])


@pytest.mark.parametrize("seed", range(12))
def test_the_search_equals_plain_loops(seed: int) -> None:
    case = simulate(World((4, 3, 5), n_causes=(1, 2), rows=(0.3, 3.0)[seed % 2]), np.random.default_rng([10, seed]))
    leaves = gather_leaves(case.codes, case.actual, case.forecast)
    if not unevenness(leaves) <= 0.25:
        assert [cause.values for cause in locate_root_causes(leaves, max_causes=99)] == _plain_search(leaves)
    _, group = np.unique(leaves.codes[:, :2], axis=0, return_inverse=True)
    risks = risk_of_groups(judge_leaves(leaves), group.ravel())
    plain = [_plain_risk(leaves, [int(i) for i in np.flatnonzero(group.ravel() == g)]) for g in range(len(risks))]
    np.testing.assert_allclose(risks, plain, atol=1e-9)


@settings(derandomize=True, deadline=None, max_examples=25)
@given(st.integers(0, 10_000))
def test_names_and_order_of_rows_do_not_matter(seed: int) -> None:
    case = simulate(FEW_LEAVES, np.random.default_rng(seed))
    rng = np.random.default_rng(seed + 1)
    names = [rng.permutation(50)[:size] for size in FEW_LEAVES.sizes]
    renamed = np.stack([name[column] for name, column in zip(names, case.codes.T, strict=True)], axis=1)
    rows = rng.permutation(len(renamed))
    again = _found(Case(renamed[rows], case.actual[rows], case.forecast[rows], case.truth))
    expected = {tuple((d, int(names[d][c])) for d, c in values) for values in _found(case)}
    assert again == expected


def test_a_root_cause_says_what_it_explains() -> None:
    rng = np.random.default_rng(11)
    codes = np.indices((6, 5, 4)).reshape(3, -1).T
    forecast = rng.uniform(200, 400, len(codes))
    is_hit = (codes[:, 0] == 2) & (codes[:, 2] == 1)
    actual = rng.poisson(np.where(is_hit, 0.4, 1.0) * forecast).astype(np.float64)
    (cause,) = locate_root_causes(gather_leaves(codes, actual, forecast))
    assert cause.values == ((0, 2), (2, 1))
    assert (cause.actual, cause.forecast) == pytest.approx((actual[is_hit].sum(), forecast[is_hit].sum()))
    expected = (actual - forecast)[is_hit].sum() / (actual - forecast).sum()
    assert cause.explanatory_power == pytest.approx(expected)
    assert isinstance(cause, RootCause)
    assert hash(cause)
    assert not locate_root_causes(gather_leaves(codes, actual, forecast), RiskLimits(risk=0.999))


@settings(derandomize=True, deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(0, 2), st.integers(5, 9)), min_size=1, max_size=30))
def test_grouping_rows_equals_numpy(rows: list[tuple[int, int, int]]) -> None:
    values, group = group_rows(np.array(rows))
    expected, places = np.unique(np.array(rows), axis=0, return_inverse=True)
    np.testing.assert_array_equal(values, expected)
    np.testing.assert_array_equal(group, places.ravel())


def test_leaves_are_added_up_rare_values_gathered_and_small_ones_drawn_to_the_farthest_parent() -> None:
    leaves = gather_leaves([[0, 5], [0, 5], [1, 5], [2, 5]], [1, 2, 30, 4], [2, 2, 40, 4], most_values=1)
    assert leaves.codes.tolist() == [[OTHER, 5], [1, 5]]
    assert leaves.actual.tolist() == [7, 30]
    assert leaves.forecast.tolist() == [8, 40]
    parents = [(37 + 30) / (48 + 30), (7 + 30) / (8 + 30)]  # without the first dimension, without the second
    farthest = min(parents)
    assert leaves.smoothed[0] == pytest.approx(8 * (7 + 30 * farthest) / 38)
    assert leaves.smoothed[1] == 30
    new = gather_leaves([[0, 0], [0, 1]], [100, 100], [0, 100])
    assert new.smoothed.tolist() == [100, 100]


def test_empty_metrics_and_impossible_input() -> None:
    codes = np.indices((3, 4)).reshape(2, -1).T
    assert locate_root_causes(gather_leaves(codes, np.zeros(12), np.zeros(12))) == ()
    assert locate_root_causes(gather_leaves(codes, np.ones(12), np.ones(12))) == ()
    assert noise_of(np.zeros(2), np.zeros(2)) == 0
    for columns, actual, message in (
        (codes, np.ones(11), "expected"),
        (codes, -np.ones(12), ">= 0"),
        (codes - 1, np.ones(12), "codes: found -1"),
        (codes[:, 0], np.ones(12), "expected"),
    ):
        with pytest.raises(ValueError, match=message):
            gather_leaves(columns, actual, np.ones(12))
    wide = gather_leaves(np.zeros((1, 5), int), [1], [1])
    with pytest.raises(ValueError, match="found 5 dimensions, expected at most 4"):
        locate_root_causes(wide)
    with pytest.raises(ValueError, match="expected at least 1"):
        locate_root_causes(wide, max_dimensions=5, max_layers=0)
