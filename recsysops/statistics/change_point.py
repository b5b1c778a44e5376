"""When did it begin? The onset of a change of a rate or a mean, to the row, with an interval."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from recsysops.statistics._arrays import FloatArray, as_floats, check_fraction


@dataclass(frozen=True)
class Onset:
    """Result of ``onset_of``; times in the unit given, nan where there is nothing to part."""

    time: float
    """Time of the first row after the change."""
    low: float
    """The change was after this row's time ..."""
    high: float
    """... and not after this row's time."""
    before: float
    """Mean until then."""
    after: float
    """Mean from then on."""
    n_before: int
    n_after: int
    log_likelihood_ratio: float
    """What the change point adds to the log-likelihood, over the design effect."""
    p_value: float
    """Of that much where nothing changed; approximate, rather too large than too small."""


def onset_of(
    times: npt.ArrayLike, values: npt.ArrayLike, *, confidence: float = 0.95, design_effect: float = 1.0
) -> Onset:
    """The most likely moment at which a rate or a mean changed once, from raw rows.

    Rows in order of time, the first s of one level and the rest of another: ``l(s)`` is the largest log-likelihood of
    either, Bernoulli where all values are 0 or 1 (``k ln(k/n) + (n - k) ln(1 - k/n)`` of both parts), else normal with
    one variance (``-n/2 ln RSS(s)``). Rows of equal time are not parted. The onset maximises l; the interval holds every s
    with ``l(s) >= max l - c``.

    c is not the 1.92 of a regular parameter, for l(s) falls off like a random walk: for small changes its drop at the
    truth is the larger of two standard exponentials, so that ``c = -ln(1 - sqrt(confidence))``, 3.68 at 95 %. Simulated,
    that covers 96 to 99 % (rows are discrete), and 1.92 would cover 82 to 88 % of all but very large changes.

    Parameters: ``times`` (n,), in any order, finite numbers such as seconds; ``values`` (n,) finite, such as "is NULL" or
    a score; ``confidence`` in (0, 1); ``design_effect`` >= 1 of rows that come in clusters, such as requests.
    Returns: ``Onset``; all nan where there are not two different times, with a p-value of 1 where no value differs.
    Raises: ``ValueError`` for unequal lengths, what is not finite, or a design effect below 1.

    Example:
        >>> onset = onset_of(np.arange(600.0), np.where(np.arange(600) < 400, 0, np.arange(600) % 2))
        >>> onset.time, onset.low, onset.high, onset.p_value < 1e-9
        (401.0, 395.0, 401.0, True)

    Source: Hinkley, Biometrika 57 (1970) and Hinkley & Hinkley (1970); Siegmund, Int. Stat. Rev. 56 (1988) for the
    interval; Miller & Siegmund, Biometrics 38 (1982) for the p-value.
    """
    check_fraction(confidence, "confidence")
    at, x = _in_order(times, values)
    if not design_effect >= 1:
        raise ValueError(f"design_effect: found {design_effect:g}, expected at least 1")
    splits = np.flatnonzero(np.diff(at) > 0) + 1
    if not len(splits):
        nan = float("nan")
        return Onset(nan, nan, nan, nan, nan, len(x), 0, nan, nan)
    gain = _gains(x, splits) / design_effect
    best = int(np.argmax(gain))
    kept = splits[gain >= gain[best] + np.log1p(-np.sqrt(confidence))]
    s = int(splits[best])
    return Onset(
        time=float(at[s]),
        low=float(at[kept[0] - 1]),
        high=float(at[kept[-1]]),
        before=float(x[:s].mean()),
        after=float(x[s:].mean()),
        n_before=s,
        n_after=len(x) - s,
        log_likelihood_ratio=float(gain[best]),
        p_value=_p_value(float(gain[best]), len(x)),
    )


def _in_order(times: npt.ArrayLike, values: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    at, x = as_floats(times), as_floats(values)
    if at.ndim != 1 or at.shape != x.shape:
        raise ValueError(f"found times {at.shape} and values {x.shape}, expected two vectors of one length")
    if not (np.isfinite(at).all() and np.isfinite(x).all()):
        raise ValueError(
            "times and values: found nan or infinity, expected finite numbers; ask for 'is missing' instead"
        )
    order = np.argsort(at, kind="stable")
    return at[order], x[order]


def _gains(x: FloatArray, splits: npt.NDArray[np.intp]) -> FloatArray:
    """Log-likelihood gained by a change before each of these rows, >= 0, (n_splits,)."""
    n, m = splits.astype(np.float64), float(len(x))
    if ((x == 0) | (x == 1)).all():
        k, total = np.cumsum(x)[splits - 1], float(x.sum())
        parts = _bernoulli(k, n) + _bernoulli(total - k, m - n) - _bernoulli(np.array(total), np.array(m))
        return np.asarray(np.maximum(parts, 0.0))
    centred = x - x.mean()
    moved = np.cumsum(centred)[splits - 1]
    whole = float(centred @ centred)
    between = moved**2 * m / (n * (m - n))
    if not whole > 0:
        return np.zeros(len(splits))
    return np.asarray(-0.5 * m * np.log(np.maximum(1.0 - between / whole, np.finfo(float).eps)))


def _bernoulli(k: FloatArray, n: FloatArray) -> FloatArray:
    return np.asarray(special.xlogy(k, k / n) + special.xlogy(n - k, (n - k) / n))


def _p_value(gain: float, n: int) -> float:
    """``phi(b) ((b - 1/b) ln((1 - e)^2 / e^2) + 4/b)`` with b = sqrt(2 gain), e = 1/n: the maximum over all splits."""
    b = math.sqrt(2.0 * gain)
    if b <= 1.0:
        return 1.0
    density = math.exp(-gain) / math.sqrt(2.0 * math.pi)
    return min(1.0, density * ((b - 1.0 / b) * 2.0 * math.log(max(n - 1, 1)) + 4.0 / b))
