"""Writing a judged day or hour: findings, when they were there, and the incidents they open or continue, in the caller's
transaction. An hour never undoes what a day said: a day's words on an incident stand until the next day is judged."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from recsysops.incidents.judged_day import JudgedDay
from recsysops.incidents.ledgers import SEEN
from recsysops.incidents.lives import Life, final_owner, read_lives, upsert
from recsysops.incidents.schema import finding_days, findings, incident_links, incidents, judged_days
from recsysops.incidents.stored import storable, to_text
from recsysops.triage.findings import SEVERITIES, Finding
from recsysops.triage.grouping import Group

CONTINUES_WITHIN = timedelta(days=7)
"""What is seen again within a week continues its incident; later it is a new one."""
RESOLVED_AFTER = 3
"""Judged days without a finding until an incident counts as resolved."""


def write_day(connection: Connection, run: int, judged: JudgedDay) -> None:
    """Put the day, or the hour, in place of whatever the state said of it before."""
    lives = read_lives(connection)
    owners = [_owner_candidates(connection, group, judged.day, lives) for group in judged.groups]
    touched = _clear(connection, judged)
    ledger = judged.ledger
    values = {"run": run, "detectors": judged.detectors, "data": judged.data}
    row = upsert(connection, ledger.judged).values({ledger.at: judged.at, **values})
    connection.execute(row.on_conflict_do_update(index_elements=[ledger.at], set_=values))
    shared = {life.merged_into for life in lives.values()}  # several groups of one day may be theirs
    taken: dict[int, list[Group]] = {}
    for group, candidates in zip(judged.groups, owners, strict=True):
        number = next((one for one in candidates if one not in taken or one in shared), None)
        number = _open(connection, group, judged.day, lives) if number is None else number
        taken.setdefault(number, []).append(group)
        _add_found(connection, judged, group.findings, incident=number)
    for number, groups in taken.items():
        if judged.hour is None:
            _describe(connection, number, groups, judged.day)
        else:
            _describe_hour(connection, number, groups, judged.day)
    _add_found(connection, judged, judged.near, incident=None)
    _settle_findings(connection, [finding for group in judged.groups for finding in group.findings])
    _settle_incidents(connection, touched | set(taken))


def _owner_candidates(connection: Connection, group: Group, day: date, lives: Mapping[int, Life]) -> list[int]:
    """Incidents that had one of the group's findings around that day, then those about the same thing, oldest first.

    A shift told by another statistic, or surest in another slice, is the same shift. What was merged is the other one's.
    """
    ids = [finding.id for finding in group.findings]
    low, high = (day - CONTINUES_WITHIN).isoformat(), (day + CONTINUES_WITHIN).isoformat()
    query = (
        select(SEEN.c.incident)
        .where(SEEN.c.finding.in_(ids), SEEN.c.day.between(low, high))
        .distinct()
        .order_by(SEEN.c.incident)
    )
    about = select(incidents.c.id).where(
        incidents.c.entity == storable(entity_of(group.headline)),
        incidents.c.status != "withdrawn",
        incidents.c.opened <= high,
        incidents.c.last_seen >= low,
    )
    same_finding = list(connection.execute(query).scalars())
    same_thing = list(connection.execute(about.order_by(incidents.c.id)).scalars())
    return list(dict.fromkeys(final_owner(lives, one) for one in (*same_finding, *same_thing)))


def _clear(connection: Connection, judged: JudgedDay) -> set[int]:
    """Forget the day or hour; the incidents that it was part of."""
    ledger = judged.ledger
    of_then = ledger.found_at == judged.at
    query = select(ledger.found.c.incident).where(of_then, ledger.found.c.incident.is_not(None)).distinct()
    touched = set(connection.execute(query).scalars())
    connection.execute(delete(ledger.found).where(of_then))
    return touched


def _open(connection: Connection, group: Group, day: date, lives: Mapping[int, Life]) -> int:
    """A new incident, with a reference to the last one about the same; no number is ever used twice."""
    number = int(connection.execute(select(func.coalesce(func.max(incidents.c.id), 0) + 1)).scalar_one())
    values = {**_described([group]), "onset": group.onset.isoformat(), "last_seen": day.isoformat()}
    connection.execute(insert(incidents).values(id=number, **values, opened=day.isoformat(), status="open"))
    earlier = _followed(connection, group, day)
    if earlier is not None:
        connection.execute(insert(incident_links).values(incident=number, follows=final_owner(lives, earlier)))
    return number


def _followed(connection: Connection, group: Group, day: date) -> int | None:
    """The last incident before the day with one of the group's findings, or about the same thing."""
    ids = [finding.id for finding in group.findings]
    had = select(SEEN.c.incident).where(SEEN.c.finding.in_(ids))
    same = incidents.c.id.in_(had) | (incidents.c.entity == storable(entity_of(group.headline)))
    query = select(incidents.c.id).where(
        same, incidents.c.status != "withdrawn", incidents.c.last_seen < day.isoformat()
    )
    return connection.execute(query.order_by(incidents.c.last_seen.desc(), incidents.c.id.desc()).limit(1)).scalar()


