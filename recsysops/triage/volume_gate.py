"""Has a volume changed? Counts of a unit against its reference units: sure by count, and unlike other days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from recsysops.profiles.history import CellContrast
from recsysops.profiles.measures import N_BUCKETS
from recsysops.statistics.count_tails import negative_binomial_tails
from recsysops.triage.arithmetic import Term
from recsysops.triage.level_gate import LevelLimits, Levels, level_gate

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Volumes:
    """Result of ``volume_gate``; every field has the shape (...) of one unit."""

    expected: Floats
    low: Floats
    """Least rows of a healthy unit (99 % limits)."""
    high: Floats
    ratio: Floats
    """Current over expected rows."""
    effect: Floats
    """Change over its floor: a loss of ``min_change``, or a gain as large on the log scale."""
    p_value: Floats
    cluster: Floats
    """Rows that come together."""
    level: Levels
    """Of (rows / cluster + ½), on the log scale."""
    p_tail: Floats
    """Negative binomial, two-sided."""

    def terms(self, index: int, n_rows: float, min_change: float) -> tuple[Term, ...]:
        """The arithmetic of one entry of one-dimensional volumes with ``n_rows`` now."""
        size, level = float(self.cluster[index]), self.level
        expected, spread = float(level.expected[index]), float(level.spread[index])
        now = n_rows / size + 0.5
        return (
            Term("counts", "rows now", n_rows),
            Term("counts", "rows that come together", size, "variance of a request bucket's rows over their mean"),
            Term("counts", "clusters expected", expected, "geometric mean of (rows / together + ½) over the reference"),
            Term("size", "rows over expected", float(self.ratio[index])),
            Term("size", "floor", min_change, "as a loss; a gain as large on the log scale"),
            Term("size", "effect", float(self.effect[index]), "change / floor, at least 1"),
            Term("days", "reference days that count", float(level.n_units), "of the same weekday where there are four"),
            Term("days", "variance between days, moderated", float(level.variance[index]), "of ln(rows)"),
            Term("chance", "standard error of ln(rows)", spread, "with the counts' own noise"),
            Term("chance", "t", float(np.log(now / expected)) / spread, "ln((rows now / together + ½) / expected) / standard error"),
            Term("chance", "degrees of freedom", level.dof),
            Term("chance", "p by the log scale", float(level.p_value[index]), "two-sided Student's t"),
            Term("chance", "p by counts", float(self.p_tail[index]), "negative binomial with the same variance"),
            Term("chance", "p", float(self.p_value[index]), "the larger of both"),
        )  # fmt: skip


def volume_gate(
    reference: npt.ArrayLike,
    current: npt.ArrayLike,
    *,
    min_change: float,
    rows_per_cluster: Floats | float = 1.0,
    days: Sequence[date] = (),
    day: date | None = None,
    prior_sd: float = 0.1,
    scale_noise: tuple[Floats | float, Floats | float] = (0.0, 0.0),
) -> Volumes:
    """How far counts are from what reference units lead one to expect.

    Two p-values must both be small, and the larger is given: negative binomial tails with the moderated variance
    between days (honest for small counts), and a moderated t of ln(count) (honest where that variance is itself
    unsure). Counts of rows that come in clusters are first divided by the size of a cluster.

    Args:
        reference: counts (n_units, ...), at least one unit.
        current: counts (...).
        min_change: floor as a loss, in (0, 1); 0.2 also means a gain of 25 %.
        rows_per_cluster: variance of a count over its mean, at least 1, (...).
        days: of the reference units; four of the same weekday are enough to compare with them alone.
        day: of the current unit.
        prior_sd: standard deviation of ln(count) between healthy units until the log's own is known.
        scale_noise: sampling variances of ln(scale), (n_units, ...) and (...), where reference counts were scaled by counts.
    """
    size = np.maximum(rows_per_cluster, 1.0)
    before, now = np.asarray(reference, np.float64) / size, np.asarray(current, np.float64) / size
    mean = np.maximum(before.mean(axis=0), 0.5)
    limits = LevelLimits(1.0 / (1.0 - min_change), prior_sd)
    scale = np.broadcast_to(scale_noise[0], before.shape)
    noise = 1.0 / mean + scale, 1.0 / mean + scale_noise[1]
    phases = [one.weekday() for one in days]
    level = level_gate(
        before + 0.5, now + 0.5, limits, noise=noise, phases=phases, phase=day.weekday() if day else None
    )
    spread = level.variance * (1 + 1 / len(before)) + (1.0 / mean + scale.mean(axis=0)) / len(before) + scale_noise[1]
    tails = negative_binomial_tails(np.floor(now), level.expected, spread)
    ratio = np.divide(now, level.expected)
    effect = np.where(ratio < 1, (1.0 - ratio) / min_change, np.log(np.maximum(ratio, 1.0)) / -np.log(1.0 - min_change))
    return Volumes(
        level.expected * size, np.maximum(level.low - 0.5, 0) * size, level.high * size, np.asarray(ratio), np.asarray(effect),
        np.asarray(np.maximum(tails.two_sided, level.p_value)),
        np.broadcast_to(size, np.shape(now)), level, np.asarray(tails.two_sided),
    )  # fmt: skip


def rows_that_come_together(contrast: CellContrast, index: int) -> float:
    """Variance over mean of the rows of a reference bucket in one slice, at least 1; 1 when the buckets are gone."""
    buckets = contrast.load_buckets("reference", index)[:, 0].astype(np.float64)
    by_day = buckets.reshape(-1, N_BUCKETS)
    return max(1.0, float(by_day.var(axis=1, ddof=1).mean() / by_day.mean())) if by_day.sum() > 0 else 1.0
