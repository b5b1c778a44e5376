"""The screen of ``recsysops status``."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from recsysops.incidents.run_log import Run
from recsysops.looking.horizon import Horizon
from recsysops.looking.status import Status
from recsysops.reporting.finding_lines import STYLES, SYMBOLS, since
from recsysops.reporting.lines import NARROW, Column, Line, Style, next_lines, table, wrapped
from recsysops.reporting.not_looked import budget_lines, skipped_lines
from recsysops.reporting.numbers import count
from recsysops.reporting.plain import literal
from recsysops.triage.findings import SEVERITIES

N_INCIDENTS = 6


def status_lines(status: Status, width: int, *, verbose: bool = False, command: str = "recsysops") -> Iterator[Line]:
    """Answer, data, runs, open incidents, what cannot be seen, the alarm budget, what to do next."""
    yield from wrapped(_answer(status), width, style=_style(status))
    yield Line("")
    yield from _tables(status, width)
    yield from _runs(status, width)
    yield from _incidents(status, width, verbose=verbose)
    yield Line("")
    yield from _blind(status, width, verbose=verbose)
    yield from budget_lines(status.budget, width)
    yield Line("")
    yield from next_lines(f"{command} {words}" for words in _next(status))


def _answer(status: Status) -> str:
    name = literal(status.workspace)
    broken = [one.table for one in status.horizons if one.problem]
    unread = f" · {', '.join(broken)} cannot be read" if broken else ""
    if status.judged_through is None:
        return f"{name}: no day has been judged yet{unread}"
    judged = f"judged through {status.judged_through} ({count(status.n_judged, 'day')})"
    if not status.incidents:
        return f"{name}: no incident is open · {judged}{unread}"
    kinds = [
        f"{n} {severity}"
        for severity in reversed(SEVERITIES)
        if (n := sum(one.severity == severity for one in status.incidents))
    ]
    return f"{name}: {count(len(status.incidents), 'incident')} open ({', '.join(kinds)}) · {judged}{unread}"


def _style(status: Status) -> Style:
    if any(one.problem for one in status.horizons) or (status.last_run and not status.last_run.is_good):
        return "red"
    worst = max((SEVERITIES.index(one.severity) for one in status.incidents), default=-1)
    return ("bold", "yellow", "red")[worst] if worst >= 0 else ("green" if status.n_judged else "bold")


def _tables(status: Status, width: int) -> Iterator[Line]:
    rows = [one for one in status.horizons if not one.problem]
    if rows:
        ages = [_age(one, status) for one in rows]
        yield from table(
            (
                Column("table", tuple(literal(one.table) for one in rows)),
                Column("counted to", tuple(_reach(one) for one in rows)),
                Column("age", tuple(ages), drop=1, is_number=True),
                Column("files", tuple(f"{one.n_files:,}" for one in rows), drop=2, is_number=True),
                Column("not counted", tuple(f"{one.n_uncounted:,}" for one in rows), is_number=True),
                Column("last file written", tuple(_written(one, status.now) for one in rows), drop=3, is_number=True),
            ),
            width,
        )
    for one in status.horizons:
        if one.problem:
            yield from wrapped(literal(f"{one.table} cannot be read: {one.problem}"), width, indent=2, style="red")


def _age(one: Horizon, status: Status) -> str:
    hours = one.age_hours(status.now)
    return "–" if hours is None else "archive" if status.clock == "archive" else ago(hours)


def _reach(one: Horizon) -> str:
    if one.last_day is not None:
        return one.last_day.isoformat()
    return "nothing yet" if one.n_uncounted else "no dates"


def _written(one: Horizon, now: datetime) -> str:
    if one.last_written is None:
        return "–"
    return f"{ago((now - one.last_written).total_seconds() / 3600)} ago"


def ago(hours: float) -> str:
    """How long: ``12 min``, ``5 h``, ``3 d``.

    Example:
        >>> [ago(hours).replace(NARROW, " ") for hours in (-1.0, 0.2, 5.4, 80.0)]
        ['0 min', '12 min', '5 h', '3 d']
    """
    if hours < 1:
        return f"{max(hours, 0) * 60:.0f}{NARROW}min"
    return f"{hours:.0f}{NARROW}h" if hours < 48 else f"{hours / 24:.0f}{NARROW}d"


def _runs(status: Status, width: int) -> Iterator[Line]:
    last, good = status.last_run, status.last_good
    if last is None:
        yield from wrapped("Last run: none yet", width)
        return
    yield from wrapped(literal(f"Last run: {_run(last, status.now)}"), width, style="" if last.is_good else "red")
    if not last.is_good:
        yield from wrapped(literal(f"Last good run: {_run(good, status.now) if good else 'none'}"), width)


def _run(run: Run, now: datetime) -> str:
    moment = run.finished or run.started
    how = run.outcome if run.finished else "did not finish (killed, or still running)"
    return f"{moment:%Y-%m-%d %H:%M} UTC ({ago((now - moment).total_seconds() / 3600)} ago), {how}"


def _incidents(status: Status, width: int, *, verbose: bool) -> Iterator[Line]:
    if status.incidents:
        yield Line("")
    shown = status.incidents if verbose else status.incidents[:N_INCIDENTS]
    for one in shown:
        where = "" if one.where == "all rows" else f", only {literal(one.where)}"
        start = f"{SYMBOLS[one.severity]} {one.severity:<8}  #{one.id:<3}  "
        age = since(one.onset, status.judged_through or one.last_seen)
        said = "" if one.status == "open" else f" · {one.status}"
        lines = list(wrapped(f"{start}{literal(one.headline)}{where}{said} · {age}", width))
        yield Line(lines[0].text, STYLES[one.severity], len(start))
        yield from (Line("  " + line.text) for line in lines[1:])
    more = len(status.incidents) - len(shown)
    if more:
        yield Line(f"  {more:,} more (--verbose)", "dim")


def _blind(status: Status, width: int, *, verbose: bool) -> Iterator[Line]:
    if status.note is not None:
        told = [one for one in status.note.skipped if verbose or one.kind != "not_applicable"]
        hidden = len(status.note.skipped) - len(told)
        if told:
            yield from skipped_lines(told, width, verbose=verbose)
        else:
            yield from wrapped(
                f"On {status.note.day} everything was looked at that these logs allow"
                + (f" ({count(hidden, 'check')} not applicable, --verbose)" if hidden else ""),
                width,
            )
    for one in status.off:
        advice = f"; {one.switch_on}" if one.switch_on else ""
        yield from wrapped(literal(f"Blind to: {one.name}, needs {one.needs}{advice}"), width, style="dim")


def _next(status: Status) -> Iterator[str]:
    if any(one.problem for one in status.horizons):
        yield "check"
    if status.incidents:
        yield f"detect --date {status.incidents[0].last_seen} --verbose"
        if status.incidents[0].finding_ids:
            yield f"detect --explain {status.incidents[0].finding_ids[0]}"
    if status.judged_through is None or any(one.n_uncounted for one in status.horizons):
        yield "detect"
