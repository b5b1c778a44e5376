"""Groups of features against peers, for any model that can score: what each does alone, and its fair share of the gap.

Both have a budget of time and say how far they came.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recsysops.models.comparison import Comparison, Floats, Integers, Scorer
from recsysops.models.resampling import balanced_draws

Clock = Callable[[], float]
"""Seconds."""
OTHERS = "(others)"
"""Features of no group."""
_MOST_AT_ONCE = 64


@dataclass(frozen=True)
class GroupEffect:
    """A number of a group, with the standard error that comes of drawing."""

    name: str
    value: float
    """On the margin; NaN where the time did not suffice."""
    standard_error: float
    """NaN from fewer than two draws."""
    n_draws: int


@dataclass(frozen=True)
class Ablation:
    """Effects of groups, as far as the time allowed."""

    gap: float
    """mean f(rows) - mean f(peers)."""
    effects: tuple[GroupEffect, ...]
    """In the order of the groups asked for."""
    is_complete: bool
    """Everything that was asked for was done in the time."""

    @property
    def n_done(self) -> int:
        """Groups with a number."""
        return sum(effect.n_draws > 0 for effect in self.effects)


def ablate_groups(
    scorer: Scorer,
    comparison: Comparison,
    groups: Mapping[str, Sequence[str]],
    *,
    budget_seconds: float,
    n_draws: int = 200,
    seed: int = 0,
    clock: Clock = time.monotonic,
) -> Ablation:
    """What the margin loses when a group's values are replaced by those of peers: mean of f(row) - f(row with theirs).

    The groups are taken one after the other; what the model makes of several together is not seen (``group_shapley``).

    Args:
        groups: features by the name of their group; each is replaced together, from one peer's row.
        budget_seconds: no group is begun after it.
        n_draws: pairs of a row and a peer's row, the same for every group.

    Raises:
        SchemaError: if a feature is not there.
    """
    places = _places(comparison, groups)
    stop = clock() + budget_seconds
    rng = np.random.default_rng(seed)
    own, theirs = _pairs(comparison, n_draws, rng)
    before, effects = scorer(own), []
    for name, of_group in places.items():
        losses = np.empty((0,))
        if clock() < stop:
            replaced = own.copy()
            replaced[:, of_group] = theirs[:, of_group]
            losses = before - scorer(replaced)
        effects.append(_effect(name, losses))
    return Ablation(_gap(scorer, comparison), tuple(effects), all(effect.n_draws for effect in effects))


def group_shapley(
    scorer: Scorer,
    comparison: Comparison,
    groups: Mapping[str, Sequence[str]],
    *,
    budget_seconds: float,
    n_draws: int = 500,
    seed: int = 0,
    clock: Clock = time.monotonic,
) -> Ablation:
    """Shapley values of groups of features, by permutations: they sum to the gap, up to the draws' luck.

    A draw is a row, a peer's row and an order of the groups; the row's values enter the peer's row group by group, in that
    order and in its reverse, and a group's two marginal effects are averaged. Rows and peers are used equally often, which
    makes the standard errors too large rather than too small. Features of no group form one more, named "(others)".

    Args:
        groups: features by the name of their group.
        budget_seconds: scoring stops when the next draws would not fit into it; the first draw is always made.
        n_draws: at most so many.

    Raises:
        SchemaError: if a feature is not there.

    Source:
        Castro et al., Computers & Operations Research 36 (2009); Mitchell et al., JMLR 23 (2022), antithetic sampling.
    """
    places = _places(comparison, groups)
    rest = sorted(set(range(len(comparison.features))) - {place for of_group in places.values() for place in of_group})
    places |= {OTHERS: rest} if rest else {}
    members = list(places.values())
    stop, rng = clock() + budget_seconds, np.random.default_rng(seed)
    own, theirs = _pairs(comparison, n_draws, rng)
    found: list[Floats] = []
    n_done, n_next = 0, 1
    while n_next:
        part, started = slice(n_done, n_done + n_next), clock()
        orders = rng.permuted(np.tile(np.arange(len(members)), (len(own[part]), 1)), axis=1)
        found.append(_antithetic(scorer, own[part], theirs[part], members, orders))
        n_done += len(orders)
        seconds_each = (clock() - started) / len(orders)
        n_next = _next_size(n_draws - n_done, stop - clock(), seconds_each)
    draws = np.concatenate(found)
    effects = tuple(_effect(name, values) for name, values in zip(places, draws.T, strict=True))
    return Ablation(_gap(scorer, comparison), effects, n_done == n_draws)


def _antithetic(scorer: Scorer, own: Floats, theirs: Floats, members: list[list[int]], orders: Integers) -> Floats:
    """Mean marginal effects over each order and its reverse, (n_draws, n_groups)."""
    n_draws, n_groups = orders.shape
    steps = [theirs, own]
    for both in (orders, orders[:, ::-1]):
        mixed = theirs
        for step in range(n_groups - 1):
            mixed = mixed.copy()
            for draw, group in enumerate(both[:, step]):
                mixed[draw, members[group]] = own[draw, members[group]]
            steps.append(mixed)
    margins = scorer(np.vstack(steps)).reshape(len(steps), n_draws)
    found = np.zeros((n_draws, n_groups))
    for number, both in enumerate((orders, orders[:, ::-1])):
        between = margins[2 + number * (n_groups - 1) :][: n_groups - 1]
        effects = np.diff(np.vstack([margins[:1], between, margins[1:2]]), axis=0).T / 2
        found[np.arange(n_draws)[:, None], both] += effects
    return found


def _next_size(n_left: int, seconds_left: float, seconds_each: float) -> int:
    """How many draws to make at once: none when not even one fits."""
    fitting = _MOST_AT_ONCE if seconds_each <= 0 else int(min(seconds_left / seconds_each, _MOST_AT_ONCE))
    return max(0, min(n_left, fitting)) if seconds_left > 0 else 0


def _places(comparison: Comparison, groups: Mapping[str, Sequence[str]]) -> dict[str, list[int]]:
    return {name: comparison.places(members) for name, members in groups.items()}


def _pairs(comparison: Comparison, n_draws: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Rows and peers' rows of the draws, (n_draws, n_features) each."""
    chosen = (rows[balanced_draws(len(rows), n_draws, rng)] for rows in (comparison.rows, comparison.peers))
    own, theirs = chosen
    return own, theirs


def _gap(scorer: Scorer, comparison: Comparison) -> float:
    return float(np.mean(scorer(comparison.rows)) - np.mean(scorer(comparison.peers)))


def _effect(name: str, values: Floats) -> GroupEffect:
    n = len(values)
    error = float(values.std(ddof=1) / np.sqrt(n)) if n > 1 else float("nan")
    return GroupEffect(name, float(values.mean()) if n else float("nan"), error, n)
