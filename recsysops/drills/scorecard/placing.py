"""Where a fault of a multiple of its unit size is planted, and how badly: the same place for all multiples of one seed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date

import numpy as np

from recsysops.drills.fault import Fault, Planted
from recsysops.drills.site import Site


@dataclass(frozen=True)
class Placed:
    """A fault with its place and size."""

    fault: Fault
    severity: float
    visible: float
    """The size that theory can see at this site."""

    def planted(self, onset: date, seed: int) -> Planted:
        """It, acting from the onset on."""
        return Planted(self.fault, onset, _number(self.fault.meta.name, seed))


def place(kind: type[Fault], multiple: float, site: Site, seed: int) -> Placed:
    """The fault at a place drawn for this seed, at ``multiple`` times its unit but at most ``meta.most``.

    The unit is the larger of what ought to be found and what theory can see. A fault that is there or not has one size.

    Raises:
        CannotPlantError: if the site has no place for it.
    """
    meta = kind.meta
    at_target = kind.choose(meta.target, site, _rng(meta.name, seed))
    visible = at_target.visible(site)
    if not meta.is_graded:
        return Placed(at_target, meta.target, visible)
    severity = min(multiple * max(meta.target, visible), meta.most)
    return Placed(kind.choose(severity, site, _rng(meta.name, seed)), severity, visible)


def onset_of(kind: type[Fault], seed: int, onsets: tuple[date, ...]) -> date:
    """The onset drawn for this fault and seed."""
    return onsets[_number(kind.meta.name, seed) % len(onsets)]


def _rng(name: str, seed: int) -> np.random.Generator:
    return np.random.default_rng(_number(name, seed))


def _number(name: str, seed: int) -> int:
    """A number that follows from a fault's name and a seed, the same in every process."""
    return int.from_bytes(hashlib.sha256(f"{name}\x1f{seed}".encode()).digest()[:4])
