"""Which of 32 buckets a row's request falls into: the clusters that permutation tests and jackknives resample."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from recsysops.profiles.fast_hash import Hashes, hash_integers, hash_values
from recsysops.profiles.measures import N_BUCKETS

Buckets = npt.NDArray[np.uint8]


def request_buckets(request_ids: pa.Array | None, n_rows: int, first_row: int = 0) -> Buckets:
    """The bucket of every row, shape (n_rows,), values in [0, 32).

    All rows of a request share its bucket, on every machine and in every run. A row without a request (NULL, or a
    table that knows no requests) is a cluster of its own, placed by its position in the partition: ``first_row`` plus
    its index here. Integer ids and their decimal texts do not agree.

    Args:
        request_ids: Arrow texts, dictionary or integers, n_rows long; None when the table has no requests.
        n_rows: how many rows.
        first_row: how many rows of the partition came before.

    Raises:
        SchemaError: if ids of this type cannot be hashed.
    """
    return buckets_of(request_hashes(request_ids, n_rows, first_row))


def buckets_of(hashes: Hashes) -> Buckets:
    """The bucket of every hash."""
    return (hashes % np.uint64(N_BUCKETS)).astype(np.uint8)


def request_hashes(request_ids: pa.Array | None, n_rows: int, first_row: int = 0) -> Hashes:
    """What buckets are made of: the hash of every row's request, or of its position; arguments as `request_buckets`."""
    if request_ids is None:
        return hash_integers(np.arange(first_row, first_row + n_rows))
    hashes = hash_values(request_ids)
    if request_ids.null_count:
        missing = np.flatnonzero(request_ids.is_null().to_numpy(zero_copy_only=False))
        hashes[missing] = hash_integers(missing + first_row)
    return hashes
