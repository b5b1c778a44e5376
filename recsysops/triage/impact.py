"""How much of the traffic a finding concerns, and whether one slice holds it all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from recsysops.profiles.slices import EVERYTHING, Slice
from recsysops.triage.findings import Finding

COVERS = 0.8
"""A slice holds an effect when it has at least this share of it …"""
DENSER = 1.5
"""… and its own change is at least this many times the change of all rows; else it is merely large."""


def change(finding: Finding) -> float:
    """How far the statistic moved, in its own unit; divergences have no reference and count as they are."""
    return abs(finding.value - (finding.reference_value or 0.0))


def concentrated_in(whole: Finding, slices: Sequence[Finding]) -> Slice:
    """The widest slice that holds the effect of ``whole``, or every row when none does.

    Args:
        whole: the finding over all rows.
        slices: findings of the same statistic of the same thing; those over all rows are ignored.
    """
    total = change(whole) * whole.n_current
    holding = [
        finding
        for finding in slices
        if finding.slice != EVERYTHING
        and change(finding) * finding.n_current >= COVERS * total
        and change(finding) >= DENSER * change(whole)
    ]
    if not holding or total <= 0:
        return EVERYTHING
    return max(holding, key=lambda finding: (finding.n_current, finding.id)).slice


def affected_share(finding: Finding, n_rows: Mapping[str, int]) -> float:
    """Share of the table's rows of the day that the finding concerns, in [0, 1]; 0 when the day's rows are not known.

    A rate that rose by five points in a tenth of the rows concerns 0.5 % of them; any other statistic concerns all
    rows of its slice.
    """
    rows = n_rows.get(finding.table, 0)
    if rows <= 0:
        return 0.0
    share = min(finding.n_current / rows, 1.0)
    return share * min(change(finding), 1.0) if finding.statistic.endswith("_rate") else share
