"""The screen of ``recsysops check``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from recsysops.inspection.report import CheckReport, Problem, Severity
from recsysops.reporting.lines import Column, Line, Style, next_lines, table, wrapped
from recsysops.reporting.numbers import count
from recsysops.reporting.plain import literal

STYLES: dict[Severity, Style] = {"error": "red", "warning": "yellow", "note": "dim"}
N_NOTES = 5


def check_lines(
    report: CheckReport, width: int, *, verbose: bool = False, command: str = "recsysops"
) -> Iterator[Line]:
    """Answer, tables, problems by severity, what is on and what would switch on the rest."""
    yield from wrapped(_answer(report), width, style="bold" if report.is_usable else "red")
    yield Line("")
    yield from _tables(report, width)
    for severity in get_args(Severity):
        problems = report.of(severity)
        shown = problems if verbose or severity != "note" else problems[:N_NOTES]
        if problems:
            yield Line("")
        for problem in shown:
            yield from _problem_lines(problem, width)
        if len(shown) < len(problems):
            yield Line(f"  {len(problems) - len(shown)} more notes (--verbose)", "dim")
    yield Line("")
    yield from _capabilities(report, width)
    yield Line("")
    yield from next_lines([f"{command} {'detect' if report.is_usable else 'check'}"])


def _answer(report: CheckReport) -> str:
    counts = [f"{len(report.of(one))} {one}{'s' if len(report.of(one)) != 1 else ''}" for one in get_args(Severity)]
    sound = "is ready" if report.is_usable else "cannot be used yet"
    here = [one for one in report.capabilities if not one.is_planned]
    n_on = sum(one.is_on for one in here)
    return f"{literal(report.workspace)} {sound}: {', '.join(counts)} · {n_on} of {len(here)} capabilities on"


def _tables(report: CheckReport, width: int) -> Iterator[Line]:
    rows = report.tables
    yield from table(
        (
            Column("table", tuple(literal(row.table) for row in rows)),
            Column("partitions", tuple(f"{row.n_partitions:,}" for row in rows), is_number=True),
            Column("size", tuple(_size(row.n_bytes) for row in rows), drop=3, is_number=True),
            Column("columns", tuple(f"{row.n_columns:,}" for row in rows), drop=2, is_number=True),
            Column("rows checked", tuple(f"{row.n_rows_checked:,}" for row in rows), drop=1, is_number=True),
            Column("from", tuple(f"{row.first_ts:%Y-%m-%d}" if row.first_ts else "–" for row in rows), drop=4),
            Column("to", tuple(f"{row.last_ts:%Y-%m-%d}" if row.last_ts else "–" for row in rows), drop=4),
            Column("path", tuple(literal(row.path) for row in rows), is_last=True),
        ),
        width,
    )


def _problem_lines(problem: Problem, width: int) -> Iterator[Line]:
    lines = list(wrapped(f"{problem.severity}: {literal(problem)}", width, indent=2))
    first = Line(lines[0].text, STYLES[problem.severity], len(problem.severity) + 3)
    yield from [first, *lines[1:]]


def _capabilities(report: CheckReport, width: int) -> Iterator[Line]:
    is_on = [one.name for one in report.capabilities if one.is_on and not one.is_planned]
    if is_on:
        yield from wrapped("On: " + literal(" · ".join(is_on)), width)
    for one in report.capabilities:
        if not one.is_on and not one.is_planned:
            advice = f"; {one.switch_on}" if one.switch_on else ""
            yield from wrapped(literal(f"Off: {one.name}, needs {one.needs}{advice}"), width, style="dim")
    for is_ready, words in ((True, "have the data for"), (False, "lack data for")):
        planned = [one for one in report.capabilities if one.is_planned and one.is_on is is_ready]
        told = [one.name if is_ready else f"{one.name} ({one.needs})" for one in planned]
        if told:
            text = f"Later versions will ask for more; these logs already {words}: " if is_ready else f"They {words}: "
            yield from wrapped(literal(text + " · ".join(told)), width, style="dim")


def _size(n_bytes: int) -> str:
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if n_bytes >= size:
            return f"{n_bytes / size:,.1f} {unit}"
    return count(n_bytes, "byte")
