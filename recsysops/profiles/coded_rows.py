"""A batch with what the scan has found out about its rows, for whoever counts more than cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from recsysops.profiles.fast_hash import Hashes


@dataclass(frozen=True)
class CodedRows:
    """Arrays have shape (n,), ``values`` (n_dimensions, n).

    ``days`` are days since 1970 (UTC), meaningless where ``placeable`` is false. ``requests`` are hashes of
    ``request_ids``, or of the row's position where there is none. ``values`` are codes of slice values, which the scan
    names at its end.
    """

    batch: pa.RecordBatch
    days: npt.NDArray[np.int64]
    placeable: npt.NDArray[np.bool_]
    request_ids: pa.Array | None
    requests: Hashes
    values: npt.NDArray[np.uint8]

    @property
    def has_request(self) -> npt.NDArray[np.bool_]:
        """Whether a row names its request."""
        if self.request_ids is None:
            return np.zeros(len(self.days), np.bool_)
        return validity(self.request_ids)


def chosen(which: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp] | slice:
    """An index of the rows where ``which`` is true; one that copies nothing where they are all."""
    return slice(None) if which.all() else np.flatnonzero(which)


def validity(array: pa.Array) -> npt.NDArray[np.bool_]:
    """Whether each value is there, shape (n,)."""
    if not array.null_count:
        return np.ones(len(array), np.bool_)
    return np.asarray(array.is_valid().to_numpy(zero_copy_only=False), np.bool_)


def picked(array: pa.Array, index: npt.NDArray[Any] | slice) -> pa.Array:
    """The values at an index that `chosen` gave."""
    return array if isinstance(index, slice) else array.take(pa.array(index))
