"""Which single dimension tells most of a change, and which of its values: a fast first look before ``riskloc``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import special

from recsysops.statistics._arrays import FloatArray, as_floats, check_fraction, divide
from recsysops.statistics.leaves import Leaves


@dataclass(frozen=True)
class DimensionCause:
    """The values of one dimension that explain the change."""

    dimension: int
    values: tuple[int, ...]
    """Codes, the most surprising first."""
    explanatory_power: float
    """Their part of the total change."""
    surprise: float
    """Their part of the Jensen-Shannon divergence between forecast and actual shares, nats."""


def explanatory_power(actual: FloatArray, forecast: FloatArray) -> FloatArray:
    """Which part of the total change each value accounts for: ``(v - f) / (V - F)``, summing to 1.

    Parameters: ``actual`` and ``forecast`` (n_values,), sums by value.
    Returns: (n_values,); nan where the total did not change. Below 0 for what moved the other way.

    Example:
        >>> explanatory_power(np.array([40.0, 100.0]), np.array([100.0, 90.0])).tolist()
        [1.2, -0.2]

    Source: Bhagwan et al., Adtributor, NSDI (2014), equation 1.
    """
    change = actual - forecast
    return np.asarray(divide(change, change.sum() if change.sum() else np.nan))


def surprise(actual: FloatArray, forecast: FloatArray) -> FloatArray:
    """How far each value's share of the actual is from its share of the forecast.

    ``1/2 (p ln(2 p / (p + q)) + q ln(2 q / (p + q)))`` with forecast shares p and actual shares q: the terms of the
    Jensen-Shannon divergence.

    Parameters: ``actual`` and ``forecast`` (n_values,), >= 0.
    Returns: (n_values,), >= 0, nats; nan where all of either is 0.

    Example:
        >>> surprise(np.array([40.0, 100.0]), np.array([100.0, 90.0])).round(3).tolist()
        [0.018, 0.012]

    Source: Bhagwan et al., Adtributor, NSDI (2014), section 4.2; Lin, IEEE Trans. Inf. Theory 37 (1991).
    """
    p, q = divide(forecast, forecast.sum()), divide(actual, actual.sum())
    mean = 0.5 * (p + q)
    return np.asarray(0.5 * (special.rel_entr(p, mean) + special.rel_entr(q, mean)))


def rank_dimensions(
    leaves: Leaves, *, value_power: float = 0.1, total_power: float = 0.67, most: int = 3
) -> tuple[DimensionCause, ...]:
    """Rank dimensions by how surprising the values are that explain the change.

    Of each dimension, values with an explanatory power above ``value_power`` are taken, the most surprising first, until
    they explain more than ``total_power`` together; a dimension that never does is no explanation. Root causes of several
    attributes show in each of their dimensions, diluted.

    Parameters: ``leaves`` of any number of dimensions (``leaves.gather_leaves``); powers in (0, 1).
    Returns: at most ``most`` dimensions, the most surprising first; none if the total did not change.
    Raises: ``ValueError`` for powers outside (0, 1).

    Example:
        >>> from recsysops.statistics.leaves import gather_leaves
        >>> codes, forecast = [[0, 0], [0, 1], [1, 0], [1, 1]], [100, 100, 100, 100]
        >>> found = rank_dimensions(gather_leaves(codes, [100, 40, 100, 45], forecast))
        >>> found[0].dimension, found[0].values, round(found[0].explanatory_power, 2)
        (1, (1,), 1.0)

    Source: Bhagwan et al., Adtributor, NSDI (2014), algorithm 1.
    """
    check_fraction(value_power, "value_power")
    check_fraction(total_power, "total_power")
    found = sorted(_explanations(leaves, value_power, total_power), key=lambda one: (-one.surprise, one.dimension))
    return tuple(found[:most])


def _explanations(leaves: Leaves, value_power: float, total_power: float) -> Iterator[DimensionCause]:
    for dimension, codes in enumerate(leaves.codes.T):
        values, group = np.unique(codes, return_inverse=True)
        actual, forecast = (as_floats(np.bincount(group, one)) for one in (leaves.actual, leaves.forecast))
        power, strange = explanatory_power(actual, forecast), surprise(actual, forecast)
        taken = [at for at in np.argsort(-strange, kind="stable") if power[at] > value_power]
        enough = np.flatnonzero(np.cumsum(power[taken]) > total_power)
        if len(enough):
            taken = taken[: int(enough[0]) + 1]
            sums = float(power[taken].sum()), float(strange[taken].sum())
            yield DimensionCause(dimension, tuple(int(values[at]) for at in taken), *sums)
