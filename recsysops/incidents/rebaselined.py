"""Judging what people declared the new normal: days before a re-baseline are no reference for what it covers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from recsysops.incidents.rebaselines import Rebaseline
from recsysops.triage.audit import Audit
from recsysops.triage.detector import Detector
from recsysops.triage.findings import Finding, Skipped, Subject

Thing = tuple[str, str, Subject]
Hear = Callable[[date, Sequence[Detector]], Audit]
"""Some detectors on the same day, when nothing before that date is compared with."""


def rebaselined(
    heard: Audit,
    rebaselines: Iterable[Rebaseline],
    detectors: Sequence[Detector],
    reference: Sequence[date],
    day: date,
    hear: Hear,
) -> Audit:
    """The audit, with what a re-baseline covers judged against its new normal instead.

    What is covered is heard again even where nothing was found: a return to the old values is a change as well, and among
    reference days of both kinds it would be lost. A finding stays only if the new normal shows it too. On the first day of
    the new normal there is nothing to compare with; what is silenced then is said as a ``Skipped``.

    Args:
        heard: what the detectors said with all reference days.
        rebaselines: of the workspace; those that begin after ``day`` change nothing.
        detectors: who was heard.
        reference: days that ``heard`` compares with, oldest first.
        day: the judged day.
        hear: judges the day again with what is since a date.
    """
    for first, things in _by_first_day(rebaselines, day).items():
        covered = [one for one in heard.findings if _thing(one) in things]
        if not covered and first <= min(reference, default=day):
            continue  # nothing older is compared with, but for series that are longer than the reference
        if not any(first <= other for other in reference):
            heard = _replaced(heard, things, (), [_no_day(one, first) for one in covered])
            continue
        again = hear(first, _concerned(detectors, covered, things))
        found = [one for one in again.findings if _thing(one) in things]
        names = {one.detector for one in covered}
        unable = [one for one in again.skipped if one.detector in names and one not in heard.skipped]
        heard = _replaced(heard, things, found, unable)
    return heard


def _by_first_day(rebaselines: Iterable[Rebaseline], day: date) -> Mapping[date, frozenset[Thing]]:
    """First day of the new normal → what it holds for. Where several cover one thing, the latest counts."""
    latest: dict[Thing, date] = {}
    for one in rebaselines:
        if one.from_day <= day:
            thing = (one.table, one.column, one.subject)
            latest[thing] = max(one.from_day, latest.get(thing, one.from_day))
    things: dict[date, set[Thing]] = {}
    for thing, first in latest.items():
        things.setdefault(first, set()).add(thing)
    return {first: frozenset(things[first]) for first in sorted(things)}


def _thing(finding: Finding) -> Thing:
    return (finding.table, finding.column, finding.subject)


def _concerned(
    detectors: Sequence[Detector], covered: Sequence[Finding], things: frozenset[Thing]
) -> tuple[Detector, ...]:
    """Those that spoke of what is covered, or that watch its table."""
    names = {one.detector for one in covered}
    tables = {table for table, _, _ in things}
    return tuple(one for one in detectors if one.meta.name in names or tables.intersection(one.meta.watches))


def _replaced(heard: Audit, things: frozenset[Thing], found: Sequence[Finding], unable: Sequence[Skipped]) -> Audit:
    rest = tuple(one for one in heard.findings if _thing(one) not in things)
    return replace(heard, findings=(*rest, *found), skipped=(*heard.skipped, *dict.fromkeys(unable)))


def _no_day(finding: Finding, first: date) -> Skipped:
    reason = f"new normal since {first}, by a person's word; no day of it to compare with yet"
    return Skipped(finding.detector, "too_little_data", reason, finding.table, finding.column)
