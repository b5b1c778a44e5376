"""The answer of a diagnosis in words: the verdict, what proves it, since when, whose it is and how much it matters."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from recsysops.cases.diagnosis import Diagnosis
from recsysops.cases.subject import Window
from recsysops.cases.verdict import Cause
from recsysops.reporting.facts_table import change_text, suspect_fact
from recsysops.reporting.funnel_plot import COMPARED
from recsysops.reporting.item_stages import stage_of
from recsysops.reporting.lines import NARROW
from recsysops.reporting.not_looked import span
from recsysops.reporting.numbers import count, percent
from recsysops.reporting.plain import literal
from recsysops.reporting.stamps import stamp_text, when
from recsysops.reporting.step_section import proof_text

FAULTS: dict[Cause, str] = {
    "input": "Input fault",
    "training": "Training fault",
    "model": "Model fault",
    "retrieval": "Retrieval fault",
    "policy": "Policy effect",
    "serving": "Serving fault",
}
NAMELESS = frozenset({"title", "kind", "country"})
"""What is known of a subject and speaks for itself."""


def verdict_line(diagnosis: Diagnosis) -> str:
    """The answer."""
    verdict = diagnosis.verdict
    if verdict.cause not in FAULTS:
        return "No cause stands out" if verdict.cause == "abstain" else "No fault found"
    fact = suspect_fact(diagnosis)
    change = f" {change_text(fact)}" if fact is not None else ""
    stage = f", {verdict.stage}" if verdict.stage != verdict.cause else ""
    entity = f": {verdict.entity}" if verdict.entity not in (verdict.stage, verdict.cause) else ""
    return literal(f"{FAULTS[verdict.cause]}{stage}{entity}{change}")


def standing(diagnosis: Diagnosis) -> str:
    """How sure that is."""
    verdict = diagnosis.verdict
    belief = f"{percent(verdict.confidence)} of the belief"
    if verdict.cause == "abstain":
        return f"at most {belief}" if verdict.hypotheses else ""
    return f"{verdict.status}, {belief}" if verdict.cause in FAULTS else belief


def subject_line(diagnosis: Diagnosis) -> str:
    """``item 123 · Broken Orchard · film · NO · launched …``."""
    about = [value if name in NAMELESS else f"{name} {value}" for name, value in diagnosis.about.items()]
    return " · ".join(literal(part, 120) for part in (f"{diagnosis.kind} {diagnosis.subject}", *about))


def window_text(window: Window) -> str:
    """The days, or the times where they are not whole days."""
    if window.days != int(window.days) or window.start.time() != datetime.min.time():
        return f"{window.start:%Y-%m-%d %H:%M} … {window.end:%Y-%m-%d %H:%M} UTC"
    return span([window.start.date(), (window.end - timedelta(days=1)).date()][: 1 + (window.days > 1)])


def answer_rows(diagnosis: Diagnosis) -> Iterator[tuple[str, str]]:
    """What stands under the verdict, each with its name; what is not known is said to be so."""
    is_fault = diagnosis.verdict.cause in FAULTS
    if because := _because(diagnosis):
        yield "because", literal(because)
    proof = diagnosis.verdict.proof
    if is_fault:
        yield "proof", literal(proof_text(proof)) if proof is not None else "none yet: it is only suspected"
        yield "since", _since(diagnosis)
        yield "owner", literal(diagnosis.owner, 80) or "nobody is declared for it"
    if impact := _impact(diagnosis):
        yield "impact", impact
    if silent := [one for one in diagnosis.evidence if one.outcome == "unknown"]:
        yield "could not look", literal("; ".join(f"{one.step}: {one.headline}" for one in silent), 400)


def _because(diagnosis: Diagnosis) -> str:
    """What was seen, without what the proof says anyway."""
    verdict = diagnosis.verdict
    if verdict.proof is None or not verdict.hypotheses:
        return verdict.words
    signs = verdict.hypotheses[0].signs
    return "; ".join(dict.fromkeys(sign.words for sign in signs if sign.proof != verdict.proof))


def _since(diagnosis: Diagnosis) -> str:
    fact = suspect_fact(diagnosis)
    if fact is None or fact["since"] is None:
        return "not known: no change of a fact goes with it"
    hours = (diagnosis.window.end - when(fact["since"])) / timedelta(hours=1)
    age = count(round(hours / 24), "day") if hours >= 48 else count(round(hours), "hour")
    served = f"; served since {stamp_text(fact['served_since'])}" if fact["served_since"] != fact["since"] else ""
    return f"{stamp_text(fact['since'])}{NARROW}UTC, {age} before the end of the time looked at{served}"


def _impact(diagnosis: Diagnosis) -> str:
    """How often it is shown, from the step that counts it."""
    path = diagnosis.step("item.path")
    for row in path.rows if path is not None else ():
        if row["stage"] == "shown":
            now, before, peers = (stage_of("shown").value(row[key]) for key in COMPARED)
            return f"shown in {now} of requests, before {before}; its median peer {peers}"
    return ""
