"""One run of ``detect``: which days are due, judging them oldest first, writing each before the next."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from recsysops.config.settings import WorkspaceSettings
from recsysops.engines.progress import Progress
from recsysops.errors import ConfigError, NotEnoughDataError
from recsysops.incidents.calendar import complete_days, days_between, end_of, reference_days
from recsysops.incidents.day_words import parse_day, parse_days, parse_since
from recsysops.incidents.hours import JudgedHours
from recsysops.incidents.incident import Incident
from recsysops.incidents.judging import DayJudgement, Judge, data_digest, judge_day, rows_of
from recsysops.incidents.state import State
from recsysops.triage.budget import BudgetReport, budget_report
from recsysops.triage.detector import Tier
from recsysops.triage.findings import SEVERITIES, Finding, Skipped

EVENT_TABLES = ("candidates", "outcomes")


@dataclass(frozen=True)
class Request:
    """Which days were asked for, as people type them; nothing means every complete day (or hour) not yet judged."""

    date: str | None = None
    since: str | None = None
    reference: str | None = None
    tier: Tier = "daily"

    @property
    def is_replay(self) -> bool:
        """Whether days of the past are judged again, as they would have been then."""
        return self.date is not None or self.since is not None


@dataclass(frozen=True)
class Detection:
    """What a run judged, and what the state says of it afterwards."""

    judgements: tuple[DayJudgement, ...]
    last_judged: date | None
    incidents: tuple[Incident, ...]
    findings: Mapping[str, Finding]
    budget: BudgetReport
    changed_days: tuple[date, ...]
    could_not: tuple[Skipped, ...] = ()
    """What the run could not look at beside what the detectors say."""


def detect(
    request: Request, judge: Judge, settings: WorkspaceSettings, state: State, *, now: datetime, progress: Progress
) -> Detection:
    """Judge the days that are due, and say what is known of the incidents concerned.

    With nothing due, these are the incidents that are open.
    """
    due = due_days(request, judge, settings, state, now)
    run = state.begin_run("detect")
    outcome = "interrupted"
    try:
        judgements = run_days(due, request, judge, settings, state, run=run, now=now, progress=progress)
        outcome = f"judged {len(due)} days"
    except Exception as error:
        outcome = f"{type(error).__name__}"
        raise
    finally:
        state.finish_run(run, outcome)
    return _told(judgements, judge, settings, state)


def _told(judgements: Sequence[DayJudgement], judge: Judge, settings: WorkspaceSettings, state: State) -> Detection:
    numbers = state.incidents_on([one.judged.day for one in judgements])
    return told(judgements, numbers, settings, state, changed_days(judge, state))


def told(
    judgements: Sequence[DayJudgement],
    numbers: Collection[int],
    settings: WorkspaceSettings,
    state: State,
    changed: tuple[date, ...] = (),
) -> Detection:
    """What was judged, with the incidents of these numbers; with those that are open when nothing was."""
    everything = [one for one in state.incidents() if one.status not in ("withdrawn", "merged")]
    days = list(state.judged_days())
    if judgements:
        shown = [incident for incident in everything if incident.id in numbers]
    else:
        shown = [incident for incident in everything if incident.is_active]
    shown.sort(key=lambda one: (-SEVERITIES.index(one.severity), -one.impact, one.headline, one.id))
    findings = state.findings({name for incident in shown for name in incident.finding_ids})
    severities = [incident.severity for incident in everything]
    return Detection(
        tuple(judgements),
        days[-1] if days else None,
        tuple(shown),
        {name: findings[name] for incident in shown for name in incident.finding_ids if name in findings},
        budget_report(settings.budget, severities, len({*days, *JudgedHours(state).days()})),
        changed,
    )


def due_days(request: Request, judge: Judge, settings: WorkspaceSettings, state: State, now: datetime) -> list[date]:
    """The days this run judges, oldest first.

    Raises:
        ConfigError: if the words are no days.
        NotEnoughDataError: if no table has a row, or the day asked for lies outside the log.
    """
    present = {day for table in EVENT_TABLES if table in judge.tables for day in judge.n_rows[table]}
    if not present:
        raise NotEnoughDataError(
            "detect", found="no rows with a time", expected="a day of candidates", next_step="run `recsysops check`"
        )
    grace = settings.detect.grace_hours
    complete = complete_days(present, clock=settings.clock, now=now, grace_hours=grace)
    if request.date is not None:
        return [_inside(parse_day(request.date, "--date"), present)]
    if request.since is not None:
        first = parse_since(request.since, complete[-1] if complete else max(present))
        since = [day for day in complete if day >= first]
        if not since:
            newest = f"a day up to {complete[-1] if complete else max(present)}"
            raise NotEnoughDataError("--since", found=f"{request.since!r}, no complete day after it", expected=newest)
        return since
    known = state.judged_days()
    return [day for day in complete if day not in known]


def run_days(
    days: Sequence[date],
    request: Request,
    judge: Judge,
    settings: WorkspaceSettings,
    state: State,
    *,
    run: int,
    now: datetime,
    progress: Progress,
) -> list[DayJudgement]:
    """Judge the days in order; each is on disk before the next begins."""
    fixed = parse_days(request.reference, "--reference") if request.reference is not None else None
    n_rows = judge.n_rows.get(EVENT_TABLES[0]) or next(iter(judge.n_rows.values()), {})
    if fixed is not None and not any(n_rows.get(other, 0) > 0 for other in fixed):
        raise ConfigError("--reference", found=f"{request.reference!r}, days without rows", expected="days with rows")
    judgements = []
    progress.start("judging days", len(days))
    for day in days:
        if fixed is None:
            unfit = state.days_of_incidents(day)
            reference = reference_days(day, n_rows, n_days=settings.detect.reference_days, unfit=unfit)
        else:
            reference = tuple(other for other in fixed if other != day and n_rows.get(other, 0) > 0)
        is_live = settings.clock == "wall" and not request.is_replay and day == days[-1]
        judgement = judge_day(judge, state, day, reference, now if is_live else end_of(day))
        state.write_day(run, judgement.judged)
        judgements.append(judgement)
        progress.advance()
    progress.finish()
    return judgements


def utc_now() -> datetime:
    """The present moment."""
    return datetime.now(UTC)


def changed_days(judge: Judge, state: State) -> tuple[date, ...]:
    """Judged days that have got or lost rows since."""
    known = state.judged_days()
    return tuple(day for day, data in known.items() if data_digest(rows_of(judge, day)) != data)


def _inside(day: date, present: set[date]) -> date:
    first, last = min(present), max(present)
    if day not in days_between(first, last):
        raise NotEnoughDataError(
            "--date", found=day.isoformat(), expected=f"a day from {first} to {last}", next_step="name a day of the log"
        )
    return day
