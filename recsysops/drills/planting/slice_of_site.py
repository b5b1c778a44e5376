"""A slice of a log to plant a fault in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsysops.drills.rows import Mask, Rows
from recsysops.drills.site import Site


@dataclass(frozen=True)
class Place:
    """One value of one slice dimension, with its share of the rows; ``dimension`` is "" for everywhere."""

    dimension: str = ""
    value: str = ""
    share: float = 1.0

    @property
    def slice(self) -> dict[str, str]:
        """As the truth of a fault has it."""
        return {self.dimension: self.value} if self.dimension else {}

    def rows(self, rows: Rows) -> Mask:
        """(n_rows,) which rows are in it."""
        return rows.where(**self.slice)


def some_slice(site: Site, rng: np.random.Generator, least: float = 0.0) -> Place:
    """A slice with at least this share of the rows, each as likely as any other; everywhere if there is none."""
    places = [
        Place(dimension, value, share)
        for dimension, values in site.slices.items()
        for value, share in values.items()
        if least <= share < 1
    ]
    return places[int(rng.integers(len(places)))] if places else Place()
