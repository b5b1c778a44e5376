"""Judging one hour by what judges days: the same hour of other days → audit → limits → onsets → groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from recsysops.incidents.hours import JudgedHours
from recsysops.incidents.judged_day import JudgedDay
from recsysops.incidents.judging import DayJudgement, Judge, data_digest, digest_of
from recsysops.incidents.ledgers import DAYS
from recsysops.incidents.rebaselined import rebaselined
from recsysops.incidents.sharing import share_beside
from recsysops.incidents.state import State
from recsysops.triage.audit import Audit, audit
from recsysops.triage.budget import part_of
from recsysops.triage.detector import Detector
from recsysops.triage.findings import Finding
from recsysops.triage.grouping import group
from recsysops.triage.limits import weigh
from recsysops.triage.onset import onset
from recsysops.triage.planned import with_plans
from recsysops.triage.replayed_limits import replayed_limits

HOUR = timedelta(hours=1)
MEMORY = timedelta(days=28)
"""How far back judged hours say what limits they need."""
ENOUGH_WEEKS = 4
"""Reference days of the same weekday from which on only those are compared with."""
HOURS_PER_DAY = 24


def same_weekday(day: date, reference: Sequence[date]) -> tuple[date, ...]:
    """The reference days of the same weekday where there are enough of them, else all."""
    alike = tuple(other for other in reference if other.weekday() == day.weekday())
    return alike if len(alike) >= ENOUGH_WEEKS else tuple(reference)


def judge_hour(
    judge: Judge, state: State, hour: datetime, reference: Sequence[date], n_rows: Mapping[str, int]
) -> DayJudgement:
    """Judge the hour that begins at ``hour`` against the same one of reference days. Reads the state, writes nothing.

    Args:
        judge: whose engine gives histories of hours.
        state: of the workspace.
        hour: its first moment, UTC.
        reference: days.
        n_rows: rows of the hour, by table.
    """
    memory, day, end = JudgedHours(state), hour.date(), hour + HOUR
    reference = same_weekday(day, reference)
    unclean = state.days_of_incidents(day)
    history = judge.history(reference, day, end, unclean)

    def since(first: date, detectors: Sequence[Detector]) -> Audit:
        return audit(judge.history(reference, day, end, unclean, first), detectors)

    heard = rebaselined(audit(history, judge.detectors), state.rebaselines(), judge.detectors, reference, day, since)
    before = [other for other in memory.judged(hour - MEMORY) if other < hour]
    seen = memory.found_in(before[-1]) if before else frozenset[str]()
    past = memory.past_findings(before[0], hour) if before else ()
    share = share_beside(DAYS, state, day) / HOURS_PER_DAY
    budget = part_of(judge.budget, share)
    weighed = weigh(heard, budget, seen, replayed_limits(past, before, budget, 2 * len(heard.looked)))
    yielding = {detector.meta.name for detector in judge.detectors if detector.meta.yields_to_plans}
    dated = _with_onsets(weighed.kept, memory, hour, before)
    kept = with_plans(dated, yielding, history.context.changes, history.context.schema)
    groups = group(kept, n_rows, judge.lineage)
    judged = JudgedDay(day, digest_of(judge.detectors), data_digest(n_rows), groups, weighed.near, hour.hour)
    return DayJudgement(judged, heard, weighed, tuple(reference), n_rows, share)


def _with_onsets(
    findings: Sequence[Finding], memory: JudgedHours, hour: datetime, before: Sequence[datetime]
) -> tuple[Finding, ...]:
    """Onset is a day everywhere; the hour stands in the headline."""
    seen = memory.hours_of([finding.id for finding in findings])
    dated = []
    for finding in findings:
        first = onset(hour, seen[finding.id], before)
        assert isinstance(first, datetime)
        dated.append(
            replace(finding, onset=first.date(), headline=f"{finding.headline} ({span_of(first, hour + HOUR)})")
        )
    return tuple(dated)


def span_of(first: datetime, end: datetime) -> str:
    """From an hour's beginning to another's end, in words.

    Example:
        >>> span_of(datetime(2026, 11, 20, 14), datetime(2026, 11, 20, 16))
        '2026-11-20 14:00 to 16:00 UTC'
    """
    last = f"{end:%H:%M}" if first.date() == end.date() else f"{end:%Y-%m-%d %H:%M}"
    return f"{first:%Y-%m-%d %H:%M} to {last} UTC"
