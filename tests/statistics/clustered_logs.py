"""Simulated logs whose rows come in correlated requests, counted by request-hash bucket."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import stats

Counts = npt.NDArray[np.float64]


def clustered_bucket_counts(
    rng: np.random.Generator,
    *,
    n_requests: int = 2_000,
    n_rows: int = 20,
    icc: float = 0.3,
    shift: float = 0.0,
    n_buckets: int = 32,
    n_cells: int = 20,
) -> Counts:
    """Rows per bucket and cell, (n_buckets, n_cells), of a normal feature with intra-request correlation ``icc``."""
    request_part = np.sqrt(icc) * rng.standard_normal((n_requests, 1))
    values = shift + request_part + np.sqrt(1.0 - icc) * rng.standard_normal((n_requests, n_rows))
    edges = stats.norm.ppf(np.arange(1, n_cells) / n_cells)
    cells = np.searchsorted(edges, values.ravel())
    buckets = np.repeat(rng.integers(0, n_buckets, n_requests), n_rows)
    counts = np.bincount(buckets * n_cells + cells, minlength=n_buckets * n_cells)
    return counts.reshape(n_buckets, n_cells).astype(np.float64)
