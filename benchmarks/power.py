"""Power: five faults planted by hand in the last day of simulated logs, found or not, with other alarms counted beside them.

The faults: 10 % of a feature missing; 5 % and 10 % filled with 0; a shift of 0.09 standard deviations in a feature of 20,000
rows; 1 % of the values × 100. Each is planted in a feature of every shape and judged against 1, 3, 6 and 20 clean days.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from benchmarks.judging import Judging, judging
from benchmarks.simulated_log import SETTINGS, SimulatedLog
from recsysops.incidents.judging import DayJudgement
from recsysops.statistics.proportions import clopper_pearson_interval

REFERENCES = (1, 3, 6, 20)
CARRIERS = {
    "normal": "normal_10", "log-normal": "lognormal_1", "integer counts": "count_7", "bounded": "bounded_13",
    "zero-inflated": "zero_inflated_4", "normal, per request": "normal_0",
}  # fmt: skip
"""Which feature carries the fault. The last has one value for the four rows of a request: a quarter of the evidence."""

Floats = npt.NDArray[np.float64]


def _with_rate(values: Floats, rate: float, new: Callable[[Floats], Floats]) -> Floats:
    chosen = np.random.default_rng(7).random(len(values)) < rate
    return np.where(chosen, new(values), values)


FAULTS: Mapping[str, Callable[[Floats], Floats]] = {
    "10 % missing": lambda x: _with_rate(x, 0.10, lambda old: np.full_like(old, np.nan)),
    "5 % filled with 0": lambda x: _with_rate(x, 0.05, np.zeros_like),
    "10 % filled with 0": lambda x: _with_rate(x, 0.10, np.zeros_like),
    "shift of 0.09 sd": lambda x: x + 0.09 * np.nanstd(x),
    "1 % of values × 100": lambda x: _with_rate(x, 0.01, lambda old: 100 * old),
}


@dataclass
class Score:
    """How often one fault was found, and what else was said."""

    n: int = 0
    found: int = 0
    other_alarms: int = 0

    def add(self, judgement: DayJudgement, column: str) -> None:
        """Count one planted day; an alarm with any finding on the column is the fault's."""
        mine = [any(one.column == column for one in group.findings) for group in judgement.judged.groups]
        self.n += 1
        self.found += any(mine)
        self.other_alarms += mine.count(False)


def planted(candidates: Mapping[str, pa.Array], column: str, fault: str) -> dict[str, pa.Array]:
    """The day with that fault in that column; what was missing stays missing."""
    before = candidates[column]
    values = FAULTS[fault](before.to_numpy(zero_copy_only=False).astype(np.float64))
    return {**candidates, column: pa.array(values, from_pandas=True)}


def run(rows: int | None, *, quick: bool) -> None:
    """Every fault × shape × number of reference days × seed."""
    n_seeds, n_rows = (1, rows or 2_000) if quick else (5, rows or 20_000)
    references = REFERENCES[:2] if quick else REFERENCES
    scores = {(fault, shape, n): Score() for fault in FAULTS for shape in CARRIERS for n in references}
    for seed in range(n_seeds):
        log = SimulatedLog(seed + 100, n_rows, max(references) + 1)
        with tempfile.TemporaryDirectory() as folder:
            for number in range(log.n_days):
                log.write(Path(folder), number)
            with judging(Path(folder), SETTINGS) as opened:
                _score(opened, log, Path(folder), scores)
        print(f"  after {seed + 1} of {n_seeds} seeds", flush=True)
        _show(scores, references)


def _score(opened: Judging, log: SimulatedLog, folder: Path, scores: Mapping[tuple[str, str, int], Score]) -> None:
    last = log.n_days - 1
    clean = log.candidates(last)
    for fault, shape in sorted({(fault, shape) for fault, shape, _ in scores}):
        column = CARRIERS[shape]
        log.write_candidates(folder, last, planted(clean, column, fault))
        opened.recount()
        for (other, kind, n), score in scores.items():
            if (other, kind) == (fault, shape):
                score.add(opened.alone(log.day(last), n), column)


def _show(scores: Mapping[tuple[str, str, int], Score], references: tuple[int, ...]) -> None:
    """One line per fault and shape; found / planted at each number of reference days, and the alarms beside."""
    print(f"  found of planted, against {', '.join(str(n) for n in references)} clean days")
    for fault in FAULTS:
        for shape in CARRIERS:
            cells = [scores[fault, shape, n] for n in references]
            shown = "   ".join(f"{one.found}/{one.n}" for one in cells)
            print(f"    {fault:22} {shape:20} {shown}   other alarms {sum(one.other_alarms for one in cells)}")
    for n in references:
        cells = [score for (_, _, own), score in scores.items() if own == n]
        k, total = sum(one.found for one in cells), sum(one.n for one in cells)
        rate = clopper_pearson_interval(k, total)
        print(
            f"    all against {n:2} days: {k}/{total} found, 95 % [{float(rate.low):.2f}, {float(rate.high):.2f}]; "
            f"other alarms on {total} days: {sum(one.other_alarms for one in cells)}"
        )
