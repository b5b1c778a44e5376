"""An incident on the screen: one line of answer, then the numbers that prove it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from recsysops.profiles.slices import EVERYTHING
from recsysops.reporting.lines import NARROW, Line, Style, wrapped
from recsysops.reporting.numbers import count, interval, number, of_statistic, percent
from recsysops.reporting.plain import cells, literal
from recsysops.reporting.sparkline import sparkline
from recsysops.triage.findings import Finding, Severity

SYMBOLS: dict[Severity, str] = {"critical": "●", "warning": "▲", "info": "○"}
STYLES: dict[Severity, Style] = {"critical": "red", "warning": "yellow", "info": "cyan"}
N_PROOFS = 4


@dataclass(frozen=True)
class Heading:
    """What the first line of an incident says."""

    severity: Severity
    number: str
    """``#41``, or nothing."""
    headline: str
    where: str
    since: str
    impact: float


def since(onset: date, today: date) -> str:
    """``since 2026-11-17 (3 d)``, or that it is new."""
    age = (today - onset).days
    return f"since{NARROW}{onset.isoformat()}{NARROW}" + (f"({age}{NARROW}d)" if age > 0 else "(first seen)")


def incident_lines(heading: Heading, findings: Sequence[Finding], width: int, *, verbose: bool) -> Iterator[Line]:
    """The heading, the proofs, and how much it touches."""
    yield from _heading_lines(heading, width)
    shown = list(findings) if verbose else _widest(findings)[:N_PROOFS]
    for finding in shown:
        yield from proof_lines(finding, width, verbose=verbose)
    plan = next((finding.follows for finding in findings if finding.follows), "")
    if plan:
        yield from wrapped(f"expected: follows {literal(plan)}, which is on record", width, indent=4, style="dim")
    more = len(findings) - len(shown)
    parts = [f"touches {percent(heading.impact)} of rows"] if heading.impact > 0 else []
    if len(findings) > 1:
        parts.append(f"{count(len(findings), 'finding')}, grouped as one cause")
    if more > 0:
        parts.append(f"{more:,} more in slices (--verbose)")
    if parts:
        yield from wrapped(" · ".join(parts), width, indent=4, style="dim")


def _heading_lines(heading: Heading, width: int) -> Iterator[Line]:
    where = "" if heading.where == str(EVERYTHING) else f", only {literal(heading.where)}"
    start = f"{SYMBOLS[heading.severity]} {heading.severity:<8}  {heading.number:<4}".rstrip() + "  "
    text = start + literal(heading.headline) + where
    gap = width - cells(text) - cells(heading.since)
    if gap >= 2 or not heading.since:
        yield from _painted(wrapped((text + " " * gap + heading.since).rstrip(), width), heading, len(start))
        return
    yield from _painted(wrapped(text, width), heading, len(start))
    yield Line(" " * 4 + heading.since)


def _painted(lines: Iterator[Line], heading: Heading, n_styled: int) -> Iterator[Line]:
    """The severity and the number in colour; the rest as it is."""
    yield Line(next(lines).text, STYLES[heading.severity], n_styled)
    yield from (Line("  " + line.text) for line in lines)


def proof_lines(finding: Finding, width: int, *, verbose: bool) -> Iterator[Line]:
    """``candidates.score   null_rate 0.2 % → 11.4 % [10.9, 12.0 %]  ▁▁▁█``, and with ``verbose`` how sure and the query."""
    about = f"{finding.table}.{finding.column}" if finding.column else finding.subject.id
    before = of_statistic(finding.statistic, finding.reference_value)
    value = of_statistic(finding.statistic, finding.value)
    change = value if finding.reference_value is None else f"{before} → {value}"
    bounds = interval(finding.low, finding.high, finding.statistic)
    parts = [
        literal(about),
        f"{literal(finding.statistic)} {change}",
        bounds,
        sparkline(finding.series) if len(finding.series) > 1 else "",
    ]
    where = literal(finding.slice) if finding.slice != EVERYTHING else ""
    line = "   ".join(part.replace(" ", NARROW) for part in [*parts, where] if part)
    yield from wrapped(line, width, indent=4)
    if verbose:
        chance = "a rule that tolerates nothing" if finding.p_value is None else f"p {number(finding.p_value)}"
        sizes = f"{finding.n_current:,} now, {finding.n_reference:,} in the reference"
        detail = f"{finding.detector} · {finding.severity} · {chance} · floor {number(finding.threshold)} · {sizes}"
        yield from wrapped(literal(detail), width, indent=6, style="dim")
        if finding.query:
            yield Line(" " * 6 + literal(finding.query), "dim")


def _widest(findings: Sequence[Finding]) -> list[Finding]:
    """For each statistic of each column only the first, which covers the most."""
    first: dict[tuple[str, ...], Finding] = {}
    for finding in findings:
        key = (finding.detector, finding.table, finding.column, finding.subject.id, finding.statistic)
        known = first.setdefault(key, finding)
        if known.slice != EVERYTHING and finding.slice == EVERYTHING:
            first[key] = finding
    return list(first.values())
