"""``detect`` in an opened workspace: lock, count, judge, keep, report."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from recsysops.engines.progress import Progress
from recsysops.workspace.counting import counted_by, detectors_of, judge_with

if TYPE_CHECKING:
    from recsysops.engines.in_process import ProfilingSummary
    from recsysops.incidents.detecting import Detection, Request
    from recsysops.incidents.state import State
    from recsysops.reporting.detect_report import DetectReport
    from recsysops.triage.findings import Severity
    from recsysops.triage.loading import Loaded
    from recsysops.workspace.opened import Opened


def detect_in(
    opened: Opened,
    request: Request,
    only: Sequence[str],
    skip: Sequence[str],
    fail_on: Severity | None,
    progress: Progress,
) -> DetectReport:
    """Judge what is due, keep it unless only some detectors were asked, and report; ``Workspace.detect`` has the words."""
    from recsysops.incidents.lock import workspace_lock
    from recsysops.incidents.state import State
    from recsysops.reporting.detect_report import detect_report

    started = time.monotonic()
    settings = opened.settings
    is_kept = not (only or skip)  # a day judged by some of the detectors must not pass for a judged day
    with ExitStack() as held:
        held.enter_context(workspace_lock(opened.location, "detect"))
        clock, location = settings.clock, opened.location
        state = held.enter_context(State(location, clock=clock) if is_kept else State.scratch(location))
        chosen = detectors_of(opened, only, skip, request.tier)
        detection, counted = _judged(opened, request, chosen, state, progress)
    report = detect_report(
        detection,
        workspace=settings.name,
        could_not=(*chosen.skipped, *counted.skipped, *detection.could_not),
        n_detectors=len(chosen.detectors) + len(chosen.skipped),
        fail_on=fail_on or settings.detect.fail_on,
        n_rows_read=counted.n_rows_read,
        seconds=time.monotonic() - started,
        is_kept=is_kept,
        tier=request.tier,
    )
    if is_kept and report.days and request.tier == "daily":
        _note_run(opened, report)
    return report


def _judged(
    opened: Opened, request: Request, chosen: Loaded, state: State, progress: Progress
) -> tuple[Detection, ProfilingSummary]:
    """What the detectors say of the days, or in the fast tier of the hours, and what counting for them took."""
    from recsysops.engines.hour_history import hourly
    from recsysops.incidents.detecting import detect, utc_now
    from recsysops.incidents.detecting_hours import detect_hours

    is_hourly = request.tier == "fast"
    measures = list(hourly(chosen.measures)) if is_hourly else chosen.measures
    engine, counted = counted_by(opened, opened.tables, measures, progress)
    judge = judge_with(opened, engine, chosen.detectors)
    judging = detect_hours if is_hourly else detect
    return judging(request, judge, opened.settings, state, now=utc_now(), progress=progress), counted


def _note_run(opened: Opened, report: DetectReport) -> None:
    """For ``status``: the last day and how the run ended."""
    from recsysops.looking.last_run import LastRun, write_last_run

    note = LastRun(report.days[-1], report.n_detectors, report.skipped, report.exit_code)
    write_last_run(opened.state, note)
