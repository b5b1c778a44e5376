"""A faulted day beside its clean twin, and a fault before and after one seam."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from tiny_world import Ran, TinyWorld

from recsysops.drills.fault import OWN_SEAMS, Planted
from recsysops.drills.rows import Rows
from recsysops.testing.example_site import example_candidates

if TYPE_CHECKING:
    import pandas as pd

NEW_FROM_HOUR = 3
"""Requests before 03:00 are answered from last night's snapshot."""


def at_seam(world: TinyWorld, fault: Any, seam: str, n_days: int = 0) -> tuple[Rows, Rows]:
    """What passes a seam on the first faulted day, and the fault's version of it."""
    rows = example_candidates() if seam in OWN_SEAMS else world.seam_rows[seam]
    moment = Planted(fault, world.next_day, 5).moment(seam, world.next_day)
    assert moment.n_days == n_days
    return rows, getattr(fault, seam)(rows, moment)


def candidates(ran: Ran, day: int = -1) -> pd.DataFrame:
    """Those answered from the new snapshot, by request and item."""
    rows = ran.table("candidates", day)
    rows = rows[rows["ts"].dt.hour >= NEW_FROM_HOUR]
    by_key: pd.DataFrame = rows.set_index(["request_id", "item_id"]).sort_index()
    return by_key


def both(world: TinyWorld, fault: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Candidates of the clean and of the faulted day that are in both, in the same order."""
    clean, faulted = candidates(world.clean()), candidates(world.faulted(fault))
    shared = clean.index.intersection(faulted.index)
    assert len(shared) > 0.5 * len(clean)
    return clean.loc[shared], faulted.loc[shared]


def one_each(rows: pd.DataFrame, key: str, feature: str) -> pd.Series[float]:
    """The feature of each member or item that has it, in the order of their ids."""
    rows = rows.reset_index()
    return rows[feature].groupby(rows[key].astype(str)).first().dropna()


def changed_columns(clean: pd.DataFrame, faulted: pd.DataFrame) -> set[str]:
    """Columns in which two tables with the same rows differ anywhere."""
    return {str(name) for name in clean if not clean[name].equals(faulted[name])}


def inputs_of(rows: pd.DataFrame) -> list[str]:
    """Features that are of a member or an item alone."""
    return [str(name) for name in rows if str(name).startswith(("item_", "member_"))]


def missing(values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """NaN, NaT or None."""
    return np.array([one is None or one != one for one in values.tolist()])
