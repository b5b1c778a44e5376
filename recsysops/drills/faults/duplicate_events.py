"""Fault 20. Keys do not repeat on ordinary days, so one repeated request gives it away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from recsysops.drills.fault import FaultMeta, Moment, Truth
from recsysops.drills.planting.draws import draws
from recsysops.drills.power import any_of
from recsysops.drills.rows import Mask, Rows
from recsysops.drills.site import Site


@dataclass(frozen=True)
class DuplicateEvents:
    """Some requests are written to the log twice.

    Sending is retried after it had arrived: all candidates of a request are repeated, and so are its outcomes.
    """

    meta: ClassVar[FaultMeta] = FaultMeta(
        name="duplicate_events",
        stage="logging",
        cause="input",
        entity="the log of candidates",
        knob="share of requests",
        target=0.005,
        symptom="keys repeat, more outcomes per impression",
        cure="make delivery idempotent, and write the days again",
    )
    severity: float
    pick: int

    @classmethod
    def choose(cls, severity: float, site: Site, rng: np.random.Generator) -> Self:
        return cls(min(severity, cls.meta.most), int(rng.integers(2**31)))

    def truth(self) -> Truth:
        tables = ("candidates", "outcomes")
        keys = ("request_id", "item_id", "position", "ts", "kind")
        return Truth(
            ("candidates.request_id", "outcomes.request_id", *tables),
            (*(f"{table}.{key}" for table in tables for key in keys), *(f"{table}.[*]" for table in tables)),
        )

    def visible(self, site: Site) -> float:
        return any_of(site.n_requests)

    def own_candidates(self, rows: Rows, moment: Moment) -> Rows:
        return _repeated(rows, self._is_hit(rows))

    def own_outcomes(self, rows: Rows, moment: Moment) -> Rows:
        return _repeated(rows, self._is_hit(rows)) if "request_id" in rows else rows

    log = own_candidates
    labels = own_outcomes

    def _is_hit(self, rows: Rows) -> Mask:
        known = np.array([one is not None for one in rows["request_id"]], bool)
        if "request_id" in rows.nulls:
            known &= ~rows.nulls["request_id"]
        return np.asarray(known & (draws(rows["request_id"], f"duplicate:{self.pick}") < self.severity))


def _repeated(rows: Rows, is_hit: Mask) -> Rows:
    """The rows hit twice, one after the other; all others once."""
    return rows.take(np.repeat(np.arange(len(rows)), 1 + is_hit))
