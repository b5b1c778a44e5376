"""Which features of a subject are strange and matter: conformal p-values judged together, ranked by evidence x impact."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsysops.statistics._arrays import BoolArray, FloatArray, as_floats, check_fraction
from recsysops.statistics.multiplicity import benjamini_hochberg


@dataclass(frozen=True, slots=True, eq=False)
class FeatureAnomalies:
    """Result of ``feature_anomalies``; arrays (n_features,)."""

    p_value: FloatArray
    """As given."""
    adjusted: FloatArray
    """Benjamini-Hochberg over the features."""
    is_anomalous: BoolArray
    """``adjusted`` <= q."""
    importance: FloatArray
    """Evidence x impact, see ``evidence_times_impact``."""
    order: npt.NDArray[np.intp]
    """Anomalous features first, by importance."""


def evidence_times_impact(p_values: npt.ArrayLike, contributions: npt.ArrayLike) -> FloatArray:
    """Which feature is both strange and felt by the model: ``-log10 p |phi_j| / sum |phi|``.

    Parameters: ``p_values`` (n_features,) in [0, 1], nan = not tested; ``contributions`` phi (n_features,), as the
    Shapley values of the subject against its peers.
    Returns: (n_features,); 0 for what was not tested or moves nothing.
    Raises: ``ValueError`` for p-values outside [0, 1] or unequal lengths.

    Example:
        >>> evidence_times_impact([0.01, 0.001, 0.5], [3.0, 0.0, -1.0]).round(2).tolist()
        [1.5, 0.0, 0.08]

    Source: the house's methods note, section 6.
    """
    p, phi = as_floats(p_values), np.abs(as_floats(contributions))
    if p.shape != phi.shape or (p < 0).any() or (p > 1).any() or not np.isfinite(phi).all():
        raise ValueError("expected p-values in [0, 1] and as many finite contributions")
    share = phi / phi.sum() if phi.any() else phi
    evidence = -np.log10(np.clip(np.nan_to_num(p, nan=1.0), np.finfo(float).tiny, 1.0))
    return np.asarray(evidence * share)


def feature_anomalies(p_values: npt.ArrayLike, contributions: npt.ArrayLike, *, q: float = 0.1) -> FeatureAnomalies:
    """Judge all features of one subject together, the ones to look at first.

    Parameters: ``p_values`` (n_features,), nan = not tested; ``contributions`` (n_features,); ``q``, the share of false
    findings allowed.
    Returns: ``FeatureAnomalies``.
    Raises: ``ValueError`` as ``evidence_times_impact``, or for a q outside (0, 1).

    Example:
        >>> found = feature_anomalies([0.001, 0.9, 0.002], [0.1, 5.0, 2.0])
        >>> found.is_anomalous.tolist(), found.order.tolist()
        ([True, False, True], [2, 0, 1])

    Source: Bates, Candes, Lei, Romano & Sesia, Ann. Stat. 51 (2023), conformal p-values under Benjamini-Hochberg.
    """
    check_fraction(q, "q")
    importance = evidence_times_impact(p_values, contributions)
    p, adjusted = as_floats(p_values), benjamini_hochberg(p_values)
    is_anomalous = np.nan_to_num(adjusted, nan=1.0) <= q
    return FeatureAnomalies(p, adjusted, is_anomalous, importance, np.lexsort((-importance, ~is_anomalous)))
