"""Which members or items a fault hits: the same ones every day, and with growing severity ever more of them."""

from __future__ import annotations

import numpy as np

from recsysops.drills.draws import draws
from recsysops.drills.rows import Column, Mask


def is_hit(ids: Column, share: float, salt: str) -> Mask:
    """Rows whose unit belongs to the share hit; who is hit at a smaller share is hit at a larger one too."""
    return np.asarray(draws(ids, salt) < share)


def salt_of(fault: str, rng: np.random.Generator) -> str:
    """A salt of the fault's own, which hits others for another seed."""
    return f"{fault}-{int(rng.integers(2**31))}-"
