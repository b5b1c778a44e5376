"""Whose scores replay does not give again: everybody's, or those of one item."""

from __future__ import annotations

from recsysops.cases.evidence import Evidence, Sign, share_proof, unknown
from recsysops.cases.incident_case import IncidentCase
from recsysops.cases.step import StepMeta

OF_ONE = 0.8
"""Share of the differing rows that one item has to have."""
LEAST_ROWS = 3


class IncidentReplay:
    """Are the scores that replay does not give again those of one item?

    Where a finding says that logged scores differ from the registered model's, requests of the incident's last day are scored
    again, and the differing candidates are counted by item. Something that acts on one item after the model is no model fault.
    """

    meta = StepMeta(name="incident.replay", subjects=("incident",))

    def examine(self, case: IncidentCase) -> Evidence:
        """Count the differing candidates by item."""
        if case.differing is None:
            return unknown(self.meta.name, "no finding says that scores differ from the model's")
        n = sum(case.differing.values())
        if n < LEAST_ROWS:
            return Evidence(self.meta.name, "normal", f"{n} candidates of the sampled requests differ")
        item, most = max(case.differing.items(), key=lambda one: (one[1], one[0]))
        words = f"{most:,} of {n:,} candidates whose scores differ are of item {item}"
        rows = tuple(
            {"item": name, "differing": many}
            for name, many in sorted(case.differing.items(), key=lambda one: (-one[1], one[0]))[:20]
        )
        if most < OF_ONE * n:
            return Evidence(self.meta.name, "normal", f"{words}: no single item", (), {}, rows)
        sign = Sign("one item diverges", f"item {item}", words, proof=share_proof("divergence", most, n, words))
        return Evidence(self.meta.name, "abnormal", words, (sign,), {}, rows)
