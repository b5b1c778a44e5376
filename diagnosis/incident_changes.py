"""Which recorded changes came just before an incident."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from recsysops.cases.evidence import Evidence
from recsysops.cases.incident_case import IncidentCase
from recsysops.cases.step import StepMeta

BEFORE = timedelta(days=2)
N_TOLD = 12


class IncidentChanges:
    """Which recorded changes came just before?

    Deploys, configurations, experiments and the like from two days before the onset to the end of its day, the last first. They are
    told and accuse nobody: a finding is known to a day, and several changes fall on most days.
    """

    meta = StepMeta(name="incident.changes", subjects=("incident",))

    def examine(self, case: IncidentCase) -> Evidence:
        """List the changes around the onset."""
        start = datetime.combine(case.onset, time(), UTC)
        near = [one for one in case.changes if start - BEFORE <= one.ts < start + timedelta(days=1)]
        rows = tuple(
            {"ts": one.ts.isoformat(), "kind": one.kind, "scope": one.scope, "rollout": one.rollout}
            for one in sorted(near, key=lambda one: one.ts, reverse=True)[:N_TOLD]
        )
        told = f"; the last is {rows[0]['kind']} {rows[0]['scope']}" if rows else ""
        return Evidence(self.meta.name, "normal", f"{len(near)} recorded changes just before{told}", (), {}, rows)
