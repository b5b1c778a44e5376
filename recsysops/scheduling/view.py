"""The screen of ``recsysops schedule show``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from recsysops.notifications.run_note import RunNote
from recsysops.reporting.lines import Line, next_lines
from recsysops.reporting.numbers import seconds
from recsysops.scheduling.installing import Installed
from recsysops.scheduling.run_log import FILE_NAME
from recsysops.scheduling.running import LOGS


def schedule_lines(
    there: Sequence[Installed], notes: Sequence[RunNote], state: Path, command: str, now: datetime
) -> Iterator[Line]:
    """What starts the runs, how the last ones ended, where the log is, what to do next."""
    systems = " and ".join(one.system for one in there)
    yield Line(f"Scheduled by {systems}" if there else "Nothing is scheduled for this workspace", "bold")
    yield from (Line(f"  {line}") for one in there for line in one.lines)
    for note in notes:
        yield Line(f"{note.tier}: {_ended(note, now)}")
    log = state / LOGS / FILE_NAME
    yield Line(f"Log: {log}" if log.exists() else "No run has been started by it yet")
    yield Line("")
    words = ["schedule run daily", "schedule remove"] if there else ["schedule install"]
    yield from next_lines(f"{command} {each}" for each in words)


def schedule_record(there: Sequence[Installed], notes: Sequence[RunNote]) -> dict[str, Any]:
    """The same, JSON-ready."""
    runs = [
        {
            "tier": note.tier,
            "ended": note.ended.isoformat(),
            "exit_code": note.exit_code,
            "seconds": note.seconds,
            "last_good": note.last_good.isoformat() if note.last_good else None,
            "judged_day": note.judged_day.isoformat() if note.judged_day else None,
        }
        for note in notes
    ]
    return {"schema_version": 1, "installed": [one.to_dict() for one in there], "runs": runs}


def _ended(note: RunNote, now: datetime) -> str:
    age = now - note.ended
    ago = f"{age.days} d ago" if age.days else f"{age.seconds // 3600} h {age.seconds % 3600 // 60} min ago"
    last = f"last run ended {note.ended:%Y-%m-%d %H:%M} UTC ({ago}) with exit code {note.exit_code}"
    good = "" if note.last_good == note.ended else f", the last good one {note.last_good or 'never'}"
    return f"{last} after {seconds(note.seconds)}{good}"
