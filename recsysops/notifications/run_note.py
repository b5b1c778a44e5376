"""What is known of the last run of each tier, kept as a small file of its own: it must outlive a damaged database."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from pathlib import Path

from recsysops.errors import StateError
from recsysops.tables.atomic import write_atomically

FOLDER = "runs"
GOOD = frozenset({0, 1})
"""Exit codes of a run that looked at everything."""


@dataclass(frozen=True)
class RunNote:
    """The last run of a tier; what a run could not find out is kept from the one before."""

    tier: str
    exit_code: int
    ended: datetime
    seconds: float
    last_good: datetime | None = None
    judged_day: date | None = None
    data_day: date | None = None
    """The newest judged day that had candidates."""
    n_skipped: int | None = None
    """Detectors that failed; None when none was asked."""
    n_open: dict[str, int] = field(default_factory=dict)
    """Open incidents by severity."""

    def after(self, before: RunNote | None) -> RunNote:
        """The note with what only the run before knew."""
        if before is None:
            return self
        return replace(
            self,
            last_good=self.last_good or before.last_good,
            judged_day=self.judged_day or before.judged_day,
            data_day=self.data_day or before.data_day,
            n_skipped=before.n_skipped if self.n_skipped is None else self.n_skipped,
            n_open=self.n_open or before.n_open,
        )


def write_note(state: Path, note: RunNote) -> RunNote:
    """Keep the note in place of the tier's last one, and return it with what that one knew."""
    path = state / FOLDER / f"{note.tier}.json"
    before = None
    with suppress(StateError):  # a damaged note is written anew
        before = _read(path) if path.exists() else None
    whole = note.after(before)
    text = json.dumps(asdict(whole), default=lambda value: value.isoformat(), sort_keys=True) + "\n"
    write_atomically(path, lambda temporary: temporary.write_text(text))
    return whole


def read_notes(state: Path) -> tuple[RunNote, ...]:
    """The last run of each tier, by its name.

    Raises:
        StateError: if a note is damaged.
    """
    return tuple(map(_read, sorted((state / FOLDER).glob("[a-z]*.json"))))


def _read(path: Path) -> RunNote:
    try:
        stored = json.loads(path.read_text())
        for name in ("ended", "last_good"):
            stored[name] = datetime.fromisoformat(stored[name]) if stored[name] else None
        for name in ("judged_day", "data_day"):
            stored[name] = date.fromisoformat(stored[name]) if stored[name] else None
        return RunNote(**stored)
    except (ValueError, KeyError, TypeError) as error:
        raise StateError(
            str(path),
            found=str(error),
            expected="the note of a run",
            next_step="remove the file; the next run writes it",
        ) from None
