"""The desk at which people work on incidents: every verb of ``recsysops incident``, from Python."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from recsysops.config.settings import WorkspaceSettings
from recsysops.errors import ConfigError
from recsysops.incidents import acts
from recsysops.incidents.affected import Affected, affected_items
from recsysops.incidents.desk_values import IncidentCard, IncidentList, ordered
from recsysops.incidents.incident import Incident
from recsysops.incidents.judging import Judge
from recsysops.incidents.location import StateLocation
from recsysops.incidents.milestones import Milestones, is_real, milestones
from recsysops.incidents.response_times import response_times
from recsysops.incidents.retro import Retro, chances, hear, signs
from recsysops.incidents.standing_check import StandingCheck, check_of, write_check
from recsysops.incidents.state import State
from recsysops.incidents.statuses import CLEAN, Resolution, Step, step_from
from recsysops.incidents.ticket import Ticket, make_ticket, owner_of
from recsysops.tables.table import Table
from recsysops.triage.findings import SEVERITIES, Finding

USER_VARIABLE = "RECSYSOPS_USER"


def who_acts() -> str:
    """Who is at the keyboard: ``RECSYSOPS_USER``, else the login's name."""
    try:
        return os.environ.get(USER_VARIABLE, "").strip() or getpass.getuser()
    except (KeyError, OSError):  # no login has this user id
        return f"user {os.getuid()}"


