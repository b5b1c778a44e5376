"""How strange a vector is among others: far from all, of another length, zero, a copy, or against their correlations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import cdist

from recsysops.statistics._arrays import FloatArray, as_floats, divide
from recsysops.statistics.leave_one_out import median_of_others
from recsysops.statistics.ledoit_wolf import ledoit_wolf
from recsysops.statistics.surprise import category_surprise


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddingScores:
    """Result of ``embedding_scores``; arrays (1 + k,), entry 0 the subject's; higher is stranger in all but ``norm_ratio``."""

    neighbours: FloatArray
    """Mean distance to the nearest others."""
    norm_ratio: FloatArray
    """Length over the median length of the others, for people; 1 is usual, nan where the median is 0."""
    norm: FloatArray
    """``|ln norm_ratio|``, the score of it; inf for a zero vector among others that are not."""
    mahalanobis: FloatArray
    """Distance from the mean in standard deviations of its direction; nan where the vectors do not vary."""
    zero: FloatArray
    """Nats, how rare it is to be (or not to be) exactly zero."""
    n_copies: FloatArray
    """Others with exactly the same vector; 0 for a zero vector, which has a test of its own."""


def embedding_scores(vectors: npt.ArrayLike, *, n_neighbours: int = 10) -> EmbeddingScores:
    """Score the vectors of a subject and its peers, each against all the others.

    ``neighbours`` is the mean Euclidean distance to the ``n_neighbours`` nearest others. ``mahalanobis`` uses mean and
    Ledoit-Wolf covariance of the whole bag: leaving the vector out changes an unshrunken distance monotonically, hence
    no rank among the entries. O(k^2 d).

    Parameters: ``vectors`` (1 + k, d), finite, the subject first.
    Returns: ``EmbeddingScores``; without peers all 0, the distances nan.
    Raises: ``ValueError`` for another shape, what is not finite, or no neighbours.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> scores = embedding_scores(np.vstack([np.full(8, 5.0), rng.normal(size=(40, 8))]))
        >>> [int(np.argmax(one)) for one in (scores.neighbours, scores.norm, scores.mahalanobis)]
        [0, 0, 0]

    Source: Ramaswamy, Rastogi & Shim, SIGMOD (2000), nearest neighbours; Ledoit & Wolf (2004).
    """
    x = as_floats(vectors)
    if x.ndim != 2 or not x.size or not np.isfinite(x).all() or n_neighbours < 1:
        raise ValueError(f"vectors: found shape {x.shape}, expected finite (1 + k, d), and at least one neighbour")
    norms = np.sqrt((x**2).sum(axis=1))
    usual = median_of_others(norms) if len(x) > 1 else norms
    ratio = divide(norms, usual)
    with np.errstate(divide="ignore"):
        size = np.where((norms == 0) & (usual == 0), 0.0, np.abs(np.log(ratio)))
    _, same, n_same = np.unique(x, axis=0, return_inverse=True, return_counts=True)
    return EmbeddingScores(
        neighbours=_nearest(x, n_neighbours),
        norm_ratio=ratio,
        norm=np.asarray(size),
        mahalanobis=_mahalanobis(x),
        zero=category_surprise(norms == 0),
        n_copies=np.where(norms == 0, 0.0, n_same[same.ravel()] - 1.0),
    )


def _nearest(x: FloatArray, n: int) -> FloatArray:
    if len(x) == 1:
        return np.full(1, np.nan)
    apart = cdist(x, x)
    np.fill_diagonal(apart, np.inf)
    n = min(n, len(x) - 1)
    return np.asarray(np.partition(apart, n - 1, axis=1)[:, :n].mean(axis=1))


def _mahalanobis(x: FloatArray) -> FloatArray:
    found = ledoit_wolf(x)
    if not found.covariance.any():
        return np.full(len(x), np.nan)
    away = x - found.mean
    squared = (away * np.linalg.solve(found.covariance, away.T).T).sum(axis=1)
    return np.asarray(np.sqrt(np.maximum(squared, 0.0)))
