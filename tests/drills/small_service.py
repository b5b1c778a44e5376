"""A service of a few columns, for tests of the scorecard: the same days as fast as they can be drawn.

It has two seams: ``features`` and ``log``. Each day follows from the seed and its number alone.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from recsysops.drills.fault import CannotPlantError, FaultMeta, Moment, Planted, Truth
from recsysops.drills.rows import Rows
from recsysops.drills.site import ColumnFacts, Site
from recsysops.tables.atomic import write_atomically

FIRST_DAY = date(2026, 3, 2)
FEATURES = ("age", "fame", "genre")
SETTINGS = {
    "name": "small",
    "clock": "archive",
    "tables": {
        "candidates": {
            "source": {"path": "logs/candidates"},
            "roles": {
                "request_id": "request_id", "ts": "ts", "item_id": "item_id", "position": "position", "score": "score",
            },
            "features": list(FEATURES),
            "slices": ["market"],
        }
    },
}  # fmt: skip


@dataclass(frozen=True)
class SmallSize:
    """Knobs."""

    n_days: int = 30
    n_requests: int = 150


@dataclass
class SmallService:
    """Keeps what ``RunningService`` asks for."""

    folder: Path
    size: SmallSize
    seed: int
    number: int = 0
    benign: tuple[Planted, ...] = field(default=())

    @classmethod
    def begin(cls, folder: Path, size: Any, seed: int) -> Self:
        folder.mkdir(parents=True)
        (folder / "recsysops.yaml").write_text(yaml.safe_dump(SETTINGS), encoding="utf-8")
        (folder / "notes.txt").write_text("first\n", encoding="utf-8")
        return cls(folder, size, seed, benign=(Planted(Sunshine(), FIRST_DAY + timedelta(20), 0),))

    @classmethod
    def resume(cls, checkpoint: Path, folder: Path) -> Self:
        kept = json.loads((checkpoint / "state.json").read_text(encoding="utf-8"))
        return cls(folder, SmallSize(**kept["size"]), kept["seed"], kept["number"])

    @property
    def next_day(self) -> date:
        return FIRST_DAY + timedelta(days=self.number)

    def save(self, checkpoint: Path) -> None:
        kept = {"size": asdict(self.size), "seed": self.seed, "number": self.number}
        (checkpoint / "state.json").write_text(json.dumps(kept), encoding="utf-8")

    def run_day(self, planted: Sequence[Planted] = ()) -> date:
        day = self.next_day
        rows = self._through("features", self._drawn(), planted, day)
        score = rows["fame"] * 0.1 + np.where(rows.nulls["age"], 0, rows["age"]) * 0.01
        rows = self._through("log", rows.with_columns(score=score), planted, day)
        self._write(rows, day)
        with (self.folder / "notes.txt").open("a", encoding="utf-8") as notes:
            notes.write(f"{day}\n")
        self.number += 1
        return day

    def _through(self, seam: str, rows: Rows, planted: Sequence[Planted], day: date) -> Rows:
        for one in planted:
            if one.acts_at(seam, day):
                rows = getattr(one.acting, seam)(rows, one.moment(seam, day))
        return rows

    def _drawn(self) -> Rows:
        rng = np.random.default_rng((self.seed, self.number))
        n = self.size.n_requests
        request = np.repeat(np.arange(n), 4)
        times = np.sort(rng.integers(0, 86_400_000_000, n))[request]
        return Rows(
            {
                "request_id": np.array([f"{self.number}-{one}" for one in request], object),
                "ts": np.datetime64(self.next_day, "us") + times.astype("timedelta64[us]"),
                "item_id": np.array([f"i{one}" for one in rng.integers(0, 40, 4 * n)], object),
                "position": np.tile(np.arange(1, 5), n),
                "market": rng.choice(np.array(["NO", "SE"], object), n, p=(0.7, 0.3))[request],
                "age": rng.normal(40, 10, 4 * n),
                "fame": rng.exponential(1, 4 * n),
                "genre": rng.choice(np.array(["drama", "crime", "news"], object), 4 * n, p=(0.5, 0.3, 0.2)),
            }
        ).with_null("age", rng.random(4 * n) < 0.02)

    def _write(self, rows: Rows, day: date) -> None:
        arrays = {name: pa.array(rows[name], mask=rows.nulls.get(name)) for name in rows}
        arrays["ts"] = arrays["ts"].cast(pa.timestamp("us", "UTC"))
        path = self.folder / "logs" / "candidates" / f"day={day}" / "part-0.parquet"
        write_atomically(path, lambda target: pq.write_table(pa.table(arrays), target))


class Sunshine:
    """The sun shines."""


def small_site(workspace: Path, *, is_simulated: bool = False, until: date | None = None) -> Site:
    """What is known of the small service without looking."""
    numeric = {name: ColumnFacts("numeric", 0.02, 1.0, 1.0) for name in ("age", "fame", "score")}
    columns = {**numeric, "genre": ColumnFacts("categorical", 0.0)}
    roles = {"candidates": frozenset({"score", "item_id", "request_id"})}
    return Site(
        columns, {"market": {"NO": 0.7, "SE": 0.3}}, roles, 600, 150, 100, 0, is_simulated=is_simulated
    )  # fmt: skip


@dataclass(frozen=True)
class Holes:
    """Ages are lost in one market."""

    meta: ClassVar[FaultMeta] = FaultMeta(
        "holes", "feature", "input", "a numeric feature", "share of rows", 0.2, "NULLs", "darning", most=0.8,
        deadline_days=2,
    )  # fmt: skip
    severity: float

    @classmethod
    def choose(cls, severity: float, site: Site, rng: np.random.Generator) -> Self:
        return cls(severity)

    def truth(self) -> Truth:
        return Truth(("candidates.age",), ("candidates.age", "candidates.score"), {"market": "NO"})

    def visible(self, site: Site) -> float:
        return 0.1

    def features(self, rows: Rows, moment: Moment) -> Rows:
        return rows.with_null("age", rows.where(market="NO") & (moment.rng.random(len(rows)) < self.severity))


@dataclass(frozen=True)
class Tripwire:
    """A stage falls over."""

    meta: ClassVar[FaultMeta] = FaultMeta(
        "tripwire", "ranking", "serving", "the ranker", "wires", 1.0, "nothing", "look down", is_graded=False
    )
    severity: float

    @classmethod
    def choose(cls, severity: float, site: Site, rng: np.random.Generator) -> Self:
        return cls(severity)

    def truth(self) -> Truth:
        return Truth(("ranker",), ("candidates.*",))

    def visible(self, site: Site) -> float:
        return 1.0

    def log(self, rows: Rows, moment: Moment) -> Rows:
        raise ValueError("fell over a wire")


@dataclass(frozen=True)
class Homeless(Tripwire):
    """Nowhere to be planted."""

    meta: ClassVar[FaultMeta] = FaultMeta(
        "homeless", "ranking", "serving", "the ranker", "wires", 1.0, "nothing", "look down"
    )

    @classmethod
    def choose(cls, severity: float, site: Site, rng: np.random.Generator) -> Self:
        raise CannotPlantError("homeless", found="no place", expected="one")
