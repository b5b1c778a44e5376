"""LIME of one row, for models without trees, and only where its answer can be repeated.

LIME fits a straight line to a model near a row, on random neighbours: other seeds give other lines. What it says is handed
on only if many seeds agree and the line fits.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from recsysops.errors import ConfigError
from recsysops.models.comparison import Comparison, Floats, Scorer
from recsysops.models.probes import typical_value

LEAST_SEEDS, TOP = 10, 5
LEAST_JACCARD, LEAST_R2 = 0.8, 0.5


@dataclass(frozen=True)
class LimeCheck:
    """What LIME says of a row, or why it is not said."""

    weights: Mapping[str, float]
    """Mean over the seeds of what a feature's present value adds to the margin, the largest first; empty where unstable."""
    jaccard: float
    """Mean similarity of the five largest features of two seeds, in [0, 1]; says nothing of five features or fewer."""
    r2: float
    """Mean share of the neighbours' variance that the line explains."""
    held: tuple[str, ...]
    """Features left as they are: missing in the row, or the same in all peers."""

    @property
    def problem(self) -> str:
        """Why it is not to be trusted; empty where it is."""
        if np.isnan(self.r2):
            return "unstable: no feature is known in the row and varies among the peers"
        problems = []
        if not self.jaccard >= LEAST_JACCARD:
            problems.append(f"seeds disagree (Jaccard {self.jaccard:.2f} of the top {TOP}, {LEAST_JACCARD} needed)")
        if not self.r2 >= LEAST_R2:
            problems.append(f"no straight line fits (R² {self.r2:.2f}, {LEAST_R2} needed)")
        return f"unstable: {'; '.join(problems)}" if problems else ""


def lime_check(
    scorer: Scorer,
    comparison: Comparison,
    row: int = 0,
    *,
    categorical: Collection[str] = (),
    n_seeds: int = LEAST_SEEDS,
    n_samples: int = 2000,
) -> LimeCheck:
    """Explain one row with several seeds, its neighbours made of the peers' quartiles and categories.

    Peers' missing values are taken for their median or most frequent category: LIME knows no missing values.

    Args:
        row: number in the comparison's rows.
        categorical: features whose numbers are codes.
        n_seeds: at least 10.
        n_samples: neighbours for each seed.

    Raises:
        ConfigError: if there are fewer than 10 seeds.

    Source:
        Ribeiro, Singh & Guestrin, KDD 2016.
    """
    if n_seeds < LEAST_SEEDS:
        raise ConfigError("lime", found=f"{n_seeds} seeds", expected=f"at least {LEAST_SEEDS}")
    instance, peers = comparison.rows[row], comparison.peers
    free = np.flatnonzero(~np.isnan(instance) & (_n_different(peers) > 1))
    names = [comparison.features[place] for place in free]
    held = tuple(name for name in comparison.features if name not in names)
    if not len(free):
        return LimeCheck({}, float("nan"), float("nan"), held)
    codes = [number for number, name in enumerate(names) if name in categorical]
    filled = np.column_stack(
        [_filled(peers[:, place], name in categorical) for place, name in zip(free, names, strict=True)]
    )

    def near(neighbours: Floats) -> Floats:
        whole = np.tile(instance, (len(neighbours), 1))
        whole[:, free] = neighbours
        return scorer(whole)

    found = [_line(near, instance[free], filled, codes, n_samples, seed) for seed in range(n_seeds)]
    weights, r2 = np.array([one[0] for one in found]), float(np.mean([one[1] for one in found]))
    check = LimeCheck({}, _agreement(weights), r2, held)
    if check.problem:
        return check
    mean = dict(zip(names, weights.mean(axis=0).tolist(), strict=True))
    return LimeCheck(dict(sorted(mean.items(), key=lambda pair: -abs(pair[1]))), check.jaccard, r2, held)


def _line(
    near: Scorer, instance: Floats, peers: Floats, codes: list[int], n_samples: int, seed: int
) -> tuple[Floats, float]:
    """Weights of the features and R² of one seed."""
    from lime.lime_tabular import LimeTabularExplainer

    explainer = LimeTabularExplainer(
        peers, mode="regression", categorical_features=codes, feature_selection="none", random_state=seed
    )
    explained = explainer.explain_instance(instance, near, num_samples=n_samples)
    weights = np.zeros(len(instance))
    for place, weight in explained.local_exp[1]:
        weights[place] = weight
    return weights, float(explained.score)


def _filled(values: Floats, is_category: bool) -> Floats:
    is_missing = np.isnan(values)
    return np.where(is_missing, typical_value(values[~is_missing], is_category=is_category), values)


def _agreement(weights: Floats) -> float:
    """Mean Jaccard similarity of the largest features of every two seeds."""
    tops = [frozenset(np.argsort(-np.abs(one), kind="stable")[:TOP].tolist()) for one in weights]
    return float(np.mean([len(one & other) / len(one | other) for one, other in combinations(tops, 2)]))


def _n_different(peers: Floats) -> npt.NDArray[np.int64]:
    return np.array([len(np.unique(column[~np.isnan(column)])) for column in peers.T])
