"""What differs between two artifacts: the audit before a new one takes traffic."""

from __future__ import annotations

from dataclasses import dataclass

from recsysops.models.structure import Structure

CLEAR_FLIP = 0.5
"""Least change of the share of splits that send missing values left: where few values are missing, it wanders by itself."""


@dataclass(frozen=True)
class StructureChange:
    """A new artifact beside the one it replaces."""

    n_trees: tuple[int, int]
    """Before and after."""
    added: tuple[str, ...]
    removed: tuple[str, ...]
    is_reordered: bool
    """The features both have stand in another order."""
    importance_moved: float
    """Half the sum of the absolute differences of importance, in [0, 1]: the share that changed hands."""
    most_moved: tuple[tuple[str, float], ...]
    """Features with their change of importance, the largest first."""
    flipped: tuple[str, ...]
    """Features whose missing values mostly went one way and now mostly go the other."""


def structure_change(before: Structure, after: Structure, *, least_importance: float = 0.01) -> StructureChange:
    """Compare two artifacts.

    Args:
        least_importance: features below this share of the gain in both are not called flipped: their few splits go
            either way by chance.
    """
    old, new = before.importance, after.importance
    moved = {name: new.get(name, 0.0) - old.get(name, 0.0) for name in (*old, *(set(new) - set(old)))}
    common = [name for name in before.names if name in new]
    return StructureChange(
        n_trees=(before.n_trees, after.n_trees),
        added=tuple(name for name in after.names if name not in old),
        removed=tuple(name for name in before.names if name not in new),
        is_reordered=common != [name for name in after.names if name in old],
        importance_moved=sum(map(abs, moved.values())) / 2,
        most_moved=tuple(sorted(moved.items(), key=lambda pair: (-abs(pair[1]), pair[0]))),
        flipped=tuple(
            name
            for name in common
            if max(old[name], new[name]) >= least_importance and _is_flipped(before, after, name)
        ),
    )


def _is_flipped(before: Structure, after: Structure, name: str) -> bool:
    shares = [next(use.default_left_share for use in one.features if use.name == name) for one in (before, after)]
    if shares[0] is None or shares[1] is None:
        return False
    return (shares[0] - 0.5) * (shares[1] - 0.5) < 0 and abs(shares[1] - shares[0]) >= CLEAR_FLIP
