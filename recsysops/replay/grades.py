"""How equal a replayed score is to the logged one.

========  ==========================================================================================================
L0        every bit is equal
L1        at most 4 units in the last place apart
L2        within tolerance, and the first K candidates in the same order
L3        within tolerance: 1e-6 relative, 1e-4 where the log keeps 32 bits; close neighbours may have changed places
MISMATCH  further apart, or a number against none
========  ==========================================================================================================

Each grade implies those below it; the same order alone is no grade, since a lost calibration keeps every order. Compare in
the precision of the log: a float64 that was logged as a float32 is rounded first. One machine repeats LightGBM's scores bit
for bit; other machines and compilers are not bound to (LightGBM issue 6683), so gate on L0 in the serving image and on L2
elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

GRADES = ("L0", "L1", "L2", "L3", "MISMATCH")
L0, L1, L2, L3, MISMATCH = range(5)
MOST_ULPS = 4
RELATIVE, RELATIVE_SINGLE = 1e-6, 1e-4

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int8]


@dataclass(frozen=True)
class Graded:
    """Grades of one column of scores."""

    rows: Codes
    """(n_rows,): places in ``GRADES``; a row alone has no order, so none is L2."""
    requests: Codes
    """(n_requests,): the worst of its rows', L2 in the place of L3 where the order is the same."""

    @property
    def counts(self) -> dict[str, int]:
        """Requests by grade."""
        found = np.bincount(self.requests, minlength=len(GRADES))
        return {name: int(n) for name, n in zip(GRADES, found, strict=True)}


def graded(logged: npt.NDArray[Any], replayed: Floats, request: Integers, *, top_k: int = 10) -> Graded:
    """Grade replayed scores row by row and request by request.

    Args:
        logged: (n_rows,) float32 or float64, as the log keeps them; NaN equals NaN.
        replayed: (n_rows,).
        request: (n_rows,) number of each row's request, from 0, without gaps.
        top_k: how many first candidates must keep their order for L2.
    """
    rows = row_grades(logged, replayed)
    requests = np.zeros(int(request.max(initial=-1)) + 1, np.int8)
    np.maximum.at(requests, request, rows)
    is_close = requests == L3
    if np.any(is_close):
        chosen = np.flatnonzero(is_close[request])
        known, which = np.unique(request[chosen], return_inverse=True)
        is_same = same_order(logged[chosen].astype(np.float64), replayed[chosen], which, top_k)
        requests[known[is_same]] = L2
    return Graded(rows, requests)


def row_grades(logged: npt.NDArray[Any], replayed: Floats) -> Codes:
    """L0, L1, L3 or MISMATCH of each row, (n_rows,)."""
    is_single = logged.dtype == np.float32
    logged = logged if is_single else logged.astype(np.float64)
    with np.errstate(over="ignore"):  # beyond the range of 32 bits the log holds infinity as well
        rounded = replayed.astype(logged.dtype)
    both_nan = np.isnan(logged) & np.isnan(rounded)
    is_equal = both_nan | (_bits(logged) == _bits(rounded))
    apart = _ulps(logged, rounded)
    one, other = logged.astype(np.float64), rounded.astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        largest = np.maximum(np.abs(one), np.abs(other))
        is_near = np.abs(one - other) <= (RELATIVE_SINGLE if is_single else RELATIVE) * largest
    is_near &= np.isfinite(one) & np.isfinite(other)
    grades = np.where(is_near, L3, MISMATCH)
    grades[np.isfinite(one) & np.isfinite(other) & (apart <= MOST_ULPS)] = L1
    grades[is_equal] = L0
    return grades.astype(np.int8)


def same_order(one: Floats, other: Floats, request: Integers, top_k: int) -> npt.NDArray[np.bool_]:
    """Whether the first K candidates by either score are the same in the same order, (n_requests,).

    Candidates of equal score keep the order of their rows.
    """
    n_requests = int(request.max(initial=-1)) + 1
    orders = [np.lexsort((-scores, request)) for scores in (one, other)]
    begin = np.searchsorted(request[orders[0]], np.arange(n_requests))
    place = np.arange(len(one)) - begin[request[orders[0]]]
    differs = (orders[0] != orders[1]) & (place < top_k)
    return np.asarray(np.bincount(request[orders[0]], differs, minlength=n_requests) == 0)


def _bits(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return values.view(np.int32 if values.dtype == np.float32 else np.int64)


def _ulps(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> Floats:
    """Representable numbers from one to the other; as floats, which is exact where it matters."""
    places = []
    for values in (one, other):
        bits = _bits(values).astype(np.int64)
        lowest = -(2**31) if values.dtype == np.float32 else np.iinfo(np.int64).min
        places.append(np.where(bits < 0, lowest - bits, bits))
    is_apart = np.sign(places[0]) * np.sign(places[1]) < 0
    with np.errstate(over="ignore"):
        near = np.abs((places[0] - places[1]).astype(np.float64))
    far = np.abs(places[0].astype(np.float64)) + np.abs(places[1].astype(np.float64))
    return np.where(is_apart, far, near)
