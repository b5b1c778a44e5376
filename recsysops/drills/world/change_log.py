"""Change events, as a good team records them: deploys, their ramp, and rules that come and go."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recsysops.drills.rows import Rows
from recsysops.drills.world.size import WorldSize
from recsysops.drills.world.state import Lineup
from recsysops.drills.world.upstream import midnight

DEPLOY_HOUR = 10
CANARY_SHARE = 0.1
EMPTY = Rows(
    {
        "ts": np.zeros(0, "datetime64[us]"), "kind": np.zeros(0, object), "scope": np.zeros(0, object),
        "rollout": np.zeros(0), "description": np.zeros(0, object),
    }
)  # fmt: skip


def change(ts: np.datetime64, kind: str, scope: str, rollout: float, description: str) -> Rows:
    """One event."""
    return Rows(
        {
            "ts": np.array([ts], "datetime64[us]"),
            "kind": np.array([kind], object),
            "scope": np.array([scope], object),
            "rollout": np.array([rollout]),
            "description": np.array([description], object),
        }
    )


def changes(lineup: Lineup, rules: Sequence[str], known_rules: Sequence[str], size: WorldSize, number: int) -> Rows:
    """The events of one day."""
    at = midnight(size, number) + np.timedelta64(DEPLOY_HOUR, "h")
    found = EMPTY
    if lineup.canary and lineup.since == number:
        found = found.followed_by(change(at, "deploy", "model", CANARY_SHARE, f"{lineup.canary} at 10 %"))
    if lineup.canary and lineup.since == number - 1:
        found = found.followed_by(change(at, "deploy", "model", 1.0, f"{lineup.canary} at 100 %"))
    early = midnight(size, number)
    for rule in sorted({*rules} - {*known_rules}):
        found = found.followed_by(change(early, "config", f"policy.{rule}", 1.0, "rule added"))
    for rule in sorted({*known_rules} - {*rules}):
        found = found.followed_by(change(early, "config", f"policy.{rule}", 1.0, "rule ended"))
    return found
