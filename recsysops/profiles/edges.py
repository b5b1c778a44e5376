"""Frozen bin edges of a numeric column, learnt once from a reference; profiles on different edges are never added."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from recsysops.errors import StateError

TAIL_RATES = (0.001, 0.999)


@dataclass(frozen=True)
class EdgeSet:
    """Right-closed bins: bin 0 is (−inf, e₀], bin b is (e_{b−1}, e_b], the last one is (e_last, inf).

    ``atom_bins`` maps a value that has a bin of its own to the index of that bin (0-based among the bins, special cells
    not counted).
    """

    edges: tuple[float, ...]
    atom_bins: Mapping[float, int] = field(default_factory=lambda: MappingProxyType({}), hash=False)

    def __post_init__(self) -> None:
        if not all(math.isfinite(edge) for edge in self.edges):
            raise ValueError("edges: found nan or infinity, expected finite numbers")
        if any(low >= high for low, high in pairwise(self.edges)):
            raise ValueError("edges: found an edge that is not above the one before, expected them rising")
        object.__setattr__(self, "atom_bins", MappingProxyType(dict(self.atom_bins)))

    @property
    def n_bins(self) -> int:
        """One more than there are edges."""
        return len(self.edges) + 1

    @cached_property
    def id(self) -> str:
        """SHA-256 of the edges as little-endian float64, in hexadecimal."""
        return hashlib.sha256(np.asarray(self.edges, "<f8").tobytes()).hexdigest()

    @cached_property
    def bin_names(self) -> tuple[str, ...]:
        """``"(0.5, 1.0]"``, exact and therefore distinct."""
        bounds = ("-inf", *map(repr, self.edges), "inf")
        return tuple(f"({low}, {high}{')' if high == 'inf' else ']'}" for low, high in pairwise(bounds))

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; numbers as hexadecimal floats, so that nothing is rounded."""
        return {
            "edges": [edge.hex() for edge in self.edges],
            "atom_bins": {value.hex(): index for value, index in self.atom_bins.items()},
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> EdgeSet:
        """The exact inverse of `to_dict`.

        Raises:
            StateError: if ``stored`` is not what `to_dict` writes.
        """
        try:
            edges = tuple(float.fromhex(edge) for edge in stored["edges"])
            atoms = {float.fromhex(value): int(index) for value, index in stored["atom_bins"].items()}
            return cls(edges, atoms)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise StateError("edge set", found=f"damaged content ({error})", next_step="re-baseline") from error


def learn_edges(
    values: npt.NDArray[Any],
    n_bins: int = 32,
    atoms: Sequence[float] = (0.0, -1.0),
    default: float | None = None,
) -> EdgeSet:
    """Choose edges by the quantiles of a reference sample; the same values in any order give the same edges.

    A value that makes up at least 1 / ``n_bins`` of the sample, every one of ``atoms`` and the declared default get a bin
    of their own; the rest is cut at its quantiles, its 0.1 % and 99.9 % points and its extremes, so that the first bin
    is everything below the reference and the last one everything above it. NaN and infinities are left out (they have
    cells of their own). Integers beyond 2**53 are rounded to float64, and neighbours then share a bin.

    Args:
        values: the reference in the column's own dtype, shape (n,), NULLs left out; floats, integers or booleans.
        n_bins: how many quantile bins, at least 2; atoms and tails come on top.

    Raises:
        ValueError: if ``n_bins`` is less than 2.
    """
    if n_bins < 2:
        raise ValueError(f"n_bins: found {n_bins}, expected at least 2")
    ordered = _finite_sorted(values)
    wanted = [_as_stored(value, values.dtype) for value in (*atoms, *(() if default is None else (default,)))]
    heavy = _heavy_values(ordered, n_bins)
    own_bin = np.unique(np.array([value for value in (*wanted, *heavy) if math.isfinite(value)], np.float64)) + 0.0
    rest = ordered[~np.isin(ordered.astype(np.float64), own_bin)]
    rates = (*TAIL_RATES, *(k / n_bins for k in range(1, n_bins)))
    cuts = [float(rest[max(math.ceil(rate * len(rest)) - 1, 0)]) for rate in rates] if len(rest) else []
    extremes = [_below(float(ordered[0]), values.dtype), float(ordered[-1])] if len(ordered) else []
    below = [_below(value, values.dtype) for value in own_bin.tolist()]
    edges = np.array([*own_bin.tolist(), *below, *cuts, *extremes], np.float64) + 0.0  # + 0.0 turns -0.0 into 0.0
    kept = np.unique(edges[np.isfinite(edges)])
    return EdgeSet(tuple(kept.tolist()), {value: int(np.searchsorted(kept, value)) for value in own_bin.tolist()})


def _finite_sorted(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    finite = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    return np.sort(finite, kind="stable")


def _heavy_values(ordered: npt.NDArray[Any], n_bins: int) -> list[float]:
    """Values that alone make up 1 / n_bins of the sample."""
    if not len(ordered):
        return []
    distinct, counts = np.unique(ordered, return_counts=True)
    return [float(value) for value in distinct[counts * n_bins >= len(ordered)]]


def _as_stored(value: float, dtype: np.dtype[Any]) -> float:
    """The value as the column would hold it: 0.1 in a float32 column is not 0.1."""
    with np.errstate(over="ignore"):
        return float(dtype.type(value)) if dtype.kind == "f" else float(value)


def _below(value: float, dtype: np.dtype[Any]) -> float:
    """The next smaller value that the column can hold."""
    if dtype.kind == "f":
        with np.errstate(over="ignore", under="ignore"):
            return float(np.nextafter(dtype.type(value), dtype.type(-np.inf)))
    return value - 1.0 if value.is_integer() else float(np.floor(value))
