"""Counts as bytes: all lowest bytes first, then all second ones …, which compresses well and is read many times faster than lists.

Planes above the greatest count are left out, and a column of bytes has no list lengths to decode entry by entry.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

_N_PLANES = 4


def packed(counts: npt.ArrayLike) -> bytes:
    """Counts below 2**31, any shape.

    Raises:
        ValueError: if one does not fit, which takes more rows than a partition can have.

    Example:
        >>> packed([1, 2, 256])
        b'\\x01\\x02\\x00\\x00\\x00\\x01'
    """
    values = np.asarray(counts, np.int64).ravel()
    if len(values) and not 0 <= values.min() <= values.max() < 1 << 31:
        raise ValueError(f"counts: found {values.min()} to {values.max()}, expected 0 to {(1 << 31) - 1}")
    planes = values.astype("<i4").view(np.uint8).reshape(-1, _N_PLANES).T
    return planes[: 1 + max(np.flatnonzero(planes.any(axis=1)), default=0)].tobytes()


def unpacked(column: Any, width: int) -> npt.NDArray[np.int32]:
    """A column of packed counts (Arrow binary, ``width`` counts in each row) as an array (n_rows, width).

    Raises:
        ValueError: if a row has another number of counts, which no profile of this measure can have.
    """
    rows = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    counts = np.zeros((len(rows), width), np.int32)
    if not len(rows):
        return counts
    offsets = np.frombuffer(rows.buffers()[1], np.int32)[rows.offset : rows.offset + len(rows) + 1]
    n_planes, rest = np.divmod(np.diff(offsets), width)
    if rest.any() or n_planes.min() < 1 or n_planes.max() > _N_PLANES:
        raise ValueError(f"counts: found rows of other lengths, expected {width} in each")
    flat = np.frombuffer(rows.buffers()[2], np.uint8)
    for row, (first, end) in enumerate(pairwise(offsets)):
        for place, plane in enumerate(flat[first:end].reshape(-1, width)):
            counts[row] |= plane.astype(np.int32) << 8 * place
    return counts
