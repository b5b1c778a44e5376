"""A diagnosis: the subject, the verdict, the evidence it rests on, and what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from recsysops.cases.evidence import Evidence
from recsysops.cases.subject import SubjectKind, Window
from recsysops.cases.verdict import Verdict


@dataclass(frozen=True)
class Diagnosis:
    """What a diagnosis found; the same values make the screen, the page and the JSON."""

    kind: SubjectKind
    subject: str
    window: Window
    verdict: Verdict
    evidence: tuple[Evidence, ...]
    about: Mapping[str, str] = field(default_factory=dict)
    """What is known of the subject, for the first line: title, kind, launch."""
    owner: str = ""
    next: tuple[str, ...] = ()
    """Commands, without the program's name."""

    def step(self, name: str) -> Evidence | None:
        """The evidence of one step."""
        return next((one for one in self.evidence if one.step == name), None)

    @property
    def exit_code(self) -> int:
        """1 where a fault was found, 6 where nothing could be concluded, else 0."""
        if self.verdict.cause == "abstain":
            return 6
        return 0 if self.verdict.cause == "legitimate" else 1

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, with the keys of the command line's contract."""
        return {
            "schema_version": 1,
            "subject": {"kind": self.kind, "id": self.subject},
            "window": {"start": self.window.start.isoformat(), "end": self.window.end.isoformat()},
            "about": dict(self.about),
            "owner": self.owner or None,
            "verdict": self.verdict.to_dict() | {"words": self.verdict.words},
            "hypotheses": [
                {"cause": one.cause, "stage": one.stage, "entity": one.entity, "weight": one.weight}
                for one in self.verdict.hypotheses
            ],
            "evidence": [one.to_dict() for one in self.evidence],
            "next": list(self.next),
        }
