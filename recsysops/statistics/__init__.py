"""Pure functions on counts and series: the mathematics under every detector.

Nothing here reads a file, knows a table or keeps state. A function takes counts (or a series of daily numbers) and
returns numbers, vectorised over all leading dimensions, so that one call judges every feature, slice and day at once.
Conventions, the same in every module:

- *cells* are the last axis: a count array is ``(..., n_cells)``, a bucketed one ``(..., n_buckets, n_cells)``, a series
  ``(..., n_days)``. A bucket holds whole requests, so bucket sums carry the clustering of rows within requests.
- ``reference`` comes before ``current``; a difference is current minus reference.
- results are float64 arrays (0-dimensional for a single subject); nan means "cannot be said" (an empty window, too few
  buckets) and is never a quiet zero. Malformed input (negative counts, unequal shapes) raises ``ValueError``.

Import from the module that carries the concept, for example ``from recsysops.statistics.psi import psi``; this package
file imports nothing numeric, so listing plugins stays cheap.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

__all__ = [
    "adtributor",
    "between_days",
    "bin_quantiles",
    "bucket_jackknife",
    "bucket_permutation",
    "change_correlation",
    "change_point",
    "chi_square",
    "conformal",
    "conformal_anomaly",
    "count_prediction",
    "count_tails",
    "design_effect",
    "embedding_anomaly",
    "gamma_tail",
    "hyperloglog",
    "item_health",
    "jensen_shannon",
    "kolmogorov_smirnov",
    "leaf_risk",
    "leave_one_out",
    "leaves",
    "ledoit_wolf",
    "median_time",
    "moments",
    "multiplicity",
    "overdispersion",
    "proportion_comparison",
    "proportions",
    "psi",
    "rate_mix",
    "riskloc",
    "seasonal",
    "self_calibration",
    "slice_confirmation",
    "slice_finding",
    "smoothing",
    "surprise",
    "symmetric_scale",
    "uniform_change",
    "wasserstein",
]


def __getattr__(name: str) -> ModuleType:
    """Load one of the modules above the first time it is asked for (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module(f"{__name__}.{name}")
