"""Slates of a log put into another order: ranks, positions and what is shown follow."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from recsysops.drills.rows import Column, Mask, Rows


def order_of(rows: Rows) -> npt.NDArray[np.float64]:
    """Where each candidate stands in its request, from 1; infinity for what has no place.

    By ``position`` among what was shown, below that by ``final_rank``, or after everything else where there is none.
    """
    position = rows["position"].astype(np.float64)
    is_placed = shown_of(rows) & ~rows.nulls.get("position", np.zeros(len(rows), bool)) & (position > 0)
    rest = rows["final_rank"] + 1e6 if "final_rank" in rows else np.full(len(rows), np.inf)
    return np.where(is_placed, position, rest)


def shown_of(rows: Rows) -> Mask:
    """What the log calls an impression: as it says, else rows with a position."""
    if "shown" in rows:
        return np.asarray(rows["shown"].astype(bool))
    position = rows["position"].astype(np.float64)
    return np.asarray((position > 0) & ~rows.nulls.get("position", np.zeros(len(rows), bool)))


def numbered(group: Column, *keys: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """1-based place of each row within its group, by the keys, the first of which weighs most."""
    codes = np.unique(group.astype(str), return_inverse=True)[1].ravel()
    order = np.lexsort((*reversed(keys), codes))
    starts = np.flatnonzero(np.r_[True, np.diff(codes[order]) != 0])
    lengths = np.diff(np.r_[starts, len(codes)])
    places = np.empty(len(codes), np.int64)
    places[order] = np.arange(len(codes)) - np.repeat(starts, lengths) + 1
    return places


def reordered(rows: Rows, place: npt.NDArray[np.float64], out: Mask | None = None) -> Rows:
    """The same rows with slates in the order of ``place``; they keep their length if they can.

    Needs ``position``. Requests whose order is what it was are left as they are.

    Args:
        place: (n_rows,) any numbers, least first.
        out: rows that may not be shown.
    """
    if not len(rows):
        return rows
    out = np.zeros(len(rows), bool) if out is None else out
    before, shown = order_of(rows), shown_of(rows)
    _, which = np.unique(rows["request_id"].astype(str), return_inverse=True)
    old, new = numbered(rows["request_id"], before), numbered(rows["request_id"], out.astype(np.float64), place, before)
    n_shown = np.bincount(which.ravel(), shown)[which.ravel()]
    touched = np.bincount(which.ravel(), (old != new) | (out & shown))[which.ravel()] > 0
    is_shown = np.where(touched, (new <= n_shown) & ~out, shown)
    changed = {
        "position": np.where(touched, np.where(is_shown, new, 0), rows["position"]).astype(rows["position"].dtype)
    }
    if "shown" in rows:
        changed["shown"] = is_shown.astype(rows["shown"].dtype)
    if "final_rank" in rows:
        changed["final_rank"] = np.where(touched, new, rows["final_rank"]).astype(rows["final_rank"].dtype)
    was_null = rows.nulls.get("position", np.zeros(len(rows), bool))
    return rows.with_columns(**changed).with_null("position", np.where(touched, ~is_shown, was_null))
