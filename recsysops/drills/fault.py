"""The contract of a fault: where it acts, how badly, what is true about it, and what of it theory can see.

A fault is a frozen dataclass in a file of its own. It acts at a seam of the service by having a method of that name, which
takes the rows that pass there and gives them back changed; everything downstream follows by itself. The seams are in
``SEAMS``. ``own_candidates`` and ``own_outcomes`` do the same to a copy of somebody's own logs, where only what the log
shows can be changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, ClassVar, Literal, Protocol, Self

import numpy as np

from recsysops.drills.site import Site
from recsysops.errors import RecSysOpsError
from recsysops.triage.findings import Stage

Cause = Literal["input", "training", "model", "retrieval", "policy", "serving", "legitimate"]

SEAMS: Mapping[str, str] = {
    "liking": "one row per item: how much everybody likes it today (the world itself)",
    "demand": "one row per market: requests expected today",
    "profiles": "one row per member: who they are, as the upstream system says",
    "catalogue": "one row per item: metadata as known today, before and after launch",
    "events": "one row per play of the last 28 days, as the feature pipeline received them",
    "item_features": "one row per item: tonight's snapshot in the feature store",
    "member_features": "one row per member: tonight's snapshot in the feature store",
    "materialisation": "one row per table of the feature store: whether tonight's snapshot is taken over",
    "index": "one row per item in the retrieval index: its vector and whether it is in",
    "training_rows": "one row per impression in the training window, with its label",
    "training": "one row: the trainer's parameters",
    "deployment": "one row: the artifact that takes traffic (model_id, calibration, feature order)",
    "requests": "one row per request of the day",
    "retrieved": "one row per candidate: request, item, source",
    "features": "one row per candidate: the vector as the model sees it",
    "scores": "one row per candidate: raw_score, score",
    "policy": "one row per rule in force: pins, suppressions, caps",
    "ranked": "one row per candidate with its final rank and whether it is shown, before members see it",
    "layout": "one row per experiment arm, device and position: probability of being examined",
    "plays": "one row per play: what members truly did",
    "labels": "one row per outcome: as the label pipeline delivers it",
    "log": "one row per logged candidate: as the serving log is written",
    "changes": "one row per deploy, configuration or experiment event",
}
"""Where faults (and benign events) act, in the order of the pipeline; `docs/drills.md` lists the columns."""
OWN_SEAMS = ("own_candidates", "own_outcomes")


class CannotPlantError(RecSysOpsError):
    """A fault has nothing to act on here; the message says what is missing."""


@dataclass(frozen=True)
class FaultMeta:
    """What is true of a fault wherever it is planted."""

    name: str
    """Snake case, as on the command line."""
    stage: Stage
    """Where it happens, in the words of the incidents."""
    cause: Cause
    entity: str
    """What kind of thing is at fault: ``a numeric member feature``; which one, the truth of a planted fault says."""
    knob: str
    """What severity counts, with its unit: ``share of members``."""
    target: float
    """The severity that ought to be found."""
    symptom: str
    """What shows, in a few words."""
    cure: str
    """What puts it right."""
    most: float = 1.0
    """No severity beyond this makes sense."""
    deadline_days: int = 1
    """Daily runs after the onset until which finding it counts."""
    is_graded: bool = True
    """False where it is there or not: every severity is then the target."""
    is_fault: bool = True
    """False for true changes of the world, which nobody should be woken for."""


@dataclass(frozen=True)
class Moment:
    """When rows pass a seam. ``rng`` is the planter's own: the same for a seed, fault and day."""

    day: date
    n_days: int
    """Days since the onset: 0 on its day."""
    rng: np.random.Generator


@dataclass(frozen=True)
class Truth:
    """What a perfect diagnosis would say of one planted fault, and where its symptoms may rightly be found."""

    entities: tuple[str, ...]
    """The entity at fault; the first is canonical, the rest are synonyms that count as right."""
    touches: tuple[str, ...]
    """``table.column`` patterns (globs) that rightly show symptoms, downstream too; ``table.*`` for a whole table."""
    slice: Mapping[str, str] = field(default_factory=dict)
    """Where it is, if not everywhere: slice dimension → value."""
    items: tuple[str, ...] = ()
    """The items concerned, if not all."""
    stages: tuple[Stage, ...] = ()
    """Stages that count as right beside the fault's own: a column of the feature store is upstream to who reads it."""


class Fault(Protocol):
    """A fault of a chosen size at a chosen place. Its docstring's first line is what people read in the list.

    Beside these it has one method per seam it acts at: ``def catalogue(self, rows: Rows, moment: Moment) -> Rows``.
    """

    meta: ClassVar[FaultMeta]

    @property
    def severity(self) -> float:
        """In the unit of ``meta.knob``."""
        ...

    @classmethod
    def choose(cls, severity: float, site: Site, rng: np.random.Generator) -> Self:
        """The fault at a random place of the site.

        Raises:
            CannotPlantError: if the site has no such place.
        """
        ...

    def truth(self) -> Truth:
        """What is right to say of it."""
        ...

    def visible(self, site: Site) -> float:
        """The least severity that theory sees with 80 % power on a day of this site (``drills.power``)."""
        ...


@dataclass(frozen=True)
class Planted:
    """Something that acts at seams from a day on: a fault, or a benign event of the world."""

    acting: Any
    onset: date
    seed: int
    until: date | None = None
    """First day on which it no longer acts."""

    def acts_at(self, seam: str, day: date) -> bool:
        """Whether it changes what passes there on that day."""
        is_on = self.onset <= day and (self.until is None or day < self.until)
        return is_on and callable(getattr(self.acting, seam, None))

    def moment(self, seam: str, day: date) -> Moment:
        """The moment for one seam and day; draws at other seams do not move it."""
        place = list(SEAMS).index(seam) if seam in SEAMS else len(SEAMS) + OWN_SEAMS.index(seam)
        rng = np.random.default_rng((self.seed, day.toordinal(), place))
        return Moment(day, (day - self.onset).days, rng)


def acts_on_own_logs(fault: type[Fault]) -> bool:
    """Whether the fault can be planted in logs alone."""
    return any(callable(getattr(fault, seam, None)) for seam in OWN_SEAMS)
