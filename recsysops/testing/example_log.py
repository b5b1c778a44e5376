"""A small healthy log to try detectors on, and the faults to plant in it.

``findings(MyDetector(), example_log().set("candidates", "feature_0", None, rate=0.1))`` is a whole experiment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from recsysops.tables.schema import Column, Schema, TableSchema
from recsysops.testing.histories import ArrayHistory, history_from_tables
from recsysops.triage.detector import Detector, Verdict
from recsysops.triage.findings import Finding

if TYPE_CHECKING:
    import pandas as pd

FIRST_DAY = date(2026, 3, 2)
"""A Monday."""
SCHEMA = Schema(
    {
        "candidates": TableSchema(
            "candidates",
            (
                Column("request_id", "categorical", "request_id"),
                Column("ts", "timestamp", "ts"),
                Column("item_id", "categorical", "item_id"),
                Column("position", "numeric", "position"),
                Column("score", "numeric", "score"),
                Column("feature_0", "numeric", is_feature=True),
                Column("feature_1", "numeric", is_feature=True),
                Column("genre", "categorical", is_feature=True),
                Column("market", "categorical"),
            ),
            slices=("market",),
        ),
        "items": TableSchema(
            "items",
            (Column("item_id", "categorical", "item_id"), Column("as_of", "timestamp", "as_of")),
        ),
    }
)


@dataclass(frozen=True)
class ExampleLog:
    """Tables of consecutive days, of which the last ``n_current`` are judged. Planting a fault gives a new log."""

    tables: Mapping[str, pd.DataFrame]
    schema: Schema
    days: tuple[date, ...]
    seed: int = 0
    n_current: int = 1

    def set(
        self, table: str, column: str, value: object, *, rate: float = 1.0, where: str = "", days: int = 0
    ) -> ExampleLog:
        """Overwrite a share of the judged rows, or of those of the last ``days``; ``where`` is a pandas query that narrows them."""
        rows = self._chosen(table, rate, where, days)
        frame = self.tables[table].copy()
        values = (
            frame[column].astype(object).to_numpy(copy=True) if value is None else frame[column].to_numpy(copy=True)
        )
        if isinstance(value, str):
            values = values.astype(object)
        values[rows] = value
        frame[column] = values
        return self._with(table, frame)

    def scale(
        self,
        table: str,
        column: str,
        *,
        by: float = 1.0,
        shift: float = 0.0,
        rate: float = 1.0,
        where: str = "",
        days: int = 0,
    ) -> ExampleLog:
        """Replace x by ``by * x + shift * standard deviation`` in a share of the judged rows."""
        rows = self._chosen(table, rate, where, days)
        frame = self.tables[table].copy()
        values = frame[column].to_numpy(np.float64, copy=True)
        values[rows] = by * values[rows] + shift * np.nanstd(values)
        frame[column] = values
        return self._with(table, frame)

    def drop(self, table: str, *, rate: float = 1.0, where: str = "", days: int = 0) -> ExampleLog:
        """Lose a share of the judged rows."""
        frame = self.tables[table]
        return self._with(table, frame[~self._chosen(table, rate, where, days)].reset_index(drop=True))

    def repeat(self, table: str, *, rate: float = 1.0, where: str = "", days: int = 0) -> ExampleLog:
        """Write a share of the judged rows twice."""
        import pandas as pd

        frame = self.tables[table]
        twice = pd.concat([frame, frame[self._chosen(table, rate, where, days)]], ignore_index=True)
        return self._with(table, twice)

    def history(self, detector: Detector) -> ArrayHistory:
        """What the detector would be given."""
        measures = list(detector.measures(self.schema))
        split = len(self.days) - self.n_current
        return history_from_tables(self.tables, self.schema, measures, self.days[:split], self.days[split:])

    def _with(self, table: str, frame: pd.DataFrame) -> ExampleLog:
        return replace(self, tables={**self.tables, table: frame})

    def _chosen(self, table: str, rate: float, where: str, days: int) -> npt.NDArray[np.bool_]:
        frame = self.tables[table]
        clock = "ts" if "ts" in frame else "as_of"
        judged = np.array(frame[clock].dt.date.isin(self.days[-(days or self.n_current) :]))
        if where:
            judged &= np.asarray(frame.index.isin(frame.query(where, engine="python").index))
        return np.asarray(judged & (np.random.default_rng(self.seed).random(len(frame)) < rate))


def example_log(n_days: int = 7, requests_per_day: int = 400, slate: int = 5, seed: int = 0) -> ExampleLog:
    """A healthy log: requests of ``slate`` candidates in three markets (90, 9.5 and 0.5 %), features correlated within requests.

    Args:
        n_days: days, the last of which is judged.
        requests_per_day: mean number of requests; a day varies by 3 %.
        slate: candidates of a request.
        seed: of everything.
    """
    rng = np.random.default_rng(seed)
    days = tuple(FIRST_DAY + timedelta(days=index) for index in range(n_days))
    import pandas as pd

    candidates = pd.concat([_candidates(rng, day, requests_per_day, slate) for day in days], ignore_index=True)
    items = pd.concat([_items(day) for day in days], ignore_index=True)
    return ExampleLog({"candidates": candidates, "items": items}, SCHEMA, days, seed)


def findings(detector: Detector, log: ExampleLog) -> list[Finding]:
    """What the detector finds in the log."""
    return [verdict for verdict in verdicts(detector, log) if isinstance(verdict, Finding)]


def verdicts(detector: Detector, log: ExampleLog) -> list[Verdict]:
    """Everything the detector says about the log."""
    return list(detector.judge(log.history(detector)))


def plant(log: ExampleLog, steps: Iterable[Mapping[str, Any]]) -> ExampleLog:
    """Apply faults written as data: ``{set: {table: candidates, column: feature_0, value: null, rate: 0.1}}``."""
    verbs: dict[str, Callable[..., ExampleLog]] = {
        "set": ExampleLog.set,
        "scale": ExampleLog.scale,
        "drop": ExampleLog.drop,
        "repeat": ExampleLog.repeat,
    }
    for step in steps:
        ((verb, arguments),) = step.items()
        log = verbs[verb](log, **arguments)
    return log


def _candidates(rng: np.random.Generator, day: date, requests_per_day: int, slate: int) -> pd.DataFrame:
    import pandas as pd

    n = max(1, int(requests_per_day * np.exp(rng.normal(0.0, 0.03))))
    request = np.repeat(np.arange(n), slate)
    rows = len(request)
    of_member = np.repeat(rng.normal(size=n), slate)
    seconds = np.sort(rng.integers(0, 86_400, n))
    ts = pd.Timestamp(day, tz="UTC") + pd.to_timedelta(np.repeat(seconds, slate), unit="s")
    popularity = 1.0 / np.arange(1, 41)
    return pd.DataFrame(
        {
            "request_id": np.array([f"{day:%m%d}-{one}" for one in request], object),
            "ts": ts,
            "item_id": _slates(rng, n, slate, popularity / popularity.sum()),
            "position": np.tile(np.arange(1, slate + 1), n),
            "score": 1.0 / (1.0 + np.exp(-(0.5 * of_member + rng.normal(size=rows)))),
            "feature_0": 0.6 * of_member + 0.8 * rng.normal(size=rows),
            "feature_1": np.exp(rng.normal(size=rows)),
            "genre": rng.choice(
                np.array(["drama", "comedy", "crime", "kids", "news"], object), rows, p=[0.4, 0.3, 0.2, 0.07, 0.03]
            ),
            "market": np.repeat(rng.choice(np.array(["NO", "DK", "IS"], object), n, p=[0.9, 0.095, 0.005]), slate),
        }
    )


def _slates(rng: np.random.Generator, n: int, slate: int, share: npt.NDArray[np.float64]) -> npt.NDArray[np.object_]:
    """Distinct items per request, by the order of exponential races."""
    races = rng.exponential(size=(n, len(share))) / share
    chosen = np.argsort(races, axis=1)[:, :slate].ravel()
    return np.array([f"item_{one:02d}" for one in chosen], object)


def _items(day: date) -> pd.DataFrame:
    import pandas as pd

    names = [f"item_{one:02d}" for one in range(40)]
    return pd.DataFrame({"item_id": names, "as_of": pd.Timestamp(day, tz="UTC") + pd.Timedelta(hours=2)})
