"""Whether what is known of an item is wrong, and whether that is why it fares badly."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from recsysops.cases.evidence import Evidence, Proof, Sign
from recsysops.cases.item_case import ItemCase
from recsysops.cases.item_gap import Gap, Repair, gap_since, gap_to_peers, repair
from recsysops.cases.item_suspects import Suspect, suspects
from recsysops.cases.step import StepMeta

CLOSES = 0.5
"""Share of the gap that putting a fact right has to close (its lower limit above 0)."""


class ItemFacts:
    """Is a fact about the item wrong, and does putting it right bring its score back?

    Facts that changed while the item was served, or that serving has missed while nearly all peers have them, are followed from the
    catalogue through the feature tables to the features made of them. The gap is what the newest model gives the item's
    rows since then, less the week before, each relative to the peers in the same request; where nothing changed, the item
    against those peers. The repair replaces the features by joint draws of the reference's rows and scores again. A change
    alone is no fault: it is told when the score fell with it, and a pair that no other item has is told as such.
    """

    meta = StepMeta(name="item.facts", subjects=("item",))

    def examine(self, case: ItemCase) -> Evidence:
        """Judge every suspect fact."""
        signs: list[Sign] = []
        rows: list[dict[str, Any]] = []
        for one in suspects(case):
            gap = gap_since(case, one.since) if one.since is not None else gap_to_peers(case)
            mended = repair(case, gap, one.features) if gap is not None and one.features else None
            signs += self._signs(one, gap, mended)
            rows.append(_row(one, gap, mended))
        if not rows:
            return Evidence(self.meta.name, "normal", "no fact about the item changed or is missing")
        told = [row for row in rows if row["closes"] is not None or row["odd_with"]] or rows
        headline = (
            f"{told[0]['entity']} {told[0]['before']!r} → {told[0]['now']!r}"
            if signs
            else f"{len(rows)} facts changed without a loss"
        )
        return Evidence(self.meta.name, "abnormal" if signs else "normal", headline, tuple(signs), {}, tuple(rows))

    def _signs(self, one: Suspect, gap: Gap | None, mended: Repair | None) -> list[Sign]:
        found = []
        has_fallen = gap is not None and gap.has_fallen
        if one.plan:
            words = f"{one.entity} became {one.now!r} by a recorded plan: {one.plan}"
            return [Sign("planned", one.entity, words)] if has_fallen else []
        when = f" since {one.onset.astimezone(UTC):%Y-%m-%d %H:%M}" if one.onset is not None else ""
        if one.kind == "missing" and (has_fallen or one.since is not None or not one.features):
            found.append(Sign("value missing", one.entity, f"{one.entity} has no value{when}"))
        elif one.kind == "changed" and has_fallen:
            found.append(
                Sign("value changed", one.entity, f"{one.entity} became {one.now!r}{when}, before {one.before!r}")
            )
        if one.odd_with:
            found.append(Sign("values disagree", one.entity, f"no other item has {one.now!r} with {one.odd_with}"))
        if has_fallen and mended is not None and mended.value >= CLOSES and mended.low > 0:
            assert gap is not None
            words = f"putting it right closes {100 * mended.value:.0f} % [{100 * mended.low:.0f}, {100 * mended.high:.0f}] of the score gap to {gap.reference}"
            proof = Proof("repair", mended.value, mended.low, mended.high, words)
            found.append(Sign("repair closes the gap", one.entity, words, proof=proof))
        return found


def _row(one: Suspect, gap: Gap | None, mended: Repair | None) -> dict[str, Any]:
    return {
        "entity": one.entity,
        "kind": one.kind,
        "before": _plain(one.before),
        "now": _plain(one.now),
        "since": one.onset.isoformat() if one.onset is not None else None,
        "served_since": one.since.isoformat() if one.since is not None else None,
        "features": list(one.features),
        "odd_with": one.odd_with,
        "plan": one.plan,
        "gap": None if gap is None else gap.value,
        "gap_low": None if gap is None else gap.low,
        "gap_high": None if gap is None else gap.high,
        "reference": None if gap is None else gap.reference,
        "closes": None if mended is None else mended.value,
        "closes_low": None if mended is None else mended.low,
        "closes_high": None if mended is None else mended.high,
    }


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
