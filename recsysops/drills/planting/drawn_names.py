"""Which of the clients, hosts or arms in a log a fault hits: the same from day to day, whoever else is there."""

from __future__ import annotations

import numpy as np

from recsysops.drills.planting.draws import draws
from recsysops.drills.rows import Column


def drawn_names(values: Column, salt: str, least_share: float) -> tuple[str, ...]:
    """The names with at least this share of the rows (or the most frequent ones) in a random order that never changes.

    NULL is no name; without any name there are none.
    """
    names, counts = np.unique(values.astype(str), return_counts=True)
    is_name = ~np.isin(names, ("None", "nan"))
    if not is_name.any():
        return ()
    names, share = names[is_name], counts[is_name] / len(values)
    is_large = share >= min(least_share, share.max())
    return tuple(names[is_large][np.argsort(draws(names[is_large], salt), kind="stable")])
