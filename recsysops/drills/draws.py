"""A number in [0, 1) for an id, the same on every day and machine: what is hit at a small severity is hit at a larger one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from recsysops.drills.rows import Column
from recsysops.serving.hashing import hash64


def draws(ids: Column, salt: str) -> npt.NDArray[np.float64]:
    """(n,) as if uniform, by the portable hash of each id; a fault uses a salt of its own."""
    names, which = np.unique(ids.astype(str), return_inverse=True)
    found = np.array([hash64(name, salt) for name in names], np.float64) / 2.0**64
    return np.asarray(found[which.ravel()])
