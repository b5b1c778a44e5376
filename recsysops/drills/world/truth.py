"""What really is so: who likes what, and what each item would have earned had slates been in the order of true appeal."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from recsysops.drills.rows import Rows
from recsysops.drills.world.catalogue import Items
from recsysops.drills.world.population import Floats, Population
from recsysops.drills.world.vocabulary import MARKETS, SLATE
from recsysops.tables.atomic import write_atomically

TRUTH = "truth"


def write_tastes(folder: Path, members: Population, items: Items) -> None:
    """Members and items with their true tastes, quality, launch and expiry."""
    who = {"member_id": members.ids, "activity": members.activity, "thrift": members.thrift}
    what = {"item_id": items.ids, "quality": items.quality, "launch_day": items.launch, "expiry_day": items.expiry}
    for name, columns, taste in (("members", who, members.taste), ("items", what, items.taste)):
        tastes = {f"taste_{k}": taste[:, k] for k in range(taste.shape[1])}
        _write(folder / TRUTH / f"{name}.parquet", pa.table({**columns, **tastes}))


def earned(requests: Rows, plays: Rows, odds: Floats, eligible: npt.NDArray[np.bool_], items: Items) -> Rows:
    """Per item and market of a day: plays from slates, and the plays expected had every slate been in the order of truth.

    Args:
        odds: (n_requests, n_items) true log-odds of a play when looked at.
        eligible: (n_requests, n_items) what might have been shown.
    """
    n_items = odds.shape[1]
    value = np.where(eligible, odds, -np.inf)
    top = np.argpartition(-value, SLATE - 1, axis=1)[:, :SLATE]
    best = np.take_along_axis(value, top, axis=1)
    order = np.argsort(-best, axis=1)
    top, best = np.take_along_axis(top, order, axis=1), np.take_along_axis(best, order, axis=1)
    expected = 1 / (1 + np.exp(-best)) / (1 + 0.2 * np.arange(SLATE))
    market = np.array([MARKETS.index(name) for name in requests["market"]], np.int64)
    cell = market[:, None] * n_items + top
    ideal = np.bincount(cell.ravel(), expected.ravel(), minlength=n_items * len(MARKETS))
    played = market[plays["request"]] * n_items + plays["item"]
    actual = np.bincount(played, minlength=n_items * len(MARKETS))
    found = np.flatnonzero((ideal > 0) | (actual > 0))
    return Rows(
        {
            "item_id": items.ids[found % n_items],
            "market": np.array(MARKETS, object)[found // n_items],
            "plays": actual[found],
            "ideal_plays": np.round(ideal[found], 4),
        }
    )


def _write(path: Path, table: pa.Table) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, lambda target: pq.write_table(table, target, compression="zstd"))
