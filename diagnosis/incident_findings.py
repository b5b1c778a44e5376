"""What the findings of an incident are signs of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from recsysops.cases.evidence import Evidence, Proof, Sign
from recsysops.cases.incident_case import IncidentCase
from recsysops.cases.incident_verdict import OWN, rule_of
from recsysops.cases.step import StepMeta
from recsysops.triage.findings import Finding

OF_OTHERS = 0.8
"""What weight the findings beside the headline have: it was chosen for being the earliest, most upstream and widest."""


LEAST_AGES = 2


class IncidentFindings:
    """Which cause do the incident's findings speak for?

    Every finding is a sign by the first rule that fits it (``recsysops.cases.incident_verdict.RULES``). Findings that follow a recorded plan are
    signs of that plan. The headline counts whole, the others for eight tenths; several of one sign count once.
    Late outcomes and several features that differ at the time of the request are read together as a clock that is off.
    """

    meta = StepMeta(name="incident.findings", subjects=("incident",))

    def examine(self, case: IncidentCase) -> Evidence:
        """Read the findings."""
        signs = tuple(_sign(finding, number) for number, finding in enumerate(case.findings))
        rows = tuple(
            {
                "finding": finding.id,
                "detector": finding.detector,
                "sign": sign.name,
                "entity": sign.entity,
                "headline": finding.headline,
                "value": finding.value,
                "before": finding.reference_value,
                "onset": (finding.onset or finding.day).isoformat(),
            }
            for finding, sign in zip(case.findings, signs, strict=True)
        )
        signs += tuple(_clock(case.findings))
        headline = f"{len(case.findings)} findings, signs of {len({(sign.name, sign.entity) for sign in signs})} things"
        return Evidence(self.meta.name, "abnormal" if signs else "normal", headline, signs, {}, rows)


def _clock(findings: Sequence[Finding]) -> Iterator[Sign]:
    """Outcomes that come late after their requests and ages that are off in several features are one thing: the requests' clock."""
    late = [one for one in findings if one.detector == "input.label_delay"]
    ages = {one.column for one in findings if one.detector == "input.training_serving_skew"}
    if late and len(ages) >= LEAST_AGES:
        words = f"outcomes come late and {len(ages)} features differ from their sources at the time of the request: its clock is off"
        yield Sign("clock is off", "candidates.ts", words)


def _sign(finding: Finding, number: int) -> Sign:
    rule = rule_of(finding)
    entity = _entity(finding) if rule.entity == OWN else rule.entity
    words = finding.headline + (f" ({finding.slice})" if finding.slice.dimension else "")
    proof = Proof(finding.statistic, finding.value, finding.low, finding.high, words)
    strength = 1.0 if number == 0 else OF_OTHERS
    if finding.follows:
        return Sign("planned", entity, f"{words}, by a recorded plan: {finding.follows}", strength, proof)
    return Sign(rule.sign, entity, words, strength, proof)


def _entity(finding: Finding) -> str:
    if finding.column:
        return f"{finding.table}.{finding.column}"
    return finding.table if finding.subject.kind == "table" else f"{finding.subject.kind} {finding.subject.id}"
