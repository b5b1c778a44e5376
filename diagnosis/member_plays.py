"""Why a member had to look for what the recommender did not offer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from recsysops.cases.evidence import Evidence, Sign, share_proof, unknown
from recsysops.cases.faces import face_checks, faces
from recsysops.cases.member_case import MemberCase
from recsysops.cases.step import StepMeta
from recsysops.cases.wanted import Fate, Wanted, never_retrieved, wanted
from recsysops.statistics.proportion_comparison import compare_proportions

LEAST_WANTED = 5
LEAST_EXCESS = 0.1
CONFIDENCE = 0.99
LEAST_MEMBERS, LEAST_REQUESTS = 3, 60
"""Members who looked for an item, and requests without it, before it counts as lost."""
SIGNS: dict[Fate, tuple[str, str]] = {
    "not retrieved": ("not retrieved", "retrieval"),
    "filtered": ("filtered", "policy"),
}


class MemberPlays:
    """What did the member look for, and why was it not offered?

    Each outcome from search or outside is followed back to the member's last logged request: the item was shown all the same, ranked
    low, filtered (by which rule), or not retrieved. A low rank with a feature that is missing or differs from its source is the input's; else it is
    truly surprising. Members look for much by themselves: a fate counts where it is more frequent than with
    members alike (Newcombe's interval of the difference, 1998), and an item counts as lost where several members looked for it and no
    request has it, though it is live.
    """

    meta = StepMeta(name="member.plays", subjects=("member",))

    def examine(self, case: MemberCase) -> Evidence:
        """Follow what the member looked for."""
        if case.outcomes is None:
            return unknown(self.meta.name, case.problems.get("outcomes", "no outcomes"))
        days = case.tables["outcomes"].schema.label_window_days
        found = wanted(case.log, case.outcomes, days)
        own = [one for one in found if one.outcome.member_id == case.member]
        others = [one for one in found if one.outcome.member_id != case.member]
        misjudged = _misjudged(case, own)
        signs = (
            *_frequent(own, others),
            *_lost(case, own, found),
            *(Sign("wanted but misjudged", feature, words) for feature, words in misjudged.values()),
        )
        counts = Counter(one.fate for one in own)
        headline = "; ".join(one.words for one in signs) or _headline(counts)
        rows = tuple(_row(case, one, misjudged) for one in own)
        figures = {"n_wanted": len(own), "fates": dict(sorted(counts.items())), "n_wanted_by_others": len(others)}
        return Evidence(self.meta.name, "abnormal" if signs else "normal", headline, signs, figures, rows)


def _frequent(own: Sequence[Wanted], others: Sequence[Wanted]) -> Iterator[Sign]:
    """Fates that are more frequent than with others."""
    known = [[one for one in some if one.request is not None] for some in (own, others)]
    if min(map(len, known)) < LEAST_WANTED:
        return
    for fate, (name, entity) in SIGNS.items():
        n, n_others = (sum(one.fate == fate for one in some) for some in known)
        change = compare_proportions(n_others, len(known[1]), n, len(known[0]), confidence=CONFIDENCE)
        if change.difference_low > LEAST_EXCESS:
            rule = Counter(one.rule for one in known[0] if one.rule).most_common(1)
            share = f"{100 * n_others / len(known[1]):.0f} % of others"
            words = f"{n} of {len(known[0])} items that the member looked for were {fate}, {share}"
            yield Sign(name, f"rule {rule[0][0]}" if fate == "filtered" and rule else entity, words)


def _lost(case: MemberCase, own: Sequence[Wanted], found: Sequence[Wanted]) -> Iterator[Sign]:
    """Items that nobody's request has."""
    mine = {one.outcome.item_id for one in own}
    n = case.log.rows.n_requests
    for item, n_members in never_retrieved(case.log, found, LEAST_MEMBERS):
        if item in mine and n >= LEAST_REQUESTS and _is_live(case, item):
            words = f"item {item} is a candidate in none of {n} requests, and {n_members} members looked for it"
            yield Sign("never retrieved", f"item {item}", words, proof=share_proof("lost", 0, n, words))


def _misjudged(case: MemberCase, own: Sequence[Wanted]) -> dict[int, tuple[str, str]]:
    """By row of an item that was ranked low, the feature that was wrong or missing there, and how to say it."""
    wrong = {one.feature: one.differs for one in case.checks if one.is_wrong}
    odd = {(one.feature, one.face) for one in face_checks(case.log, case.checks) if one.is_odd}
    for column in case.log.rows.schema.features:
        for face, flags in faces(case.log.rows, column):
            if (column.name, face) in odd:
                wrong[column.name] = np.asarray(wrong.get(column.name, False) | flags)
    found: dict[int, tuple[str, str]] = {}
    for one in own:
        feature = next((name for name, flags in wrong.items() if one.row is not None and flags[one.row]), None)
        if one.row is not None and one.fate == "ranked low" and feature is not None:
            words = (
                f"item {one.outcome.item_id}, which the member then looked for, was ranked low with a wrong {feature}"
            )
            found[one.row] = (feature, words)
    return found


def _is_live(case: MemberCase, item: str) -> bool:
    if case.catalogue is None or item not in case.catalogue.metadata.keys:
        return False
    return bool(case.catalogue.is_live[case.catalogue.metadata.place(item)])


def _headline(counts: Counter[Fate]) -> str:
    if not counts:
        return "the member looked for nothing outside the slates"
    listed = ", ".join(f"{n} {fate}" for fate, n in counts.most_common())
    return f"{counts.total()} items looked for outside the slates ({listed}), as with others"


def _row(case: MemberCase, one: Wanted, misjudged: dict[int, tuple[str, str]]) -> dict[str, Any]:
    because = {
        "shown": "it was offered",
        "ranked low": "surprising",
        "filtered": f"rule {one.rule}",
        "not retrieved": "retrieval" if _is_live(case, one.outcome.item_id) or case.catalogue is None else "not live",
        "no request": "no request within the window",
    }[one.fate]
    feature = misjudged.get(-1 if one.row is None else one.row)
    return {
        "item": one.outcome.item_id,
        "ts": one.outcome.ts.isoformat(),
        "origin": one.outcome.origin,
        "fate": one.fate,
        "because": f"feature {feature[0]}" if feature is not None else because,
        "rank": one.rank,
        "n_candidates": one.n_candidates or None,
    }
