"""A number in [0, 1) for an id, the same on every machine: what is hit at a small severity is hit at a larger one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from recsysops.drills.fault import Moment
from recsysops.drills.rows import Column, Mask, Rows
from recsysops.serving.hashing import hash64


def draws(ids: Column, salt: str) -> npt.NDArray[np.float64]:
    """(n,) as if uniform, by the portable hash of each id; a fault uses a salt of its own."""
    names, which = np.unique(ids if ids.dtype.kind in "iu" else ids.astype(str), return_inverse=True)
    found = np.array([hash64(str(name), salt) for name in names], np.float64) / 2.0**64
    return np.asarray(found[which.ravel()])


def request_draws(rows: Rows, moment: Moment, salt: str) -> npt.NDArray[np.float64]:
    """(n_rows,) one number per request, of a service (``request``) or of somebody's own logs (``request_id``)."""
    name = "request_id" if "request_id" in rows else "request"
    return draws(rows[name], f"{salt} {moment.day.isoformat()} ")


def is_hit(ids: Column, share: float, salt: str) -> Mask:
    """Rows whose member, item or request belongs to the share hit; who is hit at a smaller share is hit at a larger one too."""
    return np.asarray(draws(ids, salt) < share)


def salt_of(fault: str, rng: np.random.Generator) -> str:
    """A salt of the fault's own, which hits others for another seed."""
    return f"{fault}-{int(rng.integers(2**31))}-"
