"""The screen of ``recsysops detect --shakedown``: what history would have raised, to be gone through in one sitting."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from recsysops.incidents.incident import Incident
from recsysops.reporting.detect_report import DetectReport
from recsysops.reporting.lines import Column, Line, next_lines, table, wrapped
from recsysops.reporting.not_looked import budget_lines, span
from recsysops.reporting.numbers import count
from recsysops.reporting.plain import literal

N_NAMED = 5
"""Numbers written into the commands at the end; people replace them by their own."""


def shakedown_lines(report: DetectReport, width: int, *, command: str = "recsysops") -> Iterator[Line]:
    """How many alarms there would have been, each on a line, from which detectors, and how to say what they were."""
    alarms = sorted((one for one in report.incidents if one.severity != "info"), key=lambda one: (one.opened, one.id))
    when = span(report.days) if report.days else "no day"
    told = f"{count(len(alarms), 'alarm')} in {when}, {count(len(report.days), 'day')}, had this run then"
    yield from wrapped(told if alarms else f"No alarm in {when}: history is quiet", width, style="bold")
    if alarms:
        yield Line("")
        yield from table(_columns(alarms), width)
        yield Line("")
        yield from wrapped(_by_detector(report, alarms), width)
    yield from budget_lines(report.budget, width)
    yield Line("")
    numbers = " ".join(str(one.id) for one in alarms[:N_NAMED])
    marks = [f"{command} incident resolve {numbers} --as {word}" for word in ("expected", "false-alarm", "fixed")]
    yield from next_lines([*(marks if alarms else []), f"{command} incident list --all"])


def _columns(alarms: Sequence[Incident]) -> list[Column]:
    return [
        Column("", tuple(f"#{one.id}" for one in alarms)),
        Column("opened", tuple(one.opened.isoformat() for one in alarms)),
        Column("days", tuple(f"{(one.last_seen - one.opened).days + 1}" for one in alarms), drop=2, is_number=True),
        Column("severity", tuple(one.severity for one in alarms), drop=1),
        Column("where", tuple(literal(one.where) for one in alarms), drop=3),
        Column("what", tuple(literal(one.headline) for one in alarms), is_last=True),
    ]


def _by_detector(report: DetectReport, alarms: Sequence[Incident]) -> str:
    heads = Counter(
        report.findings[one.finding_ids[0]].detector for one in alarms if one.finding_ids[0] in report.findings
    )
    named = ", ".join(f"{name} {n}" for name, n in sorted(heads.items(), key=lambda pair: (-pair[1], pair[0])))
    return f"By detector: {named}. What you mark as expected or false counts as healthy from then on; what you mark as fixed does not."
