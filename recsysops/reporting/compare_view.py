"""The screen of ``recsysops compare``."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from recsysops.reporting.compare_report import CompareReport
from recsysops.reporting.finding_lines import Heading, incident_lines
from recsysops.reporting.lines import NARROW, Column, Line, next_lines, table, wrapped
from recsysops.reporting.not_looked import below_lines, skipped_lines
from recsysops.reporting.numbers import count, percent, seconds
from recsysops.reporting.plain import literal
from recsysops.triage.exposure_contrast import ItemShare
from recsysops.triage.outcome_contrast import OutcomeContrast


def compare_lines(
    report: CompareReport, width: int, *, verbose: bool = False, command: str = "recsysops"
) -> Iterator[Line]:
    """Answer, cohorts, exposure, outcomes, what the judges found, what could not be looked at, what to do next."""
    yield from wrapped(_answer(report), width, style="bold")
    yield Line("")
    longest = max(len(literal(size.label)) for size in (report.reference, report.current))
    for name, size in (("reference", report.reference), ("current", report.current)):
        sizes = f"{count(size.n_requests, 'request')} · {count(size.n_impressions, 'impression')} · {count(size.n_days, 'day')}"
        yield from wrapped(f"{name:<9}  {literal(size.label):<{longest}}  {sizes}", width)
    yield Line("")
    yield from _exposure(report, width)
    yield Line("")
    yield from _outcomes(report, width)
    for group in report.groups:
        yield Line("")
        heading = Heading(group.severity, "", group.headline.headline, str(group.where), "", group.impact)
        yield from incident_lines(heading, group.findings, width, verbose=verbose)
    yield Line("")
    n_series = sum(one.n_series for one in report.looked)
    yield from wrapped(
        f"Looked at: {count(n_series, 'series', 'series')} by {count(report.n_detectors, 'detector')}", width
    )
    yield from skipped_lines(report.skipped, width, verbose=verbose)
    yield from below_lines(report.below, width, verbose=verbose)
    yield Line("")
    words = [shlex.quote(size.label.replace(", ", ",")) for size in (report.reference, report.current)]
    yield from next_lines([f"{command} compare --reference {words[0]} --current {words[1]} --verbose"])


def _answer(report: CompareReport) -> str:
    parts = ["exposure differs" if report.exposure.is_different else "no difference in exposure beyond chance"]
    for contrast in report.outcomes:
        kind = literal(contrast.kind)
        parts.append(
            f"{kind}s differ" if contrast.is_different else f"no difference in {kind}s that the data can carry"
        )
    if report.groups:
        parts.append(f"{count(len(report.groups), 'difference')} in the logs")
    who = f"{literal(report.current.label)} against {literal(report.reference.label)}"
    took = f" · {seconds(report.seconds)}" if report.seconds else ""
    return f"{who}: {'; '.join(parts)}{took}"


def _exposure(report: CompareReport, width: int) -> Iterator[Line]:
    exposure = report.exposure
    text = f"{exposure.sentence} ({count(exposure.n_items, 'item')}, p{NARROW}{_p(exposure.p_value)})"
    yield from wrapped(text, width)
    movers = exposure.movers
    yield from table(
        (
            Column("item", tuple(literal(mover.item_id, 30) for mover in movers)),
            Column("reference", tuple(percent(mover.reference) for mover in movers), drop=2, is_number=True),
            Column("current", tuple(percent(mover.current) for mover in movers), drop=1, is_number=True),
            Column("change in points", tuple(_points(mover) for mover in movers), is_number=True),
        ),
        width,
    )


def _points(mover: ItemShare) -> str:
    low, high = (f"{100 * limit:+.1f}" for limit in (mover.low, mover.high))
    return f"{100 * mover.change:+.1f} [{low}, {high}]".replace("-", "−")


def _p(p_value: float) -> str:
    return "<" + NARROW + "0.0001" if p_value < 0.0001 else f"{p_value:.2g}"


def _outcomes(report: CompareReport, width: int) -> Iterator[Line]:
    if not report.outcomes:
        yield from wrapped(f"Outcomes are not compared: {literal(report.outcomes_missing)}", width)
        return
    for contrast in report.outcomes:
        yield from wrapped(literal(contrast.sentence), width)
    rows = report.outcomes
    yield from table(
        (
            Column("per 1,000 impressions", tuple(literal(row.kind, 30) for row in rows)),
            Column("reference", tuple(_rate(row, is_current=False) for row in rows), drop=2, is_number=True),
            Column("current", tuple(_rate(row, is_current=True) for row in rows), drop=1, is_number=True),
            Column("difference", tuple(_difference(row) for row in rows), is_number=True),
        ),
        width,
    )


def _rate(row: OutcomeContrast, *, is_current: bool) -> str:
    value, low, high = (
        (row.current, row.current_low, row.current_high)
        if is_current
        else (row.reference, row.reference_low, row.reference_high)
    )
    return f"{value:.2f} [{low:.2f}, {high:.2f}]"


def _difference(row: OutcomeContrast) -> str:
    return f"{row.difference:+.2f} [{row.low:+.2f}, {row.high:+.2f}]".replace("-", "−")