@dataclass(frozen=True)
class Desk:
    """Incidents of one workspace, in the hands of ``who``.

    Every method raises ``ConfigError`` when there is no such incident or what is asked cannot be done to it, and
    ``StateError`` when the state is damaged or out of reach.
    """

    settings: WorkspaceSettings
    root: Path
    location: StateLocation
    tables: Callable[[], Mapping[str, Table]]
    judge: Callable[[], Judge]
    """Counts what is new, to judge days once more."""
    who: str

    def incidents(self, *, everything: bool = False, summary: bool = False) -> IncidentList:
        """Active incidents, or those of every status, worst first; with ``summary`` how long they took."""
        with self._state() as state:
            known, judged = state.incidents(), list(state.judged_days())
            times = None
            if summary:
                real = [self._milestones(one, state) for one in known if is_real(one)]
                times = response_times(real, state.actor(self.who).moment)
        shown = sorted((one for one in known if everything or one.is_active), key=_rank)
        last = judged[-1] if judged else None
        return IncidentList(self.settings.name, tuple(shown), len(known), last, datetime.now(UTC), times)

    def show(self, number: int, did: str = "") -> IncidentCard:
        """Everything that is known of one."""
        with self._state() as state:
            incident, known = state.incident(number), state.incidents()
            judged = list(state.judged_days())
            return IncidentCard(
                incident,
                ordered(state.findings(incident.finding_ids), incident),
                state.trail(number),
                self._milestones(incident, state),
                tuple(one for one in state.rebaselines() if one.incident == number),
                tuple(one.id for one in known if one.follows == number),
                tuple(one.id for one in known if one.merged_into == number),
                judged[-1] if judged else None,
                datetime.now(UTC),
                state.trail_broken_at(),
                did,
            )

    def acknowledge(self, number: int, note: str = "") -> IncidentCard:
        """Take it on."""
        return self._advance(number, "acknowledge", note, f"is acknowledged by {self.who}")

    def mark_diagnosed(self, number: int, note: str = "") -> IncidentCard:
        """Its cause is known."""
        return self._advance(number, "diagnose", note, "is diagnosed")

    def mark_mitigated(self, number: int, note: str = "") -> IncidentCard:
        """It does no more harm."""
        return self._advance(number, "mitigate", note, "is mitigated")

    def reopen(self, number: int, note: str = "") -> IncidentCard:
        """Take back that it was over, and what it was closed as."""
        return self._advance(number, "reopen", note, "is open again")

    def resolve(
        self, number: int, resolution: Resolution, *, from_day: date | None = None, note: str = ""
    ) -> IncidentCard:
        """Close it as ``fixed`` (it was real), ``expected`` (normal from a day on) or ``false-alarm``."""
        with self._state() as state:
            actor = state.actor(self.who)
            with state.transaction() as connection:
                acts.resolve(connection, number, resolution, actor, from_day=from_day, note=note)
        return self.show(number, f"is resolved as {resolution}")

    def merge(self, number: int, into: int) -> IncidentCard:
        """Make one part of another; the other's card."""
        with self._state() as state:
            actor = state.actor(self.who)
            with state.transaction() as connection:
                acts.merge(connection, number, into, actor)
        return self.show(into, f"now holds incident {number}")

    def mute(self, number: int, until: datetime | None, note: str = "") -> IncidentCard:
        """Tell nobody of it until then; at once again when None. Its days are recorded all the same."""
        if until is not None and until <= datetime.now(UTC):
            raise ConfigError("mute", found=f"{until:%Y-%m-%d %H:%M} UTC", expected="a moment in the future")
        with self._state() as state:
            actor = state.actor(self.who)
            with state.transaction() as connection:
                acts.mute(connection, number, until, actor, note)
        return self.show(number, f"is muted until {until:%Y-%m-%d %H:%M} UTC" if until else "is no longer muted")

    def handoff(self, number: int, to: str = "") -> Ticket:
        """The ticket for the owner of the table or column, or for ``to``; the trail notes that it was made.

        Raises:
            SourceError, SchemaError: if the table cannot be read.
        """
        incident, findings = self._incident(number)
        head = findings[0]
        affected = self._affected(incident, head)
        ticket = make_ticket(incident, findings, self.settings, self.tables(), affected)
        with self._state() as state:
            actor = state.actor(self.who)
            with state.transaction() as connection:
                acts.hand_over(connection, number, to or str(ticket.owner) or "nobody named", actor)
        return ticket

    def retro(self, number: int, note: str = "") -> Retro:
        """Look back on a closed incident, and make it a standing check."""
        incident, findings = self._incident(number)
        step_from(incident.status, "retro", f"incident {number}")  # before days are judged once more
        judge = self.judge()
        with self._state() as state:
            heard = tuple(hear(incident, judge, state, self.settings.detect.reference_days))
            unclean = state.days_of_incidents(incident.opened)
            steps = self._milestones(incident, state)
            check, files = self._standing_check(incident, findings[0])
            actor = state.actor(self.who)
            with state.transaction() as connection:
                acts.advance(connection, number, "retro", actor, note)
            found = chances(incident, heard, unclean)
            foreseen = signs(incident, judge.changes)
            return Retro(state.incident(number), steps, found, foreseen, len(heard), check, files)

    def _standing_check(self, incident: Incident, head: Finding) -> tuple[StandingCheck | None, tuple[str, ...]]:
        """The check and its files; none for what was expected or a false alarm."""
        if incident.resolution in CLEAN:
            return None, ()
        check, fixture = check_of(incident, head, str(owner_of(self.settings, head.table, head.column)))
        paths = write_check(self.root, check, fixture)
        return check, tuple(str(path.relative_to(self.root)) for path in paths)

    def _advance(self, number: int, step: Step, note: str, did: str) -> IncidentCard:
        with self._state() as state:
            actor = state.actor(self.who)
            with state.transaction() as connection:
                acts.advance(connection, number, step, actor, note)
        return self.show(number, did)

    def _incident(self, number: int) -> tuple[Incident, tuple[Finding, ...]]:
        with self._state() as state:
            incident = state.incident(number)
            findings = ordered(state.findings(incident.finding_ids), incident)
        if not findings:
            raise ConfigError(f"incident {number}", found="no findings any more", expected="at least one")
        return incident, findings

    def _affected(self, incident: Incident, head: Finding) -> Affected:
        return affected_items(head, self.tables().get(head.table), incident.onset, incident.last_seen)

    def _milestones(self, incident: Incident, state: State) -> Milestones:
        first = state.first_run() if self.settings.clock == "wall" else None
        return milestones(incident, state.trail(incident.id), first)

    @contextmanager
    def _state(self) -> Iterator[State]:
        with State(self.location, clock=self.settings.clock) as state:
            yield state


def _rank(incident: Incident) -> tuple[object, ...]:
    return (
        not incident.is_active,
        -SEVERITIES.index(incident.severity),
        -incident.impact,
        incident.headline,
        incident.id,
    )
