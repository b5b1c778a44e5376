"""Fault 23. All extra requests fall into one hour; theory sees them against the Poisson count of an ordinary hour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from recsysops.drills.fault import FaultMeta, Moment, Truth
from recsysops.drills.planting.draws import draws
from recsysops.drills.planting.required import require_roles
from recsysops.drills.power import count_change
from recsysops.drills.rows import Rows
from recsysops.drills.site import Site

N_BOTS = 3
FIRST_HOUR = np.timedelta64(3, "h")


@dataclass(frozen=True)
class BotBurst:
    """A few accounts send a burst of requests.

    Three accounts, others each day, ask again what others have asked, between 03:00 and 04:00 UTC.
    """

    meta: ClassVar[FaultMeta] = FaultMeta(
        name="bot_burst",
        stage="logging",
        cause="input",
        entity="a few members",
        knob="requests added, as a share",
        target=0.01,
        symptom="few members make up many rows",
        cure="block the accounts, and keep their rows out of training",
    )
    severity: float
    pick: int
    member_features: tuple[str, ...] = ()

    @classmethod
    def choose(cls, severity: float, site: Site, rng: np.random.Generator) -> Self:
        require_roles(cls.meta.name, site, "member_id")
        features = (*site.features("numeric", "member"), *site.features("categorical", "member"))
        return cls(min(severity, cls.meta.most), int(rng.integers(2**31)), features)

    def truth(self) -> Truth:
        columns = ("member_id", "ts", "hour_of_day", *self.member_features)
        return Truth(
            ("candidates.member_id", "candidates"),
            (*(f"candidates.{name}" for name in columns), "candidates.[*]", "outcomes.member_id", "outcomes.[*]"),
        )

    def visible(self, site: Site) -> float:
        return min(1.0, count_change(site.n_requests / 24, site) / 24)

    def own_candidates(self, rows: Rows, moment: Moment) -> Rows:
        is_copied = draws(rows["request_id"], f"burst:{self.pick}") < self.severity
        members, first = np.unique(rows["member_id"].astype(str), return_index=True)
        bots = first[np.argsort(draws(members, f"bots:{self.pick}"), kind="stable")[:N_BOTS]]
        copies = rows.take(np.asarray(is_copied))
        if not len(copies):
            return rows
        ids = copies["request_id"]
        source = bots[(draws(ids, "which bot") * len(bots)).astype(np.int64)]
        names = [name for name in ("member_id", "member", *self.member_features) if name in rows]
        as_bot = {name: rows[name][source] for name in names}
        midnight = copies["ts"].astype("datetime64[D]").astype("datetime64[us]")
        copies = copies.with_columns(
            **as_bot,
            request_id=np.array([f"{one}-b" for one in ids], object),
            ts=midnight + FIRST_HOUR + (copies["ts"] - midnight) // 24,
        )
        return rows.followed_by(copies)

    requests = own_candidates
