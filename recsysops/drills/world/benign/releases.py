"""What the product teams release: a client, a layout, an experiment, a better model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from recsysops.drills.fault import Moment
from recsysops.drills.rows import Column, Rows
from recsysops.drills.world.benign.setting import Setting, noted, ramp
from recsysops.drills.world.vocabulary import DEVICES

CLIENT_STEPS = (0.05, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.85, 1.0)
EXPERIMENT_DAYS = 21
ARM_STEPS = (0.05, 0.05, 0.05, 0.1, 0.1, 0.25, 0.25, 0.5)
"""Share of members in the treatment, by day of the experiment."""


@dataclass(frozen=True)
class ClientRelease:
    """A new client version rolls out on one kind of device, from 5 % of its members to all in nine days."""

    device: str
    version: str
    salt: int
    n_days: ClassVar[int | None] = None

    @classmethod
    def planned(cls, setting: Setting, rng: np.random.Generator) -> Self:
        """The next version of the client of a phone, television or browser."""
        del setting
        device = DEVICES[int(rng.integers(0, 3))]
        salt = int(rng.integers(0, 2**31))
        return cls(device, f"{device}-next-{salt % 1_000:03d}", salt)

    def requests(self, rows: Rows, moment: Moment) -> Rows:
        """The members whose turn it is have the new version."""
        is_on = _draws(self.salt, rows["member"]) < ramp(CLIENT_STEPS, moment.n_days)
        return rows.with_value("client_version", rows.where(device=self.device) & is_on, self.version)

    def changes(self, rows: Rows, moment: Moment) -> Rows:
        """Every step of the rollout."""
        return _step(rows, moment, CLIENT_STEPS, "release", f"client={self.version}", f"{self.version} rolls out")


@dataclass(frozen=True)
class LayoutChange:
    """A planned layout change on one kind of device: larger pictures, so later positions are looked at less."""

    device: str
    fade: float
    n_days: ClassVar[int | None] = None

    @classmethod
    def planned(cls, setting: Setting, rng: np.random.Generator) -> Self:
        """On phones, televisions or in browsers."""
        del setting
        return cls(DEVICES[int(rng.integers(0, 3))], float(rng.uniform(0.05, 0.1)))

    def layout(self, rows: Rows, _: Moment) -> Rows:
        """Attention fades faster with the position."""
        return _fading(rows, rows.where(device=self.device), self.fade)

    def changes(self, rows: Rows, moment: Moment) -> Rows:
        """Recorded as a release."""
        if moment.n_days:
            return rows
        return noted(rows, moment, "release", f"layout device={self.device}", "larger pictures in rows")


@dataclass(frozen=True)
class ExperimentRamp:
    """A planned experiment ramps from 5 to 50 % of members: another layout, for three weeks."""

    fade: float
    salt: int
    n_days: ClassVar[int | None] = EXPERIMENT_DAYS

    @classmethod
    def planned(cls, setting: Setting, rng: np.random.Generator) -> Self:
        """Pictures a little larger or smaller."""
        del setting
        return cls(float(rng.choice([-0.05, 0.08])), int(rng.integers(0, 2**31)))

    def requests(self, rows: Rows, moment: Moment) -> Rows:
        """Members are assigned anew: few in the treatment first."""
        is_on = _draws(self.salt, rows["member"]) < ramp(ARM_STEPS, moment.n_days)
        return rows.with_columns(experiment_arm=np.where(is_on, "treatment", "control").astype(object))

    def layout(self, rows: Rows, _: Moment) -> Rows:
        """Only the treatment sees it."""
        return _fading(rows, rows.where(arm="treatment"), self.fade)

    def changes(self, rows: Rows, moment: Moment) -> Rows:
        """Every step of the ramp, and the end."""
        if moment.n_days == EXPERIMENT_DAYS - 1:
            return noted(rows, moment, "experiment", "experiment_arm", "experiment ends tonight", rollout=0.5, hour=23)
        return _step(rows, moment, ARM_STEPS, "experiment", "experiment_arm", "layout experiment ramps")


@dataclass(frozen=True)
class BetterModel:
    """Training is improved: the next models have more and smaller trees, and rank a little better."""

    n_days: ClassVar[int | None] = None

    @classmethod
    def planned(cls, setting: Setting, rng: np.random.Generator) -> Self:
        """The same trainer in every world."""
        del setting, rng
        return cls()

    def training(self, rows: Rows, _: Moment) -> Rows:
        """Slower learning, fewer leaves, more trees."""
        chosen = {"n_trees": 150, "learning_rate": 0.05, "num_leaves": 15}
        return rows.with_columns(**{name: np.array([value]) for name, value in chosen.items()})

    def changes(self, rows: Rows, moment: Moment) -> Rows:
        """A configuration change; the deploys that follow are recorded as always."""
        if moment.n_days:
            return rows
        return noted(rows, moment, "config", "training", "150 trees of 15 leaves at rate 0.05")


def _draws(salt: int, member: Column) -> Column:
    """A uniform draw for each member that never changes."""
    return np.random.default_rng(salt).random(int(member.max(initial=0)) + 1)[member]


def _fading(rows: Rows, where: Column, more: float) -> Rows:
    """Attention that fades by ``more`` per position beyond what it did, where chosen."""
    before = rows["examined"][where]
    return rows.with_value("examined", where, 1 / (1 / before + more * (rows["position"][where] - 1)))


def _step(rows: Rows, moment: Moment, steps: tuple[float, ...], kind: str, scope: str, description: str) -> Rows:
    """The change of a day on which the rollout grows."""
    n_days = moment.n_days
    if n_days and ramp(steps, n_days) == ramp(steps, n_days - 1):
        return rows
    return noted(rows, moment, kind, scope, description, rollout=ramp(steps, n_days))
