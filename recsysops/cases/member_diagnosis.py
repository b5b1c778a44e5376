"""The diagnosis of a member: the case examined, weighed, and put into words."""

from __future__ import annotations

from shlex import quote

from recsysops.cases.diagnosis import Diagnosis
from recsysops.cases.evidence import Evidence
from recsysops.cases.examining import examine
from recsysops.cases.member_case import MemberCase
from recsysops.cases.member_verdict import member_verdict
from recsysops.cases.owners import owner_of
from recsysops.cases.subject_requests import texts
from recsysops.cases.verdict import Verdict
from recsysops.engines.progress import SILENT, Progress


def diagnose_member(case: MemberCase, *, progress: Progress = SILENT) -> Diagnosis:
    """Examine the case with every step for members, and judge."""
    evidence = examine(case, "member", progress=progress)
    verdict = member_verdict(case, evidence)
    owner = owner_of(case.tables, verdict.entity)
    following = _next(case, verdict, evidence)
    return Diagnosis("member", case.member, case.window, verdict, evidence, _about(case), owner, following)


def _about(case: MemberCase) -> dict[str, str]:
    own = case.own
    found = {"requests": f"{case.log.n_own} in {case.window.days:.0f} d"}
    for name in own.schema.slices:
        known = [one for one in texts(own.columns[name]).unique().to_pylist() if one is not None]
        found[name] = ", ".join(known[:3])
    alike = f"{len(case.alike)} members alike by {', '.join(case.facts.columns[:4])}"
    found["beside"] = f"{case.log.n_others} requests of " + (alike if case.alike else "others")
    return {name: words for name, words in found.items() if words}


def _next(case: MemberCase, verdict: Verdict, evidence: tuple[Evidence, ...]) -> tuple[str, ...]:
    found = [f"diagnose member {quote(case.member)} --html member.html"]
    replayed = next((one for one in evidence if one.step == "member.replay"), None)
    if replayed is not None and replayed.figures.get("requests"):
        found.append(f"diagnose request {quote(replayed.figures['requests'][0])}")
    if verdict.cause == "abstain" and case.problems:
        found.append("check")
    if verdict.cause == "input" and case.own.schema.column(verdict.entity) is not None:
        found.append(f"show missing_rate {quote(verdict.entity)} --since {case.window.start:%Y-%m-%d}")
    name, _, item = verdict.entity.partition(" ")
    if name == "item":
        found.append(f"diagnose item {quote(item)}")
    return tuple(found)
