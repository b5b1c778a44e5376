"""The log on disk: ``candidates/`` (with features) and ``thin/``, a folder per day, whole files from each process.

Each table is a sample of its own with its own ``sampling_rate``: the requests of ``candidates`` are in ``thin`` too, while the
plan asks for thin requests.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from recsysops.serving.counters import has_ended
from recsysops.serving.log_formats import LogFormat
from recsysops.serving.log_rows import Kept, batch_of
from recsysops.serving.log_schema import LogSchema
from recsysops.serving.problems import Problems
from recsysops.serving.sampler import DAY_US
from recsysops.serving.whole_file import write_whole

FULL, THIN = "candidates", "thin"


@dataclass
class _Buffer:
    """Encoded rows of one table and day that are not on disk yet."""

    parts: list[Any] = field(default_factory=list)
    n_rows: int = 0
    n_counted: int = 0
    """Requests that are written when this is: each counts once, in the deeper of its tables."""


class LogFolder:
    """One process's part of the log. All calls come from one thread.

    Args:
        folder: the log; shared by any number of processes.
        process: a name that no other process has.
    """

    def __init__(
        self, folder: Path, process: str, schema: LogSchema, format_: LogFormat, host: str, problems: Problems
    ) -> None:
        self._folder = folder
        self._process = process
        self._schema = schema
        self._format = format_
        self._host = host
        self._problems = problems
        self._buffers: dict[tuple[str, int], _Buffer] = {}
        self._numbers = itertools.count(1)

    @property
    def n_rows(self) -> int:
        """Rows of the longest file to be."""
        return max((buffer.n_rows for buffer in self._buffers.values()), default=0)

    def add(self, kept: Sequence[Kept]) -> int:
        """Encode requests into the buffers; gives how many do not fit the schema and are left out."""
        n_bad = 0
        for day, group in itertools.groupby(sorted(kept, key=_day), key=_day):
            requests = list(group)
            full = [one for one in requests if one.decision.is_full]
            n_bad += self._add(full, FULL, day, n_counted=1)
            thin = [one for one in requests if one.decision.is_thin]
            n_bad += self._add([one for one in thin if not one.decision.is_full], THIN, day, n_counted=1)
            self._add([one for one in thin if one.decision.is_full], THIN, day, n_counted=0)
        return n_bad

    def flush(self) -> tuple[int, int]:
        """Write all buffers; gives how many requests are on disk now, and how many were lost to a failed write."""
        n_written = n_lost = 0
        for (table, day), buffer in self._buffers.items():
            name = f"{self._process}-{next(self._numbers):06d}{self._format.suffix}"
            path = self._folder / table / f"day={date(1970, 1, 1) + timedelta(days=day)}" / name
            try:
                write_whole(path, partial(self._format.write, buffer.parts))
                n_written += buffer.n_counted
            except Exception as error:  # a full disk, a lost share: serving goes on
                self._problems.note(error, f"writing {name}")
                n_lost += buffer.n_counted
        self._buffers.clear()
        return n_written, n_lost

    def remove_remains(self) -> None:
        """Remove temporary files of processes that ended while they wrote."""
        for path in self._folder.glob("*/day=*/.*"):
            if has_ended(self._folder, path.name[1:].rpartition("-")[0]):
                path.unlink(missing_ok=True)

    def _add(self, kept: Sequence[Kept], table: str, day: int, *, n_counted: int) -> int:
        """Encode together what fits together; if one request does not fit, each by itself."""
        if not kept:
            return 0
        try:
            batch = batch_of(kept, self._schema, self._host, is_full=table == FULL)
            kinds = {**self._schema.request_columns(), **self._schema.candidate_columns(is_full=table == FULL)}
            part = self._format.encode(batch, kinds)
        except Exception as error:  # whatever a request holds, the others are logged
            if len(kept) == 1:
                self._problems.note(error, "a request does not fit the schema")
                return n_counted
            return sum(self._add([one], table, day, n_counted=n_counted) for one in kept)
        buffer = self._buffers.setdefault((table, day), _Buffer())
        buffer.parts.append(part)
        buffer.n_rows += batch.n_rows
        buffer.n_counted += n_counted * len(kept)
        return 0


def _day(kept: Kept) -> int:
    return kept.ts_us // DAY_US
