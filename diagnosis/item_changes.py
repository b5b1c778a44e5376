"""Which recorded deploy, configuration or campaign came just before an item's trouble."""

from __future__ import annotations

import math
from datetime import UTC, timedelta

from recsysops.cases.evidence import Evidence, Sign
from recsysops.cases.item_case import ItemCase
from recsysops.cases.item_suspects import suspects
from recsysops.cases.step import StepMeta

FADES_HOURS = 24.0
LEAST = 0.3
PLANS = frozenset({"campaign", "launch", "release"})
"""Kinds that are told but accused of nothing."""


class ItemChanges:
    """Which recorded change came just before?

    Changes whose scope names the item, scored by exp(−hours before the onset / 24). The onset is that of the newest fact
    that changed, else the start of the window.
    """

    meta = StepMeta(name="item.changes", subjects=("item",))

    def examine(self, case: ItemCase) -> Evidence:
        """Score the recorded changes."""
        onset = next((one.onset for one in suspects(case) if one.onset is not None), case.window.start)
        rows, signs = [], []
        for change in case.changes:
            hours = (onset - change.ts) / timedelta(hours=1)
            names_it = case.item in change.scope.replace("=", " ").replace("-", " ").split()
            score = math.exp(-hours / FADES_HOURS) if hours >= 0 and names_it else 0.0
            if abs(hours) <= 72:
                rows.append(
                    {
                        "ts": change.ts.isoformat(),
                        "kind": change.kind,
                        "scope": change.scope,
                        "hours_before": hours,
                        "score": score,
                    }
                )
            if score >= LEAST and change.kind not in PLANS:
                words = f"{change.kind} of {change.scope} at {change.ts.astimezone(UTC):%Y-%m-%d %H:%M}"
                signs.append(Sign("recorded change", change.scope, words, score))
        headline = signs[0].words if signs else f"{len(rows)} recorded changes around the onset, none names the item"
        return Evidence(
            self.meta.name,
            "abnormal" if signs else "normal",
            headline,
            tuple(signs),
            {"onset": onset.isoformat()},
            tuple(rows),
        )