def _describe(connection: Connection, number: int, groups: Sequence[Group], day: date) -> None:
    """An incident reads as on the newest day it was seen."""
    same = (incidents.c.id == number, incidents.c.last_seen <= day.isoformat())
    connection.execute(update(incidents).where(*same).values(**_described(groups)))
    onset = min(group.onset for group in groups).isoformat()
    earlier = (incidents.c.id == number, incidents.c.onset > onset)
    connection.execute(update(incidents).where(*earlier).values(onset=onset))


def _describe_hour(connection: Connection, number: int, groups: Sequence[Group], day: date) -> None:
    """The newest hour's words while only hours have seen it; a day's words stand. It only ever becomes more severe."""
    known = connection.execute(select(incidents.c.severity).where(incidents.c.id == number)).scalar_one()
    is_of_days = select(finding_days.c.incident).where(finding_days.c.incident == number).limit(1)
    if connection.execute(is_of_days).first() is None:
        _describe(connection, number, groups, day)
    worst = max([known, *(group.severity for group in groups)], key=SEVERITIES.index)
    connection.execute(update(incidents).where(incidents.c.id == number).values(severity=worst))


def _described(groups: Sequence[Group]) -> dict[str, Any]:
    """The words of the first group; the worst severity, the largest impact and the findings of all."""
    head = groups[0].headline
    return {
        "severity": max((group.severity for group in groups), key=SEVERITIES.index),
        "headline": storable(head.headline),
        "where": storable(str(groups[0].where)),
        "stage": head.stage,
        "entity": storable(entity_of(head)),
        "impact": max(group.impact for group in groups),
        "findings": json.dumps([finding.id for group in groups for finding in group.findings]),
    }


def entity_of(finding: Finding) -> str:
    """What a finding is about, as one name: ``candidates.score``, ``items``, ``item 123``."""
    if finding.column:
        return f"{finding.table}.{finding.column}"
    return finding.table if finding.subject.kind == "table" else f"{finding.subject.kind} {finding.subject.id}"


def _add_found(connection: Connection, judged: JudgedDay, found: Sequence[Finding], *, incident: int | None) -> None:
    rows = [
        {
            "finding": finding.id,
            judged.ledger.at: judged.at,
            "incident": incident,
            "is_kept": incident is not None,
            "value": finding.value,
            "reference_value": finding.reference_value,
            "p_value": finding.p_value,
            "effect": finding.effect,
        }
        for finding in found
    ]
    if rows:
        connection.execute(insert(judged.ledger.found), rows)


def _settle_findings(connection: Connection, found: Sequence[Finding]) -> None:
    """Add what is new, and make counts and days agree with ``finding_days`` again."""
    for finding in found:
        day = finding.day.isoformat()
        row = upsert(connection, findings).values(
            id=finding.id, first_day=day, last_day=day, times_seen=0, latest=to_text(finding)
        )
        newer = findings.c.last_day <= day
        connection.execute(
            row.on_conflict_do_update(index_elements=["id"], set_={"latest": row.excluded.latest}, where=newer)
        )
    kept = finding_days.c.is_kept & (finding_days.c.finding == findings.c.id)
    counted = {
        "times_seen": select(func.count()).where(kept).scalar_subquery(),
        "first_day": select(func.coalesce(func.min(finding_days.c.day), findings.c.first_day))
        .where(kept)
        .scalar_subquery(),
        "last_day": select(func.coalesce(func.max(finding_days.c.day), findings.c.last_day))
        .where(kept)
        .scalar_subquery(),
    }
    connection.execute(update(findings).values(**counted))


def _settle_incidents(connection: Connection, touched: set[int]) -> None:
    """Days of the touched incidents from where they were seen; then every incident's status from the judged days."""
    for number in sorted(touched):
        mine = SEEN.c.incident == number
        first, last = connection.execute(select(func.min(SEEN.c.day), func.max(SEEN.c.day)).where(mine)).one()
        values = {"status": "withdrawn"} if first is None else {"status": "open", "opened": first, "last_seen": last}
        connection.execute(update(incidents).where(incidents.c.id == number).values(**values))
    newest = select(judged_days.c.day).order_by(judged_days.c.day.desc()).offset(RESOLVED_AFTER - 1).limit(1)
    limit = connection.execute(newest).scalar()
    if limit is not None:
        gone = (incidents.c.status == "open", incidents.c.last_seen < limit)
        connection.execute(update(incidents).where(*gone).values(status="resolved"))
