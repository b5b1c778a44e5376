"""What happens once a run has ended: its note, the metrics, the notices. None of it may hide what the run found."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from recsysops.config.settings import WorkspaceSettings
from recsysops.errors import LockHeldError, RecSysOpsError
from recsysops.incidents.location import StateLocation
from recsysops.incidents.lock import workspace_lock
from recsysops.incidents.state import State
from recsysops.notifications.deliver import Delivery, send_waiting
from recsysops.notifications.metrics import write_metrics
from recsysops.notifications.outbox import Outbox
from recsysops.notifications.run_note import GOOD, RunNote, read_notes, write_note
from recsysops.notifications.telling import Teller
from recsysops.notifications.texts import Voice
from recsysops.notifications.watching import Blindness, Watched, failed_detectors, late_data
from recsysops.reporting.detect_report import DetectReport
from recsysops.reporting.plain import literal
from recsysops.triage.findings import SEVERITIES

LOCK = "notify.lock"
DAILY = "daily"


@dataclass(frozen=True)
class Place:
    """The workspace that a run was of."""

    settings: WorkspaceSettings
    root: Path
    location: StateLocation
    voice: Voice


def after_detect(place: Place, report: DetectReport, tier: str, now: datetime) -> Delivery:
    """Note the run, write the metrics, tell who has to know, and send. Never raises: what failed is in the problems."""
    days, tables = report.days, place.settings.tables
    is_newest = bool(days) and days[-1] == report.last_judged and "candidates" in tables
    n_rows = report.n_rows.get("candidates", 0) if is_newest else None
    note = RunNote(
        tier,
        report.exit_code,
        now,
        report.seconds,
        last_good=now if report.exit_code in GOOD else None,
        judged_day=report.last_judged,
        data_day=report.last_judged if n_rows else None,
        n_skipped=len({one.detector for one in report.skipped if one.kind == "failed"}) if days else None,
    )
    late = late_data(
        report.last_judged,
        n_rows,
        now,
        grace_hours=place.settings.detect.grace_hours,
        is_live=place.settings.clock == "wall" and tier == DAILY,
    )
    found = [one for one in (failed_detectors(report.skipped), late) if one]
    names: list[Watched] = ["run", "lock"]  # with nothing to judge, no detector was asked
    names += ["detectors", "data"] if days else ["data"] if late else []

    def tell(teller: Teller, state: State) -> None:
        incidents = state.incidents()
        teller.incidents(incidents, state.findings)
        teller.watch(tier, found, *names)
        if tier == DAILY:
            teller.digest(frozenset(one.id for one in incidents if one.is_muted(now)))

    return _after(place, note, tell, now)


def after_failure(place: Place, tier: str, exit_code: int, blind: Blindness, seconds: float, now: datetime) -> Delivery:
    """The same for a run that ended before it had looked."""
    note = RunNote(tier, exit_code, now, seconds)
    return _after(place, note, lambda teller, _: teller.watch(tier, [blind], blind.about), now)


def send_due(place: Place, now: datetime) -> Delivery:
    """Send what waits and is due by now, and what people changed: after quiet hours, or once a target is back."""
    return _told(place, lambda teller, state: teller.incidents(state.incidents(), state.findings), now)


def _after(place: Place, note: RunNote, tell: Callable[[Teller, State], None], now: datetime) -> Delivery:
    problems = []
    try:
        _write_note(place, note, now)
    except (RecSysOpsError, OSError) as error:
        problems.append(literal(error))
    if not place.settings.notifications.targets:
        return Delivery(0, 0, tuple(problems))
    try:
        delivery = _told(place, tell, now)
    except Exception as error:  # whatever it is, the findings have been printed and the exit code stands
        kind = "" if isinstance(error, RecSysOpsError) else f"{type(error).__name__}: "
        return Delivery(0, 0, (*problems, literal(f"nobody was told: {kind}{error}")))
    return Delivery(delivery.n_sent, delivery.n_waiting, (*problems, *delivery.problems))


def _write_note(place: Place, note: RunNote, now: datetime) -> None:
    with suppress(RecSysOpsError), State(place.location) as state:  # a damaged state has been told of already
        active = [one.severity for one in state.incidents() if one.is_active]
        note = replace(note, n_open={severity: active.count(severity) for severity in SEVERITIES})
    write_note(place.location.folder, note)
    textfile = place.settings.metrics.textfile
    if textfile is not None:
        write_metrics(place.root / textfile, place.settings.name, read_notes(place.location.folder), now)


def _told(place: Place, tell: Callable[[Teller, State], None], now: datetime) -> Delivery:
    settings = place.settings
    with State(place.location, clock=settings.clock) as state:
        outbox = Outbox(state)
        tell(Teller(outbox, settings, place.voice, now), state)
        muted = frozenset(one.id for one in state.incidents() if one.is_muted(now))
        try:
            with workspace_lock(place.location, "notify", LOCK):
                delivery = send_waiting(outbox, settings.notifications, settings.name, now, muted=muted)
        except LockHeldError:
            return Delivery(0, len(outbox.waiting()), ("another run is sending; what is left goes with the next run",))
        if delivery.n_sent or delivery.problems:
            state.finish_run(state.begin_run("notify"), str(delivery))
        return delivery
