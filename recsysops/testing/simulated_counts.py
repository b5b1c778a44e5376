"""Bucketed counts of simulated days, straight as a contrast: thousands of rows a day in milliseconds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from recsysops.profiles.edges import learn_edges
from recsysops.profiles.history import HISTOGRAM_SPECIALS, CellContrast
from recsysops.profiles.measures import N_BUCKETS
from recsysops.testing.histories import cell_contrast

Values = npt.NDArray[np.float64]


def values_contrast(reference: Sequence[Values], current: Sequence[Values], rows_per_request: int = 1) -> CellContrast:
    """The histogram of some days of values: NaN counts as NULL, consecutive rows form requests.

    Args:
        reference: the values of each reference unit.
        current: the same of the current window.
        rows_per_request: rows that share a bucket.
    """
    seen = np.concatenate(reference)
    edges = np.array(learn_edges(seen[~np.isnan(seen)]).edges)
    names = (*HISTOGRAM_SPECIALS, *(f"bin {index}" for index in range(len(edges) + 1)))
    counted = [
        np.array([_count(day, edges, rows_per_request, seed) for seed, day in enumerate(window, start)])[:, None]
        for start, window in ((0, reference), (1000, current))
    ]
    return cell_contrast(counted[0], counted[1], names, edges=edges)


def flags_contrast(reference: Sequence[Values], current: Sequence[Values], rows_per_request: int = 1) -> CellContrast:
    """Two cells, ``flagged`` and ``rest``: rows that are not 0 and the others."""
    counted = [
        np.array([_flag_count(day, rows_per_request, seed) for seed, day in enumerate(window, start)])[:, None]
        for start, window in ((0, reference), (1000, current))
    ]
    return cell_contrast(counted[0], counted[1], ("flagged", "rest"))


def _count(values: Values, edges: Values, rows_per_request: int, seed: int) -> npt.NDArray[np.int64]:
    n_cells = len(HISTOGRAM_SPECIALS) + len(edges) + 1
    cell = np.where(np.isnan(values), 0, np.searchsorted(edges, values) + len(HISTOGRAM_SPECIALS))
    place = _buckets(len(values), rows_per_request, seed) * n_cells + cell
    return np.bincount(place, minlength=N_BUCKETS * n_cells).reshape(N_BUCKETS, n_cells)


def _flag_count(flags: Values, rows_per_request: int, seed: int) -> npt.NDArray[np.int64]:
    place = _buckets(len(flags), rows_per_request, seed) * 2 + (flags == 0)
    return np.bincount(place, minlength=N_BUCKETS * 2).reshape(N_BUCKETS, 2)


def _buckets(n_rows: int, rows_per_request: int, seed: int) -> npt.NDArray[np.int64]:
    n_requests = -(-n_rows // rows_per_request)
    drawn = np.random.default_rng([seed, n_rows]).integers(0, N_BUCKETS, n_requests)
    return np.repeat(drawn, rows_per_request)[:n_rows]
