"""Alarms of all seeds while nothing was wrong: of the detectors, and of the baselines on the same days."""

from __future__ import annotations

from collections.abc import Sequence

from recsysops.drills.scorecard.baselines import BASELINES, Baseline
from recsysops.drills.scorecard.clean_run import CleanDay, CleanRun
from recsysops.drills.scorecard.results import CleanAlarms
from recsysops.drills.scorecard.shares import rate_per_30_days
from recsysops.drills.scorecard.stored_statistics import LogStatistics

N_NAMED = 5


def clean_alarms(n_days: int, told: Sequence[str], n_pages: int = 0, *, n_alarms: int | None = None) -> CleanAlarms:
    """Counts over days as rates.

    Args:
        n_days: that were judged.
        told: a line for each alarm.
        n_pages: alarms that wake somebody.
        n_alarms: if not all lines are alarms of their own.
    """
    n = len(told) if n_alarms is None else n_alarms
    return CleanAlarms(n_days, n, rate_per_30_days(n, n_days), n_pages, rate_per_30_days(n_pages, n_days), tuple(told))


def of_detectors(runs: Sequence[CleanRun]) -> CleanAlarms:
    """Incidents opened on clean days, and how many incidents became critical."""
    days = [(run.seed, day) for run in runs for day in counted_days(run)]
    told = [f"{line} (seed {seed})" for seed, day in days for line in _lines(day)]
    n_pages = sum(alarm.is_page for _, day in days for alarm in day.alarms)
    n_alarms = sum(alarm.is_opened for _, day in days for alarm in day.alarms)
    return clean_alarms(len(days), told, n_pages, n_alarms=n_alarms)


def counted_days(run: CleanRun) -> tuple[CleanDay, ...]:
    """The days whose alarms count: the first that is kept ends the burn-in and stands for all of it."""
    return run.days[1:]


def _lines(day: CleanDay) -> list[str]:
    meanwhile = f" · meanwhile: {'; '.join(day.benign)}" if day.benign else ""
    return [
        f"{day.day} {'page' if alarm.is_page else 'alarm'}{'' if alarm.is_opened else ' (grown worse)'}: "
        f"{alarm.headline}{meanwhile}"
        for alarm in day.alarms
    ]


def of_baselines(runs: Sequence[CleanRun], statistics: Sequence[LogStatistics]) -> dict[str, CleanAlarms]:
    """The baselines on the same days; everything that one says on a day is one alarm.

    A day before which a baseline has too little history is not judged by it, so that it has fewer days.
    """
    return {
        name: _of_baseline(baseline, list(zip(runs, statistics, strict=True))) for name, baseline in BASELINES.items()
    }


def _of_baseline(baseline: Baseline, seeds: Sequence[tuple[CleanRun, LogStatistics]]) -> CleanAlarms:
    n_days, told = 0, []
    for run, statistics in seeds:
        for day in counted_days(run):
            alarms = baseline([one for one in statistics.days if one.day <= day.day])
            n_days += alarms is not None
            if alarms:
                named = ", ".join(sorted(alarms)[:N_NAMED])
                more = f" and {len(alarms) - N_NAMED} more" if len(alarms) > N_NAMED else ""
                told.append(f"{day.day} {named}{more} (seed {run.seed})")
    return clean_alarms(n_days, told)
