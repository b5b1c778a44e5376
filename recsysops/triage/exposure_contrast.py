"""Exposure of two cohorts: which items were shown more, and how far the whole distribution of impressions moved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
N_MOVERS = 5
RARE = 5.0
"""Expected impressions below which chi-square's approximation fails and items are pooled."""


@dataclass(frozen=True)
class ItemShare:
    """Share of all impressions that an item got in each cohort, and its change with a 95 % interval."""

    item_id: str
    reference: float
    current: float
    low: float
    high: float

    @property
    def change(self) -> float:
        """Current minus reference."""
        return self.current - self.reference

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "item_id": self.item_id,
            "reference": self.reference,
            "current": self.current,
            "change": self.change,
            "low": self.low,
            "high": self.high,
        }


@dataclass(frozen=True)
class ExposureContrast:
    """How impressions were spread over items in two cohorts."""

    n_items: int
    n_reference: int
    n_current: int
    total_variation: float
    """Half the summed absolute differences of shares: the share of impressions that would have to move."""
    expected_by_chance: float
    """The same if both cohorts drew from one distribution, independently."""
    p_value: float
    """Chi-square of impressions by item; items of few impressions are pooled."""
    movers: tuple[ItemShare, ...]
    """Items whose share changed most."""

    @property
    def is_different(self) -> bool:
        """Beyond chance and at least twice what chance gives."""
        return self.p_value < 0.001 and self.total_variation > 2 * self.expected_by_chance

    @property
    def sentence(self) -> str:
        """What can be said, in words."""
        if not (self.n_reference and self.n_current):
            return "Exposure cannot be compared: a cohort has no impression with an item"
        moved = f"{self.total_variation:.1%} of impressions went to other items".replace("%", " %")
        chance = f"chance alone would move {self.expected_by_chance:.1%}".replace("%", " %")
        if self.is_different:
            return f"Exposure differs: {moved}; {chance}"
        return f"No difference in exposure beyond chance: {moved}; {chance}"

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "n_items": self.n_items,
            "n_reference": self.n_reference,
            "n_current": self.n_current,
            "total_variation": self.total_variation,
            "expected_by_chance": self.expected_by_chance,
            "p_value": self.p_value,
            "is_different": self.is_different,
            "sentence": self.sentence,
            "movers": [mover.to_dict() for mover in self.movers],
        }


def contrast_exposure(reference: Mapping[str, int], current: Mapping[str, int]) -> ExposureContrast:
    """Compare impressions by item.

    An item is shown at most once in a slate, so rows of one request repel rather than cluster and independent rows are
    the careful assumption.
    """
    items = sorted({*reference, *current})
    counts = np.array([[cohort.get(item, 0) for item in items] for cohort in (reference, current)], dtype=np.float64)
    totals = counts.sum(axis=1)
    if not totals.all():
        return ExposureContrast(len(items), int(totals[0]), int(totals[1]), 0.0, 0.0, 1.0, ())
    shares = counts / totals[:, None]
    pooled = counts.sum(axis=0) / totals.sum()
    spread = np.sqrt(pooled * (1 - pooled) * (1 / totals).sum())
    order = np.argsort(-np.abs(shares[1] - shares[0]), kind="stable")[:N_MOVERS]
    return ExposureContrast(
        n_items=len(items),
        n_reference=int(totals[0]),
        n_current=int(totals[1]),
        total_variation=float(np.abs(shares[1] - shares[0]).sum() / 2),
        expected_by_chance=float(spread.sum() * np.sqrt(2 / np.pi) / 2),
        p_value=_p_value(counts),
        movers=tuple(_mover(items[index], counts[:, index], totals) for index in order),
    )


def _p_value(counts: Floats) -> float:
    from recsysops.statistics.chi_square import chi_square

    totals = counts.sum(axis=1)
    expected = totals[:, None] * counts.sum(axis=0) / totals.sum()
    is_rare = expected.min(axis=0) < RARE
    pooled = np.column_stack([counts[:, ~is_rare], counts[:, is_rare].sum(axis=1)])
    return float(chi_square(pooled[0], pooled[1]).p_value)


def _mover(item: str, counts: Floats, totals: Floats) -> ItemShare:
    from recsysops.statistics.proportion_comparison import compare_proportions

    both = compare_proportions(counts[0], totals[0], counts[1], totals[1])
    low, high = float(both.difference_low), float(both.difference_high)
    return ItemShare(item, float(counts[0] / totals[0]), float(counts[1] / totals[1]), low, high)
