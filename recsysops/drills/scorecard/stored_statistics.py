"""The daily statistics of a log as a file beside it: counted once, read by every trial."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from recsysops.drills.scorecard.daily_statistics import Bins, ColumnDay, DayStatistics
from recsysops.errors import StateError
from recsysops.tables.atomic import write_atomically


@dataclass(frozen=True)
class LogStatistics:
    """The days of a log, oldest first, in the bins of its first days."""

    bins: Mapping[str, Bins]
    days: tuple[DayStatistics, ...]

    def before(self, day: date) -> tuple[DayStatistics, ...]:
        """The days before one."""
        return tuple(one for one in self.days if one.day < day)


def write_statistics(statistics: LogStatistics, path: Path) -> None:
    """Put them in place, whole."""
    document = {
        "bins": {name: [list(one.edges), list(one.names), one.is_numeric] for name, one in statistics.bins.items()},
        "days": [
            {
                "day": day.day.isoformat(),
                "n_rows": day.n_rows,
                "columns": {name: [one.null_rate, one.mean, list(one.cells)] for name, one in day.columns.items()},
            }
            for day in statistics.days
        ],
    }
    text = json.dumps(document)
    write_atomically(path, lambda target: target.write_text(text, encoding="utf-8"))


def read_statistics(path: Path) -> LogStatistics:
    """The statistics of a clean run.

    Raises:
        StateError: if they are not there or damaged.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        bins = {
            name: Bins(tuple(edges), tuple(names), bool(is_numeric))
            for name, (edges, names, is_numeric) in document["bins"].items()
        }
        days = tuple(
            DayStatistics(
                date.fromisoformat(day["day"]),
                int(day["n_rows"]),
                {name: ColumnDay(rate, mean, tuple(cells)) for name, (rate, mean, cells) in day["columns"].items()},
            )
            for day in document["days"]
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StateError(
            str(path),
            found=f"no readable statistics ({type(error).__name__})",
            expected="those of a clean run",
            next_step="delete the folder that it is in; the next drill makes it anew",
        ) from error
    return LogStatistics(bins, days)
