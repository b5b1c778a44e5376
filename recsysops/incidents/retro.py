"""Looking back on an incident: when it could have been found, by what, at which limit, and what that limit would cost.

The days before it was opened are judged once more, as they were then, and every finding is heard, below the limits too.
A limit that would have found it earlier is then put on the clean ones among those days: what else would have alarmed?
Everything here but ``hear`` is pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from recsysops.incidents.calendar import end_of, reference_days
from recsysops.incidents.incident import Incident
from recsysops.incidents.judging import Judge, judge_day
from recsysops.incidents.milestones import Milestones
from recsysops.incidents.standing_check import StandingCheck
from recsysops.incidents.state import State
from recsysops.incidents.write_day import entity_of
from recsysops.profiles.history import Change
from recsysops.statistics.count_tails import garwood_interval
from recsysops.triage.findings import Finding
from recsysops.triage.grouping import group

LOOK_BACK = 28
"""Days before the opening that are judged once more."""
FORESEEN_WITHIN = timedelta(days=2)
"""A recorded change counts as a sign when it lies at most so long before the end of the onset's day."""


@dataclass(frozen=True)
class Heard:
    """A day judged once more: what was reported, and what stayed below the limits."""

    day: date
    kept: tuple[Finding, ...]
    below: tuple[Finding, ...]


@dataclass(frozen=True)
class Chance:
    """A day on which it could have been found, and the price of it."""

    day: date
    days_earlier: int
    finding: Finding
    limit: float
    """The p-value that would have had to alert."""
    alarms_per_30_days: float
    low: float
    high: float
    n_clean_days: int

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "day": self.day.isoformat(),
            "days_earlier": self.days_earlier,
            "finding": self.finding.id,
            "detector": self.finding.detector,
            "headline": self.finding.headline,
            "slice": self.finding.slice.to_dict(),
            "limit": self.limit,
            "cost": {
                "alarms_per_30_days": self.alarms_per_30_days,
                "low": self.low,
                "high": self.high,
                "n_clean_days": self.n_clean_days,
            },
        }


@dataclass(frozen=True)
class Retro:
    """What is learnt from an incident."""

    incident: Incident
    milestones: Milestones
    chances: tuple[Chance, ...]
    """Earliest first; none when nothing said anything before it was opened."""
    signs: tuple[Change, ...]
    """Changes recorded shortly before the onset."""
    n_heard: int
    """Days judged once more."""
    check: StandingCheck | None
    """None when it was no fault: what is expected must not be kept from happening."""
    files: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "schema_version": 1,
            "incident": self.incident.to_dict(),
            "milestones": self.milestones.to_dict(),
            "could_have_been_found": [chance.to_dict() for chance in self.chances],
            "could_have_been_predicted": [
                {"ts": sign.ts.isoformat(), "kind": sign.kind, "scope": sign.scope, "description": sign.description}
                for sign in self.signs
            ],
            "n_days_judged_again": self.n_heard,
            "check": self.check.to_dict() if self.check is not None else None,
            "files": list(self.files),
        }


def hear(incident: Incident, judge: Judge, state: State, n_reference_days: int) -> Iterator[Heard]:
    """Judge the days up to the opening once more, oldest first. Reads the state, writes nothing."""
    n_rows = next(iter(judge.n_rows.values()), {}) if "candidates" not in judge.n_rows else judge.n_rows["candidates"]
    first = incident.opened - timedelta(days=LOOK_BACK)
    for day in state.judged_days():
        if first <= day <= incident.opened:
            reference = reference_days(day, n_rows, n_days=n_reference_days, unfit=state.days_of_incidents(day))
            again = judge_day(judge, state, day, reference, end_of(day))
            yield Heard(day, again.weighed.kept, again.weighed.below)


def chances(incident: Incident, heard: Sequence[Heard], unclean: Collection[date]) -> tuple[Chance, ...]:
    """The unbroken run of days before the opening on which a detector already had something to say about it.

    Args:
        incident: that was found.
        heard: the days judged once more, oldest first.
        unclean: days with real incidents; they say nothing of false alarms.
    """
    run: list[tuple[date, Finding]] = []
    for one in reversed([day for day in heard if day.day < incident.opened]):
        about = [finding for finding in (*one.kept, *one.below) if _is_about(finding, incident) and _p(finding) < 1]
        if not about:
            break
        run.append((one.day, min(about, key=lambda finding: (_p(finding), -finding.effect, finding.id))))
    first = run[-1][0] if run else incident.opened
    clean = [one for one in heard if one.day < first and one.day not in unclean]
    return tuple(_chance(incident, day, best, clean) for day, best in reversed(run))


def _chance(incident: Incident, day: date, best: Finding, clean: Sequence[Heard]) -> Chance:
    n_more = sum(_n_alarms(other, _p(best)) for other in clean)
    rate = garwood_interval(n_more, len(clean) / 30)
    cost = (float(rate.estimate), float(rate.low), float(rate.high))
    return Chance(day, (incident.opened - day).days, best, _p(best), *cost, len(clean))


def signs(incident: Incident, changes: Sequence[Change]) -> tuple[Change, ...]:
    """What was recorded shortly before the onset, or on its day, newest first."""
    end = end_of(incident.onset)
    start = datetime.combine(incident.onset, time(), UTC) - FORESEEN_WITHIN
    return tuple(sorted((one for one in changes if start <= one.ts < end), key=lambda one: one.ts, reverse=True))


def _n_alarms(day: Heard, limit: float) -> int:
    """Alarms that the limit would add to a day, grouped as they would have been shown."""
    return len(group([finding for finding in day.below if _p(finding) <= limit]))


def _is_about(finding: Finding, incident: Incident) -> bool:
    return finding.id in incident.finding_ids or entity_of(finding) == incident.entity


def _p(finding: Finding) -> float:
    """A rule without a p-value tolerates nothing, NaN is no evidence."""
    if finding.p_value is None:
        return 0.0
    return finding.p_value if finding.p_value == finding.p_value else 1.0
