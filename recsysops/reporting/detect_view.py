"""The screen of ``recsysops detect``."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from recsysops.reporting.detect_report import DetectReport
from recsysops.reporting.finding_lines import Heading, incident_lines, since
from recsysops.reporting.lines import Line, Style, next_lines, wrapped
from recsysops.reporting.not_looked import below_lines, budget_lines, looked_lines, skipped_lines, span
from recsysops.reporting.numbers import count, seconds
from recsysops.triage.findings import SEVERITIES


def detect_lines(
    report: DetectReport, width: int, *, verbose: bool = False, command: str = "recsysops"
) -> Iterator[Line]:
    """Answer, incidents, what was and was not looked at, the alarm budget, what to do next."""
    yield from wrapped(_answer(report), width, style=_style(report))
    for incident in report.incidents:
        yield Line("")
        today = report.last_judged or incident.last_seen
        began = since(incident.onset, today) + (
            "" if incident.last_seen == today else f", last seen {incident.last_seen}"
        )
        heading = Heading(
            incident.severity, f"#{incident.id}", incident.headline, incident.where, began, incident.impact
        )
        yield from incident_lines(heading, report.findings_of(incident), width, verbose=verbose)
    yield Line("")
    if report.days:
        yield from looked_lines(report.looked, report.n_rows, report.reference, width, verbose=verbose)
        yield from skipped_lines(report.skipped, width, verbose=verbose)
        yield from below_lines(report.below, width, verbose=verbose)
    yield from budget_lines(report.budget, width)
    yield from _changed(report, width)
    if not report.is_kept:
        yield from wrapped("Not kept: with --only or --skip a day is looked at, not judged.", width)
    yield Line("")
    yield from next_lines(f"{command} {words}" for words in _next(report))


def _answer(report: DetectReport) -> str:
    n_failed = len({one.detector for one in report.skipped if one.kind == "failed"})
    took = f" · {seconds(report.seconds)}" if report.seconds else ""
    if not report.days:
        known = (
            f"the last complete day, {report.last_judged}, is judged" if report.last_judged else "no day is complete"
        )
        if report.tier == "fast":
            known = "every complete hour of the newest two days is judged"
        is_open = f"{_counted(report)} open" if report.incidents else "no incident is open"
        return f"Nothing new to judge: {known}; {is_open}{took}"
    ran = f"{count(report.n_detectors - n_failed, 'detector')} ran"
    ran += f", {n_failed} failed (below)" if n_failed else ""
    when = span(report.days) + (f" ({len(report.days)} days)" if len(report.days) > 1 else "")
    if report.hours:
        when = f"{count(len(report.hours), 'hour')} up to {report.hours[-1] + timedelta(hours=1):%Y-%m-%d %H:%M} UTC"
    if not report.incidents:
        return f"Nothing found in {when} · {ran}{took}"
    return f"{_counted(report)} in {when} · {ran}{took}"


def _counted(report: DetectReport) -> str:
    by_severity = [
        f"{n} {severity}"
        for severity in reversed(SEVERITIES)
        if (n := sum(incident.severity == severity for incident in report.incidents))
    ]
    return f"{count(len(report.incidents), 'incident')} ({', '.join(by_severity)})"


def _style(report: DetectReport) -> Style:
    worst = max((SEVERITIES.index(incident.severity) for incident in report.incidents), default=-1)
    styles: tuple[Style, ...] = ("bold", "yellow", "red")
    return "green" if worst < 0 else styles[worst]


def _changed(report: DetectReport, width: int) -> Iterator[Line]:
    if report.changed_days:
        first = report.changed_days[0]
        n_days = count(len(report.changed_days), "judged day")
        text = f"{n_days} got or lost rows since: {span(report.changed_days)}; `recsysops detect --since {first}` judges again"
        yield from wrapped(text, width)


def _next(report: DetectReport) -> Iterator[str]:
    if report.incidents:
        incident = report.incidents[0]
        if report.is_kept:
            yield f"incident {'ack' if incident.status == 'open' else 'show'} {incident.id}"
        yield f"detect --date {incident.last_seen} --verbose"
        for finding in report.findings_of(incident)[:1]:
            yield f"detect --explain {finding.id}" if report.is_kept else f"detectors show {finding.detector}"
    elif report.days:
        yield f"detect --date {report.days[-1]} --verbose"
    else:
        yield f"detect --since {report.last_judged}" if report.last_judged else "check"
