"""Since when the past of upstream tables is known."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from recsysops.inspection.report import Problem
from recsysops.tables.snapshots import snapshot_files

FOLDER = "snapshots"
_NAME = "%Y%m%dT%H%M%S.%fZ"


def oldest_snapshot(state: Path) -> datetime | None:
    """The moment of the oldest as-of copy of any table; None when there is none.

    Args:
        state: the state folder; ``snapshots/TABLE/MOMENT.parquet`` are the copies.
    """
    folders = sorted((state / FOLDER).glob("*/"))
    moments = [_moment(file.stem) for folder in folders for file in snapshot_files(folder)[:1]]
    return min((moment for moment in moments if moment), default=None)


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
    found = f"as-of copies since {since:%Y-%m-%d}: launch forecasts and as-of diffs from then on"
    return Problem("note", "snapshots", found)


def _moment(stem: str) -> datetime | None:
    try:
        return datetime.strptime(stem, _NAME).replace(tzinfo=UTC)
    except ValueError:
        return None
