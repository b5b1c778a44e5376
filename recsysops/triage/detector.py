"""The contract of a detector: it declares measures and judges history; it sees no rows and does no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from recsysops.profiles.history import History
from recsysops.profiles.measures import Measure
from recsysops.tables.schema import Schema
from recsysops.triage.findings import Finding, Looked, Severity, Skipped, Stage

Rate = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Verdict = Finding | Skipped | Looked
Tier = Literal["fast", "daily"]


class Parameters(BaseModel):
    """Base of a detector's ``Params``: frozen, validated, unknown names refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True)
class DetectorMeta:
    """What is known of a detector without running it."""

    code: str
    """Stable and unique, e.g. ``INP104``."""
    name: str
    """Dotted, e.g. ``input.default_fill``."""
    watches: tuple[str, ...]
    """Tables of the contract; the detector is skipped when the workspace has none of them."""
    severity: Severity
    stage: Stage
    yields_to_plans: bool = False
    """Whether what it finds may be somebody's recorded intention: shares, volumes and distributions move with campaigns,
    releases and experiments; missing or invalid values are never intended."""
    tiers: tuple[Tier, ...] = ("daily",)
    """``fast`` judges every hour as well, of what the detector asks for as cells of a log of events."""


class Detector(Protocol):
    """A detector is a class built from its ``Params``; see CONTRIBUTING for one written in ten minutes."""

    meta: ClassVar[DetectorMeta]
    Params: ClassVar[type[Parameters]]

    def __init__(self, params: Parameters) -> None: ...

    def measures(self, schema: Schema) -> Iterable[Measure]:
        """What has to be counted; may be empty when the schema offers nothing to watch."""
        ...

    def judge(self, history: History) -> Iterator[Verdict]:
        """Pure: the same history gives the same findings, in the same order."""
        ...
