"""What is known of a measure once it is planned: the id of its counts and the meaning of their cells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsysops.profiles.measures import Measure


@dataclass(frozen=True)
class Counted:
    """``cells`` name the entries of every row's counts; ``edges`` are a histogram's, None otherwise; ``shift`` is
    what moments are summed about."""

    measure: Measure
    id: str
    cells: tuple[str, ...] = ()
    edges: tuple[float, ...] | None = None
    shift: float = 0.0

    @property
    def edge_array(self) -> npt.NDArray[np.float64] | None:
        """The edges as an array."""
        return None if self.edges is None else np.asarray(self.edges, np.float64)
