"""What changed in an incident since people were last told of it. Pure."""

from __future__ import annotations

from dataclasses import replace

from recsysops.incidents.incident import Incident
from recsysops.notifications.notice import Event, Told
from recsysops.triage.findings import SEVERITIES, Severity


def change_of(incident: Incident, told: Told | None) -> Event | None:
    """The event that people should hear of, or None when they know.

    An incident that was never told of and is over needs no word; nor does one that is only for information.

    Args:
        incident: as the state knows it now.
        told: what people were last told; None if nothing.
    """
    is_over = not incident.is_active
    if told is None:
        return None if is_over or incident.severity == "info" else "opened"
    if told.status == "closed":
        return None if is_over else "reopened"
    if is_over:
        return "resolved"
    if incident.severity == "critical" and told.severity != "critical":
        return "worsened"
    return "acknowledged" if incident.status != "open" and told.status == "open" else None


def told_after(incident: Incident, event: Event, told: Told | None) -> Told:
    """What people know once they have heard of the event."""
    before = told or Told("open", incident.severity)
    status = {"resolved": "closed", "acknowledged": "acknowledged"}.get(event, "open")
    severity = incident.severity if event == "reopened" else worse(before.severity, incident.severity)
    return replace(before, status=status, severity=severity, n_changes=before.n_changes + 1)


def worse(one: Severity, other: Severity) -> Severity:
    """The more severe of two."""
    return max(one, other, key=SEVERITIES.index)
