"""The tables of the card: everybody who watches, on the same days and the same planted faults."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from benchmarks.finished_drill import FinishedDrill
from benchmarks.rival_watch import AlarmDays
from recsysops.drills.fault import FaultMeta
from recsysops.drills.scorecard.baselines import BASELINES
from recsysops.drills.scorecard.clean_alarms import of_baselines, of_detectors
from recsysops.drills.scorecard.results import CleanAlarms, TrialResult
from recsysops.drills.scorecard.shares import share
from recsysops.drills.views.words import baseline_name

ANY, WHOLE = "Evidently, any column", "Evidently, dataset drift"


@dataclass(frozen=True)
class FaultRow:
    """One planted fault: in how many daily runs each found it, None if not in time."""

    meta: FaultMeta
    severity: float
    trial: TrialResult | None
    """The same fault in the drill; None if it was not planted there, or differently."""
    by_column: int | None = None
    by_dataset: int | None = None
    cannot: str = ""


def card_lines(drill: FinishedDrill, alarms: AlarmDays, rows: Sequence[FaultRow], multiple: float) -> Iterator[str]:
    """Markdown: who found how many with how many alarms, then fault by fault."""
    days = drill.run.days
    yield f"Seed {drill.run.seed}, {alarms.of_columns.n_days} of {len(days) - 1} judged clean days, faults at {multiple:g}×."
    yield ""
    yield "| watching by | found | clean days | alarms | per 30 clean days |"
    yield "|---|---|---|---|---|"
    counted = [row for row in rows if row.meta.is_fault and not row.cannot]
    for name, days_told in clean_days_of(drill, alarms).items():
        runs = _runs_by(name)
        asked = [row for row in counted if row.trial is not None or name in (ANY, WHOLE)]
        found = _found(sum(runs(row) is not None for row in asked), len(asked))
        yield f"| {_named(name)} | {found} | {days_told.n_days} | {days_told.n_alarms} | {_rate(days_told)} |"
    yield ""
    told = ", ".join(f"{name.removeprefix('candidates.')} {n}" for name, n in alarms.by_column.items())
    yield (
        f"Clean days on which Evidently told each column: {told or 'none'}. "
        f"Something that is not told every day: {alarms.n_without_constant} days."
    )
    yield ""
    yield "| fault | these checks | 3 σ | Evidently: its columns | Evidently: dataset |"
    yield "|---|---|---|---|---|"
    for row in rows:
        yield _fault_line(row)


def clean_days_of(drill: FinishedDrill, alarms: AlarmDays) -> dict[str, CleanAlarms]:
    """Who watches → alarms while nothing was wrong."""
    return {
        "these checks": of_detectors([drill.run]),
        **of_baselines([drill.run], [drill.statistics]),
        ANY: alarms.of_columns,
        WHOLE: alarms.of_dataset,
    }


def _runs_by(name: str) -> Callable[[FaultRow], int | None]:
    """Daily runs until somebody found a fault."""
    if name == ANY:
        return lambda row: row.by_column
    if name == WHOLE:
        return lambda row: row.by_dataset
    if name in BASELINES:
        return lambda row: row.trial.baselines[name].delay_runs if row.trial and name in row.trial.baselines else None
    return lambda row: row.trial.found.delay_runs if row.trial else None


def _fault_line(row: FaultRow) -> str:
    name = row.meta.name + ("" if row.meta.is_fault else " (a true change)")
    if row.cannot:
        return f"| {name} | not planted: {row.cannot} | | | |"
    drilled = [_run(_runs_by(who)(row)) if row.trial else "–" for who in ("these checks", "three_sigma")]
    return f"| {' | '.join([name, *drilled, _run(row.by_column), _run(row.by_dataset)])} |"


def _run(number: int | None) -> str:
    return "not" if number is None else f"run {number}"


def _found(n_found: int, n: int) -> str:
    if not n:
        return "–"
    part = share(n_found, n)
    return f"{n_found} of {n} ({part.low:.2f}–{part.high:.2f})"


def _rate(days: CleanAlarms) -> str:
    rate = days.per_30_days
    return f"{rate.value:.1f} ({rate.low:.1f}–{rate.high:.1f})" if days.n_days else "–"


def _named(name: str) -> str:
    return baseline_name(name) if name in BASELINES else name
