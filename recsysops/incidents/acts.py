"""What people do to incidents: each act checked against the table of steps, stored, and put on the trail, all or nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, delete, func, select, update

from recsysops.errors import ConfigError
from recsysops.incidents.incident import Incident, read_incidents
from recsysops.incidents.ledgers import DAYS, HOURS
from recsysops.incidents.lives import Life, read_lives, write_life
from recsysops.incidents.rebaselines import write_rebaselines
from recsysops.incidents.schema import incidents, judged_days, rebaselines
from recsysops.incidents.statuses import CLOSED, Resolution, Status, Step, step_from
from recsysops.incidents.trail import Entry, append
from recsysops.triage.findings import SEVERITIES


@dataclass(frozen=True)
class Actor:
    """Who acts, and when: ``at`` by the wall clock, ``moment`` by the workspace's."""

    who: str
    at: datetime
    moment: datetime


def incident_of(connection: Connection, number: int) -> Incident:
    """The incident of that number.

    Raises:
        ConfigError: if there is none.
    """
    everything = read_incidents(connection)
    found = next((one for one in everything if one.id == number), None)
    if found is None:
        newest = f"a number from 1 to {everything[-1].id}" if everything else "a workspace with incidents"
        raise ConfigError(
            f"incident {number}", found="none", expected=newest, next_step="`recsysops incident list` has them"
        )
    return found


def advance(connection: Connection, number: int, step: Step, actor: Actor, note: str = "") -> None:
    """Acknowledge, diagnose, mitigate, look back on, or reopen.

    Raises:
        ConfigError: if the step cannot be taken from the incident's status.
    """
    incident = incident_of(connection, number)
    status = step_from(incident.status, step, _where(incident))
    if step == "reopen" and incident.presence == "withdrawn":
        found = "days that were judged again, and it was no longer there"
        raise ConfigError(_where(incident), found=found, expected="a day on which it is seen")
    life = replace(_life(connection, number), status=status)
    if step == "acknowledge":
        life = replace(life, assignee=actor.who)
    if step == "reopen":  # what was said when it was closed is taken back
        life = replace(life, resolution=None, through=None)
        connection.execute(delete(rebaselines).where(rebaselines.c.incident == number))
    write_life(connection, number, life)
    _record(connection, incident, step, actor, status, {"note": note} if note else {})


def resolve(
    connection: Connection, number: int, resolution: Resolution, actor: Actor, *, from_day: date | None, note: str = ""
) -> None:
    """Close it with a verdict; ``expected`` makes what it was about normal from ``from_day`` on, else from its onset.

    Raises:
        ConfigError: if it is merged or withdrawn, or a day is given with another verdict or lies after it was last seen.
    """
    incident = incident_of(connection, number)
    status = step_from(incident.status, "resolve", _where(incident))
    _check_day(incident, resolution, from_day)
    newest = connection.execute(select(func.max(judged_days.c.day))).scalar()
    through = max(incident.last_seen, date.fromisoformat(newest) if newest else incident.last_seen)
    write_life(
        connection,
        number,
        replace(_life(connection, number), status=status, resolution=resolution, through=through),
    )
    connection.execute(delete(rebaselines).where(rebaselines.c.incident == number))
    details: dict[str, Any] = {"as": resolution, "note": note} if note else {"as": resolution}
    if resolution == "expected":
        start = from_day or incident.onset
        write_rebaselines(connection, incident, start)
        details["from"] = start.isoformat()
    _record(connection, incident, "resolve", actor, status, details)


def merge(connection: Connection, number: int, into: int, actor: Actor) -> None:
    """Give everything of one incident to another; what comes back of it comes back there.

    Raises:
        ConfigError: if they are the same, or either cannot be merged.
    """
    incident, target = incident_of(connection, number), incident_of(connection, into)
    status = step_from(incident.status, "merge", _where(incident))
    if number == into or target.status in ("merged", "withdrawn") or target.status in CLOSED:
        found = "itself" if number == into else f"incident {into}, status {target.status}"
        raise ConfigError(_where(incident), found=found, expected="another, active incident to merge it into")
    for ledger in (DAYS, HOURS):
        mine = ledger.found.c.incident == number
        connection.execute(update(ledger.found).where(mine).values(incident=into))
    joined = {
        "onset": min(incident.onset, target.onset).isoformat(),
        "opened": min(incident.opened, target.opened).isoformat(),
        "last_seen": max(incident.last_seen, target.last_seen).isoformat(),
        "severity": max(incident.severity, target.severity, key=SEVERITIES.index),
        "impact": max(incident.impact, target.impact),
        "findings": json.dumps(list(dict.fromkeys((*target.finding_ids, *incident.finding_ids)))),
        "status": "open" if "open" in (incident.presence, target.presence) else target.presence,
    }
    connection.execute(update(incidents).where(incidents.c.id == into).values(**joined))
    write_life(connection, number, replace(_life(connection, number), status=status, merged_into=into))
    _record(connection, incident, "merge", actor, status, {"into": into})
    _record(connection, target, "absorb", actor, target.status, {"merged": number})


def mute(connection: Connection, number: int, until: datetime | None, actor: Actor, note: str = "") -> None:
    """Tell nobody of it until that moment, or tell again at once when it is None. Its days are recorded all the same.

    Raises:
        ConfigError: if the incident is merged or withdrawn.
    """
    incident = incident_of(connection, number)
    if incident.status in ("merged", "withdrawn"):
        raise ConfigError(_where(incident), found=f"status {incident.status}", expected="an incident to be told of")
    write_life(connection, number, replace(_life(connection, number), muted_until=until))
    details = {"until": until.isoformat(timespec="minutes")} if until else {}
    action = "mute" if until else "unmute"
    _record(connection, incident, action, actor, incident.status, {**details, "note": note} if note else details)


def hand_over(connection: Connection, number: int, to: str, actor: Actor) -> None:
    """Note that its ticket was made for somebody.

    Raises:
        ConfigError: if there is no such incident.
    """
    incident = incident_of(connection, number)
    _record(connection, incident, "handoff", actor, incident.status, {"to": to})


def _check_day(incident: Incident, resolution: Resolution, from_day: date | None) -> None:
    if from_day is None:
        return
    if resolution != "expected":
        raise ConfigError("--from", found=f"a day with --as {resolution}", expected="it with --as expected only")
    if from_day > incident.last_seen:
        raise ConfigError(
            "--from", found=str(from_day), expected=f"a day up to {incident.last_seen}, when it was last seen"
        )


def _record(
    connection: Connection, incident: Incident, action: str, actor: Actor, after: Status, details: Mapping[str, Any]
) -> None:
    entry = Entry(actor.who, action, actor.moment, actor.at, incident.id, incident.status, after, details)
    append(connection, [entry])


def _life(connection: Connection, number: int) -> Life:
    return read_lives(connection).get(number, Life())


def _where(incident: Incident) -> str:
    return f"incident {incident.id}"
