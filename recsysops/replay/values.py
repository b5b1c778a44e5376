"""Logged and upstream columns as comparable numbers, and when two of them are the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from recsysops.models.matrix import as_array, numbers
from recsysops.tables.clocks import UTC_TYPE
from recsysops.tables.kinds import kind_of

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Tolerance:
    """How far two values may be apart and still be the same: so much, plus so much of the second."""

    absolute: float
    relative: float


NUMBERS = Tolerance(1e-6, 1e-5)
"""Of replay (an embedding's float32 fits in)."""
TIMES = Tolerance(1e3, 0.0)
"""A millisecond, as many stores keep them, in microseconds."""
WORDS = Tolerance(0.0, 0.0)


@dataclass(frozen=True)
class Comparable:
    """Two columns on one scale: numbers as they are, times in microseconds, texts as numbers of words; NaN is missing."""

    logged: Floats
    source: Floats
    is_text: bool
    words: tuple[str, ...] = ()
    tolerance: Tolerance = NUMBERS


def comparable(logged: Any, source: Any) -> Comparable | None:
    """Both columns on one scale, or None where their kinds cannot be compared.

    Args:
        logged: (n_candidates,) numpy or Arrow array.
        source: (n_upstream_rows,).
    """
    one, other = as_array(logged), as_array(source)
    kinds = {kind_of(array.type) for array in (one, other) if not types.is_null(array.type)}
    if kinds <= {"numeric", "boolean"}:
        return Comparable(numbers(one), numbers(other), is_text=False)
    if kinds == {"timestamp"}:
        return Comparable(_micros(one), _micros(other), is_text=False, tolerance=TIMES)
    if kinds == {"categorical"}:
        words = pc.unique(pa.concat_arrays([_texts(one), _texts(other)])).drop_null()
        known = tuple(words.to_pylist())
        return Comparable(numbers(one, known), numbers(other, known), is_text=True, words=known, tolerance=WORDS)
    return None


def is_same(one: Floats, other: Floats, tolerance: Tolerance = NUMBERS) -> Flags:
    """Equal within the tolerance, or both missing.

    Example:
        >>> noon, one_oclock = np.array([1.7e15]), np.array([1.7e15 + 3.6e9])
        >>> is_same(noon, one_oclock, TIMES).tolist(), is_same(np.array([0.1]), np.array([0.1000001])).tolist()
        ([False], [True])
    """
    with np.errstate(invalid="ignore"):
        is_near = (np.abs(one - other) <= tolerance.absolute + tolerance.relative * np.abs(other)) & np.isfinite(other)
    return np.asarray(is_near | (one == other) | (np.isnan(one) & np.isnan(other)))


def micros(times: Any) -> npt.NDArray[np.int64]:
    """Times as microseconds since 1970 UTC; missing ones as the largest integer."""
    array = as_array(times).cast(UTC_TYPE).cast(pa.int64())
    found: npt.NDArray[np.int64] = pc.fill_null(array, np.iinfo(np.int64).max).to_numpy(zero_copy_only=False)
    return found


def _micros(times: pa.Array) -> Floats:
    array = times.cast(UTC_TYPE).cast(pa.int64()).cast(pa.float64())
    found: Floats = array.to_numpy(zero_copy_only=False)
    return found


def _texts(array: pa.Array) -> pa.Array:
    return (pc.unique(array).dictionary_decode() if types.is_dictionary(array.type) else pc.unique(array)).cast(
        pa.string()
    )
