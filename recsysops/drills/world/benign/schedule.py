"""When benign events happen: each kind once in every sixty days of the log, on a day drawn for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import ClassVar, Protocol, Self

import numpy as np

from recsysops.drills.fault import Planted
from recsysops.drills.world.benign.crowds import BigMatch, Holiday, Surge
from recsysops.drills.world.benign.growth import DeviceGrowth, MarketOpening, TasteDrift
from recsysops.drills.world.benign.promotion import MarketingPush, PriceSale
from recsysops.drills.world.benign.releases import BetterModel, ClientRelease, ExperimentRamp, LayoutChange
from recsysops.drills.world.benign.setting import Setting
from recsysops.drills.world.benign.titles import BatchExpiry, Hit, RareLanguage
from recsysops.drills.world.catalogue import Items
from recsysops.drills.world.population import Population
from recsysops.drills.world.size import STREAMS, WorldSize

QUIET_DAYS = 10
"""Nothing happens in the first days of the log."""
EVERY_DAYS = 60


class Benign(Protocol):
    """A kind of event: a frozen dataclass with a method per seam, like a fault, and the same first line of its docstring.

    What it makes true of items or members from the beginning (an expiry, a date of joining) it says in ``of_items`` and
    ``of_members``, which take and give back all of them.
    """

    n_days: ClassVar[int | None]
    """How long it acts; None: from then on."""

    @classmethod
    def planned(cls, setting: Setting, rng: np.random.Generator) -> Self:
        """An event of this kind that begins on the setting's day."""
        ...


KINDS: tuple[type[Benign], ...] = (
    Hit, RareLanguage, BatchExpiry, Holiday, Surge, BigMatch, MarketingPush, PriceSale,
    ClientRelease, LayoutChange, ExperimentRamp, BetterModel, MarketOpening, DeviceGrowth, TasteDrift,
)  # fmt: skip
"""New kinds go to the end: the place decides the draws."""


def schedule(size: WorldSize, seed: int, members: Population, items: Items) -> tuple[Planted, ...]:
    """The events of a log in the order of their beginning; none where the size says so."""
    if not size.has_benign_events:
        return ()
    found = (one for place, kind in enumerate(KINDS) for one in _of_kind(kind, place, size, seed, members, items))
    return tuple(sorted(found, key=lambda one: one.onset))


def _of_kind(
    kind: type[Benign], place: int, size: WorldSize, seed: int, members: Population, items: Items
) -> Iterator[Planted]:
    rng = np.random.default_rng((seed, STREAMS.index("benign"), place))
    for begin in range(QUIET_DAYS, size.n_days, EVERY_DAYS):
        day, number = begin + int(rng.integers(0, EVERY_DAYS)), int(rng.integers(0, 2**31))
        setting = Setting(size, members, items, size.warm_up_days + day)
        acting = kind.planned(setting, rng)
        if day < size.n_days:
            until = None if kind.n_days is None else setting.day + timedelta(days=kind.n_days)
            yield Planted(acting, setting.day, number, until)


def with_events_items(items: Items, events: Sequence[Planted]) -> Items:
    """The catalogue as the events make it."""
    for one in events:
        of_items = getattr(one.acting, "of_items", None)
        items = items if of_items is None else of_items(items)
    return items


def with_events_members(members: Population, events: Sequence[Planted]) -> Population:
    """The members as the events make them."""
    for one in events:
        of_members = getattr(one.acting, "of_members", None)
        members = members if of_members is None else of_members(members)
    return members
