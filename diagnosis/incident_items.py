"""What the diagnoses of an incident's items say."""

from __future__ import annotations

from recsysops.cases.evidence import Evidence, Sign, unknown
from recsysops.cases.incident_case import IncidentCase
from recsysops.cases.step import StepMeta


class IncidentItems:
    """Does an item that the incident concerns prove a cause?

    Items that a finding is about, or whose upstream column changed when the incident began, are diagnosed like
    ``recsysops diagnose item``, a few of them. What is confirmed for one of them is a sign of the incident's cause.
    """

    meta = StepMeta(name="incident.items", subjects=("incident",))

    def examine(self, case: IncidentCase) -> Evidence:
        """Read the items' verdicts."""
        if not case.items:
            return unknown(self.meta.name, "no single item is known to be concerned")
        signs = tuple(
            Sign(
                f"item confirms {one.verdict.cause}, {one.verdict.stage}",
                one.verdict.entity,
                f"item {one.subject}: {one.verdict.proof.words}",
                proof=one.verdict.proof,
            )
            for one in case.items
            if one.verdict.status == "confirmed" and one.verdict.proof is not None
        )
        rows = tuple(
            {
                "item": one.subject,
                "cause": one.verdict.cause,
                "stage": one.verdict.stage,
                "entity": one.verdict.entity,
                "status": one.verdict.status,
                "words": one.verdict.words,
            }
            for one in case.items
        )
        headline = f"{len(signs)} of {len(rows)} diagnosed items prove a cause"
        return Evidence(self.meta.name, "abnormal" if signs else "normal", headline, signs, {}, rows)
