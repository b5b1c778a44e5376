"""Columns of the log as arrays: values, and where they are NULL."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any

import numpy as np
import numpy.typing as npt

from recsysops.serving.log_schema import Kind

Flags = npt.NDArray[np.bool_]
Column = tuple[npt.NDArray[Any] | list[str | None], Flags | None]
"""Numbers, flags and times with the places of their NULLs (None: nowhere); text is a list whose None are NULL."""
_NUMPY = {"time": np.int64, "number": np.float64, "single": np.float32, "integer": np.int64, "flag": np.bool_}


def of_requests(name: str, kind: Kind, values: list[Any]) -> Column:
    """(n_requests,) one value per request.

    Raises:
        ValueError, TypeError, OverflowError: if a value is not of the kind.
    """
    if kind == "text":
        for value in values:
            _refuse_other_than_text(name, value)
        return values, None
    if kind == "integer":
        values = [None if value is None else index(value) for value in values]
    is_null = np.array([value is None for value in values])
    filled: npt.NDArray[Any] = np.array([0 if value is None else value for value in values], _NUMPY[kind])
    return filled, is_null if is_null.any() else None


def texts_of_candidates(name: str, given: Sequence[Any], sizes: Sequence[int]) -> Column:
    """(n_rows,) texts of requests one after the other; what is not text is written as such, as numeric ids are.

    Args:
        given: of each request, one text per candidate; None where it has no such column.
        sizes: candidates of each request.

    Raises:
        ValueError: if there is not one text per candidate.
    """
    texts: list[str | None] = []
    for values, size in zip(given, sizes, strict=True):
        if values is None:
            texts.extend([None] * size)
            continue
        if isinstance(values, str) or len(values) != size:
            raise ValueError(f"{name}: found {values!r:.80}, expected {size} texts, one per candidate")
        listed = values.tolist() if isinstance(values, np.ndarray) else values
        texts.extend([one if one is None or type(one) is str else str(one) for one in listed])
    return texts, None


def numbers_of_candidates(name: str, kind: Kind, given: Sequence[Any], sizes: Sequence[int]) -> Column:
    """(n_rows,) scores or ranks of requests one after the other.

    NULL where a request has no such column or the entry is None. NaN stays NaN in a score; a rank is NULL unless it is at
    least 1.

    Raises:
        ValueError: if there is not one number per candidate.
    """
    values = np.full(sum(sizes), np.nan)
    is_null = np.zeros(sum(sizes), bool)
    start = 0
    for entries, size in zip(given, sizes, strict=True):
        if entries is None:
            is_null[start : start + size] = True
        elif len(entries) != size:
            raise ValueError(f"{name}: found {len(entries)} numbers, expected {size}, one per candidate")
        else:
            values[start : start + size] = entries
            if not isinstance(entries, np.ndarray):
                is_null[start : start + size] = [entry is None for entry in entries]
        start += size
    if kind == "integer":
        is_null |= ~((values >= 1) & (values < 2**53))
        return np.where(is_null, 0, values).astype(np.int64), is_null
    return values, is_null if is_null.any() else None


def _refuse_other_than_text(name: str, value: object) -> None:
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{name}: found {value!r:.80}, expected a text")
