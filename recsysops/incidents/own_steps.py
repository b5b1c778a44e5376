"""The steps that incidents take by themselves when a day is judged, for the trail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from recsysops.incidents.incident import Incident
from recsysops.incidents.judged_day import JudgedDay
from recsysops.incidents.statuses import Status
from recsysops.incidents.trail import Entry

_ACTIONS: Mapping[Status, str] = {"open": "reopen", "resolved": "resolve", "withdrawn": "withdraw"}


def own_steps(
    before: tuple[Incident, ...],
    after: tuple[Incident, ...],
    judged: JudgedDay,
    *,
    run: int,
    at: datetime,
    moment: datetime,
) -> Iterator[Entry]:
    """An entry for each incident whose status the day changed; judging a day again, to the same end, gives none."""
    statuses = {incident.id: incident.status for incident in before}
    for incident in after:
        known = statuses.get(incident.id)
        if incident.status == known:
            continue
        action = "open" if known is None else _ACTIONS.get(incident.status, "return")
        details: dict[str, Any] = {"day": judged.day.isoformat(), "run": run}
        if judged.hour is not None:
            details["hour"] = judged.hour
        if known is None and incident.follows is not None:
            details["follows"] = incident.follows
        yield Entry("detect", action, moment, at, incident.id, known or "", incident.status, details)
