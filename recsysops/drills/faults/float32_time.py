"""Fault 14. Theory sees it at once: all times are multiples of 128 seconds, so one size is all sizes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from recsysops.drills.fault import FaultMeta, Moment, Truth
from recsysops.drills.planting.required import require_roles
from recsysops.drills.planting.touched import EXPOSURE, SCORES
from recsysops.drills.planting.upstream_of import synonyms
from recsysops.drills.rows import Column, Rows
from recsysops.drills.site import Site

SOURCE = "member_features.last_play_at"


@dataclass(frozen=True)
class Float32Time:
    """A serialiser writes times as 32-bit floats, which know them only to two minutes."""

    meta: ClassVar[FaultMeta] = FaultMeta(
        name="float32_time",
        stage="feature",
        cause="input",
        entity="a column of times",
        knob="there or not",
        target=1.0,
        symptom="equal times and ties where there were none",
        cure="write times as 64-bit integers",
        is_graded=False,
    )
    severity: float
    is_simulated: bool

    @classmethod
    def choose(cls, severity: float, site: Site, rng: np.random.Generator) -> Self:
        """The time of a member's last play; on own logs the time of the request."""
        require_roles(cls.meta.name, site, "ts")
        return cls(cls.meta.target, site.is_simulated)

    def member_features(self, rows: Rows, moment: Moment) -> Rows:
        """The snapshot's times of last plays went through the serialiser."""
        return rows.with_columns(last_play_at=_through_float32(rows["last_play_at"]))

    def own_candidates(self, rows: Rows, moment: Moment) -> Rows:
        """The log's times did; rows of a day stay within it."""
        times = rows["ts"].astype("datetime64[us]")
        rounded = _through_float32(times)
        is_same_day = rounded.astype("datetime64[D]") == times.astype("datetime64[D]")
        return rows.with_value("ts", is_same_day, rounded[is_same_day].astype(rows["ts"].dtype))

    def truth(self) -> Truth:
        """The column of times."""
        if not self.is_simulated:
            return Truth(("candidates.ts", "ts"), ("candidates.ts",), stages=("logging",))
        touches = (SOURCE, "candidates.member_seconds_since_play", *SCORES, *EXPOSURE)
        return Truth(synonyms(SOURCE), touches, stages=("upstream",))

    def visible(self, site: Site) -> float:
        """There or not."""
        return self.meta.target


def _through_float32(times: Column) -> Column:
    """Times as a 32-bit float of seconds since 1970 gives them back; what is missing stays missing."""
    known = ~np.isnat(times)
    seconds = (times[known].astype("datetime64[us]").astype(np.int64) / 1e6).astype(np.float32)
    result = times.copy()
    result[known] = (seconds.astype(np.float64) * 1e6).astype(np.int64).astype("datetime64[us]")
    return np.asarray(result)
