"""Evidently in a process of its own, asked about one day after another."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.measuring import ROOT
from benchmarks.rival_watch import Said
from benchmarks.rivals.own_environment import script, variables
from benchmarks.sampled_days import Sample, is_text


class Evidently:
    """``DataDriftPreset`` with what it may choose by itself left to it.

    Args:
        folder: an existing one, for the two files of a question.
    """

    def __init__(self, folder: Path) -> None:
        self._paths = {name: folder / f"{name}.parquet" for name in ("reference", "current")}
        command = script("drifted_days_by_evidently.py")
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=variables(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.versions = ""
        self.lost: set[str] = set()
        """Columns that had lost all values on some day."""

    def __call__(self, reference: Sample, current: Sample) -> Said:
        """What it says of a day; a column that has lost all values is told too, since the preset fails on it."""
        for path, sample in zip(self._paths.values(), (reference, current), strict=True):
            pq.write_table(pa.table(dict(sample)), path)
        answer = self._ask(
            {
                **{name: str(path) for name, path in self._paths.items()},
                "numerical": [name for name, values in reference.items() if not is_text(values)],
                "categorical": [name for name, values in reference.items() if is_text(values)],
            }
        )
        self.versions = str(answer["versions"])
        self.lost |= set(answer["lost"])
        told = [*answer["drifted"], *answer["lost"]]
        return Said(frozenset(f"candidates.{name}" for name in told), bool(answer["is_dataset"]))

    def _ask(self, question: dict[str, object]) -> dict[str, list[str]]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"Evidently ended early with {self._process.wait()}")
        answer: dict[str, list[str]] = json.loads(line)
        return answer

    def __enter__(self) -> Evidently:
        return self

    def __exit__(self, *failure: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
