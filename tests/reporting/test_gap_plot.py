"""The waterfall of the score gap."""

from __future__ import annotations

from itertools import pairwise

import pytest

from recsysops.reporting.gap_plot import gap_plot


@pytest.mark.parametrize("n", [1, 3, 13, 40])
def test_the_waterfall_ends_at_the_whole_gap(n: int) -> None:
    rows = [{"feature": f"f{place}", "phi": (-1) ** place / (place + 1)} for place in range(n)]
    total = sum(row["phi"] for row in rows)
    drawing = gap_plot(rows, {"reference": "its own past", "total": total})
    edges = [
        {round(float(one.at["x"])), round(float(one.at["x"]) + float(one.at["width"]))}
        for one in drawing.shapes
        if one.tag == "rect"
    ]
    assert len(edges) == min(n, 13) + 1
    assert all(before & after for before, after in pairwise(edges))
    assert all(0 <= edge <= drawing.width for both in edges for edge in both)
