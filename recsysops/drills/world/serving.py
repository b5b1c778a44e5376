"""From requests to slates: what may be shown, retrieval, features, scores by the models in service, policy, order."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from recsysops.drills.rows import Column, Rows
from recsysops.drills.world import policy, ranker, retrieval, slates
from recsysops.drills.world.catalogue import Items
from recsysops.drills.world.change_log import CANARY_SHARE, DEPLOY_HOUR
from recsysops.drills.world.feature_store import Snapshots
from recsysops.drills.world.features import MODEL_FEATURES, assembled
from recsysops.drills.world.size import WorldSize
from recsysops.drills.world.state import Lineup
from recsysops.drills.world.taps import Taps
from recsysops.drills.world.upstream import midnight
from recsysops.drills.world.vocabulary import MARKETS, PLAY_MINUTES

SEEN_IN_SCORES = ("market", "device", "surface", "host")


@dataclass(frozen=True)
class Served:
    """What one day served: candidates ordered by request with their ranks, and their feature vectors, row by row."""

    ranked: Rows
    features: Rows
    eligible: npt.NDArray[np.bool_]
    """(n_requests, n_items)."""


@dataclass(frozen=True)
class Serving:
    """The serving path on one day."""

    folder: Path
    size: WorldSize
    seed: int
    number: int
    items: Items
    taps: Taps

    def serve(
        self, requests: Rows, store: Snapshots, built: Rows, profiles: Rows, events: Rows, lineup: Lineup, rules: Rows
    ) -> Served:
        """Answer the requests of the day."""
        eligible = self._eligible(requests)
        found = retrieval.retrieved(requests, eligible, store, built, self.seed, self.number)
        found = self.taps("retrieved", found.with_columns(item_id=self.items.ids[found["item"]]))
        features = self.taps("features", assembled(requests, found, store))
        scored = self.taps("scores", self._scored(requests, found, features, lineup))
        reason = policy.filtered_by(
            requests, found, rules, features["item_maturity_rating"].astype(np.float64),
            self._limits(requests, profiles)[found["request"]], self._seen(requests, found, events),
        )  # fmt: skip
        market = requests["market"][found["request"]]
        ranked = found.with_columns(
            **{name: scored[name] for name in ("raw_score", "score", "model_id", "is_fallback")},
            raw_rank=policy.ranks(found["request"], np.nan_to_num(scored["raw_score"], nan=-np.inf), found["item"]),
            filtered_by=reason,
            policy_rank=policy.final_ranks(found, market, scored["score"], reason, features["item_genre"], rules),
        )
        shown = self.taps("ranked", slates.shown(requests, ranked, self.seed, self.number))
        return Served(shown, features, eligible)

    def _eligible(self, requests: Rows) -> npt.NDArray[np.bool_]:
        """Launched, not expired and with rights in the market, at the time of the request."""
        at = self.number + (requests["ts"] - midnight(self.size, self.number)) / np.timedelta64(1, "D")
        is_live = (self.items.launch <= at[:, None]) & (self.items.expiry > self.number)
        market = np.array([MARKETS.index(name) for name in requests["market"]], np.int64)
        return np.asarray(is_live & self.items.markets[:, market].T)

    def _scored(self, requests: Rows, found: Rows, features: Rows, lineup: Lineup) -> Rows:
        """Scores of every candidate by the model that answers its request; a fallback answers in order of popularity."""
        deployment = self.taps("deployment", self._deployment(lineup))
        request = found["request"]
        model = self._model_of(requests, deployment)[request]
        raw, score = np.full(len(found), np.nan), np.full(len(found), np.nan)
        for row, name in enumerate(deployment["model_id"]):
            mine = model == row
            order = tuple(deployment["feature_order"][row].split(","))
            raw[mine] = ranker.raw_scores(features.take(mine), self.folder, name, order)
            score[mine] = ranker.calibrated(
                raw[mine], deployment["calibration_a"][row], deployment["calibration_b"][row]
            )
        fails = requests["fails"][request]
        plays = np.nan_to_num(features["item_plays_7d"].astype(np.float64))
        return Rows(
            {
                "request": request,
                "item": found["item"],
                "item_id": found["item_id"],
                "item_price": features["item_price"],
                **{name: requests[name][request] for name in SEEN_IN_SCORES},
                "raw_score": np.where(fails, np.nan, raw),
                "score": np.where(fails, plays / (1 + plays.max(initial=1)), score),
                "model_id": np.where(fails, "popularity", deployment["model_id"][model]).astype(object),
                "is_fallback": fails,
            }
        )

    def _deployment(self, lineup: Lineup) -> Rows:
        """One row per model in service; the first answers what the second, on its way in, does not."""
        names = [lineup.current, *([lineup.canary] if lineup.canary else [])]
        platt = [ranker.calibration_of(self.folder, name) for name in names]
        return Rows(
            {
                "model_id": np.array(names, object),
                "calibration_a": np.array([a for a, _ in platt]),
                "calibration_b": np.array([b for _, b in platt]),
                "feature_order": np.full(len(names), ",".join(MODEL_FEATURES), object),
                "since": np.array([-1, lineup.since][: len(names)]),
            }
        )

    def _model_of(self, requests: Rows, deployment: Rows) -> Column:
        """Row of the deployment that answers each request: the newer model has 10 % of the members for its first day."""
        if len(deployment) < 2:
            return np.zeros(len(requests), np.int64)
        deployed = midnight(self.size, int(deployment["since"][1])) + np.timedelta64(DEPLOY_HOUR, "h")
        is_ramping = (requests["ts"] >= deployed) & (requests["canary"] < CANARY_SHARE)
        is_through = requests["ts"] >= deployed + np.timedelta64(1, "D")
        return np.asarray(is_ramping | is_through).astype(np.int64)

    def _limits(self, requests: Rows, profiles: Rows) -> Column:
        """Highest maturity rating each asking member is allowed; 18 where the profile does not say."""
        limit = np.full(int(max(profiles["member"].max(initial=0), requests["member"].max(initial=0))) + 1, np.nan)
        limit[profiles["member"]] = profiles["rating_limit"]
        return np.asarray(np.nan_to_num(limit[requests["member"]], nan=18.0))

    def _seen(self, requests: Rows, found: Rows, events: Rows) -> Column:
        """Whether the member has played the candidate within four weeks."""
        n = len(self.items)
        played = events.take(events["minutes"] >= PLAY_MINUTES)
        return np.isin(requests["member"][found["request"]] * n + found["item"], played["member"] * n + played["item"])
