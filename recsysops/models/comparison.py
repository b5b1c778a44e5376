"""What every explanation of a gap starts from: a subject's rows beside its peers' rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsysops.errors import NotEnoughDataError, SchemaError
from recsysops.tables.nearest import did_you_mean

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Scorer = Callable[[Floats], Floats]
"""Any model: (n_rows, n_features) to margins (n_rows,). ``functools.partial(score, artifact)`` is one."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """Rows of an item or member, and rows of those it is compared with; NaN where a value is missing.

    Peers count alike: of weighted peers, draw rows by their weights. Rows of one request are one cluster and are resampled
    together; without clusters every row counts for itself.

    Raises:
        NotEnoughDataError: if there are no rows or no peers.
        SchemaError: if the parts do not fit together.
    """

    features: tuple[str, ...]
    rows: Floats
    """(n_rows, n_features)"""
    peers: Floats
    """(n_peers, n_features)"""
    clusters: Integers | None = None
    """(n_rows,) number of each row's request, any numbers."""
    peer_clusters: Integers | None = None
    """(n_peers,)"""

    def __post_init__(self) -> None:
        for what, rows, clusters in (
            ("rows", self.rows, self.clusters),
            ("peers", self.peers, self.peer_clusters),
        ):
            if rows.ndim != 2 or rows.shape[1] != len(self.features):
                raise SchemaError(
                    what, found=f"a matrix of shape {rows.shape}", expected=f"{len(self.features)} columns"
                )
            if not len(rows):
                raise NotEnoughDataError(what, found="none", expected="at least one", next_step="widen the window")
            if clusters is not None and clusters.shape != (len(rows),):
                raise SchemaError(
                    what,
                    found=f"clusters of shape {clusters.shape}",
                    expected=f"one number for each of {len(rows)} rows",
                )

    def places(self, names: Iterable[str]) -> list[int]:
        """Columns of features.

        Raises:
            SchemaError: if one of them is not there.
        """
        place = {name: number for number, name in enumerate(self.features)}
        names = list(names)
        for name in names:
            if name not in place:
                advice = did_you_mean(name, self.features, "name a feature of the model")
                raise SchemaError("features", found=f"{name!r}", expected="a feature of the model", next_step=advice)
        return [place[name] for name in names]
