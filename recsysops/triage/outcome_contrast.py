"""Outcomes of two cohorts: a difference with its interval, or a plain statement that the data cannot carry one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Z_INTERVAL = 1.959963984540054
Z_POWER = 0.8416212335729143
"""80 % power."""
PER = 1_000


@dataclass(frozen=True)
class OutcomeCounts:
    """Outcomes of one kind in one cohort, with sums over requests of y outcomes and m impressions.

    ``squares`` = Σ y², ``products`` = Σ y m, ``impression_squares`` = Σ m².
    """

    n: int
    n_impressions: int
    n_requests: int
    squares: float
    products: float
    impression_squares: float

    @property
    def rate(self) -> float:
        """Outcomes per impression."""
        return self.n / self.n_impressions if self.n_impressions else float("nan")

    @property
    def variance(self) -> float:
        """Variance of the rate with requests as clusters (ratio estimator), never below that of single rows."""
        if self.n_requests < 2 or not self.n_impressions:
            return float("nan")
        rate, n = self.rate, self.n_requests
        residuals = self.squares - 2 * rate * self.products + rate**2 * self.impression_squares
        clustered = n / (n - 1) * max(residuals, 0.0) / self.n_impressions**2
        return max(clustered, rate * max(1 - rate, 0.0) / self.n_impressions)

    @property
    def design_effect(self) -> float:
        """How many times the variance of independent rows; at least 1."""
        plain = self.rate * (1 - self.rate) / self.n_impressions if 0 < self.rate < 1 else 0.0
        return self.variance / plain if plain > 0 else 1.0


@dataclass(frozen=True)
class OutcomeContrast:
    """One kind of outcome in two cohorts; rates and differences are per 1,000 impressions."""

    kind: str
    n_reference: int
    n_current: int
    reference: float
    reference_low: float
    reference_high: float
    current: float
    current_low: float
    current_high: float
    difference: float
    low: float
    high: float
    detectable: float
    """The difference that this much data would have shown with 80 % power."""

    @property
    def is_different(self) -> bool:
        """Whether the 95 % interval of the difference leaves out zero."""
        return self.low > 0 or self.high < 0

    @property
    def sentence(self) -> str:
        """What can be said, in words."""
        interval = f"{self.difference:+.2f} [{self.low:+.2f}, {self.high:+.2f}] per 1,000".replace("-", "−")
        if self.is_different:
            return f"Outcomes differ: {self.kind}s by {interval} impressions"
        return (
            f"No difference in {self.kind}s that {self.n_reference:,} against {self.n_current:,} of them can carry: "
            f"{interval}; a difference of ±{self.detectable:.2f} per 1,000 could have been seen with 80 % power"
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; rates per 1,000 impressions."""
        return {
            "kind": self.kind,
            "per": PER,
            "reference": {
                "n": self.n_reference,
                "rate": self.reference,
                "low": self.reference_low,
                "high": self.reference_high,
            },
            "current": {"n": self.n_current, "rate": self.current, "low": self.current_low, "high": self.current_high},
            "difference": self.difference,
            "low": self.low,
            "high": self.high,
            "detectable": self.detectable,
            "is_different": self.is_different,
            "sentence": self.sentence,
        }


def contrast_outcomes(kind: str, reference: OutcomeCounts, current: OutcomeCounts) -> OutcomeContrast:
    """Compare outcomes per impression, with requests as clusters.

    Newcombe's interval on the effective counts; where there is more than one outcome per impression a rate is no
    proportion any more, and the interval is the normal one of the ratio estimator.
    """
    deviation = float(np.sqrt(reference.variance + current.variance))
    detectable = (Z_INTERVAL + Z_POWER) * deviation
    limits = _proportions(reference, current) if max(reference.rate, current.rate) < 1 else _means(reference, current)
    own = [PER * value for value in limits]
    return OutcomeContrast(
        kind,
        reference.n,
        current.n,
        PER * reference.rate,
        own[0],
        own[1],
        PER * current.rate,
        own[2],
        own[3],
        PER * (current.rate - reference.rate),
        own[4],
        own[5],
        PER * detectable,
    )


def _proportions(reference: OutcomeCounts, current: OutcomeCounts) -> tuple[float, ...]:
    from recsysops.statistics.proportion_comparison import compare_proportions
    from recsysops.statistics.proportions import wilson_interval

    effect = max(reference.design_effect, current.design_effect)
    one = wilson_interval(reference.n, reference.n_impressions, design_effect=effect)
    other = wilson_interval(current.n, current.n_impressions, design_effect=effect)
    both = compare_proportions(
        reference.n, reference.n_impressions, current.n, current.n_impressions, design_effect=effect
    )
    limits = (one.low, one.high, other.low, other.high, both.difference_low, both.difference_high)
    return tuple(float(limit) for limit in limits)


def _means(reference: OutcomeCounts, current: OutcomeCounts) -> tuple[float, ...]:
    one, other = (Z_INTERVAL * float(np.sqrt(counts.variance)) for counts in (reference, current))
    both = float(np.hypot(one, other))
    change = current.rate - reference.rate
    return (
        reference.rate - one,
        reference.rate + one,
        current.rate - other,
        current.rate + other,
        change - both,
        change + both,
    )
