"""Putting notices into the outbox: of incidents that changed, of runs that could not look, and the daily digest."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from recsysops.config.notification_settings import NotificationSettings
from recsysops.config.settings import WorkspaceSettings
from recsysops.incidents.incident import Incident
from recsysops.notifications.changes import change_of, told_after, worse
from recsysops.notifications.hiding import member_columns, without_members
from recsysops.notifications.notice import ENDS, Event, Notice, Told
from recsysops.notifications.outbox import Outbox
from recsysops.notifications.quiet import after_quiet
from recsysops.notifications.routing import owner_of, targets_of
from recsysops.notifications.texts import Voice, digest_message, entry_line, incident_message, watch_message
from recsysops.notifications.watching import Blindness, Watched, watched
from recsysops.triage.findings import Finding

Findings = Callable[[Collection[str]], dict[str, Finding]]


@dataclass(frozen=True)
class Teller:
    """Who tells, to whom and when; every method writes into the outbox and sends nothing."""

    outbox: Outbox
    settings: WorkspaceSettings
    voice: Voice
    now: datetime

    @property
    def _to(self) -> NotificationSettings:
        return self.settings.notifications

    def incidents(self, incidents: Iterable[Incident], findings: Findings) -> None:
        """Every incident that changed since people were last told, once; muted ones when their mute has ended."""
        told = self.outbox.told()
        for incident in incidents:
            subject = f"incident {incident.id}"
            event = None if incident.is_muted(self.now) else change_of(incident, told.get(subject))
            if event is not None:
                after = told_after(incident, event, told.get(subject))
                written = self._about(incident, event, subject, after, findings)
                self.outbox.tell(subject, after, written, replaces=event != "acknowledged")

    def watch(self, tier: str, found: Sequence[Blindness], *names: Watched) -> None:
        """What could not be looked at, once per change; and that it can be again.

        Args:
            tier: of the run.
            found: what it could not do.
            names: everything it could tell about; what is among it and not found is well again.
        """
        told = self.outbox.told()
        for name, subject in zip(names, watched(tier, *names), strict=True):
            before = told.get(subject)
            blind = next((one for one in found if one.about == name), None)
            status = blind.status if blind else "well"
            if status == (before.status if before else "well"):
                continue
            known = before or Told("well", "info")
            severity = (
                worse(known.severity if known.status != "well" else "info", blind.severity) if blind else known.severity
            )
            after = Told(status, severity, known.n_changes + 1)
            self.outbox.tell(subject, after, self._sight(subject, blind, after))

    def digest(self, muted: Collection[int] = ()) -> None:
        """All that waits for the digest, as one message per target; at most one a day, by the workspace's calendar.

        Lines about ``muted`` incidents go on waiting.
        """
        day = self.now.astimezone(ZoneInfo(self.settings.timezone)).date()
        entries = [one for one in self.outbox.entries() if one.incident not in muted]
        for target in dict.fromkeys(one.target for one in entries):
            key = f"digest {day} {target}"
            mine = [one for one in entries if one.target == target]
            if not self.outbox.has(key):
                message = digest_message(mine, self.voice)
                notice = Notice(key, target, f"digest {day}", "digest", "warning", message, self.now, self._morning())
                self.outbox.put(notice, mine)

    def _about(self, incident: Incident, event: Event, subject: str, after: Told, findings: Findings) -> list[Notice]:
        owner = owner_of(self.settings, incident.entity)
        targets = targets_of(self._to, owner=owner, stage=incident.stage, severity=after.severity, event=event)
        known = findings(incident.finding_ids)
        proofs = [known[name] for name in incident.finding_ids if name in known]
        shown, proofs_shown = without_members(incident, proofs, member_columns(self.settings))
        message = incident_message(event, shown, proofs_shown, self.voice, owner=owner)
        entry = replace(message, title=entry_line(event, shown))
        is_entry = after.severity != "critical"
        return [
            Notice(
                f"{subject} {after.n_changes} {target}",
                target,
                subject,
                event,
                after.severity,
                entry if is_entry else message,
                self.now,
                self._due(target, event, after),
                is_entry,
                incident.id,
            )
            for target in targets
        ]

    def _sight(self, subject: str, blind: Blindness | None, after: Told) -> list[Notice]:
        event: Event = "blind" if blind else "seeing"
        targets = targets_of(self._to, owner="", stage="", severity=after.severity, event=event)
        what = blind.what if blind else subject.removeprefix("watch ")
        reason, commands = (blind.reason, blind.commands) if blind else ("", ("detect",))
        message = watch_message(event, after.severity, what, reason, self.voice, commands)
        return [
            Notice(
                f"{subject} {after.n_changes} {target}",
                target,
                subject,
                event,
                after.severity,
                message,
                self.now,
                self._due(target, event, after),
            )
            for target in targets
        ]

    def _due(self, target: str, event: Event, after: Told) -> datetime:
        """What is critical, and what pagers hear, at once; the rest not in quiet hours."""
        is_urgent = after.severity == "critical" and event not in ENDS
        return self.now if is_urgent or self._to.targets[target].is_pager else self._morning()

    def _morning(self) -> datetime:
        return after_quiet(self.now, self._to.quiet_hours, self.settings.timezone)
