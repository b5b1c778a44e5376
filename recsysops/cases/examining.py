"""From the shelf to evidence: every step that fits the subject examines the case, and a broken one silences only itself."""

from __future__ import annotations

from typing import Any

from recsysops.cases.evidence import Evidence, unknown
from recsysops.cases.step import Step
from recsysops.cases.subject import SubjectKind
from recsysops.engines.progress import SILENT, Progress
from recsysops.errors import PluginError
from recsysops.registry import plugins


def load_steps(kind: SubjectKind) -> tuple[tuple[Step, ...], tuple[Evidence, ...]]:
    """The steps for a kind of subject in shelf order, and what must be told of those that could not be imported."""
    steps: list[Step] = []
    broken = []
    for entry in plugins("diagnosis"):
        try:
            step: Step = entry.load()()
        except PluginError as error:
            broken.append(unknown(entry.name, str(error)))
            continue
        if kind in step.meta.subjects:
            steps.append(step)
    return tuple(steps), tuple(broken)


def examine(case: Any, kind: SubjectKind, *, progress: Progress = SILENT) -> tuple[Evidence, ...]:
    """Ask every step.

    Args:
        case: as the steps of this kind expect it.
        kind: of the subject.
        progress: is told of each step.
    """
    steps, broken = load_steps(kind)
    found = []
    progress.start(f"examining {kind}", len(steps))
    for step in steps:
        try:
            found.append(step.examine(case))
        except Exception as error:  # a step may fail in any way; the others are still worth hearing
            found.append(unknown(step.meta.name, f"failed: {type(error).__name__}: {error}"))
        progress.advance()
    progress.finish()
    return (*found, *broken)
