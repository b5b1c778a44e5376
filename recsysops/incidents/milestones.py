"""Which hours of an incident went where: from its onset until it was found, acknowledged, diagnosed, mitigated, resolved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from typing import Any

from recsysops.incidents.calendar import end_of
from recsysops.incidents.incident import Incident
from recsysops.incidents.statuses import CLEAN
from recsysops.incidents.trail import Entry

STEPS = ("detected", "acknowledged", "diagnosed", "mitigated", "resolved")
_BY_ACTION: Mapping[str, str] = MappingProxyType(
    {"acknowledge": "acknowledged", "diagnose": "diagnosed", "mitigate": "mitigated", "resolve": "resolved"}
)
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Milestones:
    """When an incident reached each step; those it never reached are missing. Moments are of the workspace's clock, UTC."""

    incident: int
    onset: datetime
    """The first moment of the onset's day."""
    reached: Mapping[str, datetime]
    is_active: bool
    in_hindsight: bool
    """Found in days that were over before the workspace's first run; how long that took says nothing of detection."""

    def hours_to(self, step: str) -> float | None:
        """From the onset, or None when the step was not reached."""
        moment = self.reached.get(step)
        return None if moment is None else max((moment - self.onset) / HOUR, 0.0)

    def spans(self) -> tuple[tuple[str, float], ...]:
        """Hours spent before each step that was reached, since the one reached before it; they add up to the whole."""
        spans, before = [], self.onset
        for step, moment in sorted(self.reached.items(), key=lambda each: (each[1], STEPS.index(each[0]))):
            spans.append((step, max((moment - before) / HOUR, 0.0)))
            before = max(moment, before)
        return tuple(spans)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "onset": self.onset.isoformat(),
            "reached": {step: self.reached[step].isoformat() for step in STEPS if step in self.reached},
            "hours_from_onset": {step: self.hours_to(step) for step in STEPS if step in self.reached},
            "spans": [{"until": step, "hours": hours} for step, hours in self.spans()],
            "in_hindsight": self.in_hindsight,
        }


def milestones(incident: Incident, entries: Sequence[Entry], first_run: date | None = None) -> Milestones:
    """The moments of an incident, read from its entries of the trail.

    A step counts when it was first taken, the resolution when it was last. What was open again after it is not resolved.

    Args:
        incident: whose they are.
        entries: of the trail about it, oldest first.
        first_run: the day of the workspace's first run; None in an archive, where every day is judged in its own time.
    """
    reached = {"detected": end_of(incident.opened)}  # of incidents from before there was a trail
    for entry in entries:
        if entry.action == "open":
            reached["detected"] = entry.moment
        step = _BY_ACTION.get(entry.action)
        if step == "resolved" or entry.after == "resolved":
            reached["resolved"] = entry.moment
        elif step is not None:
            reached.setdefault(step, entry.moment)
    if incident.is_active:
        reached.pop("resolved", None)
    onset = datetime.combine(incident.onset, time(), UTC)
    hindsight = first_run is not None and incident.opened < first_run
    return Milestones(incident.id, onset, MappingProxyType(reached), incident.is_active, hindsight)


def is_real(incident: Incident) -> bool:
    """Whether it counts for how fast people and program are: no false alarm, nothing expected, merged or withdrawn."""
    return incident.status not in ("merged", "withdrawn") and incident.resolution not in CLEAN
