"""The case of an item: its log, its peers, its history upstream and the model that scores it, read once for all steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from recsysops.cases.item_history import ItemHistory, read_item_history
from recsysops.cases.item_log import ItemLog, read_item_log
from recsysops.cases.subject import Window
from recsysops.errors import NotEnoughDataError, RecSysOpsError
from recsysops.models.artifact import Artifact
from recsysops.models.matrix import as_array, feature_matrix
from recsysops.models.scoring import score
from recsysops.peers.catalogue import Catalogue, item_peers, read_catalogue
from recsysops.peers.choosing import Peers
from recsysops.profiles.history import Change
from recsysops.replay.candidates import Candidates
from recsysops.replay.day import load_models, trace_all
from recsysops.replay.tracing import Traced
from recsysops.tables.nearest import did_you_mean
from recsysops.tables.table import Table

Floats = npt.NDArray[np.float64]
PAST_DAYS = 21
"""Days before the window that are read too, to know how the item fared before."""


@dataclass(frozen=True)
class ItemCase:
    """All that the steps look at. ``window`` is what is diagnosed; the log reaches ``PAST_DAYS`` further back."""

    item: str
    window: Window
    tables: Mapping[str, Table]
    log: ItemLog
    catalogue: Catalogue | None
    peers: Peers | None
    history: ItemHistory
    artifacts: Mapping[str, Artifact]
    problems: Mapping[str, str]
    """Why models could not be loaded, and why there are no peers."""
    changes: tuple[Change, ...]

    @property
    def without_model(self) -> str:
        """Why there is no model to ask, in words."""
        reasons = [reason for name, reason in self.problems.items() if name != "peers"]
        return "; ".join(reasons) or "no registered model scored it"

    @property
    def rows(self) -> Candidates:
        """Rows of requests with the item: its own and some peers'."""
        return self.log.rows

    @cached_property
    def artifact(self) -> Artifact | None:
        """The newest loaded model among those that scored the item in the window."""
        ids = self.rows.role("model_id")
        if ids is None or not self.artifacts:
            return next(iter(self.artifacts.values()), None)
        names = as_array(ids).cast(pa.string()).to_pylist()
        known = [name for name, own in zip(names, self.log.is_item, strict=True) if own and name in self.artifacts]
        return self.artifacts[known[-1]] if known else None

    @cached_property
    def matrix(self) -> Floats | None:
        """(n_rows, n_features) as that model reads the rows; None without one."""
        return None if self.artifact is None else feature_matrix(self.artifact, self.rows.columns)

    @cached_property
    def margins(self) -> Floats | None:
        """(n_rows,) of that one model on every row, whoever scored it: what changes over time is not the model."""
        if self.artifact is None or self.matrix is None:
            return None
        return score(self.artifact, self.matrix, n_threads=2)

    @cached_property
    def times(self) -> npt.NDArray[np.datetime64]:
        """(n_rows,) request times, increasing."""
        values = as_array(self.rows.role("ts"))
        return np.asarray(values.cast(pa.timestamp("us")).to_numpy(zero_copy_only=False))

    @cached_property
    def traced(self) -> tuple[Traced, ...]:
        """The rows' features beside their upstream sources."""
        last = (self.window.end - timedelta(microseconds=1)).date()
        return tuple(trace_all(self.tables, self.rows, last))


def read_item_case(
    tables: Mapping[str, Table],
    root: Path,
    item: str,
    window: Window,
    *,
    changes: Sequence[Change] = (),
    n_peers: int = 200,
    trusted: Sequence[Path] = (),
) -> ItemCase:
    """Read all that an item's diagnosis needs.

    Args:
        tables: the workspace's, with candidates at least.
        root: the workspace folder, where model files lie.
        item: its id.
        window: to be diagnosed.
        changes: recorded deploys, configurations and the like.
        n_peers: at most.
        trusted: further folders that model files may lie in.

    Raises:
        NotEnoughDataError: if neither the log nor the catalogue knows the item.
        SchemaError, SourceError: if a table cannot be read.
    """
    problems: dict[str, str] = {}
    catalogue, peers = _peers(tables, item, window.end, n_peers, problems)
    past = replace(window, start=window.start - timedelta(days=PAST_DAYS))
    markets = None
    if catalogue is not None and catalogue.markets is not None and item in catalogue.metadata.keys:
        markets = catalogue.markets[catalogue.metadata.place(item)] or None
    log = read_item_log(tables["candidates"], item, peers.keys if peers is not None else (), past, markets)
    if not log.item.n_logged.any() and peers is None:
        raise NotEnoughDataError(
            f"item {item}",
            found=f"no candidate in the {past.days:.0f} days to {window.end:%Y-%m-%d} and no entry in the catalogue",
            expected="the id of an item, as in the logs",
            next_step=_nearest(item, catalogue),
        )
    artifacts: dict[str, Artifact] = {}
    if "models" in tables and log.rows.n_rows:
        try:
            artifacts, found = load_models(tables, root, log.rows, trusted)
            problems |= found
        except RecSysOpsError as error:  # what needs no model is still examined
            problems["models"] = str(error)
    elif "models" not in tables:
        problems["models"] = "the workspace has no models table"
    history = read_item_history(tables, item, window.end)
    near = tuple(one for one in changes if past.start <= one.ts < window.end)
    return ItemCase(item, window, tables, log, catalogue, peers, history, artifacts, problems, near)


def _nearest(item: str, catalogue: Catalogue | None) -> str:
    known = catalogue.metadata.keys if catalogue is not None else ()
    return did_you_mean(item, known, "`recsysops items report` lists the items")


def _peers(
    tables: Mapping[str, Table], item: str, at: datetime, n: int, problems: dict[str, str]
) -> tuple[Catalogue | None, Peers | None]:
    try:
        catalogue = read_catalogue(tables, at)
    except RecSysOpsError as error:
        problems["peers"] = str(error)
        return None, None
    try:
        return catalogue, item_peers(catalogue, item, k=n)
    except RecSysOpsError as error:
        problems["peers"] = str(error)
        return catalogue, None
