"""Counts as bytes: all lowest bytes first, then all second ones …, which compresses well and is read many times faster than lists.

Small counts leave the upper planes empty, and a column of bytes has no list lengths to decode entry by entry.
"""

from __future__ import annotations

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
        b'\\x01\\x02\\x00\\x00\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00'
    """
    values = np.asarray(counts, np.int64).ravel()
    if len(values) and not 0 <= values.min() <= values.max() < 1 << 31:
        raise ValueError(f"counts: found {values.min()} to {values.max()}, expected 0 to {(1 << 31) - 1}")
    return values.astype("<i4").view(np.uint8).reshape(-1, _N_PLANES).T.tobytes()


def unpacked(column: Any, width: int) -> npt.NDArray[np.int32]:
    """A column of packed counts (Arrow binary, ``width`` counts in each row) as an array (n_rows, width).

    Raises:
        ValueError: if a row has another number of counts, which no profile of this measure can have.
    """
    planes = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    offsets = np.frombuffer(planes.buffers()[1], np.int32)[planes.offset : planes.offset + len(planes) + 1]
    if np.any(np.diff(offsets) != _N_PLANES * width):
        raise ValueError(f"counts: found rows of other lengths, expected {width} in each")
    if not len(planes):
        return np.zeros((0, width), np.int32)
    flat = np.frombuffer(planes.buffers()[2], np.uint8)[offsets[0] : offsets[-1]]
    by_plane = flat.reshape(len(planes), _N_PLANES, width)
    counts = by_plane[:, 0].astype(np.int32)
    for place in range(1, _N_PLANES):
        if by_plane[:, place].any():
            counts |= by_plane[:, place].astype(np.int32) << 8 * place
    return counts
