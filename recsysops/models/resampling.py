"""Which rows are drawn: resamples of clusters, and draws that use every row about equally often."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


def resampled_weights(n_rows: int, clusters: Integers | None, n_draws: int, rng: np.random.Generator) -> Floats:
    """Weights of the rows in resamples of whole clusters, drawn with replacement: (n_draws, n_rows), each summing to 1.

    With one cluster alone every resample is the data themselves: nothing is known of how it varies.

    Args:
        clusters: (n_rows,) number of each row's cluster; None: every row is its own.

    Source:
        Davison & Hinkley, Bootstrap Methods and their Application (1997), section 3.8.
    """
    which = np.arange(n_rows) if clusters is None else np.unique(clusters, return_inverse=True)[1]
    n_clusters = int(which.max()) + 1
    times = rng.multinomial(n_clusters, np.full(n_clusters, 1 / n_clusters), n_draws)[:, which]
    return np.asarray(times / times.sum(axis=1, keepdims=True))


def balanced_draws(n_rows: int, size: int, rng: np.random.Generator) -> Integers:
    """Numbers of drawn rows, (size,): one random order of all after another, so that no two differ in use by more than 1.

    Means over such draws vary no more than over independent ones.
    """
    orders = [rng.permutation(n_rows) for _ in range(-(-size // n_rows))]
    return np.concatenate([*orders, np.empty(0, np.int64)])[:size].astype(np.int64)
