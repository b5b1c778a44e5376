"""The screen of ``recsysops diagnose``: the verdict, its proof, how much it matters, and what to run next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from recsysops.cases.diagnosis import Diagnosis
from recsysops.cases.evidence import Evidence
from recsysops.reporting.lines import Column, Line, Style, next_lines, table, wrapped
from recsysops.reporting.numbers import interval, number, percent
from recsysops.reporting.plain import cells, literal
from recsysops.reporting.sparkline import sparkline

WORDS = {
    "input": "INPUT FAULT",
    "training": "TRAINING FAULT",
    "model": "MODEL FAULT",
    "retrieval": "RETRIEVAL FAULT",
    "policy": "POLICY",
    "serving": "SERVING FAULT",
    "legitimate": "LEGITIMATE",
    "abstain": "NO VERDICT",
}
N_FEATURES = 4
N_FACTS = 5
STAGES = {
    "retrieved": "a candidate",
    "passed": "passed rules",
    "rank": "place by score",
    "moved": "moved by policy",
    "shown": "shown",
}


def diagnosis_lines(
    found: Diagnosis, width: int, *, verbose: bool = False, command: str = "recsysops"
) -> Iterator[Line]:
    """Answer, why it is believed, where the subject is lost, what was found normal, what else is possible, what to do."""
    yield from wrapped(" · ".join([f"{found.kind} {literal(found.subject)}", *_about(found)]), width, style="bold")
    yield Line("")
    yield from _verdict_lines(found, width)
    for evidence in found.evidence:
        lines = list(_SECTIONS[evidence.step](evidence, width, verbose)) if evidence.step in _SECTIONS else []
        if lines:
            yield Line("")
            yield from lines
    yield Line("")
    for evidence in found.evidence:
        style: Style = "yellow" if evidence.outcome == "unknown" else "dim"
        words = f"{evidence.step:<13} {evidence.outcome:<9} {literal(evidence.headline)}"
        yield from wrapped(words, width, style=style)
    yield from _others(found, width)
    yield Line("")
    yield from next_lines(f"{command} {words}" for words in found.next)


def _about(found: Diagnosis) -> Iterator[str]:
    for name, value in found.about.items():
        yield (
            f"launched {literal(value)}" if name == "launched" else literal(f"“{value}”" if name == "title" else value)
        )


def _verdict_lines(found: Diagnosis, width: int) -> Iterator[Line]:
    verdict = found.verdict
    words = WORDS[verdict.cause]
    if verdict.cause == "legitimate" and verdict.entity == f"{found.kind} {found.subject}":
        words = f"{words}: nothing is wrong that could be looked at"
    elif verdict.cause == "legitimate":
        words = f"{words}: a recorded plan explains {literal(verdict.entity)}"
    elif verdict.cause != "abstain":
        words = f"{words}, {verdict.stage}, {literal(verdict.entity)}"
    status = "PROBABLE" if verdict.cause == "legitimate" else verdict.status.upper()
    status = "" if verdict.cause == "abstain" else f"{status} · {verdict.confidence:.2f}"
    style: Style = "red" if verdict.status == "confirmed" else "green" if verdict.cause == "legitimate" else "yellow"
    gap = width - cells(words) - cells(status)
    yield from (
        [Line((words + " " * gap + status).rstrip(), style)]
        if gap > 1
        else wrapped(f"{words} · {status}", width, style=style)
    )
    signs = verdict.hypotheses[0].signs if verdict.hypotheses else ()
    for sign in signs:
        label = "proof   " if sign.proof is not None else "seen    "
        yield from wrapped(f"{label} {literal(sign.words)}", width, indent=2)
    if not signs:
        yield from wrapped(literal(verdict.words), width, indent=2)
    if verdict.proof is None and verdict.cause not in {"legitimate", "abstain"}:
        yield from wrapped(
            "to confirm: a repair that closes the gap, or a replay that diverges", width, indent=2, style="dim"
        )
    yield from _impact(found, width)
    if found.owner:
        yield from wrapped(f"call     {literal(found.owner)} (owner of {literal(verdict.entity)})", width, indent=2)


def _impact(found: Diagnosis, width: int) -> Iterator[Line]:
    path = found.step("item.path")
    shown = next((row for row in path.rows if row["stage"] == "shown"), None) if path is not None else None
    if shown is not None and found.verdict.cause not in {"legitimate", "abstain"}:
        words = (
            f"impact   shown in {percent(shown['now'])} of requests, the week before in {_of('shown', shown['before'])}"
        )
        yield from wrapped(f"{words}, peers {_of('shown', shown['peers'])}", width, indent=2)


def _path(evidence: Evidence, width: int, _verbose: bool) -> Iterator[Line]:
    if not evidence.rows:
        return
    yield Line("Where it is lost (last three days, the week before, peers)")
    rows = [row for row in evidence.rows if row["now"] == row["now"]]
    columns = (
        Column("stage", tuple(STAGES[row["stage"]] for row in rows)),
        Column("now", tuple(_of(row["stage"], row["now"]) for row in rows), is_number=True),
        Column("before", tuple(_of(row["stage"], row["before"]) for row in rows), is_number=True),
        Column("peers", tuple(_of(row["stage"], row["peers"]) for row in rows), is_number=True, drop=1),
        Column("by day", tuple(_drawn(row["series"]) for row in rows), drop=2),
    )
    yield from table(columns, width)


def _of(stage: str, value: float | None) -> str:
    if value is None or value != value:
        return "–"
    return f"{value:+.1f} ranks".replace("-", "−") if stage == "moved" else percent(value)


def _drawn(series: list[float]) -> str:
    known = [value for value in series if value == value]
    return sparkline(known[-20:]) if known else ""


def _facts(evidence: Evidence, width: int, verbose: bool) -> Iterator[Line]:
    rows = [
        row
        for row in evidence.rows
        if verbose or row["closes"] is not None or row["odd_with"] or row["kind"] == "missing"
    ]
    if not rows:
        return
    yield Line("Facts about it that changed or are missing")
    shown = rows if verbose else rows[:N_FACTS]
    columns = (
        Column("fact", tuple(literal(row["entity"]) for row in shown)),
        Column("before", tuple(_word(row["before"]) for row in shown)),
        Column("now", tuple(_word(row["now"]) for row in shown)),
        Column("since (UTC)", tuple((row["since"] or "always")[:16].replace("T", " ") for row in shown)),
        Column("score gap", tuple(_gap(row) for row in shown), is_number=True, drop=2),
        Column("repair closes", tuple(_closes(row) for row in shown), is_number=True, drop=1),
    )
    yield from table(columns, width)


def _word(value: Any) -> str:
    return "no value" if value is None else literal(str(value), 20)


def _gap(row: Mapping[str, Any]) -> str:
    return "–" if row["gap"] is None else f"{number(row['gap'])} {interval(row['gap_low'], row['gap_high'])}"


def _closes(row: Mapping[str, Any]) -> str:
    if row["closes"] is None:
        return "–"
    return f"{100 * row['closes']:.0f} % [{100 * row['closes_low']:.0f}, {100 * row['closes_high']:.0f}]"


def _features(evidence: Evidence, width: int, verbose: bool) -> Iterator[Line]:
    if not evidence.rows:
        return
    yield from wrapped(
        f"What the model holds against it, beside {evidence.figures['reference']} (SHAP, raw margin)", width
    )
    shown = evidence.rows if verbose else evidence.rows[:N_FEATURES]
    columns = (
        Column("feature", tuple(literal(row["feature"]) for row in shown)),
        Column("item", tuple(number(row["item"]) for row in shown), is_number=True, drop=1),
        Column("reference", tuple(number(row["reference"]) for row in shown), is_number=True, drop=1),
        Column("part of the gap", tuple(_part(row) for row in shown), is_number=True),
    )
    yield from table(columns, width)


def _part(row: Mapping[str, Any]) -> str:
    return f"{row['phi']:+.2f} [{row['low']:+.2f}, {row['high']:+.2f}]".replace("-", "−")


_SECTIONS = {"item.path": _path, "item.facts": _facts, "item.gap": _features}


def _others(found: Diagnosis, width: int) -> Iterator[Line]:
    others = [one for one in found.verdict.hypotheses[1:] if one.weight >= 0.05]
    told = "; ".join(f"{one.cause}, {one.stage}, {literal(one.entity)} {percent(one.weight)}" for one in others)
    yield from wrapped(f"Also possible: {told or 'none above 5 %'}", width)
