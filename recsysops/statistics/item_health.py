"""How single items fare: rates of rare events, exposure against demand, and a place among items of the same age.

Most items have few events, so a raw ratio says more about luck than about the item. Each estimate is drawn towards the
other items as far as its own counts leave it open, and comes with the interval that remains.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import optimize, special

from recsysops.statistics._arrays import FloatArray, as_counts, as_floats, check_fraction, divide
from recsysops.statistics.between_days import between_day_variance
from recsysops.statistics.proportions import wilson_interval

_SHAPES = (1e-3, 1e6)


@dataclass(frozen=True, slots=True, eq=False)
class ShrunkRates:
    """Events per unit of exposure of each item. Arrays (n_items,)."""

    raw: FloatArray
    """observed / expected; nan without exposure."""
    estimate: FloatArray
    """Posterior mean."""
    low: FloatArray
    high: FloatArray
    mean: float
    """Mean over items, towards which items without events of their own are drawn."""
    shape: float
    """Of the gamma prior: as many events as the other items' evidence is worth."""


@dataclass(frozen=True, slots=True, eq=False)
class LogRatios:
    """ln(share of exposure / share of demand) of each item. Arrays (n_items,)."""

    raw: FloatArray
    """From the item's own counts alone."""
    variance: FloatArray
    """Of ``raw``."""
    estimate: FloatArray
    """Drawn towards ``mean``."""
    low: FloatArray
    high: FloatArray
    mean: float
    """Over items."""
    sd: float
    """Between items, beyond what their counts explain."""


@dataclass(frozen=True, slots=True, eq=False)
class CohortPlaces:
    """Where items stand among their cohorts, in [0, 1]. Arrays (n_items,)."""

    estimate: FloatArray
    """Share of the cohort below the item, ties half; nan without a cohort."""
    low: FloatArray
    high: FloatArray
    n_peers: FloatArray


def gamma_poisson(observed: npt.ArrayLike, expected: npt.ArrayLike, *, confidence: float = 0.95) -> ShrunkRates:
    """Rates of rare events, each drawn towards the others: empirical Bayes with a gamma prior fitted to all items.

    ``observed_i ~ Poisson(expected_i r_i), r_i ~ Gamma(shape a, mean m)`` gives the posterior
    ``Gamma(a + observed_i, a/m + expected_i)``; a and m maximise the (negative binomial) likelihood of all items. The
    prior is never worth more events than the other items have, so that a lone item is judged by itself.

    Parameters: ``observed`` (n_items,), events such as plays; ``expected`` (n_items,), exposure in any unit such as
    impressions, or the number expected from peers; divide both by a design effect where events come in clusters.
    ``confidence`` of the interval in (0, 1).
    Returns: ``ShrunkRates``; nan rates throughout when no item has exposure.
    Raises: ``ValueError`` for negative or unequally many counts, or events without exposure.

    Example:
        >>> rates = gamma_poisson([0, 50, 1], [10, 1_000, 2])
        >>> rates.raw.round(3).tolist(), rates.estimate.round(3).tolist()
        ([0.0, 0.05, 0.5], [0.05, 0.05, 0.052])

    Source: Clayton & Kaldor, Biometrics 43 (1987); DuMouchel, The American Statistician 53 (1999).
    """
    check_fraction(confidence, "confidence")
    k, e = np.atleast_1d(as_counts(observed, "observed", min_ndim=0), as_counts(expected, "expected", min_ndim=0))
    if k.shape != e.shape or k.ndim != 1 or (k[e == 0] > 0).any():
        raise ValueError("expected as many exposures as observed counts, and no events without exposure")
    if not e.any():
        nothing = np.full(k.shape, np.nan)
        return ShrunkRates(nothing, nothing, nothing, nothing, float("nan"), float("nan"))
    mean, shape = _fitted(k[e > 0], e[e > 0])
    tail = 0.5 - 0.5 * confidence
    scale = 1.0 / (shape / mean + e)
    low, high = (special.gammaincinv(shape + k, at) * scale for at in (tail, 1.0 - tail))
    return ShrunkRates(divide(k, e), (shape + k) * scale, np.asarray(low), np.asarray(high), mean, shape)


def _fitted(k: FloatArray, e: FloatArray) -> tuple[float, float]:
    """Mean and shape of the prior, by maximum likelihood; the shape at most what the other items' events support."""
    total = float(k.sum())
    start = (total + 0.5) / float(e.sum())
    most = min(_SHAPES[1], 0.5 + total * (1.0 - 1.0 / len(k)))

    def loss(at: FloatArray) -> float:
        mean, shape = np.exp(at)
        rate = shape / mean
        likelihood = special.gammaln(shape + k) - special.gammaln(shape) - shape * np.log1p(e / rate)
        return -float((likelihood - k * np.log(rate + e)).sum())

    bounds = [(np.log(start) - 3.0, np.log(start) + 3.0), (np.log(_SHAPES[0]), np.log(most))]
    tries = [
        optimize.minimize(loss, [np.log(start), np.log(min(shape, most))], method="L-BFGS-B", bounds=bounds)
        for shape in (0.5, 5.0)
    ]
    mean, shape = np.exp(min(tries, key=lambda one: float(one.fun)).x)
    return float(mean), float(shape)


