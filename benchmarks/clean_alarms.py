"""False alarms of the ten detectors on days on which nothing is wrong, against the alarm budget.

Two kinds of clean days: the real logs of Open Bandit with their rows shuffled over the days, and simulated logs whose days
move as honest days do. Each is judged as ``recsysops detect`` judges it, day after day, with the default budget.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks import reshuffled_log, simulated_log
from benchmarks.alarm_tally import AlarmTally
from benchmarks.judging import judging
from benchmarks.simulated_log import SimulatedLog
from recsysops.config.settings import BudgetSettings


def run(rows: int | None, *, quick: bool) -> None:
    """Both studies."""
    reshuffled(2 if quick else 30)
    simulated(1 if quick else 4, 4 if quick else 35, rows or (2_000 if quick else 20_000))


def reshuffled(n_seeds: int) -> None:
    """Open Bandit: seven days, the last six of which can be judged."""
    print(f"  Open Bandit reshuffled, {n_seeds} seeds", flush=True)
    tally = AlarmTally()
    for seed in range(n_seeds):
        with tempfile.TemporaryDirectory() as folder:
            reshuffled_log.write_reshuffled(Path(folder), seed)
            with judging(Path(folder), reshuffled_log.SETTINGS) as opened:
                tally.add(opened.in_order(opened.days()[1:]), f"seed {seed}")
    tally.show(BudgetSettings())


def simulated(n_seeds: int, n_days: int, rows: int) -> None:
    """Logs of requests of four candidates; the first week, and then the days with a week or more behind them."""
    print(f"  simulated clean logs, {n_seeds} seeds of {n_days} days, {rows:,} candidates a day", flush=True)
    early, later = AlarmTally(), AlarmTally()
    for seed in range(n_seeds):
        log = SimulatedLog(seed, rows, n_days)
        with tempfile.TemporaryDirectory() as folder:
            for number in range(n_days):
                log.write(Path(folder), number)
            with judging(Path(folder), simulated_log.SETTINGS) as opened:
                judged = opened.in_order(opened.days()[1:])
        early.add((one for one in judged if len(one.reference) < 7), f"seed {seed}")
        later.add((one for one in judged if len(one.reference) >= 7), f"seed {seed}")
        print(f"    seed {seed}: {early.groups.total()} alarms early, {later.groups.total()} later", flush=True)
    for what, tally in (("with 1 to 6 days before them", early), ("with 7 to 28 days before them", later)):
        print(f"  days {what}")
        tally.show(BudgetSettings())
