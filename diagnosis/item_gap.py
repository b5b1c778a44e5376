"""Which features make the model rate an item below what it is compared with."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from recsysops.cases.evidence import Evidence, unknown
from recsysops.cases.item_case import ItemCase
from recsysops.cases.item_gap import gap_since, gap_to_peers
from recsysops.cases.item_suspects import suspects
from recsysops.cases.step import StepMeta
from recsysops.models.comparison import Comparison
from recsysops.models.shap_gap import shap_gap

Integers = npt.NDArray[np.int64]
MOST_OWN, MOST_OTHERS = 40, 150
"""Rows explained and rows they are held against: enough for the means, few enough to wait for."""


class ItemGap:
    """Which features does the model hold against the item?

    SHAP values of the item's rows less those of the reference (its own past where a fact changed, else the peers in the
    same requests), interventional with the reference's rows as background: they sum to the difference of the mean margins.
    Intervals are a bootstrap over requests. A Shapley value is no cause by itself.

    Source: Lundberg et al., Nature Machine Intelligence 2 (2020).
    """

    meta = StepMeta(name="item.gap", subjects=("item",))

    def examine(self, case: ItemCase) -> Evidence:
        """Split the gap over the features."""
        if case.artifact is None or case.matrix is None or case.margins is None:
            return unknown(self.meta.name, f"no model to look into: {case.without_model}")
        since = (gap_since(case, one.since) for one in suspects(case) if one.since is not None)
        gap = next((one for one in since if one is not None and one.has_fallen), None) or gap_to_peers(case)
        if gap is None:
            return unknown(self.meta.name, "too few logged rows of the item, or of what it is compared with")
        own, others = _spread(gap.own, MOST_OWN), _spread(gap.others, MOST_OTHERS)
        request = case.rows.request
        compared = Comparison(
            case.artifact.features, case.matrix[own], case.matrix[others], request[own], request[others]
        )
        split = shap_gap(case.artifact, compared, n_threads=2).parts()
        place = {name: index for index, name in enumerate(case.artifact.features)}
        rows = tuple(
            {
                "feature": one.name,
                "phi": one.phi.value,
                "low": one.phi.low,
                "high": one.phi.high,
                "among_largest": one.top_share,
                "item": _middle(case.matrix[own, place[one.name]]),
                "reference": _middle(case.matrix[others, place[one.name]]),
            }
            for one in split.parts
        )
        total = split.gap
        headline = f"margin {total.value:+.2f} [{total.low:+.2f}, {total.high:+.2f}] against {gap.reference}; most by {rows[0]['feature']}"
        figures = {
            "reference": gap.reference,
            "total": total.value,
            "low": total.low,
            "high": total.high,
            "stability": split.stability,
        }
        return Evidence(self.meta.name, "normal", headline, (), figures, rows)


def _spread(rows: Integers, most: int) -> Integers:
    """At most so many of them, evenly over time."""
    return rows[np.unique(np.linspace(0, len(rows) - 1, min(most, len(rows))).astype(np.int64))]


def _middle(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float | None:
    return float(np.nanmedian(values)) if not np.isnan(values).all() else None
