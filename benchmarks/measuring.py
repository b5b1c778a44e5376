"""Two or more sides measured in one run: repetitions alternate, and the median of their ratios counts.

A shared machine slows down for seconds at a time. Sides that take turns are slowed alike, and the median forgets the
turn in which one was not.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Measured:
    """Seconds of each turn, in order, and the peak memory of the side's own process, MiB."""

    seconds: tuple[float, ...]
    peak_mib: float

    @property
    def median(self) -> float:
        """Seconds of the middle turn."""
        return statistics.median(self.seconds)

    def over(self, base: Measured) -> float:
        """Median over the turns of this side's seconds by the base's."""
        return statistics.median(mine / other for mine, other in zip(self.seconds, base.seconds, strict=True))


class Side:
    """A process of its own that does one piece of work whenever told to; the first time is not counted.

    Args:
        work: ``module:function`` below ``benchmarks``.
        words: its arguments, as text.
    """

    def __init__(self, work: str, *words: str) -> None:
        command = [sys.executable, "-m", "benchmarks.side", work, *words]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.peak_mib = 0.0

    def turn(self) -> float:
        """Do the work once; its seconds."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("again\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"a side of a benchmark ended early with {self._process.wait()}")
        told = json.loads(line)
        self.peak_mib = told["peak_mib"]
        return float(told["seconds"])

    def __enter__(self) -> Side:
        return self

    def __exit__(self, *failure: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def alternate(works: Mapping[str, Sequence[str]], turns: int) -> dict[str, Measured]:
    """Let the sides take turns, after one turn each that is not counted.

    Args:
        works: name of a side: ``module:function`` and its arguments.
        turns: of each side.
    """
    with ExitStack() as stack:
        sides = {name: stack.enter_context(Side(*words)) for name, words in works.items()}
        for side in sides.values():
            side.turn()
        seconds = _take_turns({name: side.turn for name, side in sides.items()}, turns)
        return {name: Measured(tuple(seconds[name]), side.peak_mib) for name, side in sides.items()}


def alternate_processes(
    commands: Mapping[str, Sequence[str]], turns: int, prepare: Callable[[str], None] | None = None
) -> dict[str, Measured]:
    """The same for whole processes, from start to end; ``prepare`` is called with the side's name before each."""
    peaks = dict.fromkeys(commands, 0.0)

    def run(name: str) -> float:
        if prepare is not None:
            prepare(name)
        started = time.perf_counter()
        process = subprocess.Popen(commands[name], cwd=ROOT, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"{name} ended with {process.returncode}")
        peaks[name] = max(peaks[name], usage.ru_maxrss / 1024)
        return seconds

    for name in commands:
        run(name)
    seconds = _take_turns({name: partial(run, name) for name in commands}, turns)
    return {name: Measured(tuple(seconds[name]), peaks[name]) for name in commands}


def _take_turns(sides: Mapping[str, Callable[[], float]], turns: int) -> dict[str, list[float]]:
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(turns):
        for name, turn in sides.items():
            seconds[name].append(turn())
    return seconds


def show(measured: Mapping[str, Measured], base: str, budgets: Mapping[str, float]) -> None:
    """Print every side's median seconds, peak memory and ratio to the base, with the budget where there is one."""
    for name, side in measured.items():
        line = f"  {name:34} {side.median:9.3f} s   peak {side.peak_mib:6.0f} MiB"
        if name != base:
            line += f"   {side.over(measured[base]):6.2f} x"
        if name in budgets:
            met = "met" if side.over(measured[base]) <= budgets[name] else "MISSED"
            line += f"   budget {budgets[name]:g} x: {met}"
        print(line, flush=True)


def machine() -> str:
    """What it ran on, in public terms."""
    load = os.getloadavg()[0]
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, load {load:.1f} at the start"
