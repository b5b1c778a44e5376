"""What an audit of an artifact looks at: size, features, what they matter, where missing values go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsysops.models.artifact import Artifact
from recsysops.models.tree_text import Trees

Floats = npt.NDArray[np.float64]
INFINITE = 1e300
"""What LightGBM writes for a threshold above every number."""


@dataclass(frozen=True)
class FeatureUse:
    """How a model uses a feature."""

    name: str
    n_splits: int
    gain_share: float
    """Of the gain of all splits, in [0, 1]: importance by gain."""
    default_left_share: float | None
    """Share of its splits on numbers, weighted by training rows, that send a missing value left; None where no split does
    anything with missing values."""
    thresholds: tuple[float, ...]
    """Of its splits on numbers, each once, increasing; those at infinity, which only tell missing values apart, left out."""


@dataclass(frozen=True)
class Structure:
    """The summary of an artifact."""

    model_id: str
    digest: str
    n_trees: int
    n_splits: int
    features: tuple[FeatureUse, ...]
    """In the model's order."""

    @property
    def names(self) -> tuple[str, ...]:
        """The features in the model's order."""
        return tuple(use.name for use in self.features)

    @property
    def importance(self) -> Mapping[str, float]:
        """Share of the gain, by feature."""
        return {use.name: use.gain_share for use in self.features}


def structure(artifact: Artifact) -> Structure:
    """Summarise an artifact's trees."""
    trees = artifact.trees
    gains, counts = gain_importance(trees), np.bincount(trees.feature, minlength=len(trees.features))
    uses = tuple(
        FeatureUse(name, int(counts[place]), float(gains[place]), _left(trees, place), _thresholds(trees, place))
        for place, name in enumerate(artifact.features)
    )
    return Structure(artifact.model_id, artifact.digest, trees.n_trees, len(trees.feature), uses)


def gain_importance(trees: Trees) -> Floats:
    """Share of the splits' gain by feature, (n_features,), summing to 1; all 0 for trees without a split.

    LightGBM counts only splits that gained something, and so does this.
    """
    gains = np.bincount(trees.feature, np.maximum(trees.gain, 0), minlength=len(trees.features))
    return np.asarray(gains / gains.sum() if gains.sum() > 0 else gains)


def _left(trees: Trees, place: int) -> float | None:
    chosen = (trees.feature == place) & trees.treats_missing & ~trees.is_categorical
    n_rows = trees.count[chosen].sum()
    return float(trees.count[chosen & trees.is_default_left].sum() / n_rows) if n_rows else None


def _thresholds(trees: Trees, place: int) -> tuple[float, ...]:
    found = trees.threshold[(trees.feature == place) & ~trees.is_categorical]
    return tuple(np.unique(found[np.abs(found) < INFINITE]).tolist())
