"""Where an item is lost on its way from the catalogue to the screen."""

from __future__ import annotations

import numpy as np

from recsysops.cases.evidence import Evidence, Proof, Sign, share_proof, unknown
from recsysops.cases.item_case import ItemCase
from recsysops.cases.item_log import Flags, Floats, ItemDays
from recsysops.cases.step import StepMeta

LOST = 0.5
"""A stage loses the item when it lets through less than half of what it did."""
USUAL_FROM = 0.1
"""Nor is it lost while it lies within what nine of ten peers have: launches are shown to many at first, and then to few."""
LEAST_REQUESTS = 60
LEAST_PEERS = 10
RECENT_DAYS, PAST_DAYS = 3, 7
GONE = 0.1
"""An item that has a tenth of the requests it had is as good as gone; less than that, sources take turns."""
MOVED_RANKS = 5.0


class ItemPath:
    """Where is the item lost: retrieval, rules, rank or policy?

    The share of eligible requests that have the item among their candidates, the share of those that no rule filtered, its place by raw score,
    how far policies move it, and the share of requests that show it: of the last three days, of the days before, and of its
    peers. A stage at which the share fell below half of the item's own past (or that never let it through) is where it is lost.
    Shares are weighted to all traffic; intervals are Wilson's (1927), on the logged rows.
    """

    meta = StepMeta(name="item.path", subjects=("item",))

    def examine(self, case: ItemCase) -> Evidence:
        """Compare the stages with the item's own past and with its peers."""
        days = case.log.item
        if not days.days:
            return self._never_logged(case)
        recent = np.arange(len(days.days)) >= len(days.days) - RECENT_DAYS
        past = ~recent & (np.arange(len(days.days)) >= len(days.days) - RECENT_DAYS - PAST_DAYS) & (days.n_logged > 0)
        signs = [
            sign
            for sign in (
                self._retrieval(case, days, recent, past),
                self._rules(case, days, recent, past),
                self._moved(days, recent, past),
            )
            if sign
        ]
        rows = tuple(self._row(name, values, days, recent, past, case) for name, values in _stages(days).items())
        shown = _mean(days.shown, days.n_requests, recent)
        headline = f"in {_share(_mean(days.retrieved, days.n_requests, recent))} of requests a candidate, shown in {_share(shown)}"
        return Evidence(
            self.meta.name,
            "abnormal" if signs else "normal",
            headline,
            tuple(signs),
            {
                "days": [day.isoformat() for day in days.days],
                "shown": days.shown.tolist(),
                "rank": days.rank.tolist(),
                "retrieved": days.retrieved.tolist(),
            },
            rows,
        )

    def _never_logged(self, case: ItemCase) -> Evidence:
        if not case.rows.n_rows and case.catalogue is not None and case.peers is not None:
            row = case.catalogue.metadata.place(case.item)
            others = [one.n_logged.sum() for one in case.log.peers.values()]
            n = max((float(one.n_requests[-RECENT_DAYS:].sum()) for one in case.log.peers.values()), default=0.0)
            if case.catalogue.is_live[row] and n >= LEAST_REQUESTS and np.median(others or [0.0]) > 0:
                proof = share_proof("lost", 0, int(n), f"in none of {n:,.0f} requests of its markets")
                sign = Sign("never retrieved", "index", f"never a candidate, though live: {proof.words}", proof=proof)
                return Evidence(self.meta.name, "abnormal", sign.words, (sign,))
        return unknown(self.meta.name, "the item is in no logged request of this time")

    def _retrieval(self, case: ItemCase, days: ItemDays, recent: Flags, past: Flags) -> Sign | None:
        now, before = (_mean(days.retrieved, days.n_requests, which) for which in (recent, past))
        n = float(days.n_requests[recent].sum())
        if not past.any() or n < LEAST_REQUESTS or before <= 0:
            return None
        words = f"{_share(now)} of requests have it as a candidate, before {_share(before)}"
        proof = share_proof("lost", round(now * n), int(n), words)
        source = _gone_source(case, days, recent, past)
        limit = LOST if source else GONE
        if proof.high is None or proof.high >= limit * before or self._is_usual("retrieved", now, case):
            return None
        if source:
            return Sign(
                "source gone",
                f"candidate_source {source}",
                f"{words}; the source {source} gives hardly any candidates",
                proof=proof,
            )
        return Sign("not retrieved", "retrieval", words, proof=proof)

    def _rules(self, case: ItemCase, days: ItemDays, recent: Flags, past: Flags) -> Sign | None:
        now, before = (_mean(days.passed, days.n_logged, which) for which in (recent, past))
        n = int(days.n_logged[recent].sum())
        if not past.any() or n < LEAST_REQUESTS or not before > 0:
            return None
        words = f"rules let it through in {_share(now)} of requests, before {_share(before)}"
        proof = share_proof("lost", round(now * n), n, words)
        if proof.high is None or proof.high >= LOST * before or self._is_usual("passed", now, case):
            return None
        return Sign("filtered", "filtered_by", proof.words, proof=proof)

    def _moved(self, days: ItemDays, recent: Flags, past: Flags) -> Sign | None:
        now, before = (_mean(days.moved, days.n_logged, which) for which in (recent, past))
        if not past.any() or np.isnan(now) or days.n_logged[recent].sum() < LEAST_REQUESTS:
            return None
        apart = now - before
        spread = float(np.nanstd(days.moved[past])) if past.sum() > 1 else np.inf
        if abs(apart) < max(MOVED_RANKS, 4 * spread) or abs(now) < abs(before):
            return None
        words = f"policies move it by {now:+.1f} ranks, before {before:+.1f}"
        proof = Proof("moved", now, now - 2 * spread, now + 2 * spread, words)
        return Sign("moved by policy", "policy", words, proof=proof)

    def _is_usual(self, stage: str, now: float, case: ItemCase) -> bool:
        peers = _of_peers(case, stage)
        return len(peers) >= LEAST_PEERS and now >= float(np.quantile(peers, USUAL_FROM))

    def _row(
        self, name: str, values: Floats, days: ItemDays, recent: Flags, past: Flags, case: ItemCase
    ) -> dict[str, object]:
        weights = days.n_requests if name in {"retrieved", "shown"} else days.n_logged
        peers = _of_peers(case, name)
        return {
            "stage": name,
            "now": _mean(values, weights, recent),
            "before": _mean(values, weights, past),
            "peers": float(np.median(peers)) if peers else None,
            "series": values.tolist(),
        }


