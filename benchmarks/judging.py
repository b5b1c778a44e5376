"""Days of a folder of logs judged as ``recsysops detect`` judges them, with everything that was said on the way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from recsysops.config.settings import WorkspaceSettings
from recsysops.engines.in_process import Engine
from recsysops.engines.progress import SILENT
from recsysops.incidents.calendar import end_of, reference_days
from recsysops.incidents.detecting import Request, run_days
from recsysops.incidents.judging import DayJudgement, Judge, judge_day
from recsysops.incidents.state import State
from recsysops.tables.open_tables import open_tables
from recsysops.triage.loading import load_detectors


@dataclass(frozen=True)
class Judging:
    """A folder of logs with its detectors and its state."""

    settings: WorkspaceSettings
    judge: Judge
    state: State

    def recount(self) -> None:
        """Count partitions that are new or have changed; a benchmark without its data would be a fast one."""
        engine: Any = self.judge.engine
        skipped = engine.profile(self.measures).skipped
        if skipped:
            raise RuntimeError(skipped[0].reason)

    @property
    def measures(self) -> list[Any]:
        """What all detectors ask for."""
        engine: Any = self.judge.engine
        schema = engine.history((), (), now=end_of(date(2026, 1, 1))).context.schema
        return [one for detector in self.judge.detectors for one in detector.measures(schema)]

    def days(self) -> list[date]:
        """Days with candidates."""
        return list(self.judge.engine.event_days("candidates"))

    def in_order(self, days: Sequence[date]) -> list[DayJudgement]:
        """Judge days oldest first, each written before the next."""
        now = end_of(days[-1])
        return run_days(days, Request(), self.judge, self.settings, self.state, run=1, now=now, progress=SILENT)

    def alone(self, day: date, n_reference_days: int) -> DayJudgement:
        """Judge one day against so many days before it; nothing is kept."""
        reference = reference_days(day, self.judge.engine.event_days("candidates"), n_days=n_reference_days)
        return judge_day(self.judge, self.state, day, reference, end_of(day))


@contextmanager
def judging(folder: Path, settings: dict[str, Any], *, only: Sequence[str] = ()) -> Iterator[Judging]:
    """Open a folder of logs with the ten detectors, or only some; counts and judgements are kept below it."""
    typed = WorkspaceSettings.model_validate(settings)
    state_folder = folder / ".recsysops"
    tables = open_tables(typed, folder)
    engine = Engine(tables, state_folder, n_reference_days=typed.detect.reference_days)
    detectors = load_detectors(typed.detectors, only=only).detectors
    judge = Judge(engine, detectors, tuple(tables), typed.budget)
    with State(state_folder) as state:
        state.begin_run("detect")
        opened = Judging(typed, judge, state)
        opened.recount()
        yield opened
