"""``recsysops check``: is the workspace sound, what does it lack, and what would that switch on?"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from recsysops.config.settings import WorkspaceSettings
from recsysops.inspection.capabilities import capabilities
from recsysops.inspection.check_table import Moment, check_table
from recsysops.inspection.plugin_check import plugin_problems
from recsysops.inspection.report import CheckReport, Problem, sort_problems
from recsysops.inspection.snapshot_check import oldest_snapshot, snapshot_note
from recsysops.inspection.state_folder import read_mounts, state_problems

CHANGES = "changes.jsonl"


def check_workspace(
    settings: WorkspaceSettings,
    root: Path,
    *,
    now: datetime | None = None,
    mounts: str | None = None,
    max_partitions: int = 3,
) -> CheckReport:
    """Look at everything a run needs; reads schemas of many partitions and rows of the newest few, writes nothing.

    Args:
        settings: of the workspace, already loaded.
        root: its folder.
        now: rows after it are from the future; the wall clock when None.
        mounts: text in the form of ``/proc/mounts``; this machine's when None.
        max_partitions: how many of each table's newest partitions have their rows counted.

    Returns:
        the report; what is wrong with the workspace is in it and is never raised.
    """
    state = root / settings.state.folder
    problems = state_problems(state, read_mounts() if mounts is None else mounts)
    problems += plugin_problems(settings.detectors, settings.skip)
    if "candidates" not in settings.tables:
        problems.append(Problem("error", "tables", "no candidates", "a log of candidates or impressions", "add one"))
    moment = Moment(now or datetime.now(UTC), settings.clock, settings.timezone)
    reports = []
    for name, table in settings.tables.items():
        report, found = check_table(name, table, root, moment, max_partitions)
        reports.append(report)
        problems += found
    since = oldest_snapshot(state)
    problems.append(snapshot_note(since))
    able = capabilities(settings.tables, has_recorded_changes=(state / CHANGES).is_file())
    return CheckReport(settings.name, tuple(reports), sort_problems(problems), able, since)
