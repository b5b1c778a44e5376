"""The screen of ``recsysops incident list``."""

from __future__ import annotations

import math
from collections.abc import Iterator

from recsysops.incidents.desk_values import IncidentList
from recsysops.incidents.incident import Incident
from recsysops.incidents.response_times import ResponseTimes, StepTime
from recsysops.reporting.lines import NARROW, Column, Line, Style, next_lines, table, wrapped
from recsysops.reporting.numbers import count, percent
from recsysops.reporting.plain import literal
from recsysops.triage.findings import SEVERITIES

SHORT = {
    "detected": "found (MTTD)",
    "acknowledged": "acknowledged (MTTA)",
    "diagnosed": "diagnosed",
    "mitigated": "mitigated (MTTM)",
    "resolved": "resolved (MTTR)",
}


def incident_list_lines(found: IncidentList, width: int, *, command: str = "recsysops") -> Iterator[Line]:
    """Answer, the incidents as a table, how long they took, what to do next."""
    yield from wrapped(_answer(found), width, style=_style(found))
    if found.incidents:
        yield Line("")
        yield from table(_columns(found), width)
    if found.times is not None:
        yield Line("")
        yield from time_lines(found.times, width)
    yield Line("")
    yield from next_lines(f"{command} {words}" for words in _next(found))


def _answer(found: IncidentList) -> str:
    name = literal(found.workspace)
    active = [one for one in found.incidents if one.is_active]
    judged = f"judged through {found.last_judged}" if found.last_judged else "no day has been judged yet"
    if not active:
        others = f", {found.n_all} in all" if found.n_all else ""
        return f"{name}: no incident is open{others} · {judged}"
    kinds = [
        f"{n} {severity}" for severity in reversed(SEVERITIES) if (n := sum(one.severity == severity for one in active))
    ]
    n_new = sum(one.status == "open" for one in active)
    taken = "nobody has taken any on" if n_new == len(active) else f"{n_new} not taken on" if n_new else "all taken on"
    return f"{name}: {count(len(active), 'incident')} open ({', '.join(kinds)}), {taken} · {judged}"


def _style(found: IncidentList) -> Style:
    worst = max((SEVERITIES.index(one.severity) for one in found.incidents if one.is_active), default=-1)
    return ("bold", "yellow", "red")[worst] if worst >= 0 else "green"


def _columns(found: IncidentList) -> tuple[Column, ...]:
    shown = found.incidents
    return (
        Column("no", tuple(f"#{one.id}" for one in shown), is_number=True),
        Column("severity", tuple(one.severity for one in shown)),
        Column("status", tuple(status_words(one) + (", muted" if one.is_muted(found.now) else "") for one in shown)),
        Column("since", tuple(one.onset.isoformat() for one in shown)),
        Column("last seen", tuple(one.last_seen.isoformat() for one in shown), drop=2),
        Column("rows", tuple(percent(one.impact) if one.impact > 0 else "–" for one in shown), drop=3, is_number=True),
        Column("with", tuple(literal(one.assignee) or "–" for one in shown), drop=1),
        Column("what", tuple(_what(one) for one in shown), is_last=True),
    )


def status_words(incident: Incident) -> str:
    """``resolved as fixed``, ``merged into #3``, ``acknowledged, quiet``."""
    if incident.status == "merged":
        return f"merged into #{incident.merged_into}"
    if incident.status in ("resolved", "retro"):
        return f"{incident.status} as {incident.resolution}" if incident.resolution else "resolved, went quiet"
    quiet = ", quiet" if incident.is_active and incident.presence == "resolved" else ""
    again = ", came back" if incident.status == "open" and incident.through is not None else ""
    return incident.status + again + quiet


def _what(incident: Incident) -> str:
    where = "" if incident.where == "all rows" else f", only {literal(incident.where)}"
    return literal(incident.headline) + where


def time_lines(times: ResponseTimes, width: int) -> Iterator[Line]:
    """Hours from onset to each step, median with its interval."""
    hindsight = (
        f"; {times.n_in_hindsight} found in days before the first run are left out" if times.n_in_hindsight else ""
    )
    if not times.n_incidents:
        yield from wrapped(f"No incident to time{hindsight}", width)
        return
    yield from wrapped(f"From the onset, over {count(times.n_incidents, 'incident')}{hindsight}:", width)
    rows = times.steps
    yield from table(
        (
            Column("until", tuple(SHORT[row.step] for row in rows)),
            Column("median", tuple(hours(row.median.estimate) for row in rows), is_number=True),
            Column("95 % interval", tuple(_bounds(row) for row in rows)),
            Column("mean of those done", tuple(hours(row.mean) for row in rows), drop=1, is_number=True),
            Column("done", tuple(str(row.median.n - row.median.n_open) for row in rows), is_number=True),
            Column("waiting", tuple(str(row.median.n_open) for row in rows), is_number=True),
        ),
        width,
    )


def hours(value: float | None) -> str:
    """``40 min``, ``5.5 h``, ``3.2 d``."""
    if value is None or math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞"
    if value < 1:
        return f"{60 * value:.0f}{NARROW}min"
    return f"{value:.3g}{NARROW}h" if value < 48 else f"{value / 24:.3g}{NARROW}d"


def _bounds(row: StepTime) -> str:
    return f"[{hours(row.median.low)}, {hours(row.median.high)}]" if row.median.n else "–"


def _next(found: IncidentList) -> Iterator[str]:
    active = [one for one in found.incidents if one.is_active]
    if active:
        yield f"incident show {active[0].id}"
        if active[0].status == "open":
            yield f"incident ack {active[0].id}"
    elif found.n_all:
        yield "incident list --all --summary"
    else:
        yield "detect"
