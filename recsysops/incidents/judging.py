"""Judging one day: history → audit → new normals → limits → onsets → groups, ready to be written."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Protocol

from recsysops.config.settings import BudgetSettings
from recsysops.incidents.judged_day import JudgedDay
from recsysops.incidents.ledgers import HOURS
from recsysops.incidents.rebaselined import rebaselined
from recsysops.incidents.sharing import share_beside
from recsysops.incidents.state import State
from recsysops.models.model_facts import ModelFacts
from recsysops.profiles.history import Change, History
from recsysops.triage.audit import Audit, audit
from recsysops.triage.budget import part_of
from recsysops.triage.detector import Detector
from recsysops.triage.findings import Finding
from recsysops.triage.grouping import NO_LINEAGE, Lineage, group
from recsysops.triage.limits import Weighed, weigh
from recsysops.triage.onset import onset
from recsysops.triage.planned import with_plans
from recsysops.triage.replayed_limits import MEMORY_DAYS, replayed_limits


class Counting(Protocol):
    """What is needed of an engine once it has counted."""

    def event_days(self, table: str) -> Mapping[date, int]: ...
    def history(
        self,
        reference_days: Sequence[date],
        current_days: Sequence[date],
        *,
        now: datetime,
        changes: Sequence[Change] = (),
        incident_days: Collection[date] = (),
        models: Sequence[ModelFacts] = (),
        since: date | None = None,
    ) -> History: ...


@dataclass(frozen=True)
class Judge:
    """Who judges, by what, for every day of a run alike."""

    engine: Counting
    detectors: Sequence[Detector]
    tables: Sequence[str]
    budget: BudgetSettings
    changes: Sequence[Change] = ()
    lineage: Lineage = field(default_factory=lambda: NO_LINEAGE)
    models: Sequence[ModelFacts] = ()

    @cached_property
    def n_rows(self) -> Mapping[str, Mapping[date, int]]:
        """Rows by table and day; read once, since the engine adds them up over every partition."""
        return {table: self.engine.event_days(table) for table in sorted(self.tables)}

    def history(
        self, reference: Sequence[date], day: date, now: datetime, unclean: Collection[date], since: date | None = None
    ) -> History:
        """What is known of a day and of the days before it that it may be compared with: those from ``since`` on."""
        days = [other for other in reference if since is None or other >= since]
        return self.engine.history(
            days, [day], now=now, changes=self.changes, incident_days=unclean, models=self.models, since=since
        )


@dataclass(frozen=True)
class DayJudgement:
    """A judged day with everything that is shown but not kept."""

    judged: JudgedDay
    audit: Audit
    weighed: Weighed
    reference: tuple[date, ...]
    n_rows: Mapping[str, int]
    share: float
    """Of the alarm budget: what this judgement might use."""


def judge_day(judge: Judge, state: State, day: date, reference: Sequence[date], now: datetime) -> DayJudgement:
    """Judge one day against reference days. Reads the state, writes nothing."""
    known = state.days_of_incidents(day)
    history = judge.history(reference, day, now, known)

    def since(first: date, detectors: Sequence[Detector]) -> Audit:
        return audit(judge.history(reference, day, now, known, first), detectors)

    heard = audit(history, judge.detectors)
    heard = rebaselined(heard, state.rebaselines(), judge.detectors, reference, day, since)
    judged_before = [other for other in state.judged_days() if other < day]
    seen = state.found_on(judged_before[-1]) if judged_before else frozenset[str]()
    looked_back = judged_before[-MEMORY_DAYS:]
    past = state.past_findings(looked_back[0], day) if looked_back else ()
    share = share_beside(HOURS, state, day)
    budget = part_of(judge.budget, share)
    weighed = weigh(heard, budget, seen, replayed_limits(past, looked_back, budget, 2 * len(heard.looked)))
    n_rows = rows_of(judge, day)
    yielding = {detector.meta.name for detector in judge.detectors if detector.meta.yields_to_plans}
    dated = _with_onsets(weighed.kept, state, day, judged_before)
    kept = with_plans(dated, yielding, history.context.changes, history.context.schema)
    judged = JudgedDay(
        day, digest_of(judge.detectors), data_digest(n_rows), group(kept, n_rows, judge.lineage), weighed.near
    )
    return DayJudgement(judged, heard, weighed, tuple(reference), n_rows, share)


def _with_onsets(
    findings: Sequence[Finding], state: State, day: date, judged_before: Sequence[date]
) -> tuple[Finding, ...]:
    seen = state.days_of([finding.id for finding in findings])
    return tuple(finding.with_onset(onset(day, seen[finding.id], judged_before)) for finding in findings)


def rows_of(judge: Judge, day: date) -> dict[str, int]:
    """Rows of every table on that day."""
    return {table: days.get(day, 0) for table, days in judge.n_rows.items()}


def data_digest(n_rows: Mapping[str, int]) -> str:
    """Changes when rows of a day come or go."""
    return _digest(sorted(n_rows.items()))


def digest_of(detectors: Sequence[Detector]) -> str:
    """Changes with the set of detectors and with any parameter."""
    return _digest([(detector.meta.name, repr(vars(detector).get("params"))) for detector in detectors])


def _digest(value: object) -> str:
    return hashlib.sha256(repr(value).encode()).hexdigest()[:16]
