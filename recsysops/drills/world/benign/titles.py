"""What happens to titles: a hit, a rare language, a batch that leaves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np

from recsysops.drills.fault import Moment
from recsysops.drills.rows import Rows
from recsysops.drills.world.benign.setting import Setting, noted
from recsysops.drills.world.catalogue import Items
from recsysops.drills.world.vocabulary import LANGUAGES


@dataclass(frozen=True)
class Hit:
    """A real hit: word of mouth makes a fresh title far more liked than its peers, for some weeks."""

    item: int
    lift: float
    """Log-odds at its height."""
    n_days: ClassVar[int | None] = 28

    @classmethod
    def planned(cls, setting: Setting, rng: np.random.Generator) -> Self:
        """The title launched last."""
        return cls(setting.latest_launch(), float(rng.uniform(1.3, 2.0)))

    def liking(self, rows: Rows, moment: Moment) -> Rows:
        """Up over four days, high for a week, then fading."""
        height = self.lift * min(1.0, (moment.n_days + 1) / 4) * np.exp(-max(moment.n_days - 10, 0) / 7)
        return rows.with_value(
            "quality", rows["item"] == self.item, rows["quality"][rows["item"] == self.item] + height
        )


@dataclass(frozen=True)
class RareLanguage:
    """A title in a rare language, correctly tagged: few understand it, and it differs from its peers rightly."""

    item: int
    n_days: ClassVar[int | None] = 28

    @classmethod
    def planned(cls, setting: Setting, rng: np.random.Generator) -> Self:
        """The title that launches next."""
        del rng
        return cls(setting.next_launch())

    def of_items(self, items: Items) -> Items:
        """The catalogue with the title truly in that language."""
        language = items.language.copy()
        language[self.item] = LANGUAGES.index("fo")
        return replace(items, language=language)


@dataclass(frozen=True)
class BatchExpiry:
    """A licence ends: one in twenty of the older titles leave the catalogue on one day."""

    items: tuple[int, ...]
    number: int
    n_days: ClassVar[int | None] = 1

    @classmethod
    def planned(cls, setting: Setting, rng: np.random.Generator) -> Self:
        """Older titles that would still be there a month later."""
        lasting = np.flatnonzero((setting.items.launch < 0) & (setting.items.expiry > setting.number + 30))
        leaving = rng.choice(lasting, max(len(lasting) // 20, 1), replace=False)
        return cls(tuple(sorted(int(one) for one in leaving)), setting.number)

    def of_items(self, items: Items) -> Items:
        """The catalogue with their rights ending."""
        expiry = items.expiry.copy()
        expiry[list(self.items)] = self.number
        return replace(items, expiry=expiry)

    def changes(self, rows: Rows, moment: Moment) -> Rows:
        """The content team announces it."""
        return noted(rows, moment, "catalogue", "expiry", f"licence ended for {len(self.items)} titles")
