"""The SHAP gap: by how much each feature sets a subject's margin apart from its peers'.

The background is the peers' rows, so the values sum to mean f(rows) - mean f(peers). A Shapley value says what the model
made of a feature's values, not that they are wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from recsysops.errors import SchemaError, SourceError
from recsysops.models.artifact import Artifact
from recsysops.models.comparison import Comparison, Floats
from recsysops.models.pairwise_shap import pairwise_shap
from recsysops.models.resampling import resampled_weights
from recsysops.models.scoring import score
from recsysops.statistics.estimate import Estimate

TOLERANCE = 1e-6
_DRAWS_AT_ONCE = 50


@dataclass(frozen=True)
class GapPart:
    """What a feature, or a group of them, adds to the gap."""

    name: str
    phi: Estimate
    """On the margin, with its bootstrap interval."""
    top_share: float
    """Of the resamples, how many have it among the largest."""


@dataclass(frozen=True)
class GapParts:
    """A gap and its parts, the largest first."""

    gap: Estimate
    parts: tuple[GapPart, ...]
    stability: float
    """Mean Jaccard similarity, in [0, 1], of the largest parts in a resample with the largest of all rows."""


@dataclass(frozen=True, eq=False)
class ShapGap:
    """Shapley values of every pair of a subject's and a peer's row."""

    names: tuple[str, ...]
    """Features, or groups of them."""
    pairs: Floats
    """(n_rows, n_peers, n_names), on the margin."""
    gap: float
    """mean f(rows) - mean f(peers), by LightGBM itself."""
    comparison: Comparison

    @property
    def phi(self) -> Floats:
        """Shapley values of the gap, (n_names,)."""
        return np.asarray(self.pairs.mean(axis=(0, 1)))

    def grouped(self, groups: Mapping[str, Sequence[str]]) -> ShapGap:
        """The same with features summed to groups; features of no group stay as they are, after the groups.

        Raises:
            SchemaError: if a feature is not there, or is in two groups.
        """
        members = [name for group in groups.values() for name in group]
        if len(set(members)) < len(members):
            twice = next(name for name in members if members.count(name) > 1)
            raise SchemaError("groups", found=f"{twice!r} twice", expected="every feature in one group at most")
        places = {name: [self._place(one) for one in group] for name, group in groups.items()}
        places |= {name: [place] for place, name in enumerate(self.names) if name not in members}
        summed = np.stack([self.pairs[:, :, of].sum(axis=2) for of in places.values()], axis=2)
        return replace(self, names=tuple(places), pairs=summed)

    def parts(self, *, top: int = 5, n_draws: int = 500, seed: int = 0) -> GapParts:
        """The parts with bootstrap intervals (95 %, percentile), subject's and peers' clusters drawn anew.

        Args:
            top: how many count as the largest.
            n_draws: resamples.
        """
        draws = self._resampled(n_draws, np.random.default_rng(seed))
        low, high = np.quantile(draws, [0.025, 0.975], axis=0)
        own, drawn = _is_top(self.phi[None], top)[0], _is_top(draws, top)
        shared, either = (drawn & own).sum(axis=1), (drawn | own).sum(axis=1)
        parts = [
            GapPart(name, Estimate(*map(float, numbers)), float(share))
            for name, share, *numbers in zip(self.names, drawn.mean(axis=0), self.phi, low, high, strict=True)
        ]
        interval = np.quantile(draws.sum(axis=1), [0.025, 0.975])
        return GapParts(
            Estimate(self.gap, *map(float, interval)),
            tuple(sorted(parts, key=lambda part: -abs(part.phi.value))),
            float(np.mean(np.where(either, shared / np.maximum(either, 1), 1))),
        )

    def _place(self, name: str) -> int:
        if name not in self.names:
            raise SchemaError("groups", found=repr(name), expected="a feature of the model")
        return self.names.index(name)

    def _resampled(self, n_draws: int, rng: np.random.Generator) -> Floats:
        """Shapley values of resamples, (n_draws, n_names)."""
        n_rows, n_peers, n_names = self.pairs.shape
        own = resampled_weights(n_rows, self.comparison.clusters, n_draws, rng)
        theirs = resampled_weights(n_peers, self.comparison.peer_clusters, n_draws, rng)
        flat, found = self.pairs.reshape(n_rows, -1), np.empty((n_draws, n_names))
        for start in range(0, n_draws, _DRAWS_AT_ONCE):
            part = slice(start, start + _DRAWS_AT_ONCE)
            of_peers = (own[part] @ flat).reshape(-1, n_peers, n_names)
            found[part] = np.einsum("dpf,dp->df", of_peers, theirs[part])
        return found


def shap_gap(artifact: Artifact, comparison: Comparison, *, n_threads: int = 1) -> ShapGap:
    """Explain why the model scores a subject's rows unlike its peers' rows.

    Interventional Shapley values with the peers as background, exact for missing values and categories; the time is in
    proportion to rows, peers and leaves.

    Raises:
        SchemaError: if the comparison has other features than the model.
        NotEnoughDataError: if there are more pairs than memory should hold.
        SourceError: if the values do not sum to LightGBM's own gap: the trees would have been misread.
    """
    if comparison.features != artifact.features:
        raise SchemaError(
            f"model {artifact.model_id}",
            found=f"rows of {len(comparison.features)} features",
            expected=f"the model's {len(artifact.features)}, in its order",
            next_step="make them with feature_matrix",
        )
    pairs = pairwise_shap(artifact.forest, comparison.rows, comparison.peers, n_threads=n_threads)
    margins = [score(artifact, rows, n_threads=n_threads) for rows in (comparison.rows, comparison.peers)]
    error = np.max(np.abs(pairs.sum(axis=2) - (margins[0][:, None] - margins[1])))
    if not error <= TOLERANCE * max(1.0, *(float(np.max(np.abs(one))) for one in margins)):
        raise SourceError(
            f"model {artifact.model_id}",
            found=f"values that miss a gap by {error:.2g}",
            expected="LightGBM's own margins",
        )
    gap = float(margins[0].mean() - margins[1].mean())
    return ShapGap(artifact.features, pairs, gap, comparison)


def _is_top(values: Floats, top: int) -> npt.NDArray[np.bool_]:
    """Which of each row's values are among its largest in size, (n, n_names); those that are 0 never are."""
    found = np.zeros(values.shape, bool)
    np.put_along_axis(found, np.argsort(-np.abs(values), axis=1, kind="stable")[:, :top], True, axis=1)
    return np.asarray(found & (values != 0))
