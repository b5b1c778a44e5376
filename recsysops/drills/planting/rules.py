"""Another policy rule among those in force."""

from __future__ import annotations

import numpy as np

from recsysops.drills.rows import Rows


def with_rule(
    rows: Rows, rule: str, kind: str, item_id: str, expires_at: np.datetime64, market: str = "", slot: int = 0
) -> Rows:
    """The rules and one more.

    Args:
        rows: at the seam ``policy``.
        rule: its id.
        kind: ``pin`` or ``suppress``.
        market: where it holds; empty for everywhere.
        slot: of a pin, from 1.
    """
    stated = {"rule": rule, "kind": kind, "item_id": item_id, "market": market, "slot": slot, "expires_at": expires_at}
    facts = {"limit": 0, "reach": 1.0, **stated}
    return rows.followed_by(Rows({name: np.array([facts[name]], rows[name].dtype) for name in rows}))
