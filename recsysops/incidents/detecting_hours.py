"""One run of the fast tier: which hours are due, judging them oldest first, writing each before the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import cast

from recsysops.config.settings import WorkspaceSettings
from recsysops.engines.hour_history import EVENT_TABLES, CountsDays, HourEngine
from recsysops.engines.progress import Progress
from recsysops.errors import NotEnoughDataError
from recsysops.incidents.calendar import reference_days
from recsysops.incidents.complete_hours import LOOK_BACK, RowsByHour, complete_hours, without_hours
from recsysops.incidents.day_words import parse_day, parse_days, parse_since
from recsysops.incidents.detecting import Detection, Request, told
from recsysops.incidents.hours import JudgedHours
from recsysops.incidents.judging import DayJudgement, Judge, data_digest
from recsysops.incidents.judging_hours import judge_hour
from recsysops.incidents.state import State
from recsysops.triage.findings import Skipped

TIER = "detect --tier fast"


@dataclass(frozen=True)
class Due:
    """Hours to judge, oldest first, with the rows of every hour looked at, and the tables that have none."""

    hours: tuple[datetime, ...]
    rows: RowsByHour
    without_hours: tuple[str, ...] = ()

    def n_rows(self, hour: datetime) -> dict[str, int]:
        """Rows of every table in that hour."""
        return {table: hours.get(hour, 0) for table, hours in self.rows.items()}


def detect_hours(
    request: Request, judge: Judge, settings: WorkspaceSettings, state: State, *, now: datetime, progress: Progress
) -> Detection:
    """Judge the hours that are due, and say what is known of the incidents concerned.

    Args:
        request: days of which all complete hours are judged; without one, those of the newest 48 that are new or changed.
        judge: whose engine has counted by hour (``recsysops.engines.hour_history.hourly``).
        settings, state, now, progress: as for days.

    Raises:
        ConfigError: if the words of the request are no days.
        NotEnoughDataError: if there are no rows with a time of day.
    """
    engine = HourEngine(cast("CountsDays", judge.engine))  # any engine that judges days can also give their profiles
    judge = replace(judge, engine=engine)
    due = due_hours(request, engine, judge.tables, settings, state, now)
    run = state.begin_run("detect fast")
    outcome = "interrupted"
    try:
        judgements = _run_hours(due, request, judge, settings, state, run=run, progress=progress)
        outcome = f"judged {len(due.hours)} hours"
    except Exception as error:
        outcome = f"{type(error).__name__}"
        raise
    finally:
        state.finish_run(run, outcome)
    numbers = JudgedHours(state).incidents_in(due.hours)
    could_not = tuple(
        Skipped(TIER, "not_applicable", "every row lies at midnight UTC: no hours to judge", table)
        for table in due.without_hours
    )
    return replace(told(judgements, numbers, settings, state), could_not=could_not)


def due_hours(
    request: Request,
    engine: HourEngine,
    tables: Sequence[str],
    settings: WorkspaceSettings,
    state: State,
    now: datetime,
) -> Due:
    """The hours that a run judges."""
    logs = [table for table in EVENT_TABLES if table in tables]
    present = sorted({day for table in logs for day in engine.event_days(table) if 1900 <= day.year < 9999})
    known = [day for day in present if settings.clock == "archive" or day <= now.date()]
    if not known:
        raise NotEnoughDataError(
            TIER, found="no rows with a time", expected="an hour of candidates", next_step="run `recsysops check`"
        )
    days = _days(request, known)
    rows = {table: engine.rows(table, days) for table in logs}
    bare = without_hours(rows)
    if len(bare) == sum(bool(hours) for hours in rows.values()):
        raise NotEnoughDataError(
            TIER,
            found=f"every row of {' and '.join(bare) or 'these days'} at midnight UTC",
            expected="times of day",
            next_step="use `recsysops detect`, which judges days",
        )
    rows = {table: hours for table, hours in rows.items() if table not in bare}
    complete = complete_hours(rows, clock=settings.clock, now=now, grace_minutes=settings.detect.grace_minutes)
    due = Due((), rows, bare)
    if request.is_replay:
        return replace(due, hours=tuple(hour for hour in complete if _is_asked(request, hour, days)))
    newest = complete[-LOOK_BACK:]
    judged = JudgedHours(state).judged(newest[0]) if newest else {}
    return replace(due, hours=tuple(hour for hour in newest if judged.get(hour) != data_digest(due.n_rows(hour))))


def _days(request: Request, known: Sequence[date]) -> list[date]:
    """The days whose hours are looked at; one more before them, to see when the log begins."""
    last = known[-1]
    if request.date is not None:
        day = parse_day(request.date, "--date")
        if not known[0] <= day <= last:
            expected = f"a day from {known[0]} to {last}"
            raise NotEnoughDataError("--date", found=day.isoformat(), expected=expected)
        first, last = day - timedelta(days=1), min(day + timedelta(days=1), last)
    elif request.since is not None:
        first = parse_since(request.since, last) - timedelta(days=1)
    else:
        first = last - timedelta(hours=LOOK_BACK + 24)
    first = max(first, known[0])
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def _is_asked(request: Request, hour: datetime, days: Sequence[date]) -> bool:
    if request.date is not None:
        return hour.date() == parse_day(request.date, "--date")
    return hour.date() >= parse_since(request.since or "", days[-1])


def _run_hours(
    due: Due, request: Request, judge: Judge, settings: WorkspaceSettings, state: State, *, run: int, progress: Progress
) -> list[DayJudgement]:
    """Judge the hours in order; each is on disk before the next begins."""
    fixed = parse_days(request.reference, "--reference") if request.reference is not None else None
    n_rows = judge.n_rows.get(EVENT_TABLES[0]) or next(iter(judge.n_rows.values()), {})
    judgements = []
    progress.start("judging hours", len(due.hours))
    for hour in due.hours:
        day = hour.date()
        if fixed is None:
            unfit = state.days_of_incidents(day)
            reference = reference_days(day, n_rows, n_days=settings.detect.reference_days, unfit=unfit)
        else:
            reference = tuple(other for other in fixed if other != day and n_rows.get(other, 0) > 0)
        judgement = judge_hour(judge, state, hour, reference, due.n_rows(hour))
        state.write_day(run, judgement.judged)
        judgements.append(judgement)
        progress.advance()
    progress.finish()
    return judgements
