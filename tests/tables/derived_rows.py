"""Rows of a view over small tables, through the source that the engine reads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pyarrow as pa

from recsysops.config.settings import WorkspaceSettings
from recsysops.engines.in_process import Engine
from recsysops.engines.open_views import open_views
from recsysops.engines.partition_counts import open_connection
from recsysops.profiles.measures import Cells
from recsysops.tables.contract import TABLES
from recsysops.tables.open_tables import open_tables


def derived(
    folder: Path, view: str, tables: Mapping[str, pd.DataFrame], slices: tuple[str, ...] = ("market",)
) -> pd.DataFrame:
    """All rows of a view; every table is one Parquet file whose columns are named as its roles.

    Args:
        folder: where the files are written.
        view: name of the view.
        tables: rows by contract name.
        slices: dimensions of the candidates.
    """
    settings = {}
    for name, own in tables.items():
        path = folder / name / "part-0.parquet"
        path.parent.mkdir(parents=True)
        own.to_parquet(path)
        roles = {role.name: role.name for role in TABLES[name].roles if role.name in own}
        dims = [one for one in slices if one in own] if name == "candidates" else []
        settings[name] = {"source": {"path": str(path)}, "roles": roles, "slices": dims}
    opened = open_tables(WorkspaceSettings.model_validate({"tables": settings}), folder)
    engine = Engine(opened, folder / ".state")
    engine.profile([])
    (table,) = open_views(
        [Cells(view)], opened, engine.window(()).facts, lambda: open_connection(folder / ".state", 1)
    ).values()
    columns = [column.name for column in table.schema.columns]
    batches = [batch for partition in table.partitions() for batch in table.batches(partition, columns)]
    frame: pd.DataFrame = pa.Table.from_batches(batches).to_pandas()
    return frame
