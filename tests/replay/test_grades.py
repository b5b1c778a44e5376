"""Grades of equality: units in the last place, tolerance, order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsysops.replay.grades import GRADES, L0, L1, L2, L3, MISMATCH, graded, row_grades, same_order

numbers = st.floats(allow_nan=False, allow_infinity=False, width=32)


def _steps(value: float, n: int, dtype: type[np.floating]) -> np.floating:
    one = dtype(value)
    for _ in range(n):
        one = np.nextafter(one, dtype(np.inf))
    return one


@settings(deadline=None, derandomize=True, max_examples=150)
@given(numbers, st.integers(0, 7), st.booleans())
def test_units_in_the_last_place_are_numpys_steps(value: float, n: int, is_single: bool) -> None:
    dtype = np.float32 if is_single else np.float64
    logged = np.array([value], dtype)
    other = np.array([_steps(value, n, dtype)], np.float64)
    if not np.isfinite(other).all():
        return
    found = int(row_grades(logged, other)[0])
    if n == 0:
        assert found == L0
    elif n <= 4:
        assert found == L1
    else:
        assert found in (L3, MISMATCH)  # near zero a step is a large part of the number


@pytest.mark.parametrize(
    ("logged", "replayed", "grade"),
    [
        (np.nan, np.nan, L0),
        (np.nan, 1.0, MISMATCH),
        (1.0, np.nan, MISMATCH),
        (np.inf, np.inf, L0),
        (np.inf, 1e308, MISMATCH),
        (0.0, -0.0, L1),
        (-5e-324, 5e-324, L1),
        (1.0, 1 + 9e-7, L3),
        (1.0, 1 + 2e-6, MISMATCH),
        (1.0, -1.0, MISMATCH),
        (1e308, -1e308, MISMATCH),
    ],
)
def test_numbers_that_are_special(logged: float, replayed: float, grade: int) -> None:
    assert row_grades(np.array([logged]), np.array([replayed])).tolist() == [grade]


def test_a_log_of_32_bits_is_compared_in_32_bits() -> None:
    exact = np.array([0.1, 1 / 3, 1e39])
    with np.errstate(over="ignore"):
        assert row_grades(exact.astype(np.float32), exact).tolist() == [L0, L0, L0]
    assert row_grades(np.array([1], np.float32), np.array([1 + 5e-5])).tolist() == [L3]
    assert row_grades(np.array([1], np.float32), np.array([1 + 5e-4])).tolist() == [MISMATCH]


def test_a_request_is_as_good_as_its_worst_row_and_its_order() -> None:
    logged = np.array([3.0, 2.0, 1.0] * 4)
    replayed = logged.copy()
    request = np.repeat(np.arange(4), 3)
    replayed[4] += 1e-7  # request 1: within tolerance, in order
    logged[6:8] = [1 + 2e-7, 1.0]
    replayed[6:8] = [1.0, 1 + 2e-7]  # request 2: neighbours change places
    replayed[9] *= 2  # request 3: far off, in order all the same
    found = graded(logged, replayed, request)
    assert found.requests.tolist() == [L0, L2, L3, MISMATCH]
    assert found.counts == dict.fromkeys(GRADES, 1) | {"L1": 0}
    assert graded(logged, replayed, request, top_k=0).requests[2] == L2


@settings(deadline=None, derandomize=True, max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=25),
    st.integers(1, 4),
)
def test_order_agrees_with_sorting_each_request(rows: list[tuple[int, int, int]], k: int) -> None:
    request, one, other = (np.array(column) for column in zip(*rows, strict=True))
    found = same_order(one.astype(float), other.astype(float), request.astype(np.int64), k)
    for number in range(int(request.max()) + 1):
        mine = np.flatnonzero(request == number)
        first, second = (sorted(mine, key=lambda row: -values[row])[:k] for values in (one, other))
        assert found[number] == (first == second)


def test_no_rows_are_no_requests() -> None:
    assert graded(np.empty(0), np.empty(0), np.empty(0, np.int64)).counts == dict.fromkeys(GRADES, 0)
