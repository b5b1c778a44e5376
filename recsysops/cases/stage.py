"""A stage on a request's way, and what it says where the first difference arises there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsysops.cases.evidence import Proof, Sign, share_proof

Flags = npt.NDArray[np.bool_]
SIGNS = {
    "raw_score": "raw score diverges",
    "calibration": "calibration diverges",
    "rank": "rank diverges",
    "fallback": "fallback answered",
}
"""What a stage's divergence is called in the verdict tables; that of features is told feature by feature."""
_SAID = {
    "raw_score": "raw scores are not what the model gives again",
    "calibration": "scores are not the calibration of their raw scores",
    "rank": "candidates are in requests whose raw ranks do not follow the raw scores",
    "fallback": "candidates were answered by a fallback instead of a model",
}


@dataclass(frozen=True)
class Stage:
    """One stage. ``reason`` says why it could not be looked at, empty where it could."""

    name: str
    entity: str
    looked: Flags
    """(n_own_requests,) requests for which it could be looked at."""
    diverges: Flags
    """(n_own_requests,)."""
    is_first: Flags
    """(n_own_requests,) diverging ones that agree at all earlier stages."""
    n_rows: int
    n_rows_diverging: int
    reason: str = ""

    @property
    def sign(self) -> Sign | None:
        """What it speaks for, where it is the first to diverge in any request; features have signs of their own."""
        n, n_first = int(self.looked.sum()), int(self.is_first.sum())
        if not n_first or self.name not in SIGNS:
            return None
        words = f"{self.n_rows_diverging} of {self.n_rows} {_SAID[self.name]}"
        share = self.n_rows_diverging / max(self.n_rows, 1)
        proof = share_proof("divergence", n_first, n, words) if n > 1 else Proof("divergence", share, None, None, words)
        return Sign(SIGNS[self.name], self.entity, words, min(1.0, 0.5 + n_first / n), proof)

    def to_dict(self) -> dict[str, object]:
        """JSON-ready."""
        sums = (int(flags.sum()) for flags in (self.looked, self.diverges, self.is_first))
        counts = dict(zip(("n_requests", "n_diverging", "n_first"), sums, strict=True))
        rows = {"n_rows": self.n_rows, "n_rows_diverging": self.n_rows_diverging}
        return {"stage": self.name, "entity": self.entity, **counts, **rows, "reason": self.reason or None}