def _stages(days: ItemDays) -> dict[str, Floats]:
    return {
        "retrieved": days.retrieved,
        "passed": days.passed,
        "rank": days.rank,
        "moved": days.moved,
        "shown": days.shown,
    }


def _of_peers(case: ItemCase, stage: str) -> list[float]:
    """The stage of every peer on the last days, where it was logged."""
    found = (
        _mean(_stages(one)[stage], one.n_requests, np.arange(len(one.days)) >= len(one.days) - RECENT_DAYS)
        for one in case.log.peers.values()
    )
    return [one for one in found if one == one]


def _mean(values: Floats, weights: Floats, which: Flags) -> float:
    known = which & ~np.isnan(values) & (weights > 0)
    return float(np.average(values[known], weights=weights[known])) if known.any() else float("nan")


def _gone_source(case: ItemCase, days: ItemDays, recent: Flags, past: Flags) -> str:
    """A source that gave the item a good part of its requests, and gives hardly anything to anybody any more."""
    for name, given in case.log.sources.items():
        part = np.average(
            [one.get(name, 0.0) for one in days.sources], weights=past * np.nan_to_num(days.retrieved) + 1e-12
        )
        if part >= 0.2 and given[recent].mean() < 0.2 * given[past].mean():
            return name
    return ""


def _share(value: float) -> str:
    return "–" if value != value else f"{100 * value:.3g} %"
