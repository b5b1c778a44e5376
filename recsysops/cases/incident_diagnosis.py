"""The diagnosis of an incident: its findings read as signs of a cause."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from shlex import quote

from recsysops.cases.diagnosis import Diagnosis
from recsysops.cases.examining import examine
from recsysops.cases.incident_case import IncidentCase
from recsysops.cases.incident_verdict import incident_verdict
from recsysops.cases.subject import Window
from recsysops.cases.verdict import Verdict
from recsysops.engines.progress import SILENT, Progress

N_ITEMS = 2


def diagnose_incident(case: IncidentCase, *, progress: Progress = SILENT) -> Diagnosis:
    """Examine the case with every step for incidents, and judge."""
    evidence = examine(case, "incident", progress=progress)
    verdict = incident_verdict(case, evidence)
    start = datetime.combine(case.onset, time(), UTC)
    window = Window(start, datetime.combine(case.last_seen, time(), UTC) + timedelta(days=1))
    about = {"headline": case.headline, "since": case.onset.isoformat()}
    return Diagnosis("incident", str(case.number), window, verdict, evidence, about, _owner(case, verdict), _next(case))


def _owner(case: IncidentCase, verdict: Verdict) -> str:
    name, _, column = verdict.entity.partition(".")
    table = case.tables.get(name)
    stated = table.schema.column(column) if table is not None else None
    return (
        stated.owner if stated is not None and stated.owner else table.settings.owner if table is not None else ""
    ) or ""


def _next(case: IncidentCase) -> tuple[str, ...]:
    items = dict.fromkeys(one.subject.id for one in case.findings if one.subject.kind == "item")
    deeper = [f"diagnose item {quote(item)} --day {case.last_seen}" for item in list(items)[:N_ITEMS]]
    if any(one.detector == "output.replay_mismatch" for one in case.findings):
        deeper.append(f"replay --day {case.last_seen}")
    return (*deeper, f"incident handoff {case.number}", f"incident show {case.number}")
