"""Evidently's DataDriftPreset on the days of a finished drill: alarms on its clean days, and its faults planted anew.

    python -m benchmarks.evidently_card DRILL_FOLDER --seed 0

Each day is 5,000 candidates drawn by hash, its reference as many of the 28 days before. From 1,000 rows on the preset
measures distances and compares them with 0.1, where it would test below; a distance does not grow with the rows, so that
5,000 stand for all.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from benchmarks.evidently_table import FaultRow, card_lines
from benchmarks.finished_drill import FinishedDrill
from benchmarks.measuring import ROOT
from benchmarks.rival_on_drill import CleanDays, Replanting
from benchmarks.rival_watch import AlarmDays
from benchmarks.rivals.evidently_process import Evidently
from recsysops.drills.fault import Fault
from recsysops.drills.planning import Request
from recsysops.drills.scorecard.clean_alarms import counted_days
from recsysops.drills.scorecard.rig import Rig
from recsysops.errors import StateError
from recsysops.incidents.lock import workspace_lock

MULTIPLE = 4.0
Thing = TypeVar("Thing")


def clean_alarm_days(clean: CleanDays, n_days: int | None = None) -> AlarmDays:
    """The rival on the judged clean days, or the first of them."""
    days = [one.day for one in counted_days(clean.drill.run)][:n_days]
    return AlarmDays.of([clean.said(day) for day in _told("clean days", days)])


def fault_rows(clean: CleanDays, rig: Rig, kinds: Sequence[type[Fault]], multiple: float) -> list[FaultRow]:
    """The rival on each fault."""
    planting = Replanting(clean, rig)
    return [planting.row(kind, multiple) for kind in _told("faults", kinds)]


def _told(what: str, things: Sequence[Thing]) -> Iterator[Thing]:
    for number, thing in enumerate(things):
        print(f"  {number} of {len(things)} {what}", file=sys.stderr, flush=True)
        yield thing


def run(rows: int | None, *, quick: bool) -> None:
    """On the drill that ``make drill`` left, or ``make drill-quick``."""
    del rows
    root = ROOT / ("recsysops-drill-quick" if quick else "recsysops-drill")
    try:
        drill = FinishedDrill.read(root, 0)
    except StateError as error:
        print(f"  left out: {error}")
        return
    show(drill, Request().kinds(), MULTIPLE)


def show(drill: FinishedDrill, kinds: Sequence[type[Fault]], multiple: float, n_days: int | None = None) -> None:
    """Ask, and print the lines for the docs."""
    with workspace_lock(drill.root, "drill"), tempfile.TemporaryDirectory() as name, Evidently(Path(name)) as rival:
        clean = CleanDays(drill, rival)
        alarms = clean_alarm_days(clean, n_days)
        rows = fault_rows(clean, Rig.built_in(), kinds, multiple)
    print("\n".join(card_lines(drill, alarms, rows, multiple)))
    lost = ", ".join(sorted(rival.lost)) or "none"
    print(f"\n{rival.versions}. Columns that lost all values on a day (told, though the preset itself fails): {lost}.")


def main() -> None:
    """Read the words, run."""
    parser = argparse.ArgumentParser(prog="benchmarks.evidently_card", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, help="of a finished `recsysops drill run`")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--severity", type=float, default=MULTIPLE, metavar="MULT")
    parser.add_argument("--fault", action="append", default=[], metavar="NAME", help="repeatable; else all")
    parser.add_argument("--days", type=int, metavar="N", help="only the first judged clean days")
    given = parser.parse_args()
    kinds = Request(faults=tuple(given.fault)).checked().kinds()
    show(FinishedDrill.read(given.folder, given.seed), kinds, given.severity, given.days)


if __name__ == "__main__":
    main()
