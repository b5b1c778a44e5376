"""What the days of one seed tell while nothing is wrong; kept as JSON, so that a second drill need not run them again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from recsysops.drills.scorecard.matching import CleanTwin
from recsysops.errors import StateError
from recsysops.tables.atomic import write_atomically


@dataclass(frozen=True)
class CleanAlarm:
    """An incident opened on a clean day, or one that became critical then."""

    day: date
    headline: str
    is_page: bool
    is_opened: bool = True
    """False where an older incident became critical."""


@dataclass(frozen=True)
class CleanDay:
    """One judged day."""

    day: date
    open_before: frozenset[int]
    """Numbers of the incidents that were open when the day began."""
    finding_ids: frozenset[str]
    """Of the incidents that were there on the day."""
    alarms: tuple[CleanAlarm, ...]
    benign: tuple[str, ...]
    """True events of the world that had begun lately."""


@dataclass(frozen=True)
class CleanRun:
    """One seed: its days, and the days at which faults may be planted."""

    seed: int
    made_by: str
    """Digest of everything that decided it."""
    days: tuple[CleanDay, ...]
    """Those judged, oldest first."""
    onsets: tuple[date, ...]
    seconds: float

    def twin(self, onset: date, n_days: int) -> CleanTwin:
        """What is told without the fault from the onset on.

        Raises:
            StateError: if the onset was not judged.
        """
        known = {one.day: one for one in self.days}
        if onset not in known:
            raise StateError(f"clean run of seed {self.seed}", found=f"{onset} not judged", expected="a judged onset")
        window = [onset + timedelta(days=number) for number in range(n_days)]
        return CleanTwin(known[onset].open_before, {day: known[day].finding_ids for day in window if day in known})


def write_clean_run(run: CleanRun, path: Path) -> None:
    """Put it in place, whole."""
    document = {
        "seed": run.seed,
        "made_by": run.made_by,
        "seconds": run.seconds,
        "onsets": [day.isoformat() for day in run.onsets],
        "days": [_day_to_dict(day) for day in run.days],
    }
    text = json.dumps(document, indent=1)
    write_atomically(path, lambda target: target.write_text(text, encoding="utf-8"))


def read_clean_run(path: Path) -> CleanRun | None:
    """The clean run that was kept; None if there is none, or the file is damaged (then it is run again)."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return CleanRun(
            seed=int(document["seed"]),
            made_by=str(document["made_by"]),
            days=tuple(_day_from_dict(day) for day in document["days"]),
            onsets=tuple(date.fromisoformat(day) for day in document["onsets"]),
            seconds=float(document["seconds"]),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _day_to_dict(day: CleanDay) -> dict[str, Any]:
    return {
        "day": day.day.isoformat(),
        "open_before": sorted(day.open_before),
        "findings": sorted(day.finding_ids),
        "alarms": [[one.headline, one.is_page, one.is_opened] for one in day.alarms],
        "benign": list(day.benign),
    }


def _day_from_dict(values: Mapping[str, Any]) -> CleanDay:
    day = date.fromisoformat(values["day"])
    return CleanDay(
        day,
        frozenset(int(number) for number in values["open_before"]),
        frozenset(str(name) for name in values["findings"]),
        tuple(CleanAlarm(day, str(line), bool(page), bool(opened)) for line, page, opened in values["alarms"]),
        tuple(str(line) for line in values["benign"]),
    )