def log_ratio(
    exposure: npt.ArrayLike,
    demand: npt.ArrayLike,
    *,
    exposure_design_effect: npt.ArrayLike = 1.0,
    demand_design_effect: npt.ArrayLike = 1.0,
    confidence: float = 0.95,
) -> LogRatios:
    """How much more of the exposure than of the demand an item gets: ln(exposure share / demand share), shrunken.

    ``b_i = psi(x_i + 1/2) - psi(d_i + 1/2)``, with the counts x and d divided by their design effects, less the same of
    the totals, with variance ``psi'(x_i + 1/2) + psi'(d_i + 1/2)``: mean and variance of the logarithm of a rate after
    x events (Jeffreys prior), finite for items without demand. Then ``b_i`` is drawn to the mean m over items,
    ``m + s^2 / (s^2 + v_i) (b_i - m)``, with s^2 the variance between items; the interval is the posterior's, with the
    uncertainty of m.

    Parameters: ``exposure`` (n_items,), impressions or weighted exposure; ``demand`` (n_items,), events that exposure did
    not cause, such as plays from search; design effects (n_items,) or a number, > 0; ``confidence`` in (0, 1).
    Returns: ``LogRatios``; nan throughout without any exposure or demand. With a single item nothing is shrunken.
    Raises: ``ValueError`` for negative counts or design effects <= 0.

    Example:
        >>> bias = log_ratio([4_000, 1_000, 1_000], [100, 100, 1])
        >>> bias.raw.round(2).tolist(), bias.estimate.round(2).tolist()
        ([0.29, -1.09, 3.48], [0.29, -1.08, 2.07])

    Source: Robbins (1956) and Efron & Morris, J. Am. Stat. Assoc. 70 (1975), empirical Bayes; DerSimonian & Laird
    (1986) for the variance between items.
    """
    check_fraction(confidence, "confidence")
    x, d = (np.atleast_1d(as_counts(one, name)) for one, name in ((exposure, "exposure"), (demand, "demand")))
    effects = [as_counts(one, "design effect", min_ndim=0) for one in (exposure_design_effect, demand_design_effect)]
    if x.shape != d.shape or x.ndim != 1 or any((one <= 0).any() for one in effects):
        raise ValueError("expected as many exposures as demands, and design effects > 0")
    if not (x.any() and d.any()):
        nothing = np.full(x.shape, np.nan)
        return LogRatios(nothing, nothing, nothing, nothing, nothing, float("nan"), float("nan"))
    a, b = x / effects[0] + 0.5, d / effects[1] + 0.5
    totals = np.log((x / effects[0]).sum()) - np.log((d / effects[1]).sum())
    raw = special.digamma(a) - special.digamma(b) - totals
    variance = special.polygamma(1, a) + special.polygamma(1, b)
    return _shrunken(np.asarray(raw), np.asarray(variance), confidence)


def _shrunken(raw: FloatArray, variance: FloatArray, confidence: float) -> LogRatios:
    z = float(special.ndtri(0.5 + 0.5 * confidence))
    items = between_day_variance(raw, variance)  # random effects over items instead of days
    if len(raw) < 2:
        half = z * np.sqrt(variance)
        return LogRatios(raw, variance, raw, raw - half, raw + half, float(raw[0]), float("nan"))
    mean, between = float(items.mean), float(items.tau2)
    own = between / (between + variance)
    estimate = mean + own * (raw - mean)
    half = z * np.sqrt(own * variance + (1.0 - own) ** 2 * float(items.mean_variance))
    return LogRatios(raw, variance, estimate, estimate - half, estimate + half, mean, float(np.sqrt(between)))


def cohort_places(
    value: npt.ArrayLike, low: npt.ArrayLike, high: npt.ArrayLike, cohort: npt.ArrayLike, *, confidence: float = 0.95
) -> CohortPlaces:
    """Which percentile of its age cohort an item holds, with both doubts: its own value, and that peers are few.

    ``(peers below + half the ties) / n``. The interval is Wilson's for the share of peers below ``low``, and of those not
    above ``high``; give [low, high] at the same confidence. It holds its level with room to spare, since both errors
    would have to fall on one side.

    Parameters: ``value``, ``low``, ``high`` (n_items,); ``cohort`` (n_items, n_peers) or (n_peers,) for all items alike:
    the same quantity of peers of the same age, nan = no peer.
    Returns: ``CohortPlaces``; nan where an item has no peer.
    Raises: ``ValueError`` if low > high.

    Example:
        >>> place = cohort_places([2.5], [2.0], [3.0], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
        >>> place.estimate.tolist(), place.low.round(2).tolist(), place.high.round(2).tolist()
        ([0.2], [0.02], [0.6])

    Source: Wilson, J. Am. Stat. Assoc. 22 (1927), for the interval of a share.
    """
    at, below, above = (np.atleast_1d(as_floats(one)) for one in (value, low, high))
    if (below > above).any():
        raise ValueError("expected low <= high")
    peers = np.broadcast_to(as_floats(cohort), (len(at), np.shape(cohort)[-1]))
    n = np.count_nonzero(np.isfinite(peers), axis=-1)
    less, ties = ((peers < at[:, None]).sum(axis=-1), (peers == at[:, None]).sum(axis=-1))
    lowest = wilson_interval((peers < below[:, None]).sum(axis=-1), n, confidence=confidence).low
    highest = wilson_interval((peers <= above[:, None]).sum(axis=-1), n, confidence=confidence).high
    known = np.isfinite(at) & (n > 0)
    shares = (divide(less + 0.5 * ties, n), lowest, highest)
    estimate, lowest, highest = (np.where(known, one, np.nan) for one in shares)
    return CohortPlaces(estimate, lowest, highest, np.asarray(n, dtype=np.float64))
