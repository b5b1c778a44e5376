"""Since when the past of upstream tables is known."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from recsysops.errors import SourceError
from recsysops.inspection.report import Problem
from recsysops.tables.files import list_files

FOLDER = "snapshots"


def oldest_snapshot(state: Path) -> datetime | None:
    """When the oldest as-of copy was written; None when there is none."""
    try:
        files = list_files(FOLDER, state)
    except SourceError:
        return None
    return datetime.fromtimestamp(min(file.path.stat().st_mtime for file in files), UTC)


def snapshot_note(since: datetime | None) -> Problem:
    """What as-of copies make possible, or how to begin keeping them."""
    if since is None:
        return Problem(
            "note",
            "snapshots",
            "no as-of copies of upstream tables",
            "",
            "run `recsysops snapshot` by cron: launch forecasts and as-of diffs need that history",
        )
    return Problem(
        "note", "snapshots", f"as-of copies since {since:%Y-%m-%d}: launch forecasts and as-of diffs from then on"
    )
