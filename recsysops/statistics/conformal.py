"""Is a subject stranger than its peers are among themselves? Conformal p-values, exact for any score and distribution.

Scores come from ``surprise`` and ``embedding_anomaly``: arrays (1 + k,) with the subject as entry 0, every entry scored
against all the others by one rule. If the subject is of its peers' kind, each of the 1 + k ranks is as probable.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from recsysops.statistics._arrays import FloatArray, as_counts, as_floats, check_fraction

_ROUNDING = 1e-9


def conformal_p(scores: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> FloatArray:
    """How often a peer would look as strange as the subject: ``(1 + #{s_peer >= s}) / (k + 1)``.

    With weights, the heaviest 1: ``(1 + sum of w over s_peer >= s) / (1 + sum of w)``. Valid for any score and any
    distribution, never below 1/(k + 1): ``peers_needed`` says how many peers that asks for. Nan peers are left out.

    Parameters: ``scores`` (1 + k, ...), higher is stranger; ``weights`` (k,) of the peers.
    Returns: (...); nan where the subject's score is.
    Raises: ``ValueError`` for no scores or weights that do not fit.

    Example:
        >>> float(conformal_p([9.0, 1, 2, 3])), float(conformal_p([2.0, 1, 2, 3]))
        (0.25, 0.75)

    Source: Vovk, Gammerman & Shafer, Algorithmic Learning in a Random World (2005), ch. 2; Barber et al., Ann. Stat. 51
    (2023) for weights.
    """
    s = _checked(scores)
    own = _bag_weights(weights, len(s)).reshape((-1,) + (1,) * (s.ndim - 1))
    is_at_least = s >= s[:1] - _ROUNDING * np.abs(np.nan_to_num(s[:1], posinf=0.0, neginf=0.0))
    p = (own * is_at_least).sum(axis=0) / np.maximum((own * ~np.isnan(s)).sum(axis=0), 1.0)
    return np.asarray(np.where(np.isnan(s[0]), np.nan, p))


def pooled_conformal_p(scores: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> FloatArray:
    """The same against all features of all peers at once: for few peers, p-values down to 1/((k + 1) n_features).

    The share of all scores of the bag that are at least the subject's. Over the features of a subject that is like its
    peers, p-values are uniform on average; a feature whose scores run higher than others' takes more than its part of
    the false findings, so the scores must have one unit (the nats of ``surprise``).

    Parameters: ``scores`` (1 + k, n_features); ``weights`` (k,) of the peers.
    Returns: (n_features,); nan where the subject's score is.
    Raises: ``ValueError`` for another shape or weights that do not fit.

    Example:
        >>> pooled_conformal_p([[9.0, 1.0], [1, 2], [3, 1], [2, 4]]).tolist()
        [0.125, 1.0]

    Source: exchangeability of whole subjects, as above; the mean over features is by linearity.
    """
    s = _checked(scores)
    if s.ndim != 2:
        raise ValueError(f"scores: found {s.ndim} dimensions, expected (1 + k, n_features)")
    mass = np.where(np.isnan(s), 0.0, _bag_weights(weights, len(s))[:, None]).ravel()
    order = np.argsort(-s.ravel(), kind="stable")  # nan last
    downwards, reached = -s.ravel()[order], np.cumsum(mass[order])
    wanted = -s[0] + _ROUNDING * np.abs(np.nan_to_num(s[0], posinf=0.0, neginf=0.0))
    n_at_least = np.searchsorted(downwards, wanted, "right")
    p = reached[np.maximum(n_at_least, 1) - 1] / max(float(reached[-1]), 1.0)
    return np.asarray(np.where(np.isnan(s[0]), np.nan, p))


def peers_needed(n_features: int, *, q: float = 0.1, n_anomalous: int = 1) -> int:
    """With fewer peers than this, ``conformal_p`` cannot single out so many features: ``n_features / (q n) - 1``.

    Parameters: ``n_features`` judged together at share ``q`` of false findings; ``n_anomalous`` of them at the least p-value.
    Returns: a number of peers, >= 0.
    Raises: ``ValueError`` for a q outside (0, 1) or numbers below 1.

    Example:
        >>> peers_needed(300), peers_needed(300, n_anomalous=10)
        (2999, 299)

    Source: Benjamini & Hochberg (1995): the n-th smallest of m must be <= q n / m.
    """
    check_fraction(q, "q")
    if n_features < 1 or n_anomalous < 1:
        raise ValueError("expected at least one feature, and one that is anomalous")
    return max(0, int(np.ceil(n_features / (q * n_anomalous) - 1e-9)) - 1)


def _checked(scores: npt.ArrayLike) -> FloatArray:
    s = as_floats(scores)
    if not s.ndim or not len(s):
        raise ValueError("scores: found none, expected (1 + k, ...) with the subject's first")
    return s


def _bag_weights(weights: npt.ArrayLike | None, n: int) -> FloatArray:
    """Weights (n,) in [0, 1] of a bag, the heaviest peer 1: the subject, nearest to itself, weighs as much."""
    if weights is None or n == 1:
        return np.ones(n)
    heavy = as_counts(weights, "weights")
    if heavy.shape != (n - 1,) or not heavy.any():
        raise ValueError(f"weights: found shape {heavy.shape}, expected {n - 1} of the peers, one above 0")
    return np.concatenate([[1.0], heavy / heavy.max()])
