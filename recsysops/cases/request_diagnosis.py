"""The diagnosis of one request, or of several together: the case examined, weighed, and put into words."""

from __future__ import annotations

from datetime import UTC
from shlex import quote

from recsysops.cases.diagnosis import Diagnosis
from recsysops.cases.examining import examine
from recsysops.cases.owners import owner_of
from recsysops.cases.request_case import RequestCase
from recsysops.cases.request_verdict import request_verdict
from recsysops.cases.slate_rules import is_shown
from recsysops.cases.subject_requests import texts
from recsysops.cases.verdict import Verdict
from recsysops.engines.progress import SILENT, Progress

ABOUT = ("member_id", "model_id", "host", "experiment_arm")


def diagnose_request(case: RequestCase, *, progress: Progress = SILENT) -> Diagnosis:
    """Examine the case with every step for requests, and judge."""
    evidence = examine(case, "request", progress=progress)
    verdict = request_verdict(case, evidence)
    subject, owner = ", ".join(case.requests), owner_of(case.tables, verdict.entity)
    return Diagnosis("request", subject, case.window, verdict, evidence, _about(case), owner, _next(case, verdict))


def _about(case: RequestCase) -> dict[str, str]:
    own = case.own
    found = {"served": f"{case.times[0].astimezone(UTC):%Y-%m-%d %H:%M:%S}"}
    columns = {role: column.name for role in ABOUT if (column := own.schema.role(role)) is not None}
    for name in (*columns.values(), *own.schema.slices):
        if name in own.columns:
            known = [one for one in texts(own.columns[name]).unique().to_pylist() if one is not None]
            found[name] = ", ".join(known[:3])
    found["candidates"] = f"{own.n_rows}, {int(is_shown(own).sum())} shown"
    if case.outcomes is not None:
        found["outcomes"] = str(len(case.outcomes))
    return {name: words for name, words in found.items() if words}


def _next(case: RequestCase, verdict: Verdict) -> tuple[str, ...]:
    day = f"{case.times[0].astimezone(UTC):%Y-%m-%d}"
    found = [f"diagnose request {' '.join(quote(one) for one in case.requests)} --html request.html"]
    if verdict.cause == "abstain" and case.problems:
        found.append("check")
    if verdict.cause in {"input", "model"} or verdict.stage == "ranking":
        found.append(f"replay --day {day}")
    if verdict.cause == "input" and case.own.schema.column(verdict.entity) is not None:
        found.append(f"show missing_rate {quote(verdict.entity)} --since {day}")
    name, _, item = verdict.entity.partition(" ")
    if name == "item" and " " not in item:
        found.append(f"diagnose item {quote(item)}")
    return tuple(found)
