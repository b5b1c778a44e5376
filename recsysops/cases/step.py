"""The contract of a diagnostic step: one file on the shelf ``diagnosis/``, one question asked of a case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from recsysops.cases.evidence import Evidence
from recsysops.cases.subject import SubjectKind


@dataclass(frozen=True)
class StepMeta:
    """What a step is called, and whose cases it examines."""

    name: str
    subjects: tuple[SubjectKind, ...]


class Step(Protocol):
    """Examines a case; pure, except that it may take its time."""

    meta: StepMeta

    def examine(self, case: Any, /) -> Evidence:
        """What the case shows.

        Raises:
            Exception: of any kind; the step is then told as one that could not look, and the others are heard.
        """
